//! Sync sessions: the supervisor is PID 1 of a namespace of its own, and clients are exec'ed into it
//! as an engine does. Pids in the log are those of the namespace.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::runner::Case;
use crate::traced::until;
use crate::world::{Run, Setup, pause};

pub(crate) const CASES: &[Case] = &[
    ("a session that pauses for 700 ms between its files restarts once", with_pauses),
    ("deletion and copy in two sessions restart once", deleted_then_copied),
    ("two sessions side by side restart once", side_by_side),
    ("health checks beside a copy through the engine do not cut it", health_checks),
];

fn start() -> Run {
    let setup = Setup::elf();
    // Each of them is PID 1, and they share /run.
    let state = setup.path("state").display().to_string();
    let run = setup
        .under(&["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
        .flags(&["--state", &state])
        .start();
    run.shell("mkdir src; for i in {1..60}; do echo $i > src/f$i; done; cp new src/app");
    run
}

/// The supervisor's pid on this side of the namespace.
fn init(run: &Run) -> i32 {
    let unshare = run.supervisor();
    let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children")).unwrap();
    children.trim().parse().unwrap()
}

/// Runs lines of a shell as a process that an engine execs into the container.
fn session(run: &Run, lines: &str) {
    let init = init(run).to_string();
    let lines = format!("cd {}; {lines}", run.path("").display());
    let status = Command::new("nsenter")
        .args(["--target", &init, "--pid", "--mount", "sh", "-euc", &lines])
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{lines}\n{}", run.everything());
}

fn assert_one_restart(mut run: Run) {
    run.wait_for_version("v2");
    run.assert_story(&["start 1", "stop 1", "start 2"]);
    // unshare itself is deaf to TERM.
    kill(Pid::from_raw(init(&run)), Signal::SIGTERM).unwrap();
    run.exit_code();
}

fn with_pauses() {
    let run = start();
    session(&run, "cp src/f1 tree; sleep 0.7; cp src/f2 tree; sleep 0.7; cp -f src/app tree");
    assert_one_restart(run);
}

fn deleted_then_copied() {
    let run = start();
    session(&run, "rm tree/app");
    pause(600);
    session(&run, "tar -c -C src . | tar -x -C tree");
    assert_one_restart(run);
}

fn side_by_side() {
    let run = start();
    thread::scope(|scope| {
        scope.spawn(|| session(&run, "for i in 1 2 3 4; do cp src/f$i tree; sleep 0.1; done"));
        session(&run, "sleep 0.1; cp src/f5 tree; sleep 0.8; cp -f src/app tree");
    });
    assert_one_restart(run);
}

/// Each ends in the middle of the copy and has written none of it.
fn health_checks() {
    let run = start();
    thread::scope(|scope| {
        let copy = "cp src/f1 src/f2 src/f3 tree; for i in {4..60}; do cp src/f$i tree/; sleep 0.015; done; cp -f src/app tree/";
        let copying = scope.spawn(|| run.shell(copy));
        // A check that began before the first write might be its author.
        until("file of the copy", || run.path("tree/f6").exists().then_some(()));
        while !copying.is_finished() {
            session(&run, "sleep 0.01");
        }
    });
    assert_one_restart(run);
}
