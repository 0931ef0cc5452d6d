//! The process room with real processes.
//!
//! Keepers are forked without exec, the reaper waits for any child, and signals are blocked for the
//! whole process: under libtest's threads the cases would take each other's children. So each case
//! runs in a process of its own with one thread, which is this program again, and the process table
//! must be clean after it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Every function here is a test.
#![allow(clippy::zombie_processes)] // The reaper under test takes them.
#![allow(unsafe_code)] // fork, ptys and dispositions are what is tested.

mod keepers;
mod roles;
mod signalling;
mod starting;
mod stopping;
mod terminals;
mod world;

use std::env;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// A behaviour and the function that checks it.
type Case = (&'static str, fn());

/// No case takes a tenth of this on an idle machine.
const DEADLINE: Duration = Duration::from_mins(1);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let cases: Vec<Case> =
        [starting::CASES, stopping::CASES, keepers::CASES, signalling::CASES, terminals::CASES]
            .concat();
    match words[..] {
        ["--case", name] => {
            let (_, case) = cases.iter().find(|(known, _)| *known == name).unwrap();
            case();
            world::assert_no_child_is_left();
            ExitCode::SUCCESS
        }
        ["--role", name, ref arguments @ ..] => roles::play(name, arguments),
        _ => run_all(&cases, &words),
    }
}

fn run_all(cases: &[Case], words: &[&str]) -> ExitCode {
    relaunch_buildpack::process::become_subreaper().unwrap();
    let filters: Vec<_> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let chosen = cases
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| filters.is_empty() || filters.iter().any(|filter| name.contains(**filter)));
    if words.contains(&"--list") {
        chosen.for_each(|name| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let (passed, failed): (Vec<_>, Vec<_>) = chosen.partition(|name| run(name));
    let verdict = if failed.is_empty() { "ok" } else { "FAILED" };
    println!("\nfailed: {failed:?}");
    // The form of libtest, which `cargo xtask test` counts by.
    println!("test result: {verdict}. {} passed; {} failed", passed.len(), failed.len());
    ExitCode::from(u8::from(!failed.is_empty()))
}

fn run(name: &str) -> bool {
    let began = Instant::now();
    let mut case = Command::new(env::current_exe().unwrap())
        .args(["--case", name])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let passed = loop {
        match case.try_wait().unwrap() {
            Some(status) => break status.success(),
            None if began.elapsed() > DEADLINE => {
                case.kill().unwrap();
                case.wait().unwrap();
                println!("{name}: took longer than {DEADLINE:?}");
                break false;
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let left = world::end_descendants();
    println!(
        "test {name} ... {} ({:?})",
        if passed && left == 0 { "ok" } else { "FAILED" },
        began.elapsed()
    );
    if left > 0 {
        println!("{left} processes were left behind");
    }
    passed && left == 0
}
