//! What an interpreter was told to run is as vital as an executable.

use std::fs::{self, OpenOptions};
use std::io::Write;

use crate::apps;
use crate::runner::Case;
use crate::world::{Run, Setup, pause};

pub(crate) const CASES: &[Case] = &[
    ("a script that a build removes and makes again 1.5 s later restarts once", made_again),
    ("a script written in pieces 2.5 s apart restarts once", in_slow_pieces),
];

fn start() -> Run {
    let setup = Setup::script();
    fs::create_dir(setup.path("tree/dist")).unwrap();
    fs::rename(setup.path("tree/app"), setup.path("tree/dist/main")).unwrap();
    setup.command(&["sh", "tree/dist/main"]).start()
}

/// `rm -r dist; tsc`: an interpreter started in between could only die.
fn made_again() {
    let run = start();
    run.shell("rm -r tree/dist");
    run.wait_for("refused: tree/dist/main is gone");
    run.shell("mkdir tree/dist; cp new tree/dist/main");
    run.assert_story(&["start 1", "refused: tree/dist/main is gone", "stop 1", "start 2"]);
    run.assert_runs("v2");
}

fn in_slow_pieces() {
    let run = start();
    let mut options = OpenOptions::new();
    let mut file = options.write(true).truncate(true).open(run.path("tree/dist/main")).unwrap();
    for piece in apps::script("v2").chunks(40 << 10) {
        file.write_all(piece).unwrap();
        pause(2_500);
    }
    drop(file);
    run.assert_story(&["start 1", "waiting tree/dist/main", "stop 1", "start 2"]);
    run.assert_runs("v2");
}
