//! The supervisor: `relaunch`, and `watchexec` for those who call it so. Reads the command line,
//! then does what it says.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use relaunch_buildpack::cli::{self, Command, USAGE};
use relaunch_buildpack::driver;

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
