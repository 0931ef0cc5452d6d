//! Children that are hard to get rid of: a session of their own, a double fork.
//!
//! A helper is this very program, called with [`SLEEPER`] as its first argument, so that no code
//! runs between fork and exec. The double fork is a helper that starts a helper and ends.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::options::Helper;

/// First argument of a helper that sleeps for an hour in a session of its own.
pub const SLEEPER: &str = "helper-sleeper";
/// First argument of a helper that starts a sleeper and ends at once.
pub const FORKER: &str = "helper-forker";

/// Starts a sleeping child; the parent of a double-forked one is gone when this returns.
///
/// # Errors
/// The child could not be started.
pub fn start(helper: Helper) -> std::io::Result<()> {
    match helper {
        Helper::Session => spawn(SLEEPER).map(drop),
        Helper::DoubleFork => spawn(FORKER)?.wait().map(drop),
    }
}

/// Runs as a helper when the first argument says so; never returns then.
///
/// # Errors
/// The kernel refused a session or a child.
pub fn run_when_asked(first_argument: Option<&str>) -> std::io::Result<()> {
    match first_argument {
        Some(SLEEPER) => {
            nix::unistd::setsid()?;
            println!("helper pid={}", std::process::id());
            std::thread::sleep(Duration::from_hours(1));
            std::process::exit(0)
        }
        Some(FORKER) => {
            spawn(SLEEPER)?;
            std::process::exit(0)
        }
        _ => Ok(()),
    }
}

fn spawn(kind: &str) -> std::io::Result<std::process::Child> {
    // The executable may have been replaced since: the kernel still has the running one.
    Command::new("/proc/self/exe").arg0("test-app-helper").arg(kind).stdin(Stdio::null()).spawn()
}
