//! Listing folders and comparing them with the tables, in slices: the first sweep, new folders,
//! rescans after lost events, polls.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::core::What;

use super::inotify::{CONTENT, ITSELF};
use super::observation::{Observation, Warning};
use super::rooting::Root;
use super::stamp::{Seen, Stamp};
use super::table::{FolderId, LOOSE};
use super::watcher::Watch;

/// How far below its folder a task goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Not at all: the folder above was not listed yet, and what lies below waits for that.
    Itself,
    /// To folders that were not listed yet.
    Unknown,
    /// To all.
    Everything,
}

/// A folder to be listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task {
    pub(super) folder: FolderId,
    pub(super) reach: Reach,
    /// For which poll.
    pub(super) poll: Option<usize>,
    /// The folder, or one above, came into its place since the start: files that are seen there for
    /// the first time prove nothing by their ctime.
    pub(super) doubtful: bool,
    /// Something happened there: nothing settles before it is listed.
    pub(super) pressing: bool,
}

impl Task {
    /// The folder itself and what is unknown below it.
    pub(super) fn new(folder: FolderId) -> Self {
        Self { folder, reach: Reach::Unknown, poll: None, doubtful: false, pressing: false }
    }

    pub(super) fn pressing(self) -> Self {
        Self { pressing: true, ..self }
    }

    /// The folder ahead of the one above.
    pub(super) fn early(folder: FolderId) -> Self {
        Self { reach: Reach::Itself, ..Self::new(folder) }
    }

    /// The folder and everything below it.
    pub(super) fn deep(folder: FolderId) -> Self {
        Self { reach: Reach::Everything, ..Self::new(folder) }
    }

    pub(super) fn polled(self, poll: usize) -> Self {
        Self { poll: Some(poll), ..self }
    }
}

/// A folder whose list is being read.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) task: Task,
    entries: fs::ReadDir,
    /// Why a part of the list could not be read: what is not on it may be there all the same.
    pub(super) broken: Option<io::Error>,
    pub(super) files: Vec<(Vec<u8>, Stamp)>,
    pub(super) folders: Vec<(Vec<u8>, Below)>,
    /// Names that an event told about meanwhile: what was read of them may be old.
    pub(super) disturbed: HashSet<Vec<u8>>,
    /// Device of the folder.
    pub(super) device: u64,
}

impl Scan {
    pub(super) fn is_pressing(&self) -> bool {
        self.task.pressing
    }
}

/// A folder found in a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Below {
    pub(super) device: u64,
    pub(super) doubtful: bool,
}

impl Watch {
    /// Events were lost: everything is compared.
    pub(super) fn overflow(&mut self) {
        if self.out.last() == Some(&Observation::Overflow) {
            return;
        }
        self.out.push(Observation::Overflow);
        self.listen_no_more();
        self.recheck = true;
        self.suspects.clear();
        self.rescan_all();
    }

    fn rescan_all(&mut self) {
        self.scan = None;
        self.tasks.clear();
        self.reset_polls();
        self.tasks.push_back(Task::new(LOOSE).pressing());
        let folders: Vec<FolderId> = self.roots.iter().filter_map(Root::folder).collect();
        let tasks = folders.into_iter().map(|folder| Task::deep(folder).pressing());
        self.tasks.extend(tasks);
    }

    /// An event names a file of the folder that is being listed.
    pub(super) fn disturb(&mut self, folder: FolderId, name: &[u8]) {
        if let Some(scan) = self.scan.as_mut().filter(|scan| scan.task.folder == folder) {
            scan.disturbed.insert(name.to_vec());
        }
    }

    /// Goes on listing until the time is over or nothing is left.
    pub(super) fn scan_until(&mut self, end: Instant) {
        while self.scan.is_some() || !self.tasks.is_empty() {
            self.scan_one(end);
            if Instant::now() >= end {
                return;
            }
        }
    }

    /// Lists one folder, or as much of it as the time allows.
    pub(super) fn scan_one(&mut self, end: Instant) {
        let begun = Instant::now();
        let Some(mut scan) = self.scan.take().or_else(|| self.begin()) else {
            return;
        };
        let done = self.list(&mut scan, end);
        let task = scan.task;
        if done {
            self.merge(scan);
        } else {
            self.scan = Some(scan);
        }
        self.spend(task.poll, begun.elapsed(), done);
    }

    fn begin(&mut self) -> Option<Scan> {
        let task = self.tasks.pop_front()?;
        if task.folder == LOOSE {
            self.scan_loose(task.poll);
            self.spend(task.poll, Duration::ZERO, true);
            return None;
        }
        let scan = self.open(task);
        if scan.is_none() {
            self.spend(task.poll, Duration::ZERO, true);
        }
        scan
    }

    fn open(&mut self, task: Task) -> Option<Scan> {
        if !self.table.exists(task.folder) {
            return None;
        }
        // The watch first, then the list: what comes between is told twice, never lost.
        self.unseen_while_listed(task.folder);
        self.watch_folder(task.folder);
        let path = self.table.path(task.folder);
        let opened = fs::metadata(&path).and_then(|meta| Ok((meta, fs::read_dir(&path)?)));
        match opened {
            Ok((meta, entries)) => Some(Scan {
                task,
                entries,
                broken: None,
                files: Vec::new(),
                folders: Vec::new(),
                disturbed: HashSet::new(),
                device: std::os::unix::fs::MetadataExt::dev(&meta),
            }),
            Err(error) => {
                self.cannot_list(task.folder, &path, &error);
                None
            }
        }
    }

    fn cannot_list(&mut self, folder: FolderId, path: &Path, error: &io::Error) {
        let gone = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
        if let Some(root) = self.roots.iter_mut().find(|root| root.folder() == Some(folder)) {
            root.lost |= gone;
            self.recheck |= gone;
        } else if gone {
            self.folder_gone(folder);
        }
        if !gone {
            let cause = Errno::from_raw(error.raw_os_error().unwrap_or_default());
            let path = path.to_owned();
            self.warn(Warning::Unreadable { path, cause });
        }
    }

    /// Puts or renews the watch of a folder of the tree.
    pub(super) fn watch_folder(&mut self, id: FolderId) {
        let root = self.roots.iter().any(|root| root.folder() == Some(id));
        let mask = if root { CONTENT | ITSELF } else { CONTENT };
        let path = self.table.path(id);
        let Some(queue) = &self.queue else {
            return;
        };
        match queue.add(&path, mask, root) {
            Ok(wd) => {
                if let Some(old) = self.wds.insert(id, wd).filter(|old| *old != wd) {
                    self.heard.remove(&id);
                    self.by_wd.remove(&old);
                    if !self.steps.contains_key(&old) {
                        queue.remove(old);
                    }
                }
                if let Some(other) = self.by_wd.insert(wd, id).filter(|other| *other != id) {
                    self.wds.remove(&other);
                }
                self.unwatched.remove(&id);
            }
            Err(Errno::ENOENT | Errno::ENOTDIR) => {}
            Err(cause) => self.cannot_watch(id, path, cause),
        }
    }

    pub(super) fn unwatch_tree(&mut self, id: FolderId) {
        let all = self.table.subtree(id);
        if let Some(scan) = self.scan.take_if(|scan| all.contains(&scan.task.folder)) {
            self.spend(scan.task.poll, Duration::ZERO, true);
        }
        for id in all {
            self.unwatched.remove(&id);
            self.heard.remove(&id);
            if let Some(wd) = self.wds.remove(&id) {
                self.by_wd.remove(&wd);
                if let Some(queue) = self.queue.as_ref().filter(|_| !self.steps.contains_key(&wd)) {
                    queue.remove(wd);
                }
            }
        }
    }

    /// Reads on in the list; whether it came to the end.
    fn list(&mut self, scan: &mut Scan, end: Instant) -> bool {
        let path = self.table.path(scan.task.folder);
        for (count, entry) in scan.entries.by_ref().enumerate() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    // The rest cannot be read; what was read is compared, nothing else forgotten.
                    scan.broken = Some(error);
                    continue;
                }
            };
            let name = entry.file_name().into_vec();
            let ignored = self.ignore.covers_name(&name)
                || self.ignore.looks_at_paths()
                    && self.is_ignored(
                        scan.task.folder,
                        &name,
                        &path.join(OsStr::from_bytes(&name)),
                    );
            if ignored {
                continue;
            }
            let seen = match entry.metadata() {
                Ok(meta) => Seen::of(&meta),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Seen::Nothing,
                Err(error) => {
                    scan.broken = Some(error);
                    continue;
                }
            };
            match seen {
                Seen::File(stamp, _) | Seen::Link(stamp) => scan.files.push((name, stamp)),
                Seen::Folder { dev, ctime, mtime } => {
                    // A rename gives the folder a new ctime and leaves the time of its list.
                    let doubtful = scan.task.doubtful || ctime >= self.epoch && ctime != mtime;
                    let device = dev;
                    scan.folders.push((name, Below { device, doubtful }));
                }
                Seen::Other | Seen::Nothing => {}
            }
            if count % 32 == 31 && Instant::now() >= end {
                return false;
            }
        }
        true
    }

    /// Watched single files: one look each.
    fn scan_loose(&mut self, poll: Option<usize>) {
        for index in 0..self.roots.len() {
            if self.roots[index].is_file() {
                let path = self.roots[index].path.clone();
                self.look_at_loose(&path, poll);
            }
        }
    }

    /// Compares one watched single file with the table.
    pub(super) fn look_at_loose(&mut self, path: &Path, poll: Option<usize>) {
        let name = path.as_os_str().as_bytes();
        let changed = match Seen::through(path).stamp() {
            Some(stamp) => {
                let same = self.table.get(LOOSE, name).is_some_and(|entry| entry.stamp == stamp);
                self.table.see(LOOSE, name, stamp, !same)
            }
            None => self.table.remove(LOOSE, name),
        };
        if changed {
            self.found(poll, Path::new(""), name);
        }
    }

    pub(super) fn found(&mut self, poll: Option<usize>, folder: &Path, name: &[u8]) {
        let path = folder.join(OsStr::from_bytes(name));
        if let Some(poll) = poll.filter(|_| self.queue.is_some()) {
            self.suspects.insert(path.clone(), poll);
        }
        self.say(path, What::Found);
    }
}
