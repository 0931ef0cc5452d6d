//! Sync sessions: processes that a client exec'ed into the container. Inside its PID namespace
//! such a process has parent 0 and is not PID 1. Its end says more than any timer.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::system::pidfd::pidfd_open;
use crate::system::stat::{Process, process, process_in};

/// A process that somebody exec'ed into our PID namespace.
#[derive(Debug)]
pub struct Session {
    /// Its id in our PID namespace.
    pub pid: i32,
    /// When it started, in clock ticks since boot: with `pid`, its identity.
    pub started: u64,
    /// It has a controlling terminal: a person, not a sync client.
    pub terminal: bool,
    pidfd: OwnedFd,
}

impl Session {
    /// Becomes readable for poll(2) when the process ends.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Milliseconds since it started, to the kernel's tick of 10 ms; 0 when no clock tells.
    #[must_use]
    pub fn age_ms(&self) -> u64 {
        let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).map_or(0, |now| {
            u64::try_from(now.tv_sec() * 1_000 + now.tv_nsec() / 1_000_000).unwrap_or(0)
        });
        now.saturating_sub(self.started * MS_PER_TICK)
    }
}

/// `/proc/PID/stat` counts in `USER_HZ`, which is 100 for user space on every Linux machine.
const MS_PER_TICK: u64 = 10;

/// The sessions of this moment, pinned. Empty outside a container, where kthreadd and its kind
/// have parent 0 too. Costs one read for each process of the namespace (26–170 µs measured with
/// few), so it is asked while a change set is open and not otherwise.
#[must_use]
pub fn scan() -> Vec<Session> {
    let sessions = list(Path::new("/proc")).into_iter().filter_map(|found| pin(&found));
    sessions.filter(|session| !is_ours(session.pid)).collect()
}

/// Whether it is `relaunch` itself, which syncs nothing: `events --follow` lives on, `wait` for as long as
/// it takes.
fn is_ours(pid: i32) -> bool {
    let file = |process: &str| {
        let file = fs::metadata(format!("/proc/{process}/exe")).ok()?;
        Some((file.dev(), file.ino()))
    };
    let theirs = file(&pid.to_string());
    theirs.is_some() && theirs == file("self")
}

/// Processes with parent 0 beside PID 1, as this `/proc` shows them.
fn list(proc: &Path) -> Vec<Process> {
    // On a host PID 2 is kthreadd: no sessions, and no walk over a thousand processes.
    if process_in(proc, 2).is_some_and(|two| two.kernel) {
        return Vec::new();
    }
    let Ok(folder) = fs::read_dir(proc) else {
        return Vec::new();
    };
    folder
        .flatten()
        .filter_map(|item| item.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != 1)
        .filter_map(|pid| process_in(proc, pid))
        .filter(|process| process.parent == 0 && !process.kernel && !process.gone)
        .collect()
}

/// The process with a descriptor that stays with it. One whose number was taken by another meanwhile
/// shows another start and is left out; the next scan sees it.
fn pin(found: &Process) -> Option<Session> {
    let pidfd = pidfd_open(found.pid).ok()?;
    let now = process(found.pid).filter(|now| now.start == found.start && !now.gone)?;
    Some(Session { pid: now.pid, started: now.start, terminal: now.terminal, pidfd })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    #[test]
    fn a_pinned_process_is_readable_when_it_ends() {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let session = pin(&of(child.id())).unwrap();
        let ready = |session: &Session, timeout: PollTimeout| {
            poll(&mut [PollFd::new(session.fd(), PollFlags::POLLIN)], timeout).unwrap()
        };
        assert_eq!(ready(&session, PollTimeout::ZERO), 0);
        child.kill().unwrap();
        assert_eq!(ready(&session, PollTimeout::from(10_000_u16)), 1);
        child.wait().unwrap();
        assert!(pin(&Process { start: 1, ..of(std::process::id()) }).is_none());
    }

    fn of(pid: u32) -> Process {
        process(i32::try_from(pid).unwrap()).unwrap()
    }

    /// A process in a fresh PID namespace, and one exec'ed into it.
    struct Namespace {
        unshare: Child,
        first: u32,
    }

    impl Namespace {
        fn new() -> Self {
            let unshare = Command::new("unshare")
                .args(["--pid", "--fork", "--mount-proc", "--kill-child", "sleep", "1000"])
                .spawn()
                .unwrap();
            let children = format!("/proc/{0}/task/{0}/children", unshare.id());
            let first = wait_for(|| fs::read_to_string(&children).ok()?.trim().parse().ok());
            let proc = PathBuf::from(format!("/proc/{first}/root/proc"));
            wait_for(|| process_in(&proc, 1).filter(|_| !proc.join("2").exists()));
            Self { unshare, first }
        }
    }

    impl Drop for Namespace {
        fn drop(&mut self) {
            self.unshare.kill().unwrap();
            self.unshare.wait().unwrap();
        }
    }

    fn wait_for<T>(mut state: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(value) = state() {
                return value;
            }
            assert!(Instant::now() < deadline, "the state did not come");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn only_a_process_that_was_execed_into_the_namespace_is_a_session() {
        let namespace = Namespace::new();
        let proc = PathBuf::from(format!("/proc/{}/root/proc", namespace.first));
        assert_eq!(list(&proc), []);
        let mut client = Command::new("nsenter")
            .args(["-t", &namespace.first.to_string(), "-p", "-m"])
            .args(["sh", "-c", "sleep 1000 & echo up; wait"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for(|| {
            // Its own child must be there too, so that the scan has something to leave out.
            let all = fs::read_dir(&proc).ok()?.flatten();
            (all.filter(|item| item.file_name().to_string_lossy().parse::<u32>().is_ok()).count()
                == 3)
                .then_some(())
        });
        let found = list(&proc);
        client.kill().unwrap();
        client.wait().unwrap();
        let seen: Vec<_> = found.iter().map(|one| (one.parent, one.kernel)).collect();
        assert_eq!(seen, [(0, false)], "{found:?}");
    }

    #[test]
    fn our_own_client_is_told_from_others() {
        let mut other = Command::new("sleep").arg("1000").spawn().unwrap();
        let pid = |id: u32| i32::try_from(id).unwrap();
        assert!(is_ours(pid(std::process::id())));
        wait_for(|| Some(()).filter(|()| !is_ours(pid(other.id()))));
        other.kill().unwrap();
        other.wait().unwrap();
        assert!(!is_ours(pid(other.id())));
    }

    #[test]
    fn a_host_has_no_sessions() {
        if process(2).is_some_and(|two| two.kernel) {
            assert!(scan().is_empty());
        }
    }
}
