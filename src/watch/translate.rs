//! From the kernel's events to hints: what each one proves about its path. Looks at the named file
//! alone.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::{FileEvent, What};

use super::baseline::Baseline;
use super::inotify::{Event, ITSELF, Mask, USE};
use super::observation::Observation;
use super::rooting::Step;
use super::scan::Task;
use super::stamp::{Seen, digest_link};
use super::table::{FolderId, LOOSE};
use super::watcher::Watch;

/// The first half of a rename inside the tree, until its second half comes.
#[derive(Debug)]
pub(super) struct Moving {
    folder: FolderId,
    name: Vec<u8>,
    path: Arc<Path>,
    is_folder: bool,
}

impl Watch {
    pub(super) fn take(&mut self, event: &Event, arrivals: &HashSet<u32>) {
        if event.mask.contains(Mask::IN_Q_OVERFLOW) {
            self.overflow();
            return;
        }
        self.take_on_the_way(event, arrivals);
        let Some(folder) = self.by_wd.get(&event.wd).copied() else {
            return;
        };
        if event.mask.intersects(ITSELF | Mask::IN_UNMOUNT | Mask::IN_IGNORED) {
            self.folder_lost(folder, event);
            return;
        }
        if event.mask.intersects(USE) {
            if self.heard.contains(&folder) && self.table.exists(folder) {
                self.take_use(event, folder);
            }
            return;
        }
        let Some(name) = event.name.as_deref().filter(|_| self.table.exists(folder)) else {
            return;
        };
        let path = self.table.path(folder).join(name);
        let covered = self.is_ignored(folder, name.as_bytes(), &path);
        if event.mask.contains(Mask::IN_ISDIR) {
            self.take_folder(event, folder, path, covered, arrivals);
        } else if covered {
            self.take_ignored(event);
        } else {
            self.take_file(event, folder, name.as_bytes(), path, arrivals);
        }
    }

    /// Events in the folders above the roots, for the names that lead to a root.
    fn take_on_the_way(&mut self, event: &Event, arrivals: &HashSet<u32>) {
        let Some(names) = self.steps.get(&event.wd) else {
            return;
        };
        if event.mask.intersects(ITSELF | Mask::IN_UNMOUNT | Mask::IN_IGNORED) {
            self.recheck = true;
            return;
        }
        let is = |name: &OsStr| event.name.as_deref() == Some(name);
        let steps: Vec<Step> =
            names.iter().filter(|(name, _)| is(name)).map(|(_, step)| *step).collect();
        let listing = Mask::IN_CREATE | Mask::IN_DELETE | Mask::IN_MOVED_FROM | Mask::IN_MOVED_TO;
        for step in steps {
            self.recheck |= event.mask.intersects(listing);
            if let Step::File(root) = step
                && !event.mask.contains(Mask::IN_ISDIR)
                && !self.roots[root].is_covered()
            {
                let path = self.roots[root].path.clone();
                let name = path.as_os_str().as_bytes().to_vec();
                self.take_file(event, LOOSE, &name, path, arrivals);
            }
        }
    }

    fn folder_lost(&mut self, folder: FolderId, event: &Event) {
        if event.mask.contains(Mask::IN_IGNORED) {
            self.by_wd.remove(&event.wd);
            if self.wds.get(&folder) == Some(&event.wd) {
                self.wds.remove(&folder);
                self.unseen_while_listed(folder);
                self.heard.remove(&folder);
            }
        }
        if let Some(root) = self.roots.iter_mut().find(|root| root.folder() == Some(folder)) {
            root.lost = true;
            self.recheck = true;
        } else if event.mask.contains(Mask::IN_UNMOUNT) && self.table.exists(folder) {
            self.tasks.push_front(Task::deep(folder).pressing());
        }
    }

    pub(super) fn is_ignored(&self, folder: FolderId, name: &[u8], path: &Path) -> bool {
        self.ignore.covers_name(name)
            || self.ignore.looks_at_paths() && {
                let root = self.table.path(self.table.root_of(folder));
                self.ignore.covers_path(&root, path)
            }
    }

    /// A watched file that gets an ignored name is gone; the reverse needs no word: without a
    /// first half the second is a file that moved in.
    fn take_ignored(&mut self, event: &Event) {
        if event.mask.contains(Mask::IN_MOVED_TO)
            && let Some(moving) = self.moving.remove(&event.cookie)
        {
            self.moved_away(moving);
        }
    }

    fn take_file(
        &mut self,
        event: &Event,
        folder: FolderId,
        name: &[u8],
        path: PathBuf,
        arrivals: &HashSet<u32>,
    ) {
        self.disturb(folder, name);
        let mask = event.mask;
        if mask.contains(Mask::IN_CREATE) {
            if let Some(what) = self.look(folder, name, &path, true) {
                self.say(path, what);
            }
        } else if mask.contains(Mask::IN_MODIFY) {
            self.table.doubt(folder, name);
            self.stale.insert((folder, name.to_vec()));
            self.say(path, What::Modified);
        } else if mask.contains(Mask::IN_CLOSE_WRITE) {
            if self.look(folder, name, &path, false).is_some() {
                self.say(path, What::Closed);
            }
        } else if mask.contains(Mask::IN_ATTRIB) {
            let known = self.table.get(folder, name).is_some();
            if known && self.look(folder, name, &path, false).is_some() {
                self.say(path, What::Attributes);
            }
        } else if mask.contains(Mask::IN_DELETE) {
            self.stale.remove(&(folder, name.to_vec()));
            self.table.remove(folder, name);
            self.say(path, What::Deleted);
        } else if mask.contains(Mask::IN_MOVED_FROM) {
            self.stale.remove(&(folder, name.to_vec()));
            self.table.remove(folder, name);
            let moving =
                Moving { folder, name: name.to_vec(), path: path.into(), is_folder: false };
            if folder != LOOSE && arrivals.contains(&event.cookie) {
                self.moving.insert(event.cookie, moving);
            } else {
                self.moved_away(moving);
            }
        } else if mask.contains(Mask::IN_MOVED_TO)
            && let Some(proof) = self.look(folder, name, &path, true)
        {
            // A watched single file that is renamed over was written elsewhere, like one from
            // outside; the other half, if watched, belongs to another root.
            let from = Some(event.cookie).filter(|_| folder != LOOSE);
            let Some(moving) = from.and_then(|cookie| self.moving.remove(&cookie)) else {
                self.say(path, What::MovedIn);
                return;
            };
            let from = moving.path;
            self.say(path.clone(), What::MovedWithin { from });
            let link = self.table.get(folder, name).is_some_and(|entry| entry.stamp.is_link());
            if link && proof == What::Linked {
                // Under its first name it may have been gone before it could be seen as a link.
                self.say(path, What::Linked);
            }
        }
    }

    /// Looks at a named file and notes it. What its appearance proves; `None` where it is nothing
    /// that an app could be stale in. A file that is gone by now was a file.
    fn look(&mut self, folder: FolderId, name: &[u8], path: &Path, doubt: bool) -> Option<What> {
        self.stale.remove(&(folder, name.to_vec()));
        let seen = if folder == LOOSE { Seen::through(path) } else { Seen::at(path) };
        if let Some(stamp) = seen.stamp() {
            self.table.see(folder, name, stamp, doubt);
            if let Some(digest) = digest_link(path).filter(|_| stamp.is_link()) {
                self.table.set_digest(folder, name, stamp, digest);
            }
        }
        match seen {
            Seen::File(_, 2..) | Seen::Link(_) => Some(What::Linked),
            Seen::File(..) | Seen::Nothing => Some(What::Created),
            Seen::Folder { .. } | Seen::Other => None,
        }
    }

    fn take_folder(
        &mut self,
        event: &Event,
        folder: FolderId,
        path: PathBuf,
        covered: bool,
        arrivals: &HashSet<u32>,
    ) {
        let name = path.file_name().unwrap_or_default().as_bytes().to_vec();
        let child = self.table.child(folder, &name);
        let mask = event.mask;
        if mask.contains(Mask::IN_MOVED_FROM) && arrivals.contains(&event.cookie) {
            if child.is_some() {
                let moving = Moving { folder, name, path: path.into(), is_folder: true };
                self.moving.insert(event.cookie, moving);
            }
        } else if mask.intersects(Mask::IN_MOVED_FROM | Mask::IN_DELETE) {
            if let Some(child) = child {
                self.folder_gone(child);
            }
        } else if covered {
            self.take_ignored(event);
        } else if mask.contains(Mask::IN_MOVED_TO) {
            match self.moving.remove(&event.cookie) {
                Some(moving) => self.folder_moved(&moving, folder, &name, &path),
                None => self.folder_came(folder, &name),
            }
        } else if mask.contains(Mask::IN_CREATE) {
            self.folder_came(folder, &name);
        }
    }

    fn folder_moved(&mut self, moving: &Moving, to: FolderId, name: &[u8], path: &Path) {
        let Some(child) = self.table.child(moving.folder, &moving.name) else {
            self.folder_came(to, name);
            return;
        };
        if let Some(old) = self.table.child(to, name).filter(|old| *old != child) {
            self.unwatch_tree(old);
            if matches!(Seen::at(&moving.path), Seen::Folder { .. }) {
                // The two were exchanged in one step, `mv --exchange`: told as two renames of which the
                // second seems to take back the first.
                self.tasks.push_front(Task::deep(moving.folder).pressing());
                self.tasks.push_front(Task::deep(to).pressing());
            }
        }
        self.table.rename(child, to, name);
        self.hear_moved(child);
        let from = Arc::clone(&moving.path);
        self.say(path.to_owned(), What::FolderMoved { from });
        // The kernel tells of the folder alone.
        // Other rules may hold at the new place.
        let other_rules = self.ignore.looks_at_paths();
        let root = self.table.path(self.table.root_of(to));
        for file in self.table.files_below(child) {
            self.say_lost(&moving.path.join(&file));
            let now = path.join(&file);
            if !(other_rules && self.ignore.covers(&root, &now)) {
                self.say(now, What::Found);
            }
        }
        // What it had under its old name was not listed yet, so nobody can compare it.
        let unlisted = |id: &FolderId| !self.table.swept(*id) && !self.table.newcomer(*id);
        let doubtful = self.table.subtree(child).iter().any(unlisted);
        if doubtful || other_rules {
            self.tasks.push_front(Task { doubtful, ..Task::deep(child).pressing() });
        }
    }

    /// A folder that was not there: its own watch and list first, then those below. Before the
    /// watch was up nothing was told, so its list is compared.
    pub(super) fn folder_came(&mut self, parent: FolderId, name: &[u8]) {
        if let Some(old) = self.table.child(parent, name) {
            if self.table.newcomer(old) || !self.table.swept(parent) {
                // A scan was there before this event.
                self.tasks.push_front(Task::deep(old).pressing());
                return;
            }
            self.folder_gone(old);
        }
        let newcomer = self.table.swept(parent) || self.table.newcomer(parent);
        let child = self.table.add_child(parent, name, newcomer);
        if !newcomer {
            // The parent's first list is not made yet, but this folder is known to be new.
            self.table.mark_newcomer(child);
        }
        self.tasks.push_front(Task::deep(child).pressing());
    }

    pub(super) fn folder_gone(&mut self, id: FolderId) {
        let path = self.table.path(id);
        let files = self.table.files_below(id);
        self.unwatch_tree(id);
        self.table.detach(id);
        self.say(path.clone(), What::FolderGone);
        // None, but where it was moved away as a whole.
        for file in files {
            self.say_lost(&path.join(file));
        }
    }

    /// A file went with its folder; of interest only where the app was started with it, or is just being
    /// started.
    fn say_lost(&mut self, path: &Path) {
        if self.table.since_frozen.is_some() || self.table.baseline(path) != Baseline::Absent {
            self.say(path.to_owned(), What::Deleted);
        }
    }

    fn moved_away(&mut self, moving: Moving) {
        if moving.is_folder {
            if let Some(child) = self.table.child(moving.folder, &moving.name) {
                self.folder_gone(child);
            }
        } else {
            self.say_path(moving.path, What::MovedAway);
        }
    }

    /// First halves whose second half went to a place that is watched but no part of the tree.
    pub(super) fn settle_moves(&mut self) {
        for (_, moving) in std::mem::take(&mut self.moving) {
            self.moved_away(moving);
        }
    }

    pub(super) fn say(&mut self, path: PathBuf, what: What) {
        self.say_path(path.into(), what);
    }

    fn say_path(&mut self, path: Arc<Path>, what: What) {
        if what != What::Found && !self.suspects.is_empty() {
            self.suspects.remove(&*path);
        }
        let said = Observation::File(FileEvent { path, what });
        // A writer's thousand pieces say no more than one.
        if self.out.last() != Some(&said) {
            self.out.push(said);
        }
    }
}
