//! The signal mask of a thread, as the kernel has it. C libraries leave out the signals that they use
//! themselves (32 and 33, musl 34 too): put back by their call, the mask of a caller who blocks all
//! would let these in, and they end a process; and a child must not inherit them blocked.
#![allow(unsafe_code)] // The raw call has no safe form.

use std::io;

use nix::errno::Errno;

/// Every signal, 1 to 64; bit n - 1 stands for signal n.
pub(crate) const ALL_SIGNALS: u64 = u64::MAX;
/// Size of a signal set of the kernel in bytes.
pub(crate) const SET_SIZE: usize = size_of::<u64>();

/// Replaces the blocked signals of this thread; returns the set before.
///
/// # Errors
///
/// None of `rt_sigprocmask(2)` can come, unless a filter of system calls answers.
pub(crate) fn set_mask(mask: u64) -> io::Result<u64> {
    let mut before = 0_u64;
    // SAFETY: both pointers are to 8 bytes, the size that is passed; SIG_SETMASK is an operation.
    let result = unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const mask,
            &raw mut before,
            SET_SIZE,
        )
    };
    Errno::result(result)?;
    Ok(before)
}
