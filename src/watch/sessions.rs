//! Sync sessions: processes that a client exec'ed into the container. Inside its PID namespace
//! such a process has parent 0 and is not PID 1. Its end says more than any timer.
#![allow(unsafe_code)] // pidfd_open(2) has no wrapper in nix.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

/// A process that somebody exec'ed into our PID namespace.
#[derive(Debug)]
pub struct Session {
    /// Its id in our PID namespace.
    pub pid: u32,
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
    list(Path::new("/proc")).into_iter().filter_map(|found| pin(&found)).collect()
}

/// What `/proc/PID/stat` says of a process (proc(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub pid: u32,
    /// The id of its parent; 0 = outside this namespace.
    pub parent: u32,
    /// It has a controlling terminal.
    pub terminal: bool,
    /// It is a thread of the kernel.
    pub kernel: bool,
    /// When it started, in clock ticks since boot.
    pub started: u64,
}

/// Processes with parent 0 beside PID 1, as this `/proc` shows them.
fn list(proc: &Path) -> Vec<Entry> {
    // On a host PID 2 is kthreadd: no sessions, and no walk over a thousand processes.
    if entry(proc, 2).is_some_and(|two| two.kernel) {
        return Vec::new();
    }
    let Ok(folder) = fs::read_dir(proc) else {
        return Vec::new();
    };
    folder
        .flatten()
        .filter_map(|item| item.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != 1)
        .filter_map(|pid| entry(proc, pid))
        .filter(|entry| entry.parent == 0 && !entry.kernel)
        .collect()
}

fn entry(proc: &Path, pid: u32) -> Option<Entry> {
    parse(&fs::read(proc.join(pid.to_string()).join("stat")).ok()?)
}

/// `PF_KTHREAD` of `linux/sched.h`, in the flags field.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// The process of the text of its `stat`; `None` = it is dead, or the text is no such thing. The name
/// may hold blanks and parentheses: what follows the last `)` is safe.
#[must_use]
pub fn parse(stat: &[u8]) -> Option<Entry> {
    let text = String::from_utf8_lossy(stat);
    let (pid, _) = text.split_once(' ')?;
    let (_, rest) = text.rsplit_once(')')?;
    // Field 3 (state) is index 0 here.
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let dead = matches!(*fields.first()?, "Z" | "X");
    if dead {
        return None;
    }
    Some(Entry {
        pid: pid.parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        terminal: *fields.get(4)? != "0",
        kernel: fields.get(6)?.parse::<u64>().ok()? & KERNEL_THREAD != 0,
        started: fields.get(19)?.parse().ok()?,
    })
}

/// A descriptor that stays with this very process. A pid that was taken by another process
/// meanwhile shows another start time and is left out; the next scan sees it.
fn pin(found: &Entry) -> Option<Session> {
    let pid = libc::pid_t::try_from(found.pid).ok()?;
    // SAFETY: pidfd_open takes two integers and returns a new descriptor or -1.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let raw = RawFd::try_from(raw).ok().filter(|raw| *raw >= 0)?;
    // SAFETY: the kernel just made this descriptor (close-on-exec by itself); nobody else has it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(raw) };
    (entry(Path::new("/proc"), found.pid)? == *found).then_some(Session {
        pid: found.pid,
        started: found.started,
        terminal: found.terminal,
        pidfd,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    #[test]
    fn a_name_with_blanks_and_parentheses_does_not_shift_the_fields() {
        let line = b"42 (a) b (c) S 0 42 42 34816 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987 1 1\n";
        let expected = Entry { pid: 42, parent: 0, terminal: true, kernel: false, started: 987 };
        assert_eq!(parse(line), Some(expected));
        assert_eq!(parse(b"42 (x) Z 0 42"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn a_pinned_process_is_readable_when_it_ends() {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let session = pin(&entry(Path::new("/proc"), child.id()).unwrap()).unwrap();
        let ready = |session: &Session, timeout: PollTimeout| {
            poll(&mut [PollFd::new(session.fd(), PollFlags::POLLIN)], timeout).unwrap()
        };
        assert_eq!(ready(&session, PollTimeout::ZERO), 0);
        child.kill().unwrap();
        assert_eq!(ready(&session, PollTimeout::from(10_000_u16)), 1);
        child.wait().unwrap();
        assert!(
            pin(&Entry { started: 1, ..entry(Path::new("/proc"), std::process::id()).unwrap() })
                .is_none()
        );
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
            wait_for(|| {
                parse(&fs::read(proc.join("1/stat")).ok()?)
                    .filter(|one| one.pid == 1 && !proc.join("2").exists())
            });
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
        let seen: Vec<_> = found.iter().map(|entry| (entry.parent, entry.kernel)).collect();
        assert_eq!(seen, [(0, false)], "{found:?}");
    }

    #[test]
    fn a_host_has_no_sessions() {
        if entry(Path::new("/proc"), 2).is_some_and(|two| two.kernel) {
            assert!(scan().is_empty());
        }
    }
}
