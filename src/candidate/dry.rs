//! The dry exec: the kernel execs the candidate in a child that never runs an instruction of it.
//! What comes in: a path.
//!
//! ```text
//! us                                  child
//! fork ─────────────────────────────▶ PDEATHSIG, own group, PTRACE_TRACEME (or _exit)
//! waitpid ◀── stopped ─────────────── SIGSTOP to itself
//! PTRACE_O_EXITKILL | O_TRACEEXEC
//! PTRACE_CONT ──────────────────────▶ execve
//! waitpid ◀── exec event ──────────── stopped before the first instruction
//!         ◀── or exit with errno ──── _exit(errno)
//! SIGKILL, waitpid
//! ```
//!
//! The child goes on to exec only after the kernel holds our order to stop it there and to kill it
//! with us. Were it the SIGTRAP of a plain `PTRACE_TRACEME` that stops it, an inherited signal mask
//! would let the candidate run.
#![allow(unsafe_code)] // fork and ptrace; nix's own forms allocate or lack the raw stop status.

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr;

use super::kernel::Answer;
use crate::system::mask::{ALL_SIGNALS, set_mask};

/// Lets the kernel exec `path` up to the first instruction and kills the child there: sees what
/// [`super::execve_check`] sees, another machine, a missing interpreter, no format. 0.3 ms. While
/// it lasts (and while the child dies) an open for writing fails with `ETXTBSY`, so ask once, just
/// before the stop. [`Answer::Unknown`] where tracing is forbidden (Yama 2 and 3, qemu-user) or
/// fork fails; then nothing has run either.
///
/// Signals are blocked in this thread meanwhile; SIGCHLD may be pending afterwards although the
/// child is reaped.
#[must_use]
pub fn dry_exec(path: &Path) -> Answer {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
        return Answer::Unknown;
    };
    // No handler of ours may run in the child, which inherits this mask. Where a filter refuses it,
    // the probe is made all the same.
    let before = set_mask(ALL_SIGNALS).ok();
    let us = std::process::id();
    // SAFETY: the child calls only async-signal-safe functions and ends in execve or _exit.
    let answer = match unsafe { libc::fork() } {
        -1 => Answer::Unknown,
        0 => be_child(&path, us),
        child => observe(child),
    };
    let _ = before.map(set_mask);
    answer
}

/// No errno is as large, and no Linux exit code larger.
const UNANSWERED: libc::c_int = 255;

/// The child's whole life: no allocation, no lock, no destructor.
fn be_child(path: &CStr, parent: u32) -> ! {
    let arguments = [path.as_ptr(), ptr::null()];
    let environment: [*const libc::c_char; 1] = [ptr::null()];
    let nothing: *mut libc::c_void = ptr::null_mut();
    // SAFETY: plain system calls; path and both arrays are terminated and outlive execve; _exit
    // runs no destructors of the parent's values.
    unsafe {
        // A parent that died before PDEATHSIG was set is no parent of ours any more.
        let traced = libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong) == 0
            && u32::try_from(libc::getppid()).is_ok_and(|pid| pid == parent)
            && libc::setpgid(0, 0) == 0
            && libc::ptrace(libc::PTRACE_TRACEME, 0, nothing, nothing) == 0
            && libc::kill(libc::getpid(), libc::SIGSTOP) == 0;
        if traced {
            libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr());
            libc::_exit(io::Error::last_os_error().raw_os_error().unwrap_or(UNANSWERED));
        }
        libc::_exit(UNANSWERED)
    }
}

/// The parent's half; `child` is reaped when it returns.
fn observe(child: libc::pid_t) -> Answer {
    match wait(child) {
        Some(status) if libc::WIFSTOPPED(status) => {}
        // Ended without ever being traced.
        _ => return Answer::Unknown,
    }
    let options = libc::PTRACE_O_EXITKILL | libc::PTRACE_O_TRACEEXEC;
    let zero = ptr::null_mut::<libc::c_void>();
    // SAFETY: both requests take integers in the data argument and touch no memory of ours.
    let goes_on = unsafe {
        libc::ptrace(libc::PTRACE_SETOPTIONS, child, zero, libc::c_long::from(options)) == 0
            && libc::ptrace(libc::PTRACE_CONT, child, zero, zero) == 0
    };
    if !goes_on {
        end(child);
        return Answer::Unknown;
    }
    match wait(child) {
        Some(status) if libc::WIFEXITED(status) => match libc::WEXITSTATUS(status) {
            UNANSWERED => Answer::Unknown,
            errno => Answer::of_errno(errno),
        },
        Some(status) if libc::WIFSIGNALED(status) => by_signal(libc::WTERMSIG(status)),
        Some(status) if status >> 8 == libc::SIGTRAP | (libc::PTRACE_EVENT_EXEC << 8) => {
            end(child);
            Answer::Fit
        }
        Some(status) => {
            end(child);
            by_signal(libc::WSTOPSIG(status))
        }
        None => Answer::Unknown,
    }
}

/// Behind the point of no return the kernel answers with SIGSEGV; any other signal is somebody's.
fn by_signal(signal: libc::c_int) -> Answer {
    if signal == libc::SIGSEGV { Answer::Unloadable } else { Answer::Unknown }
}

/// Kills and reaps a stopped child.
fn end(child: libc::pid_t) {
    // SAFETY: the child is not reaped yet, so the pid is still its own.
    unsafe { libc::kill(child, libc::SIGKILL) };
    while wait(child).is_some_and(|status| libc::WIFSTOPPED(status)) {}
}

/// The next state of exactly this child; `None` where somebody else has reaped it (SIGCHLD ignored).
fn wait(child: libc::pid_t) -> Option<libc::c_int> {
    let mut status = 0;
    loop {
        // SAFETY: status outlives the call.
        let pid = unsafe { libc::waitpid(child, &raw mut status, libc::__WALL) };
        if pid == child {
            return Some(status);
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::super::testing::{as_nobody, file, folder, is_root, program};
    use super::*;

    fn script(marker: &Path) -> Vec<u8> {
        format!("#!/bin/sh\n: > {}\n", marker.display()).into_bytes()
    }

    #[test]
    fn the_kernel_tells_what_is_wrong_for_any_uid() {
        let folder = folder();
        let mut foreign = program();
        foreign[18..20].copy_from_slice(&[0xff, 0xfe]);
        let mut lost = program();
        let at = lost.windows(4).position(|bytes| bytes == b"/lib").unwrap();
        lost[at..at + 4].copy_from_slice(b"/lob");
        let paths = [
            file(&folder, "app", &program(), 0o755),
            file(&folder, "plain", &program(), 0o644),
            file(&folder, "foreign", &foreign, 0o755),
            file(&folder, "lost", &lost, 0o755),
            file(&folder, "text", b"no format", 0o755),
            file(&folder, "script", b"#!/bin/sh\nexit 1\n", 0o755),
            file(&folder, "gone", b"#!/no/such/interpreter\n", 0o755),
            file(&folder, "windows", b"#!/bin/sh\r\nexit 1\r\n", 0o755),
            file(&folder, "busy", &program(), 0o755),
            folder.path().join("missing"),
        ];
        let _open = OpenOptions::new().append(true).open(&paths[8]).unwrap();
        let ask = || paths.each_ref().map(|path| dry_exec(path));
        let answers = [
            Answer::Fit,
            Answer::NotExecutable,
            Answer::WrongFormat,
            Answer::Missing,
            Answer::WrongFormat,
            Answer::Fit,
            Answer::Missing,
            Answer::Missing,
            Answer::TextBusy,
            Answer::Missing,
        ];
        assert_eq!(ask(), answers);
        if is_root() {
            assert_eq!(as_nobody(ask), answers);
        }
    }

    #[test]
    fn a_program_that_dies_while_it_is_loaded_is_unloadable() {
        let folder = folder();
        let mut program = program();
        // The memory size of the last loadable segment: larger than any address space.
        let segments = program[64..64 + 13 * 56].chunks(56);
        let last = segments.enumerate().rfind(|(_, entry)| entry[0] == 1).unwrap().0;
        let size = 64 + last * 56 + 40;
        program[size..size + 8].copy_from_slice(&0x0000_7fff_ffff_0000_u64.to_le_bytes());
        let path = file(&folder, "app", &program, 0o755);
        assert_eq!(dry_exec(&path), Answer::Unloadable);
    }

    #[test]
    fn the_candidate_never_runs_whatever_signals_the_caller_blocks() {
        let folder = folder();
        let marker = folder.path().join("marker");
        let path = file(&folder, "script", &script(&marker), 0o755);
        for mask in [None, Some(ALL_SIGNALS)] {
            let before = mask.map(|mask| set_mask(mask).unwrap());
            for _ in 0..50 {
                assert_eq!(dry_exec(&path), Answer::Fit);
            }
            if let Some(before) = before {
                // The caller's own mask is back after each probe, but for KILL and STOP, which
                // nobody can block. It once was without the signals of the C library.
                let never = (1 << (libc::SIGKILL - 1)) | (1 << (libc::SIGSTOP - 1));
                assert_eq!(set_mask(before).unwrap(), ALL_SIGNALS & !never);
            }
        }
        assert!(!marker.exists());
        // The same script does make the marker when it runs.
        assert!(std::process::Command::new(&path).status().unwrap().success());
        assert!(marker.exists());
    }

    #[test]
    fn the_candidate_never_runs_where_tracing_is_impossible() {
        let folder = folder();
        let marker = folder.path().join("marker");
        let path = file(&folder, "script", &script(&marker), 0o755);
        // A process has one tracer: a child that is traced already gets EPERM from TRACEME.
        let c_path = CString::new(path.as_os_str().as_bytes()).unwrap();
        let us = std::process::id();
        let zero = ptr::null_mut::<libc::c_void>();
        // SAFETY: as in dry_exec; the child is traced before it begins its life.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: async-signal-safe calls only.
            unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, zero, zero) };
            be_child(&c_path, us);
        }
        let status = wait(child).unwrap();
        assert!(libc::WIFEXITED(status), "{status:#x}");
        assert_eq!(libc::WEXITSTATUS(status), UNANSWERED);
        assert!(!marker.exists());
    }

    #[test]
    fn no_child_is_left_behind() {
        let folder = folder();
        let path = file(&folder, "app", &program(), 0o755);
        for _ in 0..20 {
            assert_eq!(dry_exec(&path), Answer::Fit);
        }
        let name = path.as_os_str().as_bytes();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            assert!(!line.starts_with(name), "{}", entry.path().display());
        }
    }
}
