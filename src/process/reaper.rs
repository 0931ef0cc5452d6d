//! The one reaper of the supervisor. Every child comes through here: keepers, adopted leaders, and
//! the orphans of sessions that somebody exec'ed into the container, which are nobody's business.

use super::Child;
use super::sys::{self, Take, Which};

/// Takes the news of all children, without blocking; call it after each SIGCHLD. Dead ones are
/// reaped when this returns, so their pids may be given to others; unknown ones are harmless.
///
/// A leader under its keeper never shows up here: its keeper holds its pid.
#[must_use]
pub fn reap_children() -> Vec<Child> {
    let mut children = Vec::new();
    loop {
        match sys::wait(Which::Any, Take::Reap) {
            Ok(Some(child)) => children.push(child),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            // Nothing more to take, or no child at all (ECHILD).
            Ok(None) | Err(_) => return children,
        }
    }
}
