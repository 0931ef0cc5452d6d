//! The classic Go sample, unmodified in form: `plan.toml` requires watchexec, the Procfile calls it
//! with two folders, and its Tiltfile syncs the whole app folder, then what was compiled, and
//! copies that to where it runs – three sessions, of which the app only ever sees the last. One
//! edit is one restart.

use std::thread;
use std::time::Duration;

use crate::harness::{App, Build, Container, RELAUNCH, host};

const PLAN: &str = "[[requires]]\nname = \"watchexec\"\n\n[requires.metadata]\nlaunch = true\n";
const PROCFILE: &str = "web: watchexec --verbose --restart \
                        --watch /layers/paketo-buildpacks_go-build/targets/bin \
                        --watch /workspace '/layers/paketo-buildpacks_go-build/targets/bin/mod'\n";
/// What its Tiltfile runs in the container after a sync.
const COPY: &str = "cp -rf /workspace/build/* /layers/paketo-buildpacks_go-build/targets/bin";
/// What go-build and the user's own files require and declare.
const BUILDPACKS: [&str; 4] = [
    "paketo-community/build-plan",
    "fixture/distributions",
    "paketo-buildpacks/go-build",
    "paketo-buildpacks/procfile",
];
/// Between the sync of the binary and the copy, and then until the next edit.
const PAUSES: [(Duration, Duration); 4] = [
    (Duration::ZERO, Duration::ZERO),
    (Duration::from_millis(150), Duration::from_millis(700)),
    (Duration::from_millis(600), Duration::ZERO),
    (Duration::from_millis(1500), Duration::from_millis(100)),
];

fn sample() -> App {
    let app = App::fixture("go-sample");
    app.write("plan.toml", PLAN);
    app.write("Procfile", PROCFILE);
    app
}

/// Edits, compiles and syncs as Tilt does.
fn edit(app: &App, container: &Container, old: &str, new: &str, pause: Duration) {
    app.edit("main.go", old, new);
    // The whole folder: with the binary of the last edit, once there is one.
    let files = ["Procfile", "go.mod", "main.go", "plan.toml", "build/mod"];
    let there: Vec<&str> =
        files.into_iter().filter(|file| app.path().join(file).exists()).collect();
    container.copy_all_by_tar(app.path(), &there, "/workspace");
    host::go_build(app.path());
    container.copy_all_by_tar(app.path(), &["build/mod"], "/workspace");
    thread::sleep(pause);
    container.execute(&["sh", "-c", COPY]);
}

fn assert_one_restart_per_edit(app: &App, container: &Container) {
    container.wait_for_page("page one");
    container.assert_ours();
    let mut old = "page one".to_owned();
    for (number, (before_copy, afterwards)) in PAUSES.into_iter().enumerate() {
        let new = format!("page edited {number}");
        edit(app, container, &old, &new, before_copy);
        container.wait_for_page(&new);
        container.wait_for_starts(number + 2);
        thread::sleep(afterwards);
        old = new;
    }
}

// By evidence of use: without it each of the three sessions is a restart.
#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn one_edit_is_one_restart_as_the_build_user_with_relaunch_first() {
    let app = sample();
    let ids = [&[RELAUNCH], &BUILDPACKS[..]].concat();
    let image = Build::of(&app).buildpacks(&ids).live_reload("true").image();
    assert_eq!(image.process_types(), ["mod", "reload-mod", "web"]);
    assert_eq!(image.default_process(), "web");
    let container = Container::of_with(image, &["--user", "1001:1000"]);
    assert_one_restart_per_edit(&app, &container);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn one_edit_is_one_restart_as_another_user_of_the_group_with_relaunch_last() {
    let app = sample();
    let ids = [&["paketo-buildpacks/watchexec"], &BUILDPACKS[..], &[RELAUNCH]].concat();
    let image = Build::of(&app).buildpacks(&ids).live_reload("true").image();
    assert_eq!(image.process_types(), ["mod", "reload-mod", "web"]);
    assert_eq!(image.default_process(), "web");
    let container = Container::of(image);
    assert_eq!(container.execute(&["id", "--user"]), "1002\n");
    assert_one_restart_per_edit(&app, &container);
}
