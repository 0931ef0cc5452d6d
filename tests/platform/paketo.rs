//! Images of Paketo's language buildpacks with live reload on, without a Procfile of ours: their
//! process types stay as they are, and what they call `watchexec` is Relaunch – first, last beside
//! the buildpack that brings another watchexec, synced into by root and by the run user.

use crate::harness::container::TARGET;
use crate::harness::image::Image;
use crate::harness::{App, Build, Container, RELAUNCH, Ways, assert_reloads, host};
use crate::interpreted::assert_main_file_reloads;

/// Brings another `watchexec`.
const THEIRS: &str = "paketo-buildpacks/watchexec";
/// The folder of the binary that go-build makes.
const GO_BIN: &str = "/layers/paketo-buildpacks_go-build/targets/bin";

/// The places in which a buildpack that requires `watchexec` can be served: the lifecycle wants
/// the provider before it, so last alone is none of them.
#[derive(Clone, Copy)]
enum Place {
    First,
    LastBesideTheirs,
}

fn image_of(app: &App, place: Place, language: &[&str]) -> Image {
    let distributions = [&["fixture/distributions"], language].concat();
    let ids = match place {
        Place::First => [&[RELAUNCH], &distributions[..]].concat(),
        Place::LastBesideTheirs => [&[THEIRS], &distributions[..], &[RELAUNCH]].concat(),
    };
    Build::of(app).buildpacks(&ids).live_reload("true").image()
}

/// What the image declares, the default first.
fn types_of(image: &Image) -> (String, Vec<String>) {
    (image.default_process(), image.process_types())
}

const PAGES: [&str; 3] = ["page one", "page two", "page six"];

fn assert_go_reloads(place: Place, folder_of_the_run_user: &str) {
    let app = App::fixture("go-sample");
    app.remove("Procfile");
    let image = image_of(&app, place, &["paketo-buildpacks/go-build"]);
    let types = vec!["mod".to_owned(), "reload-mod".to_owned()];
    assert_eq!(types_of(&image), ("reload-mod".to_owned(), types));

    let edit = |old: &str, new: &str| {
        app.edit("main.go", old, new);
        host::go_build(app.path())
    };
    let root = &format!("{GO_BIN}/mod");
    let ways = Ways { root, run_user: folder_of_the_run_user };
    assert_reloads(&Container::of(image), PAGES, edit, &ways);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn go_with_relaunch_first() {
    // What go-build makes after us belongs to the build user alone: the run user has the target.
    assert_go_reloads(Place::First, TARGET);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn go_with_relaunch_last_beside_their_watchexec() {
    assert_go_reloads(Place::LastBesideTheirs, GO_BIN);
}

fn assert_npm_reloads(place: Place) {
    let app = App::fixture("apps/npm");
    let image = image_of(&app, place, &["paketo-buildpacks/npm-start"]);
    let types = vec!["no-reload".to_owned(), "web".to_owned()];
    assert_eq!(types_of(&image), ("web".to_owned(), types));
    let alone = Container::start_with(&image, &["--entrypoint", "no-reload"]);

    let container = Container::start(&image);
    container.wait_for_page("page one");
    let ignored = app.edit("package.json", "\"page\"", "\"site\"");
    container.copy(&ignored, "/workspace/package.json");
    let edit = |old: &str, new: &str| app.edit("public/page.txt", old, new);
    let ways = Ways { root: "/workspace/public/page.txt", run_user: "/workspace/public" };
    assert_reloads(&container, PAGES, edit, &ways);

    alone.wait_for_page("page one");
    assert_eq!(alone.starts(), 0, "{}", alone.log());
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn npm_with_relaunch_first() {
    assert_npm_reloads(Place::First);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn npm_with_relaunch_last_beside_their_watchexec() {
    assert_npm_reloads(Place::LastBesideTheirs);
}

fn assert_jar_reloads(place: Place) {
    let app = App::fixture("apps/jar");
    let image = image_of(&app, place, &["paketo-buildpacks/executable-jar"]);
    let types = ["executable-jar", "reload", "task", "web"].map(str::to_owned);
    assert_eq!(types_of(&image), ("reload".to_owned(), types.to_vec()));

    let edit = |old: &str, new: &str| app.edit("page/Main.class", old, new);
    let ways = Ways { root: "/workspace/page/Main.class", run_user: "/workspace/page" };
    assert_reloads(&Container::of(image), PAGES, edit, &ways);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn an_exploded_jar_with_relaunch_first() {
    assert_jar_reloads(Place::First);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn an_exploded_jar_with_relaunch_last_beside_their_watchexec() {
    assert_jar_reloads(Place::LastBesideTheirs);
}

/// The way that Paketo documents for Python: python-start brings watchexec, the user's Procfile
/// calls it.
fn assert_python_reloads(place: Place) {
    let app = App::fixture("python");
    app.write(
        "Procfile",
        "web: watchexec --verbose --restart --watch /workspace 'python app.py'\n",
    );
    let language = ["paketo-buildpacks/python-start", "paketo-buildpacks/procfile"];
    let image = image_of(&app, place, &language);
    assert_eq!(types_of(&image), ("web".to_owned(), vec!["web".to_owned()]));

    let edit = |old: &str, new: &str| app.edit("pages/front.py", old, new);
    let ways = Ways { root: "/workspace/pages/front.py", run_user: "/workspace/pages" };
    assert_reloads(&Container::of(image), PAGES, edit, &ways);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn python_by_the_documented_procfile_with_relaunch_first() {
    assert_python_reloads(Place::First);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn python_by_the_documented_procfile_with_relaunch_last_beside_their_watchexec() {
    assert_python_reloads(Place::LastBesideTheirs);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn a_bare_python_of_python_start_runs_and_reloads_the_script_that_is_its_argument() {
    let app = App::fixture("python");
    app.remove("Procfile");
    let image = image_of(&app, Place::LastBesideTheirs, &["paketo-buildpacks/python-start"]);
    let types = vec!["no-reload".to_owned(), "web".to_owned()];
    assert_eq!(types_of(&image), ("web".to_owned(), types));

    let container = Container::start_command(&image, &[], &["app.py"]);
    assert_main_file_reloads(&app, &container);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn last_alone_is_no_place_where_an_earlier_buildpack_requires_watchexec() {
    let app = App::fixture("go-sample");
    let ids = ["fixture/distributions", "paketo-buildpacks/go-build", RELAUNCH];
    let (success, image) = Build::of(&app).buildpacks(&ids).live_reload("true").attempt();
    assert!(!success, "{}", image.output);
    assert!(image.output.contains("requires watchexec"), "{}", image.output);
}
