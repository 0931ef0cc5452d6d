//! The roots: what each watched path leads to now, and what is watched on the way to it so that a
//! path that is missing, removed, made again, replaced or reached through a swapped link is
//! followed.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::core::What;

use super::approach::{Approach, End};
use super::inotify::{CONTENT, ITSELF, Mask, Wd};
use super::observation::Warning;
use super::polling::Target;
use super::scan::Task;
use super::table::{FolderId, LOOSE};
use super::watcher::{Watch, can_wait};
use crate::system::mounts::shared_mount;

/// What a root is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not looked at.
    Unknown,
    /// There is nothing.
    Missing,
    /// A single file.
    File,
    /// A folder with its table, and its device and inode.
    Folder(FolderId, (u64, u64)),
    /// It lies in another root.
    Covered,
}

/// One watched path.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) path: PathBuf,
    state: State,
    /// Its watch is gone with its folder.
    pub(super) lost: bool,
}

impl Root {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), state: State::Unknown, lost: false }
    }

    pub(super) fn folder(&self) -> Option<FolderId> {
        match self.state {
            State::Folder(id, _) => Some(id),
            _ => None,
        }
    }

    pub(super) fn is_covered(&self) -> bool {
        self.state == State::Covered
    }

    pub(super) fn is_file(&self) -> bool {
        self.state == State::File
    }
}

/// What an event on a name on the way means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The root may lead elsewhere.
    Way,
    /// It is the watched file with this number itself.
    File(usize),
}

/// A way that changes each time it is looked at is followed at the next event.
const MOST_LOOKS: usize = 8;

impl Watch {
    /// Looks at every root again. `first`: nothing was watched before, so nothing is a change.
    pub(super) fn check_roots(&mut self, first: bool) {
        self.recheck = false;
        let paths: Vec<PathBuf> = self.roots.iter().map(|root| root.path.clone()).collect();
        let mut ways: Vec<Approach> = paths.iter().map(|path| Approach::find(path)).collect();
        for _ in 0..MOST_LOOKS {
            self.watch_ways(&ways);
            // Something may have been made between the look and the watch.
            let again: Vec<Approach> = paths.iter().map(|path| Approach::find(path)).collect();
            if again == ways {
                break;
            }
            ways = again;
        }
        for index in 0..ways.len() {
            let lost = std::mem::take(&mut self.roots[index].lost);
            let covered = self.is_covered(index, &ways);
            self.change_root(index, &ways[index], covered, lost, first);
        }
    }

    /// Watches the folders on the ways; forgets those that lie on no way any more.
    fn watch_ways(&mut self, ways: &[Approach]) {
        let mut steps: HashMap<Wd, Vec<(OsString, Step)>> = HashMap::new();
        let mut refused = None;
        let Some(queue) = &self.queue else {
            return;
        };
        let listing = Mask::IN_CREATE | Mask::IN_DELETE | Mask::IN_MOVED_FROM | Mask::IN_MOVED_TO;
        for (index, way) in ways.iter().enumerate() {
            let last = way.steps.len().saturating_sub(1);
            for (number, (folder, name)) in way.steps.iter().enumerate() {
                let is_end = number == last && way.leads_to_file(&self.roots[index].path);
                let (mask, step) =
                    if is_end { (CONTENT, Step::File(index)) } else { (listing, Step::Way) };
                match queue.add(folder, mask | ITSELF, false) {
                    Ok(wd) => steps.entry(wd).or_default().push((name.clone(), step)),
                    Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                    Err(cause) => refused = Some((folder.clone(), cause)),
                }
            }
            for folder in &way.above {
                if let Ok(wd) = queue.add(folder, ITSELF, false) {
                    steps.entry(wd).or_default();
                }
            }
        }
        for wd in std::mem::replace(&mut self.steps, steps).into_keys() {
            if !self.steps.contains_key(&wd) && !self.by_wd.contains_key(&wd) {
                queue.remove(wd);
            }
        }
        if let Some((folder, cause)) = refused {
            self.cannot_watch(LOOSE, folder, cause);
        }
    }

    /// Whether a root lies in the tree of another one, which tells of it: by name *and* without
    /// links, and not in an ignored place. Of two that are the same the first stays.
    fn is_covered(&self, index: usize, ways: &[Approach]) -> bool {
        let (path, way) = (&self.roots[index].path, &ways[index]);
        let inside = |other: usize| {
            let (top, over) = (&self.roots[other].path, &ways[other]);
            let folder = matches!(over.end, End::Folder(..));
            folder
                && path != top
                && path.starts_with(top)
                && way.end != End::Missing
                && path.strip_prefix(top).ok() == way.real.strip_prefix(&over.real).ok()
                && !self.ignore.covers(top, path)
        };
        let same = |other: usize| {
            other < index
                && way.end != End::Missing
                && ways[other].real == way.real
                && matches!(way.end, End::Folder(..))
        };
        (0..ways.len()).any(|other| other != index && (inside(other) || same(other)))
    }

    fn change_root(
        &mut self,
        index: usize,
        way: &Approach,
        covered: bool,
        lost: bool,
        first: bool,
    ) {
        let old = self.roots[index].state;
        let path = self.roots[index].path.clone();
        let now = match way.end {
            _ if covered => State::Covered,
            End::Missing => State::Missing,
            End::File => State::File,
            End::Folder(device, inode) => State::Folder(self.table.root(&path), (device, inode)),
        };
        if now == old && !lost {
            if now == State::File {
                self.look_at_loose(&path, None);
            }
            return;
        }
        self.leave(old, now, &path);
        self.roots[index].state = now;
        match now {
            State::Folder(id, _) => self.enter_folder(id, &path, old),
            State::File => self.enter_file(&path, first),
            State::Missing if first => self.warn(Warning::RootMissing(path)),
            State::Missing => self.warn(Warning::RootVanished(path)),
            State::Covered | State::Unknown => {}
        }
    }

    /// Takes back what belonged to the old state of a root.
    fn leave(&mut self, old: State, now: State, path: &Path) {
        match old {
            State::Folder(id, _) if matches!(now, State::Folder(..)) => self.unwatch_tree(id),
            State::Folder(id, _) if now == State::Covered => {
                self.unwatch_tree(id);
                self.table.detach(id);
            }
            State::Folder(id, _) => self.folder_gone(id),
            State::File if now != State::File => {
                let name = path.as_os_str().as_bytes();
                if self.table.remove(LOOSE, name) && now != State::Covered {
                    self.say(path.to_owned(), What::Found);
                }
            }
            _ => {}
        }
    }

    fn enter_folder(&mut self, id: FolderId, path: &Path, old: State) {
        if matches!(old, State::Missing | State::File) {
            // Nothing was there before: all that comes is new.
            self.table.set_swept(id);
        }
        let first = old == State::Unknown;
        // The sweep puts it, and finds what changed before.
        if !(first && can_wait(path)) {
            self.watch_folder(id);
        }
        if first {
            self.tasks.push_back(Task::new(id));
        } else {
            self.unseen(path);
            // What the app runs with lay elsewhere, if the sweep had not come here.
            let doubtful = self.started;
            self.tasks.push_front(Task { doubtful, ..Task::deep(id).pressing() });
        }
        if let Some(kind) = shared_mount(path) {
            let path = path.to_owned();
            self.warn(Warning::UntrustedMount { path, kind });
            self.poll_also(Target::Folder(id));
        }
    }

    fn enter_file(&mut self, path: &Path, first: bool) {
        if first {
            let name = path.as_os_str().as_bytes().to_vec();
            if let Some(stamp) = super::stamp::Seen::through(path).stamp() {
                self.table.add_all(LOOSE, vec![(name, stamp)], None);
            }
        } else {
            self.look_at_loose(path, None);
        }
        if let Some(kind) = shared_mount(path) {
            let path = path.to_owned();
            self.warn(Warning::UntrustedMount { path, kind });
            self.poll_also(Target::Files);
        }
    }

    /// A folder on another device than its parent: a mount in the tree.
    pub(super) fn check_mount(&mut self, id: FolderId) {
        let path = self.table.path(id);
        if let Some(kind) = shared_mount(&path) {
            self.warn(Warning::UntrustedMount { path, kind });
            self.poll_also(Target::Folder(id));
        }
    }

    /// The kernel gives no watch for a folder: said, and polled from here on.
    pub(super) fn cannot_watch(&mut self, id: FolderId, path: PathBuf, cause: Errno) {
        if cause == Errno::ENOSPC {
            // Said once for all that come after.
            if self.unwatched.is_empty() {
                self.warn(Warning::LimitReached(path));
            }
        } else {
            self.warn(Warning::Unreadable { path, cause });
        }
        self.unwatched.insert(id);
        self.poll_also(Target::Unwatched);
    }
}

impl Approach {
    /// The last step is the watched name itself (or a link's end), and it is a file or may become
    /// one.
    fn leads_to_file(&self, path: &Path) -> bool {
        match self.end {
            End::File => true,
            End::Folder(..) => false,
            End::Missing => self
                .steps
                .last()
                .is_some_and(|(folder, name)| path == folder.join(OsStr::new(name))),
        }
    }
}
