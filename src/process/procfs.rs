//! The children of processes, and what else of them /proc shows. What comes in: their ids. Reads
//! only.

use std::fs;
use std::thread;
use std::time::Duration;

use super::sys::bit;
use crate::system::stat::{Process, process};

/// Whether /proc shows processes: it may not be mounted, or be covered.
#[must_use]
pub fn is_visible() -> bool {
    process(nix::unistd::getpid().as_raw()).is_some()
}

/// Looks up children: by the kernel's lists where it has them (`CONFIG_PROC_CHILDREN`), else from
/// one scan of all processes, made when it is first needed.
pub(super) struct Children {
    scan: Option<Vec<Process>>,
}

impl Children {
    /// A look-up for one walk.
    pub(super) fn new() -> Self {
        let listed = fs::exists("/proc/thread-self/children").unwrap_or(false);
        Self { scan: (!listed).then(all) }
    }

    /// A look-up that never uses the kernel's lists.
    #[cfg(test)]
    pub(super) fn by_scan() -> Self {
        Self { scan: Some(all()) }
    }

    /// Pids of the children of all threads of a process, in the order in which they came to it;
    /// empty when it is gone.
    pub(super) fn of(&self, parent: i32) -> Vec<i32> {
        if let Some(scan) = &self.scan {
            let children = scan.iter().filter(|process| process.parent == parent);
            return children.map(|process| process.pid).collect();
        }
        let mut children = Vec::new();
        for thread in numbers(&format!("/proc/{parent}/task")) {
            let list = fs::read_to_string(format!("/proc/{parent}/task/{thread}/children"));
            let list = list.unwrap_or_default();
            children
                .extend(list.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
        }
        children
    }
}

/// Whether a process began with this entry (`NAME=value`) in its environment. In the middle of an
/// exec it shows none for a moment, so an empty one is looked at again.
pub(super) fn began_with(pid: i32, entry: &[u8]) -> bool {
    for _ in 0..LOOKS {
        match fs::read(format!("/proc/{pid}/environ")) {
            Ok(environment) if environment.is_empty() => thread::sleep(PAUSE),
            Ok(environment) => return environment.split(|byte| *byte == 0).any(|one| one == entry),
            Err(_) => return false,
        }
    }
    false
}

const LOOKS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(1);

/// The name of a process's first thread, at most 15 bytes.
pub(super) fn name(pid: i32) -> Vec<u8> {
    let mut name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.pop();
    name
}

/// Whether a process ignores a signal; `false` when it is hidden.
pub(super) fn ignores(pid: i32, signal: i32) -> bool {
    set_of(&status(pid), "SigIgn:") & bit(signal) != 0
}

/// Whether a process handles, ignores or blocks a signal, so that its default effect does not come
/// to pass; `false` when it is hidden.
pub(super) fn is_ready_for(pid: i32, signal: i32) -> bool {
    is_ready(&status(pid), signal)
}

fn is_ready(status: &str, signal: i32) -> bool {
    let [caught, ignored, blocked] =
        ["SigCgt:", "SigIgn:", "SigBlk:"].map(|name| set_of(status, name));
    // The C library blocks everything while it starts a process: a shell script that does little
    // else was seen so in a quarter of all looks. Who blocks what he waits for leaves SEGV out.
    let blocked = if blocked & bit(libc::SIGSEGV) == 0 { blocked } else { 0 };
    (caught | ignored | blocked) & bit(signal) != 0
}

fn status(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default()
}

/// A set of signals in the text of a `status`; empty where it has none.
fn set_of(status: &str, name: &str) -> u64 {
    let set = status.lines().find_map(|line| line.strip_prefix(name));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0)
}

fn all() -> Vec<Process> {
    numbers("/proc").filter_map(process).collect()
}

fn numbers(folder: &str) -> impl Iterator<Item = i32> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_who_handles_ignores_or_blocks_a_signal_and_not_who_starts_a_process() {
        let usr1 = "0000000000000200";
        let status = |name| format!("Name:\tapp\nSigQ:\t0/7\n{name}:\t{usr1}\n");
        for name in ["SigCgt", "SigIgn", "SigBlk"] {
            let ready = [libc::SIGUSR1, libc::SIGUSR2].map(|it| is_ready(&status(name), it));
            assert_eq!(ready, [true, false], "{name}");
        }
        assert!(!is_ready(&status("SigPnd"), libc::SIGUSR1));
        // As glibc 2.36 blocks signals for a vfork.
        assert!(!is_ready("SigBlk:\tfffffffe7ffbfeff\n", libc::SIGUSR1));
        assert!(!is_ready("", libc::SIGUSR1));
    }
}
