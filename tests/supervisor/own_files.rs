//! Apps that write into the watched tree themselves, without `--ignore`.

use std::time::Instant;

use crate::apps;
use crate::runner::Case;
use crate::world::{Setup, pause};

pub(crate) const CASES: &[Case] = &[
    ("the app's own open log neither delays nor restarts", an_open_log),
    ("an open log among 10,000 names neither delays nor restarts", an_open_log_among_many_names),
    ("the app's own database neither delays nor restarts", an_open_database),
    ("a file that the app writes at each start does not restart for ever", written_at_each_start),
    ("a new file at each start restarts ever more seldom", a_new_file_at_each_start),
    ("a log that the app opens for each line does not restart for ever", opened_for_each_line),
    ("what a failing app writes does not start it for ever", last_words),
];

fn an_open_log() {
    keeps_open("log", Setup::elf());
}

fn an_open_database() {
    keeps_open("database", Setup::elf());
}

/// It is there before the watch of such a folder is.
fn an_open_log_among_many_names() {
    let setup = Setup::elf();
    setup.fill_tree(10_000);
    keeps_open("log", setup);
}

/// It is named once, and an update beside it settles as fast as ever.
fn keeps_open(option: &str, setup: Setup) {
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
    assert!(starts <= 5, "{}", run.everything());
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    assert_eq!(run.starts(), starts + 1, "{}", run.everything());
    run.assert_runs("v2");
}

/// Dumps with the time in their names, caches of hashes: nobody can tell them from a slow copy, but the
/// app is restarted ever more seldom.
fn a_new_file_at_each_start() {
    let habit = "date > tree/dump-$RELAUNCH_GENERATION; exec sleep 1000";
    let setup = Setup::with(&apps::script_with("v1", habit), &apps::script_with("v2", habit));
    let run = setup.start();
    let moments = [2, 3, 7, 8].map(|number| {
        run.wait_for_start(number);
        Instant::now()
    });
    let (early, late) = (moments[1] - moments[0], moments[3] - moments[2]);
    assert!(late > early * 2, "{early:?}, {late:?}\n{}", run.everything());
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    run.assert_runs("v2");
}

/// Who wrote it is gone before anybody could look, so it takes as many starts as above; from then on
/// each further line is the app's, however long after the start it comes.
fn opened_for_each_line() {
    let habit = "while :; do date +%N >> tree/log; sleep 1.5; done";
    let setup = Setup::with(&apps::script_with("v1", habit), &apps::script_with("v2", habit));
    let run = setup.start();
    run.wait_for("own tree/log");
    let starts = run.starts();
    assert!(starts <= 5, "{}", run.everything());
    pause(3_000);
    assert_eq!(run.starts(), starts, "{}", run.everything());
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    run.assert_runs("v2");
    assert_eq!(run.starts(), starts + 1, "{}", run.everything());
}

/// It is held after its failure; the next change starts it.
fn last_words() {
    let setup = Setup::with(
        &apps::script_with("v1", "date +%N > tree/last-words; exit 3"),
        &apps::script("v2"),
    );
    let run = setup.start();
    run.wait_for("own tree/last-words");
    assert!(run.starts() <= 5, "{}", run.everything());
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    run.assert_runs("v2");
}
