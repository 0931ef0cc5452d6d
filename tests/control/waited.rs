//! `wait`, for scripts that sync and then test.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::world::{PATIENCE, Run, Setup};
use crate::{Answer, apps, ask, asking};

fn up(run: &Run, generation: u32) -> Answer {
    // The answer may come before the app's own first line, which tells its process id.
    run.wait_for(&format!("start {generation}"));
    let out = format!("generation {generation} is up (pid {})\n", run.pid());
    Answer { code: Some(0), out, err: String::new() }
}

fn sha256sum(run: &Run) -> String {
    let output = Command::new("sha256sum").arg(run.app()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

#[test]
fn a_generation_that_is_up_is_not_waited_for() {
    let run = Setup::elf().start();
    run.wait_for("start 1");
    assert_eq!(ask(&run, &["wait", "--generation", "1"]), up(&run, 1));
}

#[test]
fn a_change_is_waited_for() {
    let run = Setup::elf().start();
    run.wait_for("start 1");
    let mut waiting = asking(&run, &["wait", "--generation", "2"]);
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    run.publish(&apps::elf("v2"));
    let answer: Answer = waiting.wait_with_output().unwrap().into();
    assert_eq!(answer, up(&run, 2));
}

#[test]
fn a_digest_is_waited_for() {
    let run = Setup::elf().start();
    run.publish(&apps::elf("v2"));
    let digest = sha256sum(&run);
    let answer = ask(&run, &["wait", "--digest", &digest]);
    assert_eq!(answer, up(&run, 2));
    let again = ask(&run, &["wait", "--digest", &format!("sha256:{}", &digest[..8])]);
    assert_eq!(again, up(&run, 2));
}

/// A later sync may still bring what is waited for.
#[test]
fn a_refusal_is_told_to_who_waits() {
    let run = Setup::elf().start();
    run.wait_for("start 1");
    run.wait_for_rest();
    let descriptors =
        || std::fs::read_dir(format!("/proc/{}/fd", run.supervisor())).unwrap().count();
    let before = descriptors();
    let mut waiting = asking(&run, &["wait", "--generation", "2"]);
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It is connected, and its first look is over.
    let until = Instant::now() + PATIENCE;
    while descriptors() == before {
        assert!(Instant::now() < until, "nobody asks");
    }
    run.publish(&apps::elf("v2")[..5_000]);
    run.wait_for("refused");
    run.publish(&apps::elf("v2"));
    let answer: Answer = waiting.wait_with_output().unwrap().into();
    assert!(answer.err.contains("is cut off"), "{answer:?}");
    assert_eq!(Answer { err: String::new(), ..answer }, up(&run, 2));
}

#[test]
fn what_does_not_happen_in_time_is_said() {
    let run = Setup::elf().start();
    let err = "relaunch: it did not happen within 50ms\n".to_owned();
    let expected = Answer { code: Some(124), out: String::new(), err };
    assert_eq!(ask(&run, &["wait", "--change", "--timeout", "50ms"]), expected);
}
