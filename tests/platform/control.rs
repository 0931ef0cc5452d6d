//! A running image and those who ask it: the run user and root, without any variable; a health
//! check; a reload; a wait for the bytes that were synced.

use std::process::Command;

use crate::harness::container::TARGET;
use crate::harness::{App, Build, Container, host};

const RELAUNCH: &str = "/layers/relaunch_live-reload/supervisor/bin/relaunch";

fn start(arguments: &[&str]) -> (App, Container) {
    let app = App::fixture("go-sample");
    let image = Build::of(&app).with_relaunch().live_reload("true").image();
    let container = Container::of_with(image, arguments);
    container.wait_for_page("page one");
    (app, container)
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn the_run_user_and_root_ask_by_path_and_by_the_launcher() {
    let (_app, container) = start(&[]);
    let running = "state     running: generation 1, pid ";
    let by_path = container.execute(&[RELAUNCH, "status"]);
    let by_launcher = container.execute(&["/cnb/lifecycle/launcher", "--", "relaunch", "status"]);
    let by_root =
        host::run(host::docker(&["exec", "--user", "0", &container.id]).args([RELAUNCH, "status"]));
    for told in [by_path, by_launcher, by_root] {
        assert!(told.starts_with(running), "{told}");
    }
    let manifest = container.execute(&["sh", "-c", "cat /tmp/relaunch-*/1/manifest.json"]);
    assert!(manifest.contains("\"state\":\"running\""), "{manifest}");
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn a_reload_a_synced_binary_that_is_waited_for_and_what_happened() {
    let (app, container) = start(&[]);
    let told = container.execute(&[RELAUNCH, "reload"]);
    assert!(told.starts_with("generation 2 is up (pid "), "{told}");

    app.edit("main.go", "page one", "page two");
    let binary = host::go_build(app.path());
    let digest = host::ask(Command::new("sha256sum").arg(&binary));
    container.copy(&binary, TARGET);
    let told = container.execute(&[RELAUNCH, "wait", "--digest", &digest[..64]]);
    assert!(told.starts_with("generation 3 is up (pid "), "{told}");
    container.wait_for_page("page two");
    container.wait_for_starts(3);
    let events = container.execute(&[RELAUNCH, "events"]);
    assert_eq!(events.matches(" started (pid ").count(), 3, "{events}");
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn a_health_check_sees_the_app_up_also_on_a_read_only_root() {
    let check = format!("{RELAUNCH} status");
    let (_app, container) =
        start(&["--read-only", "--health-interval", "1s", "--health-cmd", &check]);
    container.wait_for_health("healthy");
    // The engine leaves it one writable place.
    container.execute(&["sh", "-c", "cat /dev/shm/relaunch-*/1/manifest.json"]);
}
