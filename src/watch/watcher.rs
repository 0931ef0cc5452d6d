//! [`Watch`]: what the driver's loop holds. Drains the queue, works in slices, says when it wants
//! to be called again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::digests::Digests;
use super::ignore::Ignore;
use super::inotify::{Queue, Wd};
use super::observation::{Observation, Warning};
use super::polling::Poll;
use super::rooting::{Root, Step};
use super::scan::{Scan, Task};
use super::stamp::file_clock;
use super::table::{FolderId, Table};
use super::translate::Moving;
use crate::system::mounts::shared_mount;

/// The watch over all roots.
///
/// The loop: wait with poll(2) for [`Watch::fd`] until [`Watch::deadline`] (not at all while
/// [`Watch::has_work`] or [`Watch::has_undigested`]), then [`Watch::read`], then a slice of
/// [`Watch::work`] or, behind it, [`Watch::digest`]. Nothing settles while it is [`Watch::busy`]. Around a
/// start: [`Watch::freeze`] just before the exec, [`Watch::rebase_all`] when it succeeded.
#[derive(Debug)]
pub struct Watch {
    pub(super) queue: Option<Queue>,
    pub(super) table: Table,
    pub(super) ignore: Ignore,
    pub(super) roots: Vec<Root>,
    pub(super) by_wd: HashMap<Wd, FolderId>,
    pub(super) wds: HashMap<FolderId, Wd>,
    /// Names on the way to the roots, by the watch of their folder.
    pub(super) steps: HashMap<Wd, Vec<(OsString, Step)>>,
    /// The way to some root may have changed.
    pub(super) recheck: bool,
    pub(super) tasks: VecDeque<Task>,
    pub(super) scan: Option<Scan>,
    pub(super) moving: HashMap<u32, Moving>,
    pub(super) out: Vec<Observation>,
    /// Written, and not looked at since.
    pub(super) stale: HashSet<(FolderId, Vec<u8>)>,
    /// Files first seen with a younger ctime may have changed since the start.
    pub(super) epoch: i64,
    pub(super) frozen_at: Option<i64>,
    /// A start was ordered: the app may write.
    pub(super) started: bool,
    pub(super) polls: Vec<Poll>,
    /// Folders that the kernel gave no watch.
    pub(super) unwatched: HashSet<FolderId>,
    /// Changes that a poll saw and no event told so far, with the number of that poll.
    pub(super) suspects: HashMap<PathBuf, usize>,
    pub(super) digests: Digests,
    /// Roots in which readers are asked for too.
    pub(super) listening: Vec<PathBuf>,
    /// Their folders for which the kernel was asked.
    pub(super) heard: HashSet<FolderId>,
    /// Those for which it is asked no more until the next start.
    pub(super) deaf: Vec<FolderId>,
    /// Where something may have been used unseen by this generation.
    pub(super) used_unseen: HashSet<PathBuf>,
    /// Files that we opened ourselves since the queue was empty.
    pub(super) opened: HashSet<PathBuf>,
    said: Vec<Warning>,
}

impl Watch {
    /// A watch over these absolute paths, files or folders, there or not. Looks at the roots
    /// alone: nothing here grows with the tree. `poll`: list everything again in this period too.
    #[must_use]
    pub fn new(roots: &[PathBuf], ignore: Ignore, poll: Option<Duration>) -> Self {
        Self::with_queue(Queue::new(), roots, ignore, poll)
    }

    pub(super) fn with_queue(
        queue: Result<Queue, Errno>,
        roots: &[PathBuf],
        ignore: Ignore,
        poll: Option<Duration>,
    ) -> Self {
        let missing = queue.as_ref().err().copied();
        let mut watch = Self {
            queue: queue.ok(),
            table: Table::new(),
            ignore,
            roots: roots.iter().map(|path| Root::new(path)).collect(),
            by_wd: HashMap::new(),
            wds: HashMap::new(),
            steps: HashMap::new(),
            recheck: false,
            tasks: VecDeque::new(),
            scan: None,
            moving: HashMap::new(),
            out: Vec::new(),
            stale: HashSet::new(),
            epoch: file_clock(),
            frozen_at: None,
            started: false,
            polls: Vec::new(),
            unwatched: HashSet::new(),
            suspects: HashMap::new(),
            digests: Digests::default(),
            listening: Vec::new(),
            heard: HashSet::new(),
            deaf: Vec::new(),
            used_unseen: HashSet::new(),
            opened: HashSet::new(),
            said: Vec::new(),
        };
        if let Some(cause) = missing {
            watch.warn(Warning::NoInotify(cause));
        }
        watch.check_roots(true);
        watch.start_polls(poll);
        watch
    }

    /// Readable when something happened; `None` where there is no inotify and everything is
    /// polled.
    #[must_use]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.queue.as_ref().map(Queue::fd)
    }

    /// When there is something to do though nothing is readable: [`Watch::work`] for the next poll, or
    /// [`Watch::digest`] for files that were too young.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.next_poll().into_iter().chain(self.digests.ripe).min()
    }

    /// Something happened in folders that are not listed yet (new ones, lost events, a root that
    /// came back): what they hold is not known, so nothing is settled. The first sweep and polls
    /// do not count: what they find is a change of its own.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.recheck
            || self.scan.as_ref().is_some_and(Scan::is_pressing)
            || self.tasks.iter().any(|task| task.pressing)
    }

    /// Folders wait to be listed, for whatever reason: call [`Watch::work`] again at once.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.recheck || self.scan.is_some() || !self.tasks.is_empty()
    }

    /// Whether a call of [`Watch::read`] gives something without the descriptor being readable.
    #[must_use]
    pub fn has_observations(&self) -> bool {
        !self.out.is_empty()
    }

    /// Drains the queue (at most 16,384 events, then the descriptor stays readable) and gives what
    /// was seen since the last call, by events and by [`Watch::work`], in this order of the kernel.
    pub fn read(&mut self) -> Vec<Observation> {
        self.drain();
        if self.recheck {
            self.check_roots(false);
        }
        std::mem::take(&mut self.out)
    }

    /// Takes in what the kernel queued; [`Watch::read`] gives it.
    pub(super) fn drain(&mut self) {
        if let Some(batch) = self.queue.as_ref().map(Queue::drain) {
            for event in &batch.events {
                self.take(event, &batch.arrivals);
            }
            self.settle_moves();
            if batch.empty {
                self.judge_suspects();
                self.opened.clear();
            }
        }
    }

    /// One slice of listing: new folders, the first sweep, rescans, polls that are due. Returns
    /// whether more is left ([`Watch::has_work`]).
    pub fn work(&mut self, budget: Duration) -> bool {
        let end = Instant::now() + budget;
        if self.recheck {
            self.check_roots(false);
        }
        self.begin_due_polls();
        while self.scan.is_some() || !self.tasks.is_empty() {
            self.scan_until(end);
            if Instant::now() >= end {
                break;
            }
        }
        self.has_work()
    }

    /// Watches and lists one folder now: that of the executable or its script, before the first exec.
    /// Does nothing for a folder outside the roots. One with a long list is left to the sweep, which
    /// begins there; so is the rest of a list after 2 ms.
    pub fn prepare(&mut self, folder: &Path) {
        let Some(root) = self.roots.iter().find_map(|root| {
            let id = root.folder()?;
            let below = folder.strip_prefix(&root.path).ok()?;
            (!self.ignore.covers(&root.path, folder)).then_some((id, below))
        }) else {
            return;
        };
        let (mut at, below) = root;
        for part in below.components() {
            let name = std::os::unix::ffi::OsStrExt::as_bytes(part.as_os_str());
            at = self.table.add_child(at, name, false);
        }
        // It may be a root, which waits already.
        self.tasks.retain(|task| task.folder != at);
        let is_root = below.as_os_str().is_empty();
        self.tasks.push_front(if is_root { Task::new(at) } else { Task::early(at) });
        if !can_wait(folder) {
            self.scan_one(Instant::now() + PREPARE);
        }
    }

    /// Watched files, as far as the sweep came.
    #[must_use]
    pub fn files(&self) -> usize {
        self.table.file_count()
    }

    /// Watched folders, as far as the sweep came.
    #[must_use]
    pub fn folders(&self) -> usize {
        self.table.folder_count()
    }

    /// Bytes of the tables.
    #[must_use]
    pub fn table_bytes(&self) -> usize {
        self.table.heap()
    }

    /// Says it, unless it was said.
    pub(super) fn warn(&mut self, warning: Warning) {
        if !self.said.contains(&warning) {
            self.said.push(warning.clone());
            self.out.push(Observation::Warning(warning));
        }
    }
}

/// Whether so much lies in a folder that the first exec does not wait for its watch: to put one, the
/// kernel visits every name below that it remembers, 3.3 ms for 10,000 (measured). The size of a
/// folder is a hint only: a merged overlay shows that of its upper layer. Where a server keeps the
/// time, nothing would find what changes before the watch.
pub(super) fn can_wait(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|meta| meta.len() > LONG) && shared_mount(folder).is_none()
}

/// Bytes of a folder itself, stat(2): 400 to 800 names on ext4, xfs and tmpfs.
const LONG: u64 = 16 << 10;
/// What the first exec may wait for the listing of the executable's folder: 2 ms list about 1,500
/// files.
const PREPARE: Duration = Duration::from_millis(2);
