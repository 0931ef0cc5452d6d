//! The app's process between fork and exec: the keeper's child makes itself a fresh process and
//! becomes the app. No allocation, no return.

use std::fs::File;
use std::io::Write;
use std::os::fd::{BorrowedFd, OwnedFd};

use nix::unistd::{Pid, getpid, setpgid, setsid, tcsetpgrp};

use super::message::{Message, send_message};
use super::order::Place;
use super::sys::{self, Image};
use crate::system::mask::set_mask;

/// Everything that the child needs, prepared before the fork.
pub(super) struct Launch<'a> {
    pub(super) image: Image<'a>,
    pub(super) held: Option<OwnedFd>,
    pub(super) place: Place,
    /// The socket to the supervisor; closes at exec.
    pub(super) supervisor: BorrowedFd<'a>,
    /// Takes the errno of a failed exec; closes at a successful one.
    pub(super) failure: OwnedFd,
}

/// Becomes the app. The caller has all signals blocked, so that none arrives half-way.
pub(super) fn run(launch: Launch<'_>) -> ! {
    // First of all: until its pid is told it is known by the keeper's group, and no instruction of
    // the app runs that the supervisor could not stop, even if the keeper dies at this moment.
    let _ = send_message(launch.supervisor, Message::Forked(getpid().as_raw()));
    own_group(launch.place);
    let held = launch.held.as_ref().map(std::os::fd::AsFd::as_fd);
    if let Some(script) = held.filter(|file| is_script(*file)) {
        // Its interpreter opens /dev/fd/N: the descriptor must outlive the exec (execveat(2)).
        sys::keep_on_exec(script);
    }
    sys::default_dispositions();
    let _ = set_mask(0);
    let error = sys::exec(&launch.image, held);
    let errno = error.raw_os_error().unwrap_or(libc::EIO);
    let _ = File::from(launch.failure).write_all(&errno.to_le_bytes());
    // Seen only by a supervisor that adopted this process; the rule of the shells.
    sys::exit(if errno == libc::ENOENT { 127 } else { 126 })
}

/// A group of its own in any case; without a terminal a session of its own, so that no terminal of
/// the supervisor's session is the app's by accident.
fn own_group(place: Place) {
    match place {
        Place::OwnSession => {
            let _ = setsid();
        }
        Place::Background => {
            let _ = setpgid(Pid::from_raw(0), Pid::from_raw(0));
        }
        Place::Foreground(terminal) => {
            let _ = setpgid(Pid::from_raw(0), Pid::from_raw(0));
            // SIGTTOU is blocked here, so a background process may do this too.
            let _ = tcsetpgrp(sys::stream(terminal), getpid());
        }
    }
}

/// A descriptor opened with `O_PATH` cannot be read and counts as no script.
fn is_script(file: BorrowedFd<'_>) -> bool {
    let mut start = [0; 2];
    nix::sys::uio::pread(file, &mut start, 0) == Ok(2) && start == *b"#!"
}
