//! Comparing the list of a folder with its table: what is new, changed and gone comes out as found.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;

use crate::core::What;

use super::baseline::Baseline;
use super::observation::Warning;
use super::scan::{Reach, Scan, Task};
use super::stamp::{Seen, Stamp, digest_link};
use super::table::FolderId;
use super::watcher::Watch;

impl Watch {
    /// Compares a whole list with the table of its folder and makes it the table.
    pub(super) fn merge(&mut self, mut scan: Scan) {
        let folder = scan.task.folder;
        if !self.table.exists(folder) {
            return;
        }
        let path = self.table.path(folder);
        if let Some(cause) = &scan.broken {
            let cause = Errno::from_raw(cause.raw_os_error().unwrap_or_default());
            self.warn(Warning::Unreadable { path: path.clone(), cause });
        }
        if !scan.disturbed.is_empty() {
            scan.files.retain(|(name, _)| !scan.disturbed.contains(name));
            for name in std::mem::take(&mut scan.disturbed) {
                let now = Seen::at(&path.join(OsStr::from_bytes(&name))).stamp();
                scan.files.extend(now.map(|stamp| (name, stamp)));
            }
        }
        let first = !self.table.swept(folder) && !self.table.newcomer(folder);
        self.compare_files(&mut scan, &path, first);
        self.compare_folders(&scan, &path, first);
        self.table.set_swept(folder);
        self.hear(folder);
    }

    fn compare_files(&mut self, scan: &mut Scan, path: &Path, first: bool) {
        let folder = scan.task.folder;
        let mut files = std::mem::take(&mut scan.files);
        files.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        if !first && scan.broken.is_none() {
            self.forget_missing(scan, path, &files);
        }
        let links: Vec<_> = files.iter().filter(|(_, stamp)| stamp.is_link()).cloned().collect();
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for (name, stamp) in files {
            let known = self.table.get(folder, &name).map(|entry| entry.stamp);
            if known.is_none() {
                let ours = first && stamp.ctime < self.epoch && !scan.task.doubtful;
                if ours { &mut old } else { &mut new }.push((name, stamp));
            } else if known != Some(stamp) {
                self.table.see(folder, &name, stamp, true);
                // An event told of the write, or there is none for the change (a new link).
                let told = self.stale.contains(&(folder, name.clone()))
                    || known.is_some_and(|known| known.same_content(&stamp));
                self.found(scan.task.poll.filter(|_| !told), path, &name);
            }
        }
        for (name, stamp) in &new {
            if first && self.started && stamp.mtime >= self.epoch {
                // Whoever wrote it may still have it open, and no event tells.
                self.say(path.join(OsStr::from_bytes(name)), What::Modified);
            } else {
                self.found(scan.task.poll, path, name);
            }
        }
        let before = if first { Baseline::Unknown } else { Baseline::Absent };
        if !old.is_empty() {
            self.table.add_all(folder, old, None);
        }
        if !new.is_empty() {
            self.table.add_all(folder, new, Some(before));
        }
        for (name, stamp) in links {
            if let Some(digest) = digest_link(&path.join(OsStr::from_bytes(&name))) {
                self.table.set_digest(folder, &name, stamp, digest);
            }
        }
    }

    /// Files of the table that the sorted list lacks.
    fn forget_missing(&mut self, scan: &Scan, path: &Path, files: &[(Vec<u8>, Stamp)]) {
        let folder = scan.task.folder;
        let listed = |name: &[u8]| files.binary_search_by(|(have, _)| (**have).cmp(name)).is_ok();
        let missing: Vec<Vec<u8>> = self
            .table
            .files(folder)
            .filter(|(name, _)| !listed(name))
            .map(|(name, _)| name.to_vec())
            .collect();
        for name in missing {
            self.table.remove(folder, &name);
            if !self.is_ignored(folder, &name, &path.join(OsStr::from_bytes(&name))) {
                self.found(scan.task.poll, path, &name);
            }
        }
    }

    fn compare_folders(&mut self, scan: &Scan, path: &Path, first: bool) {
        let folder = scan.task.folder;
        let known: Vec<FolderId> = self.table.children(folder).to_vec();
        let listed: HashSet<&[u8]> = scan.folders.iter().map(|(name, _)| &**name).collect();
        for child in known {
            let name = self.table.name(child);
            let whole = path.join(OsStr::from_bytes(name));
            // Listed before it was made, or not listed since an ignore rule holds at this place.
            let there = listed.contains(name)
                || !self.is_ignored(folder, name, &whole)
                    && matches!(Seen::at(&whole), Seen::Folder { .. });
            if !there {
                self.folder_gone(child);
            }
        }
        for (name, below) in &scan.folders {
            let had = self.table.child(folder, name);
            let child = had.unwrap_or_else(|| self.table.add_child(folder, name, !first));
            if scan.task.reach == Reach::Itself {
                continue;
            }
            // What is new below a polled folder was made before its watch: no event is missing.
            let poll = scan.task.poll.filter(|_| had.is_some());
            // One that was listed before the folder above had its watch may have been replaced.
            if had.is_none()
                || first
                || scan.task.reach == Reach::Everything
                || !self.table.swept(child)
            {
                self.expect(poll);
                let task = Task {
                    folder: child,
                    reach: scan.task.reach,
                    poll,
                    doubtful: below.doubtful,
                    pressing: scan.task.pressing || had.is_none() && !first,
                };
                if task.pressing {
                    self.tasks.push_front(task);
                } else {
                    self.tasks.push_back(task);
                }
            }
            if below.device != scan.device {
                self.check_mount(child);
            }
        }
    }
}
