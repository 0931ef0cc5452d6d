//! The process room with real processes.
//!
//! Keepers are forked without exec, the reaper waits for any child, and signals are blocked for the
//! whole process: under libtest's threads the cases would take each other's children. So each case
//! runs in a process of its own with one thread, which is this program again, and the process table
//! must be clean after it. Each runs twice: as an ordinary process, and as PID 1 of a namespace.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Every function here is a test.
#![allow(clippy::zombie_processes)] // The reaper under test takes them.
#![allow(unsafe_code)] // fork, ptys and dispositions are what is tested.

mod hidden;
mod keepers;
mod roles;
mod sessions;
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
    let cases: Vec<Case> = [
        starting::CASES,
        stopping::CASES,
        keepers::CASES,
        hidden::CASES,
        signalling::CASES,
        terminals::CASES,
        sessions::CASES,
    ]
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
        .flat_map(|(name, _)| {
            [Standing::Ordinary, Standing::FirstProcess].map(|standing| Run { name, standing })
        })
        .map(|run| (run, run.to_string()))
        .filter(|(_, name)| {
            filters.is_empty() || filters.iter().any(|filter| name.contains(**filter))
        });
    if words.contains(&"--list") {
        chosen.for_each(|(_, name)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let (passed, failed): (Vec<_>, Vec<_>) =
        chosen.map(|(run, name)| (run.passes(), name)).partition(|(passed, _)| *passed);
    let failed: Vec<_> = failed.into_iter().map(|(_, name)| name).collect();
    let verdict = if failed.is_empty() { "ok" } else { "FAILED" };
    println!("\nfailed: {failed:?}");
    // The form of libtest, which `cargo xtask test` counts by.
    println!("test result: {verdict}. {} passed; {} failed", passed.len(), failed.len());
    ExitCode::from(u8::from(!failed.is_empty()))
}

/// What the process of a case is to its world.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Ordinary,
    /// PID 1 of a PID namespace, as in a container.
    FirstProcess,
}

/// A case, and as what it runs.
#[derive(Clone, Copy)]
struct Run {
    name: &'static str,
    standing: Standing,
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let standing = match self.standing {
            Standing::Ordinary => "",
            Standing::FirstProcess => "_as_pid_1",
        };
        write!(f, "{}{standing}", self.name)
    }
}

impl Run {
    fn command(self) -> Command {
        let own = env::current_exe().unwrap();
        let mut command = match self.standing {
            Standing::Ordinary => Command::new(own),
            Standing::FirstProcess => {
                let mut unshare = Command::new("unshare");
                if !nix::unistd::geteuid().is_root() {
                    unshare.arg("--map-root-user");
                }
                unshare.args(["--pid", "--fork", "--mount-proc", "--kill-child"]).arg(own);
                unshare
            }
        };
        command.args(["--case", self.name]).stdin(Stdio::null());
        command
    }

    fn passes(self) -> bool {
        run(&self.to_string(), self.command())
    }
}

fn run(name: &str, mut case: Command) -> bool {
    let began = Instant::now();
    let mut case = case.spawn().unwrap();
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
