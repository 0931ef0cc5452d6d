//! Apps that write into the watched tree themselves, without `--ignore`.

use crate::apps;
use crate::runner::Case;
use crate::world::Setup;

pub(crate) const CASES: &[Case] = &[
    ("the app's own open log neither delays nor restarts", an_open_log),
    ("the app's own database neither delays nor restarts", an_open_database),
    ("a file that the app writes at each start does not restart for ever", written_at_each_start),
];

fn an_open_log() {
    keeps_open("log");
}

fn an_open_database() {
    keeps_open("database");
}

/// It is named once, and an update beside it settles as fast as ever.
fn keeps_open(option: &str) {
    let setup = Setup::elf();
    let file = setup.path("tree/own").display().to_string();
    let run = setup.arguments(&[&format!("--{option}={file}")]).start();
    run.assert_story(&["start 1", "own tree/own"]);
    run.publish(&apps::elf("v2"));
    run.assert_story(&["start 1", "own tree/own", "stop 1", "start 2"]);
    run.assert_runs("v2");
}

/// A person who saves twice in a second must not be taken for the app, so some starts are spent
/// before it is certain.
fn written_at_each_start() {
    let habit = "date +%N > tree/state; exec sleep 1000";
    let setup = Setup::with(&apps::script_with("v1", habit), &apps::script_with("v2", habit));
    let run = setup.start();
    run.wait_for("own tree/state");
    let starts = run.starts();
    assert!(starts <= 7, "{}", run.everything());
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    assert_eq!(run.starts(), starts + 1, "{}", run.everything());
    run.assert_runs("v2");
}
