//! `cargo xtask fuzz`: builds the binary with coverage, runs it for each target, and notices when an
//! input ends it or holds it up.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::corpus;
use super::target::{self, Target};
use super::worker::Current;
use crate::command::{self, start_failure};
use crate::failure::Failure;
use crate::{progress, workspace};

const USAGE: &str = "usage: cargo xtask fuzz [TARGET]... [--seconds N] [--seed N] | TARGET FILE... | --keep [TARGET]...";
/// For each target.
const SECONDS: u64 = 60;

#[derive(Debug, Default)]
struct Asked {
    targets: Vec<&'static Target>,
    files: Vec<String>,
    seconds: Option<u64>,
    seed: Option<u64>,
    keep: bool,
}

impl Asked {
    fn parse(args: &[String]) -> Option<Self> {
        let mut asked = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--seconds" => asked.seconds = Some(args.next()?.parse().ok()?),
                "--seed" => asked.seed = Some(args.next()?.parse().ok()?),
                "--keep" => asked.keep = true,
                word if word.starts_with("--") => return None,
                word => match target::named(word) {
                    Some(target) if asked.files.is_empty() => asked.targets.push(target),
                    _ if asked.targets.len() == 1 => asked.files.push(word.to_owned()),
                    _ => return None,
                },
            }
        }
        if asked.targets.is_empty() {
            asked.targets = target::ALL.iter().collect();
        }
        Some(asked)
    }
}

/// Runs what `args` ask for. Exit code 1: a property does not hold; 2: wrong usage.
///
/// # Errors
/// The binary cannot be built or started.
pub fn run(args: &[String]) -> Result<ExitCode, Failure> {
    let Some(asked) = Asked::parse(args) else {
        eprintln!("{USAGE}\ntargets:");
        for target in target::ALL {
            eprintln!("    {:<10} {}", target.name, target.property);
        }
        return Ok(ExitCode::from(2));
    };
    let fuzz = build()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = asked.seed.unwrap_or(now.as_secs());
    let seconds = asked.seconds.unwrap_or(SECONDS);
    let mut good = true;
    for target in asked.targets {
        good &= if asked.keep {
            command::run(Command::new(&fuzz).args(["keep", target.name])).is_ok()
        } else if asked.files.is_empty() {
            progress::heading(&format!("{}: {} (seed {seed})", target.name, target.property));
            feed(&fuzz, target, seconds, seed)?
        } else {
            command::run(Command::new(&fuzz).args(["look", target.name]).args(&asked.files)).is_ok()
        };
    }
    Ok(ExitCode::from(u8::from(!good)))
}

/// One target in a process of its own. False = a property does not hold.
fn feed(fuzz: &PathBuf, target: &Target, seconds: u64, seed: u64) -> Result<bool, Failure> {
    let current = workspace::target().join(format!("fuzz/current-{}", target.name));
    // An input that wants all memory must not get it.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 4000000; exec \"$@\"", "sh"]).arg(fuzz);
    command.args(["feed", target.name, &seconds.to_string(), &seed.to_string()]).arg(&current);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(start_failure(&command))?;
    let hangs = pass_on(&mut child);
    if hangs {
        let _ = child.kill();
    }
    let status = child.wait().map_err(start_failure(&command))?;
    if status.success() || status.code() == Some(1) {
        return Ok(status.success());
    }
    let what = if hangs { format!("no end within {SILENCE:?}") } else { status.to_string() };
    match Current::read(&current) {
        Some(input) => {
            let path = corpus::keep(&corpus::folder(target.name), corpus::FOUND, &input)?;
            println!("{}: {what}\nthe input is kept as {}", target.name, path.display());
        }
        None => println!("{}: {what}, and no input is known", target.name),
    }
    Ok(false)
}

/// Passes the lines on until they end; true = none came for too long.
fn pass_on(child: &mut Child) -> bool {
    let Some(out) = child.stdout.take() else { return false };
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => println!("{line}"),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

/// A line comes every 5 s.
const SILENCE: Duration = Duration::from_secs(30);

/// The binary with LLVM's counters at every edge and its calls at every comparison.
fn build() -> Result<PathBuf, Failure> {
    let (host, folder) = (workspace::triple(), workspace::target().join("fuzz"));
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    for flag in FLAGS {
        flags.push_str(" -C ");
        flags.push_str(flag);
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // With --target the flags are for the binary alone, not for build scripts and macros.
    cargo.args(["build", "--quiet", "--locked", "--package", "xtask", "--bin", "fuzz"]);
    cargo.args(["--profile", "fuzz", "--target", &host, "--target-dir"]).arg(&folder);
    cargo.current_dir(workspace::root()).env("RUSTFLAGS", flags);
    progress::step("building with coverage", || command::run(&mut cargo))?;
    Ok(folder.join(host).join("fuzz/fuzz"))
}

const FLAGS: [&str; 4] = [
    "passes=sancov-module",
    "llvm-args=-sanitizer-coverage-level=3",
    "llvm-args=-sanitizer-coverage-inline-8bit-counters",
    "llvm-args=-sanitizer-coverage-trace-compares",
];
