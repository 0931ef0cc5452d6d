//! The system calls of this room that neither std nor nix has in the form that is needed, each
//! behind a safe function. Nothing else here: no decision, no state.
//!
//! Signal sets go to the kernel directly, as 64 bits: glibc hides signals 32 and 33, and a child
//! must not inherit them ignored or blocked either.
#![allow(unsafe_code)] // fork, execve, waitid, pidfd_send_signal and raw signal sets have no safe form.

use std::ffi::CStr;
use std::io;
use std::mem::{MaybeUninit, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::errno::Errno;

use super::{Child, Status};
use crate::settings::SignalNumber;
use crate::system::mask::SET_SIZE;

/// The bit of a signal in a set.
pub(super) const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// Which side of a fork this is.
pub(super) enum Fork {
    Parent(i32),
    Child,
}

/// fork(2). The caller must be single-threaded: the child may then allocate.
pub(super) fn fork() -> io::Result<Fork> {
    // SAFETY: the supervisor and its keepers have one thread, so no lock is held by another.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(pid)),
    }
}

/// `_exit(2)`: no destructor, no flush of buffers that a fork copied.
pub(super) fn exit(code: i32) -> ! {
    // SAFETY: ends the process, touches no memory.
    unsafe { libc::_exit(code) }
}

/// Which children a [`wait`] asks about.
#[derive(Clone, Copy)]
pub(super) enum Which {
    Any,
    Pid(i32),
}

/// What a [`wait`] does with what it finds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    /// Looks only: a dead child stays a zombie, so that its pid stays its own.
    Peek,
    /// Takes the report; a dead child is gone.
    Reap,
    /// Takes a report of a stop or a continuation only.
    Stops,
}

/// waitid(2) without blocking: `None` when no asked child has news. nix's form fails on children
/// killed by a realtime signal, after reaping them.
///
/// # Errors
///
/// `ECHILD` where there is no such child.
pub(super) fn wait(which: Which, take: Take) -> io::Result<Option<Child>> {
    let (kind, id) = match which {
        Which::Any => (libc::P_ALL, 0),
        Which::Pid(pid) => (libc::P_PID, pid.cast_unsigned()),
    };
    let flags = libc::WSTOPPED
        | libc::WCONTINUED
        | libc::WNOHANG
        | match take {
            Take::Peek => libc::WEXITED | libc::WNOWAIT,
            Take::Reap => libc::WEXITED,
            Take::Stops => 0,
        };
    // SAFETY: a siginfo_t of zeroes is valid, and waitid writes no more than one.
    let (result, info) = unsafe {
        let mut info: libc::siginfo_t = zeroed();
        (libc::waitid(kind, id, &raw mut info, flags), info)
    };
    check(result)?;
    // SAFETY: after waitid these are the fields of a SIGCHLD siginfo_t, or zero.
    let (pid, value) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return Ok(None);
    }
    let signal = || SignalNumber::new(value).unwrap_or(SignalNumber::KILL);
    let status = match info.si_code {
        libc::CLD_EXITED => Status::Exited(value.to_le_bytes()[0]),
        libc::CLD_STOPPED | libc::CLD_TRAPPED => Status::Stopped(signal()),
        libc::CLD_CONTINUED => Status::Continued,
        _ => Status::Signaled(signal()),
    };
    Ok(Some(Child { pid, status }))
}

/// kill(2); a negative pid names a process group.
pub(super) fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: takes two integers.
    check(unsafe { libc::kill(pid, signal) })
}

/// `pidfd_send_signal(2)`.
pub(super) fn pidfd_kill(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: no siginfo is passed; the descriptor is open.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    check_long(result)
}

/// Closes every descriptor from `first` on. Async-signal-safe.
pub(super) fn close_from(first: RawFd) {
    // SAFETY: the callers own no descriptor that is used afterwards.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
    if check_long(result).is_err() {
        // Linux before 5.9, or a seccomp filter that does not know the call.
        // SAFETY: integers only; closing a number that is not open is harmless.
        unsafe {
            let limit = libc::sysconf(libc::_SC_OPEN_MAX).clamp(1024, 65536);
            for fd in first..i32::try_from(limit).unwrap_or(1024) {
                libc::close(fd);
            }
        }
    }
}

/// Moves a descriptor to this number, close-on-exec.
pub(super) fn move_to(fd: OwnedFd, number: RawFd) -> io::Result<OwnedFd> {
    if fd.as_raw_fd() == number {
        return Ok(fd);
    }
    // SAFETY: both are integers; what `number` was is closed, as the caller wants.
    owned(unsafe { libc::dup3(fd.as_raw_fd(), number, libc::O_CLOEXEC) }.into())
}

/// signalfd(2) over these signals, non-blocking, close-on-exec.
pub(super) fn signalfd(mask: u64) -> io::Result<OwnedFd> {
    let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
    // SAFETY: the pointer is to 8 bytes, the size that is passed.
    owned(unsafe { libc::syscall(libc::SYS_signalfd4, -1, &raw const mask, SET_SIZE, flags) })
}

/// One read of a signalfd; `None` when nothing is queued.
pub(super) fn read_signal(fd: BorrowedFd<'_>) -> io::Result<Option<libc::signalfd_siginfo>> {
    let mut info = MaybeUninit::<libc::signalfd_siginfo>::uninit();
    let size = size_of::<libc::signalfd_siginfo>();
    // SAFETY: the buffer has the size that is passed.
    let read = unsafe { libc::read(fd.as_raw_fd(), info.as_mut_ptr().cast(), size) };
    if usize::try_from(read) == Ok(size) {
        // SAFETY: the kernel filled all of it.
        return Ok(Some(unsafe { info.assume_init() }));
    }
    match io::Error::last_os_error() {
        error if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        error => Err(error),
    }
}

/// Gives a signal the default disposition, or has it ignored; returns whether it was ignored.
pub(super) fn set_ignored(signal: i32, ignored: bool) -> io::Result<bool> {
    // SAFETY: zeroed sigactions are valid (default, no flags); the pointers are to locals.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        let mut before: libc::sigaction = zeroed();
        action.sa_sigaction = if ignored { libc::SIG_IGN } else { libc::SIG_DFL };
        check(libc::sigaction(signal, &raw const action, &raw mut before))?;
        Ok(before.sa_sigaction == libc::SIG_IGN)
    }
}

/// Whether a signal is ignored now.
pub(super) fn is_ignored(signal: i32) -> io::Result<bool> {
    // SAFETY: a null action only asks; the other pointer is to a local.
    unsafe {
        let mut now: libc::sigaction = zeroed();
        check(libc::sigaction(signal, ptr::null(), &raw mut now))?;
        Ok(now.sa_sigaction == libc::SIG_IGN)
    }
}

/// Default disposition for all 64 signals. Async-signal-safe.
pub(super) fn default_dispositions() {
    // All zero is SIG_DFL without flags in the kernel's layout of every architecture; 64 bytes is
    // more than the largest of them.
    let default = [0_u64; 8];
    for signal in 1..=64 {
        // SAFETY: the kernel reads at most 32 bytes. KILL and STOP answer EINVAL: they are default.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                ptr::null_mut::<u64>(),
                SET_SIZE,
            );
        }
    }
}

/// A program with its arguments and environment, as execve(2) takes them: null-terminated lists.
pub(super) struct Image<'a> {
    pub(super) path: &'a CStr,
    pub(super) arguments: &'a [*const libc::c_char],
    pub(super) environment: &'a [*const libc::c_char],
}

/// execve(2) of the path, or execveat(2) of the held file; returns only on failure.
/// Async-signal-safe.
pub(super) fn exec(image: &Image<'_>, held: Option<BorrowedFd<'_>>) -> io::Error {
    debug_assert!(image.arguments.last().is_some_and(|last| last.is_null()));
    debug_assert!(image.environment.last().is_some_and(|last| last.is_null()));
    let (arguments, environment) = (image.arguments.as_ptr(), image.environment.as_ptr());
    // SAFETY: both lists end with a null pointer and point into memory that outlives the call.
    unsafe {
        match held {
            None => {
                libc::execve(image.path.as_ptr(), arguments, environment);
            }
            Some(file) => {
                libc::syscall(
                    libc::SYS_execveat,
                    file.as_raw_fd(),
                    c"".as_ptr(),
                    arguments,
                    environment,
                    libc::AT_EMPTY_PATH,
                );
            }
        }
    }
    io::Error::last_os_error()
}

/// Makes a terminal the controlling one of this session leader (`TIOCSCTTY`), unless another
/// session has it.
pub(super) fn acquire_terminal(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes an integer argument.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCSCTTY, 0) })
}

/// One of the three standard streams, without the buffers of std.
pub(super) fn stream(number: RawFd) -> BorrowedFd<'static> {
    debug_assert!((0..=2).contains(&number));
    // SAFETY: std opens the three streams at start where they are closed; nobody here closes them.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Keeps a descriptor open across exec. Async-signal-safe.
pub(super) fn keep_on_exec(fd: BorrowedFd<'_>) {
    // SAFETY: integers only.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, 0) };
}

fn check(result: i32) -> io::Result<()> {
    check_long(result.into())
}

fn check_long(result: libc::c_long) -> io::Result<()> {
    Errno::result(result)?;
    Ok(())
}

fn owned(fd: libc::c_long) -> io::Result<OwnedFd> {
    check_long(fd)?;
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
