//! A descriptor that stays with a process, even when its number is given to another later.
#![allow(unsafe_code)] // pidfd_open(2) has no wrapper in nix.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

/// `pidfd_open(2)`, close-on-exec by itself; readable for poll(2) when the process ends.
///
/// # Errors
///
/// ESRCH when nobody has this number, ENOSYS before Linux 5.3.
pub(crate) fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes two integers and returns a new descriptor or -1.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let raw = RawFd::try_from(Errno::result(raw)?).map_err(io::Error::other)?;
    // SAFETY: the kernel just made this descriptor; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}
