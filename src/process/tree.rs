//! The processes of one generation, found by walking /proc, and signals to them that cannot hit
//! anybody else.
//!
//! A generation is what descends from its keeper: the keeper is a subreaper, so orphans come back
//! to it. Each process is pinned by a pidfd and looked at again before it is signalled: the same
//! start time and a parent inside the tree. A number that was given to a stranger between the walk
//! and the signal fails that look.

use std::collections::HashSet;
use std::os::fd::AsFd;

use super::procfs::{self, Children};
use super::sys;
use crate::system::pidfd::pidfd_open;
use crate::system::stat::{self, Process};

/// The name of keepers, as ps and /proc show it.
pub(super) const KEEPER_NAME: &std::ffi::CStr = c"relaunch-keeper";

/// Walks between STOP and KILL in one round; a tree that still grows after them is killed as far
/// as it is known, and the next round goes on.
const PASSES: u32 = 16;

/// Where the processes of a generation are found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The keeper; its descendants are the generation. It is never signalled itself.
    pub(super) keeper: Option<i32>,
    /// The keeper is dead, or is no subreaper: look among the children of the calling process for
    /// those that belong here.
    pub(super) own_children: bool,
    /// The keeper that died: a child in its group was forked by it and had not yet become the app.
    pub(super) dead_keeper: Option<i32>,
    /// The leader: a child with its pid, its group or its session belongs to the generation.
    pub(super) leader: Option<i32>,
    /// `RELAUNCH_GENERATION=n`: a child that began with this entry belongs to it too.
    pub(super) mark: Option<&'a [u8]>,
    /// Pids and starts of processes that were found to belong before: one that is ending shows
    /// neither environment nor, perhaps, its old parent.
    pub(super) known: &'a [(i32, u64)],
}

impl Scope<'_> {
    /// All living processes of the generation, parents before their children.
    pub(super) fn processes(&self) -> Vec<Process> {
        self.walk(&Children::new())
    }

    fn walk(&self, children: &Children) -> Vec<Process> {
        let mut seen = HashSet::new();
        let mut found: Vec<Process> = Vec::new();
        let own = sys_pid();
        let adopted = if self.own_children { children.of(own) } else { Vec::new() };
        let mut candidates: Vec<i32> =
            adopted.into_iter().filter(|pid| self.belongs(*pid)).collect();
        if let Some(keeper) = self.keeper {
            candidates.extend(children.of(keeper));
        }
        let mut next = 0;
        loop {
            for pid in candidates.drain(..) {
                if pid <= 1 || pid == own || Some(pid) == self.keeper || !seen.insert(pid) {
                    continue;
                }
                found.extend(stat::process(pid));
            }
            let Some(parent) = found.get(next) else { break };
            candidates = children.of(parent.pid);
            next += 1;
        }
        found.retain(|process| !process.gone);
        found
    }

    fn belongs(&self, pid: i32) -> bool {
        let by_ids = stat::process(pid).is_some_and(|process| {
            [process.pid, process.group, process.session].iter().any(|id| Some(*id) == self.leader)
                || self.known.contains(&(pid, process.start))
                // A later keeper of the same number has a group of its own.
                || (Some(process.group) == self.dead_keeper && process.group != pid)
        });
        by_ids
            || self.mark.is_some_and(|mark| {
                procfs::began_with(pid, mark) && procfs::name(pid) != KEEPER_NAME.to_bytes()
            })
    }

    /// Sends each signal in turn to every process but `except`. Returns how many it reached.
    pub(super) fn signal(&self, except: Option<i32>, signals: &[i32]) -> usize {
        let processes = self.processes();
        let known: HashSet<i32> = processes.iter().map(|process| process.pid).collect();
        processes
            .iter()
            .filter(|process| Some(process.pid) != except)
            .filter(|process| self.send(process, &known, signals))
            .count()
    }

    /// One round of the end: STOP until no new process appears, so that none can make another, then
    /// KILL all. Returns how many processes were found; 0 = none is left.
    ///
    /// Process groups are stopped as a whole where that is safe: the kernel does it in one step
    /// that a process forking in a loop cannot slip through.
    pub(super) fn stop_and_kill(&self) -> usize {
        let mut known = HashSet::new();
        let mut stopped: Vec<Process> = Vec::new();
        let mut identities = HashSet::new();
        for _ in 0..PASSES {
            let mut new = self.processes();
            known.extend(new.iter().map(|process| process.pid));
            new.retain(|process| identities.insert((process.pid, process.start)));
            if new.is_empty() {
                break;
            }
            for process in &new {
                if self.send(process, &known, &[libc::SIGSTOP]) {
                    signal_group(process, libc::SIGSTOP);
                }
            }
            stopped.extend(new);
        }
        for process in &stopped {
            if stat::process(process.pid).is_some_and(|now| now.start == process.start) {
                signal_group(process, libc::SIGKILL);
            }
            self.send(process, &known, &[libc::SIGKILL]);
        }
        stopped.len()
    }

    /// Signals one process if it still is the one that was found. Where pidfds are not to be had
    /// (old kernel, seccomp, no free descriptor) the look alone must do.
    fn send(&self, process: &Process, known: &HashSet<i32>, signals: &[i32]) -> bool {
        let pidfd = match pidfd_open(process.pid) {
            Ok(pidfd) => Some(pidfd),
            Err(error) => match error.raw_os_error() {
                // It is gone, or is no process any more: its number says nothing.
                Some(libc::ESRCH | libc::EINVAL) => return false,
                // ENOSYS, EPERM of a seccomp filter, EMFILE, ENFILE, ENOMEM.
                _ => None,
            },
        };
        let Some(now) = stat::process(process.pid) else {
            return false;
        };
        let parent_known = known.contains(&now.parent)
            || Some(now.parent) == self.keeper
            || (self.own_children && now.parent == sys_pid());
        if now.start != process.start || now.gone || !parent_known {
            return false;
        }
        signals.iter().fold(true, |reached, signal| {
            let sent = match &pidfd {
                Some(pidfd) => sys::pidfd_kill(pidfd.as_fd(), *signal),
                None => sys::kill(process.pid, *signal),
            };
            sent.is_ok() && reached
        })
    }
}

/// Signals the whole group of a process that was just seen alive, if all of the group must belong
/// to the generation: it lies in a session that a descendant made, and only descendants of a
/// session's maker are in it. In our own session (app on a terminal) a process could have joined a
/// stranger's group.
fn signal_group(process: &Process, signal: i32) {
    let own = nix::unistd::getsid(None).map_or(process.session, nix::unistd::Pid::as_raw);
    if process.session != own && process.group > 1 {
        // Gone meanwhile, or no right: the process itself is signalled as well.
        let _ = sys::kill(-process.group, signal);
    }
}

fn sys_pid() -> i32 {
    nix::unistd::getpid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn lists_and_scan_find_the_same_descendants() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 60 & sleep 60 & echo ready; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = std::io::BufReader::new(shell.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        let scope = Scope {
            keeper: Some(shell.id().cast_signed()),
            own_children: false,
            dead_keeper: None,
            leader: None,
            mark: None,
            known: &[],
        };
        let listed = scope.walk(&Children::new());
        let scanned = scope.walk(&Children::by_scan());
        // A test binary has threads, but this tree is single-threaded: only the order may differ.
        let sorted = |processes: Vec<Process>| {
            let mut pids: Vec<_> = processes.iter().map(|process| process.pid).collect();
            pids.sort_unstable();
            pids
        };
        assert_eq!((listed.len(), sorted(listed)), (2, sorted(scanned)));
        assert_eq!(scope.signal(None, &[libc::SIGKILL]), 2);
        shell.wait().unwrap();
    }
}
