//! Beside a buildpack that turns the Procfile into processes itself, in each form that such a
//! buildpack writes: types and default are kept, users' arguments append, changes reload.

use crate::harness::container::TARGET;
use crate::harness::{App, Build, Container, RELAUNCH, Ways, assert_reloads};

const PAKETO: &str = "paketo-buildpacks/procfile";
const HEROKU: &str = "heroku/procfile";

/// How a Procfile buildpack is asked for a line, and where the executable is synced to.
struct Form<'a> {
    line: &'a str,
    buildpack: &'a str,
    options: &'a [&'a str],
    ways: Ways<'a>,
}

/// In a line for the shell a path is the shell's to run: nothing stands in for it.
const BESIDE: Ways = Ways { root: "/workspace/bin", run_user: "/workspace/bin" };

/// The app, built with the Procfile buildpack before Relaunch, reloads with its own arguments and
/// the user's.
fn assert_reloads_with(arguments: &str, form: &Form) {
    let Form { line, buildpack, options, ways } = form;
    let app = App::binary(&format!("web: {line}\nworker: bin/web --port none\n"));
    let build = Build::of(&app).buildpacks(&[*buildpack, RELAUNCH]).arguments(options);
    let image = build.live_reload("true").image();
    assert_eq!(image.process_types(), ["no-reload", "web", "worker"]);
    assert_eq!(image.default_process(), "web");

    let container = Container::start_command(&image, &[], &["the user's", "$HOME"]);
    let change = |_: &str, new: &str| app.build(new.trim_start_matches("version="));
    assert_reloads(&container, ["version=v1", "version=v2", "version=v3"], change, ways);
    container.wait_for_page(&format!("{arguments}argument=the user's\nargument=$HOME\n"));
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn a_line_for_bash() {
    let line = "WORD=expanded && exec bin/web --port 8080 \"$WORD\"";
    let form = Form { line, buildpack: PAKETO, options: &[], ways: BESIDE };
    assert_reloads_with("argument=expanded\n", &form);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn words_that_are_executed_directly() {
    let form = Form {
        line: "bin/web --port 8080 'a $WORD'",
        buildpack: PAKETO,
        options: &["--env", "BP_DIRECT_PROCESS=true"],
        ways: Ways { root: TARGET, run_user: TARGET },
    };
    assert_reloads_with("argument=a $WORD\n", &form);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn a_line_as_an_argument_of_bash() {
    let line = "bin/web --port 8080 \"$WORD fixed\"";
    let form = Form { line, buildpack: HEROKU, options: &[], ways: BESIDE };
    assert_reloads_with("argument= fixed\n", &form);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn after_relaunch_their_process_replaces_ours_and_the_build_says_so() {
    let app = App::binary("web: bin/web --port 8080\n");
    let image = Build::of(&app).buildpacks(&[RELAUNCH, PAKETO]).live_reload("true").image();
    let said = "If one of them declares web, its process replaces ours and does not reload.";
    let output = image.output.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(output.contains(said), "{}", image.output);
    let container = Container::of(image);
    container.wait_for_page("version=v1\ngeneration=\n");
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn beside_a_language_that_reloads_by_watchexec_the_procfile_is_the_default_and_reloads() {
    let app = App::fixture("go-sample");
    let ids = [
        "paketo-buildpacks/watchexec",
        "fixture/distributions",
        "paketo-buildpacks/go-build",
        PAKETO,
        RELAUNCH,
    ];
    let image = Build::of(&app).buildpacks(&ids).live_reload("true").image();
    assert_eq!(image.process_types(), ["mod", "no-reload", "reload-mod", "web"]);
    assert_eq!(image.default_process(), "web");
    let container = Container::of(image);
    container.wait_for_page("page one");
    container.assert_ours();
}
