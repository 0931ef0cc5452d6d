//! Programs that cases run as the app; written here, since no shell can do these things.

use std::fs;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use super::world::status_field;

pub(crate) fn play(name: &str, arguments: &[&str]) -> ExitCode {
    match (name, arguments) {
        ("die-of", [signal]) => die_of(signal.parse().unwrap()),
        ("show", []) => show(),
        ("show-limits", []) => show_limits(),
        ("count-environment", []) => {
            let total: usize =
                std::env::vars_os().map(|(name, value)| name.len() + value.len()).sum();
            println!("{} {total}", std::env::args_os().count());
            ExitCode::SUCCESS
        }
        ("double-fork", [kind]) => double_fork(kind),
        ("leave-orphans", [count]) => leave_orphans(count.parse().unwrap()),
        _ => panic!("no role {name} {arguments:?}"),
    }
}

/// Ends by a signal, or with 99 by one that is ignored. The runtime's handlers of SEGV and BUS take
/// the first and restore the default.
fn die_of(signal: i32) -> ExitCode {
    for _ in 0..2 {
        // SAFETY: integers only.
        unsafe { libc::kill(libc::getpid(), signal) };
    }
    ExitCode::from(99)
}

/// Prints what a child inherits: descriptors, mask and dispositions, ids, folder. The runtime of
/// Rust ignores SIGPIPE in this program itself, so that bit is left out.
fn show() -> ExitCode {
    let mut descriptors: Vec<i32> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap())
        .collect();
    descriptors.sort_unstable();
    descriptors.pop(); // that of read_dir
    println!("{descriptors:?}");
    let set = |field| u64::from_str_radix(&status_field("self", field), 16).unwrap();
    println!("{:x} {:x}", set("SigBlk"), set("SigIgn") & !(1 << 12));
    // SAFETY: these calls cannot fail.
    let (pid, group, session) = unsafe { (libc::getpid(), libc::getpgrp(), libc::getsid(0)) };
    println!("{} {}", pid == group, pid == session);
    println!("{}", std::env::current_dir().unwrap().display());
    ExitCode::SUCCESS
}

/// Prints what a child inherits by number: limits, priorities, rights.
fn show_limits() -> ExitCode {
    let mut files = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: integers, and a pointer to a local.
    let (nice, io) = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut files);
        let io = libc::syscall(libc::SYS_ioprio_get, 1, 0);
        (libc::getpriority(libc::PRIO_PROCESS, 0), io)
    };
    let (umask, rights) = (status_field("self", "Umask"), status_field("self", "NoNewPrivs"));
    let oom = fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    let (files, oom) = (files.rlim_cur, oom.trim());
    println!("umask {umask}, nice {nice}, files {files}, new rights {rights}, io {io}, oom {oom}");
    ExitCode::SUCCESS
}

/// A process that is never the same: each lives about a millisecond, forks the next and ends.
fn double_fork(kind: &str) -> ExitCode {
    println!("ready");
    std::io::stdout().flush().unwrap();
    // Ends by itself if a test goes wrong.
    for _ in 0..60_000 {
        // SAFETY: one thread.
        match unsafe { libc::fork() } {
            0 => {
                // SAFETY: takes nothing, or integers.
                unsafe {
                    match kind {
                        "setsid" => libc::setsid(),
                        "setpgid" => libc::setpgid(0, 0),
                        _ => 0,
                    };
                }
            }
            -1 => {}
            // SAFETY: ends this copy.
            _ => unsafe { libc::_exit(0) },
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    ExitCode::SUCCESS
}

/// Makes many grandchildren, each a moment older than its parent, and ends.
fn leave_orphans(count: u32) -> ExitCode {
    const BATCH: u32 = 100;
    for _ in 0..count / BATCH {
        // SAFETY: one thread; the copies only fork, sleep and end.
        unsafe {
            match libc::fork() {
                0 => {
                    for _ in 0..BATCH {
                        if libc::fork() == 0 {
                            libc::usleep(20_000);
                            libc::_exit(0)
                        }
                    }
                    libc::_exit(0)
                }
                -1 => panic!("fork failed"),
                pid => libc::waitpid(pid, std::ptr::null_mut(), 0),
            };
        }
    }
    ExitCode::SUCCESS
}
