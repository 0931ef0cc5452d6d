//! Broken candidates: refused while the old process runs, and the next good write is taken.

use std::fs;

use crate::apps;
use crate::runner::Case;
use crate::world::{Setup, pause};

pub(crate) const CASES: &[Case] = &[
    ("a truncated executable is refused, the whole one starts", || {
        let bytes = apps::elf("v2");
        let (size, half) = (bytes.len(), bytes.len() / 2);
        let needs = format!("refused: tree/app is cut off: {half} of {size} bytes");
        refused(&bytes[..half], &needs);
    }),
    ("an empty executable is refused", || refused(b"", "refused: tree/app is empty")),
    ("another machine's executable is refused", || {
        let mut bytes = apps::elf("v2");
        // e_machine: AArch64 on x86-64 and the other way round.
        bytes[18] = if bytes[18] == 183 { 62 } else { 183 };
        refused(&bytes, "refused: tree/app is built for ");
    }),
    ("a missing interpreter is refused", || {
        refused(b"#!/no/such/interpreter\n", "refused: tree/app ");
    }),
    ("a text without an interpreter is refused", || refused(b"hello\n", "refused: tree/app ")),
    ("a missing exec bit is refused until it is set", a_missing_exec_bit),
    ("a removed executable leaves the process running until it is back", removed_and_back),
    ("what changed beside a refused executable is not lost", beside_a_refused_one),
    ("a candidate that breaks while the old one stops falls back", broken_while_stopping),
    ("a crash is held until the next change", a_crash_is_held),
    ("a crash inside a change set waits for the set", a_crash_inside_a_change_set),
    ("a crash on what lay there for a moment is not the end", a_crash_on_a_passing_state),
    ("a first start that fails waits for the executable", a_first_start_that_fails),
];

fn refused(broken: &[u8], line: &str) {
    let run = Setup::elf().start();
    run.publish(broken);
    run.wait_for(line);
    let story = run.story();
    assert_eq!(story.len(), 2, "{}", run.everything());
    run.wait_for_version("v1");
    let exe = fs::read(format!("/proc/{}/exe", run.pid())).unwrap();
    assert!(exe == apps::elf("v1"), "the old process is dead");
    run.publish(&apps::elf("v2"));
    run.assert_story(&["start 1", &story[1], "stop 1", "start 2"]);
    run.assert_runs("v2");
}

fn a_missing_exec_bit() {
    let run = Setup::elf().start();
    run.shell("chmod 644 new; mv new tree/app");
    run.wait_for("refused: tree/app ");
    run.shell("chmod 755 tree/app");
    run.wait_for_version("v2");
    let story = run.story();
    assert_eq!(story.len(), 4, "{}", run.everything());
    run.assert_runs("v2");
}

fn removed_and_back() {
    let run = Setup::elf().start();
    run.shell("rm tree/app");
    run.wait_for("refused: tree/app ");
    run.shell("cp new tree/app");
    run.wait_for_version("v2");
    let story = run.story();
    assert_eq!(story[2..], ["stop 1", "start 2"], "{}", run.everything());
    run.assert_runs("v2");
}

/// The build is mended with the bytes that run; the page that came with the broken one is new all the
/// same.
fn beside_a_refused_one() {
    let setup = Setup::elf();
    fs::write(setup.path("tree/page"), "one").unwrap();
    let run = setup.start();
    run.shell("cp -p tree/app old; echo other > tree/page; head -c 99 old > cut; mv cut tree/app");
    run.wait_for("refused: tree/app ");
    run.shell("mv old tree/app");
    run.wait_for_start(2);
    let story = run.story();
    assert_eq!(story[2..], ["stop 1", "start 2"], "{}", run.everything());
    run.assert_runs("v1");
}

fn broken_while_stopping() {
    let run = Setup::elf().arguments(&["--ignore-term=1"]).flags(&["--stop-timeout=3s"]).start();
    run.publish(&apps::elf("v2"));
    run.wait_for("stop 1");
    let bytes = apps::elf("v3");
    run.publish(&bytes[..bytes.len() / 2]);
    run.wait_for("start 2");
    let story = run.story();
    let truncated =
        format!("fell back: tree/app is cut off: {} of {} bytes", bytes.len() / 2, bytes.len());
    let expected = ["start 1", "stop 1", "kill 1", &truncated, "start 2"];
    assert_eq!(story, expected, "{}", run.everything());
    run.wait_for_version("v1");
    run.publish(&apps::elf("v4"));
    run.wait_for_version("v4");
    run.assert_runs("v4");
}

fn a_crash_is_held() {
    let run = Setup::elf().arguments(&["--exit=3@100"]).start();
    run.assert_story(&["start 1", "exit 1: code 3"]);
    run.publish(&apps::elf("v2"));
    run.assert_story(&["start 1", "exit 1: code 3", "start 2", "exit 2: code 3"]);
    run.wait_for_version("v2");
}

fn a_crash_inside_a_change_set() {
    use std::io::Write;
    let run = Setup::elf().start();
    let bytes = apps::elf("v2");
    fs::remove_file(run.app()).unwrap();
    apps::write_executable(&run.app(), b"");
    let mut file = fs::OpenOptions::new().write(true).open(run.app()).unwrap();
    file.write_all(&bytes[..1000]).unwrap();
    pause(50);
    run.signal_app(nix::sys::signal::Signal::SIGKILL);
    run.wait_for("exit 1: signal 9");
    pause(300);
    file.write_all(&bytes[1000..]).unwrap();
    drop(file);
    run.assert_story(&["start 1", "exit 1: signal 9", "start 2"]);
    run.assert_runs("v2");
}

/// The disk is as it was, but the app is not.
fn a_crash_on_a_passing_state() {
    let setup = Setup::elf();
    fs::write(setup.path("tree/data"), "data").unwrap();
    let run = setup.start();
    run.shell("mv tree/data away");
    run.signal_app(nix::sys::signal::Signal::SIGKILL);
    run.wait_for("exit 1: signal 9");
    run.shell("mv away tree/data");
    run.assert_story(&["start 1", "exit 1: signal 9", "start 2"]);
    run.assert_runs("v1");
}

fn a_first_start_that_fails() {
    let setup = Setup::elf();
    fs::remove_file(setup.path("tree/app")).unwrap();
    let run = setup.start_blind();
    run.wait_for("start failed: ");
    run.shell("cp new tree/app");
    run.wait_for_version("v2");
    let story = run.story();
    assert_eq!(story[1..], ["start 2"], "{}", run.everything());
    run.assert_runs("v2");
}
