//! How the app ends: deaf to TERM, with a code after a time, by a signal after a time.

use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigHandler, Signal, raise};

/// Ignores TERM from now on; children inherit it.
///
/// # Errors
/// The kernel's.
#[allow(unsafe_code)] // nix marks `signal` unsafe for handlers; SIG_IGN runs no code.
pub fn ignore_term() -> nix::Result<()> {
    // SAFETY: SIG_IGN installs no handler, so nothing async-signal-unsafe can run.
    unsafe { nix::sys::signal::signal(Signal::SIGTERM, SigHandler::SigIgn) }.map(drop)
}

/// Ends the process with `code` after `time`.
pub fn exit_after(code: i32, time: Duration) {
    thread::spawn(move || {
        thread::sleep(time);
        std::process::exit(code);
    });
}

/// Sends the process signal `number` after `time`; an unknown number ends it with code 2.
pub fn signal_after(number: i32, time: Duration) {
    thread::spawn(move || {
        thread::sleep(time);
        match Signal::try_from(number) {
            Ok(signal) => {
                let _ = raise(signal);
            }
            Err(_) => std::process::exit(2),
        }
    });
}
