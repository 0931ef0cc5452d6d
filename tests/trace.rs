//! `relaunch trace` beside a real copy, and `cargo xtask replay` of what it wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Every function here is a test.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Records what `line` does to the folder `tree`, until the last event named `end` was written.
fn recorded(line: &str, end: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tree")).unwrap();
    let mut recording = Command::new(env!("CARGO_BIN_EXE_relaunch"))
        .args(["trace", "--watch", "tree"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(recording.stderr.take().unwrap());
    let mut ready = String::new();
    said.read_line(&mut ready).unwrap();
    assert_eq!(ready, "relaunch: recording 1 folders; Ctrl-C ends it\n");
    shell(line, folder.path());
    let text = until(recording.stdout.take().unwrap(), end);
    kill(Pid::from_raw(i32::try_from(recording.id()).unwrap()), Signal::SIGINT).unwrap();
    recording.wait().unwrap();
    text
}

fn shell(line: &str, folder: &Path) {
    let status = Command::new("sh").args(["-ec", line]).current_dir(folder).status().unwrap();
    assert!(status.success(), "{line}");
}

/// Everything up to the line that ends so; the test's own deadline is that of the tier.
fn until(out: ChildStdout, end: &str) -> String {
    let mut text = String::new();
    let mut lines = BufReader::new(out.take(1 << 20));
    while lines.read_line(&mut text).unwrap() > 0 {
        if text.trim_end().ends_with(end) {
            return text;
        }
    }
    panic!("{end:?} did not come:\n{text}");
}

#[test]
fn a_recorded_copy_replays_with_one_start() {
    let line = "head -c 300000 /dev/zero > new; cp new tree/app; mv new tree/x";
    let text = recorded(line, "tree/x\tMOVED_TO");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.tsv");
    fs::write(&file, &text).unwrap();
    let rows = xtask::replay::starts(&[&file]).unwrap();
    assert_eq!(rows, [("copy".to_owned(), 1)], "{text}");
}
