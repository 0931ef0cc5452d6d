//! Slow writers, and writes at awkward times.

use std::fs::{self, File, OpenOptions};
use std::io::Write;

use nix::sys::signal::Signal;

use crate::apps;
use crate::runner::Case;
use crate::world::{Run, Setup, pause};

pub(crate) const CASES: &[Case] = &[
    ("pieces 200 ms apart through one descriptor restart once", || in_pieces(8, 200)),
    ("pieces 1 s apart through one descriptor restart once", || in_pieces(3, 1_000)),
    ("a script written in place in pieces restarts once", a_script_in_pieces),
    ("a writer that stays open after the last byte is waited for", a_writer_that_stays_open),
    ("a file reopened for each piece starts only when it is whole", reopened_for_each_piece),
    ("a file reopened every 5 ms restarts once", reopened_quickly),
    ("the last of many updates runs: 5 ms apart", || many_updates(5)),
    ("the last of many updates runs: 20 ms apart", || many_updates(20)),
    ("the last of many updates runs: 50 ms apart", || many_updates(50)),
    ("the last of many updates runs: 100 ms apart", || many_updates(100)),
    ("the last of many updates runs: 150 ms apart", || many_updates(150)),
    ("an update right after the start is not lost", an_update_while_starting),
    ("an update before the first exec is what runs", an_update_before_the_first_exec),
    ("an update before the first exec among 10,000 names is what runs", an_update_among_many_names),
    ("an update while the old one stops is what runs next", an_update_while_stopping),
    ("a pause of 300 ms between deletion and copy restarts once", deleted_then_copied),
];

/// Replaces the app by a new file written in pieces; the descriptor stays open throughout.
fn in_pieces(pieces: usize, gap: u64) {
    let run = Setup::elf().start();
    let bytes = apps::elf("v2");
    fs::remove_file(run.app()).unwrap();
    let mut file = create(&run);
    for piece in bytes.chunks(bytes.len().div_ceil(pieces)) {
        file.write_all(piece).unwrap();
        pause(gap);
    }
    drop(file);
    run.assert_one_restart_to("v2");
}

fn create(run: &Run) -> File {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o755).open(run.app()).unwrap()
}

fn a_script_in_pieces() {
    let run = Setup::script().start();
    let mut file = create(&run);
    for piece in apps::script("v2").chunks(8 << 10) {
        file.write_all(piece).unwrap();
        pause(200);
    }
    drop(file);
    run.assert_one_restart_to("v2");
}

fn a_writer_that_stays_open() {
    let run = Setup::elf().start();
    fs::remove_file(run.app()).unwrap();
    let mut file = create(&run);
    file.write_all(&apps::elf("v2")).unwrap();
    pause(3_000);
    drop(file);
    run.assert_story(&["start 1", "waiting tree/app", "stop 1", "start 2"]);
    run.assert_runs("v2");
}

fn write_reopening(run: &Run, pieces: usize, gap: u64) {
    let bytes = apps::elf("v2");
    fs::remove_file(run.app()).unwrap();
    drop(create(run));
    for piece in bytes.chunks(bytes.len().div_ceil(pieces)) {
        let mut file = OpenOptions::new().append(true).open(run.app()).unwrap();
        file.write_all(piece).unwrap();
        drop(file);
        pause(gap);
    }
}

/// Each piece looks settled; only its own headers say that the file is not whole.
fn reopened_for_each_piece() {
    let run = Setup::elf().start();
    write_reopening(&run, 6, 250);
    run.wait_for("start 2");
    let story = run.story();
    let refused = story.iter().filter(|it| it.starts_with("refused: tree/app is ")).count();
    assert!((1..=6).contains(&refused), "{}", run.everything());
    let rest: Vec<_> = story.iter().filter(|it| !it.starts_with("refused: tree/app is ")).collect();
    assert_eq!(rest, ["start 1", "stop 1", "start 2"], "{}", run.everything());
    run.assert_runs("v2");
}

fn reopened_quickly() {
    let run = Setup::elf().start();
    write_reopening(&run, 20, 5);
    run.assert_one_restart_to("v2");
}

/// Each update may be a change set of its own, but the last one is what runs.
fn many_updates(gap: u64) {
    let run = Setup::elf().start();
    for version in 2..=9 {
        run.publish(&apps::elf(&format!("v{version}")));
        pause(gap);
    }
    run.wait_for_version("v9");
    // A set whose bytes the start before it has taken already is rightly told to be unchanged.
    let mut story = run.story();
    story.retain(|line| line != "unchanged tree/app");
    let starts = run.starts();
    assert!((2..=9).contains(&starts), "{}", run.everything());
    let pairs = (1..starts).flat_map(|n| [format!("stop {n}"), format!("start {}", n + 1)]);
    let expected: Vec<_> = std::iter::once("start 1".to_owned()).chain(pairs).collect();
    assert_eq!(story, expected, "{}", run.everything());
    run.assert_runs("v9");
}

fn an_update_while_starting() {
    let run = Setup::elf().start_blind();
    run.wait_for("start 1");
    run.publish(&apps::elf("v2"));
    run.assert_one_restart_to("v2");
    run.publish(&apps::elf("v3"));
    run.wait_for("start 3");
    run.publish(&apps::elf("v4"));
    run.wait_for_version("v4");
    run.assert_runs("v4");
}

/// However early it comes: the sweep after the first start finds what no event told.
fn an_update_before_the_first_exec() {
    for delay in [0, 1, 2, 4, 8] {
        updated_after(delay, &Setup::elf().start_blind());
    }
}

/// The kernel takes its time to watch such a folder, so that is done behind the exec.
fn an_update_among_many_names() {
    for delay in [1, 4, 8] {
        let setup = Setup::elf();
        setup.fill_tree(10_000);
        updated_after(delay, &setup.start_blind());
    }
}

fn updated_after(delay: u64, run: &Run) {
    pause(delay);
    run.publish(&apps::elf("v2"));
    run.wait_for_version("v2");
    let starts = run.starts();
    assert!((1..=2).contains(&starts), "{}", run.everything());
    run.assert_runs("v2");
}

fn an_update_while_stopping() {
    let setup = Setup::with(&apps::slow_to_stop("v1", "0.5"), &apps::script("v2"));
    let run = setup.start();
    run.shell("cp new tree/.tmp; mv tree/.tmp tree/app");
    run.wait_for("stop 1");
    run.publish(&apps::script("v3"));
    run.assert_one_restart_to("v3");
    run.signal_supervisor(Signal::SIGCONT);
}

fn deleted_then_copied() {
    let run = Setup::elf().start();
    run.shell("rm tree/app");
    pause(300);
    run.shell("cp new tree/app");
    run.assert_one_restart_to("v2");
}
