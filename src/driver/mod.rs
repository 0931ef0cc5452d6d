//! The driver: the one loop of the supervisor. It waits, feeds the core with what happened, and
//! performs the core's orders; it decides nothing itself. Every effect of the supervisor begins
//! here, in one thread.
//!
//! In one turn, file events are read before anything else, so that whatever a sync session wrote is
//! known before its end is; they are read again before an answer about the world counts. Work that
//! can wait (watching a large tree, digests) is done in slices of [`SLICE`] when nothing has happened.

mod clock;
mod evidence;
mod generations;
mod image;
mod judge;
mod observe;
mod probe;
mod program;
mod script;
mod start;
mod supervisor;
mod telling;

use std::process::ExitCode;
use std::time::Duration;

use crate::cli::Run;

use self::supervisor::Supervisor;

/// Runs the app until the supervisor is to end; returns the exit code.
#[must_use]
pub fn run(run: Run) -> ExitCode {
    match Supervisor::new(run) {
        Ok(mut supervisor) => ExitCode::from(supervisor.run()),
        Err(error) => {
            eprintln_quietly(&format!("relaunch: cannot start: {error}"));
            ExitCode::from(CANNOT_START)
        }
    }
}

/// `eprintln!` panics when stderr is closed.
fn eprintln_quietly(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The supervisor could not even be set up: no signal descriptor, no memory.
const CANNOT_START: u8 = 125;
/// Aside work done in one turn: unnoticed by an event that comes meanwhile.
const SLICE: Duration = Duration::from_millis(2);
