//! The supervisor: `relaunch`, and `watchexec` for those who call it so. Reads the command line,
//! then does what it says.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use relaunch_buildpack::cli::{self, Command, USAGE};
use relaunch_buildpack::control::asking;
use relaunch_buildpack::driver;
use relaunch_buildpack::watch::Recorder;

fn main() -> ExitCode {
    let mut words = env::args_os();
    let name = words.next().unwrap_or_default();
    let command = if Path::new(&name).file_name().is_some_and(|name| name == "watchexec") {
        let folder = env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        cli::parse_watchexec(words, |name| env::var_os(name), &folder)
    } else {
        cli::parse(words, |name| env::var_os(name))
    };
    match command {
        Ok(Command::Run(run)) => driver::run(*run),
        Ok(Command::Ask(ask)) => ExitCode::from(asking::run(&ask)),
        Ok(Command::Trace(roots)) => trace(&roots),
        Ok(Command::Print(text)) => match writeln!(io::stdout(), "{text}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            // `eprintln!` would panic when stderr is closed.
            let _ = writeln!(io::stderr(), "relaunch: {error}");
            ExitCode::from(USAGE)
        }
    }
}

/// Records until a signal ends it; each line is complete when it is written.
fn trace(roots: &[PathBuf]) -> ExitCode {
    let mut recorder = match Recorder::new(roots) {
        Ok(recorder) => recorder,
        Err(error) => {
            let _ = writeln!(io::stderr(), "relaunch: {error}");
            return ExitCode::FAILURE;
        }
    };
    let folders = recorder.folders();
    let _ = writeln!(io::stderr(), "relaunch: recording {folders} folders; Ctrl-C ends it");
    let version = env!("CARGO_PKG_VERSION");
    let mut out = io::stdout().lock();
    // Whoever reads the lines has gone: nothing is left to do.
    let _ = writeln!(out, "# relaunch {version}").and_then(|()| recorder.run(&mut out));
    ExitCode::SUCCESS
}
