//! A running supervisor and those who ask it: `status`, `events`, `reload`, `wait`, the manifest's
//! file, and clients that mean no good. `cargo test --test control -- FILTER` chooses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Every function here is a test.

#[path = "../supervisor/apps.rs"]
#[allow(dead_code, reason = "shared with the supervisor's tests, which use the rest")]
mod apps;
mod asked;
mod flood;
#[path = "../supervisor/heard.rs"]
#[allow(dead_code, reason = "shared with the supervisor's tests, which use the rest")]
mod heard;
mod manifest;
mod others;
mod waited;
#[path = "../supervisor/world.rs"]
#[allow(dead_code, reason = "shared with the supervisor's tests, which use the rest")]
mod world;

use std::process::{Command, Output};

use crate::world::Run;

/// What a command line said and how it ended.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// `relaunch` with these words and `--pid` of the supervisor.
fn asking(run: &Run, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relaunch"));
    command.args(words).args(["--pid", &run.supervisor().to_string()]);
    command
}

fn ask(run: &Run, words: &[&str]) -> Answer {
    asking(run, words).output().unwrap().into()
}

fn status(run: &Run) -> serde_json::Value {
    serde_json::from_str(&ask(run, &["status", "--json"]).out).unwrap()
}
