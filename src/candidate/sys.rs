//! The raw system calls of this room: leases, `execveat`, extended attributes. What comes in and
//! goes out is safe; errors are the kernel's.
#![allow(unsafe_code)] // None of these has a safe form in std or nix.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::ptr;

/// `AT_EXECVE_CHECK` of execveat(2), Linux 6.14.
pub(super) const AT_EXECVE_CHECK: libc::c_int = 0x1_0000;

/// fcntl(2), `asm-generic/fcntl.h`; the libc crate lacks it.
const F_SETSIG: libc::c_int = 10;

/// Takes a read lease on `file` and gives it back at once (`F_SETLEASE`, fcntl(2)). `EAGAIN` means
/// that somebody has the file open for writing.
pub(super) fn try_read_lease(file: &File) -> io::Result<()> {
    let fd = file.as_raw_fd();
    // A writer that comes in the microseconds between breaks the lease, and the kernel sends SIGIO,
    // which kills. SIGURG is ignored by default, so no caller has to prepare anything.
    // SAFETY: fcntl with integer arguments touches no memory of ours.
    cvt(unsafe { libc::fcntl(fd, F_SETSIG, libc::SIGURG) })?;
    // SAFETY: as above.
    cvt(unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_RDLCK) })?;
    // The lease also ends with the descriptor, so an error here would change nothing.
    // SAFETY: as above.
    unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_UNLCK) };
    Ok(())
}

/// `execveat` of `path` with no arguments to speak of and an empty environment. The caller answers
/// for `flags`: without [`AT_EXECVE_CHECK`], or on a kernel that ignores flags it does not know,
/// success would replace this very process.
pub(super) fn execveat(path: &CStr, flags: libc::c_int) -> io::Result<()> {
    let arguments = [path.as_ptr(), ptr::null()];
    let environment: [*const libc::c_char; 1] = [ptr::null()];
    // SAFETY: path is NUL-terminated, both arrays are NULL-terminated and outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_execveat,
            libc::AT_FDCWD,
            path.as_ptr(),
            arguments.as_ptr(),
            environment.as_ptr(),
            flags,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

const CAPABILITY: &CStr = c"security.capability";
/// `sizeof(struct vfs_ns_cap_data)` is 24; nothing larger is ever stored.
const MOST_CAPABILITY_BYTES: usize = 64;

/// The file capabilities of the file at `path`, links followed, as the kernel stores them.
pub(super) fn capabilities(path: &CStr) -> Option<Vec<u8>> {
    let mut value = [0u8; MOST_CAPABILITY_BYTES];
    // SAFETY: both strings are NUL-terminated; the kernel writes at most value.len() bytes.
    let count = unsafe {
        libc::getxattr(path.as_ptr(), CAPABILITY.as_ptr(), value.as_mut_ptr().cast(), value.len())
    };
    usize::try_from(count).ok().map(|count| value[..count].to_vec())
}

/// [`capabilities`] of an open file.
pub(super) fn capabilities_of_file(file: &File) -> Option<Vec<u8>> {
    let mut value = [0u8; MOST_CAPABILITY_BYTES];
    // SAFETY: the name is NUL-terminated; the kernel writes at most value.len() bytes.
    let count = unsafe {
        libc::fgetxattr(
            file.as_raw_fd(),
            CAPABILITY.as_ptr(),
            value.as_mut_ptr().cast(),
            value.len(),
        )
    };
    usize::try_from(count).ok().map(|count| value[..count].to_vec())
}

fn cvt(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
