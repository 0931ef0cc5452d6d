//! Evidence of use: in which of the watched files can the running generation be stale?
//!
//! A native program is stale only in what somebody has opened since its exec. The watch tells who
//! opens, reads and lists below the *spared* roots (see [`scope`]); a change of a file there that
//! nobody touched starts nothing.
//!
//! | sign | what it proves |
//! | --- | --- |
//! | [`Sign::Opened`] | a reader or a writer is at work; a close for writing takes it back |
//! | [`Sign::Read`] | somebody read or executed the file: its content counts, but for a change that was over before the first reading |
//! | [`Sign::Listed`] | somebody knows the names in a folder: a name that comes or goes counts |
//! | [`Sign::Unseen`] | nobody watched: all below counts |
//!
//! Signs say nothing of who gave them, so another process's reading counts as the app's. All of
//! it is forgotten at a start: the new process has opened nothing. A folder that is read without
//! rest is listened to no longer and counts as a whole; the app's reading must cost nothing.

mod scope;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use scope::{Scope, spared};

use super::{FileEvent, Moment, What};

/// What a reader or a writer did below a spared root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseEvent {
    /// The file or folder, absolute.
    pub path: Arc<Path>,
    /// What was done to it.
    pub sign: Sign,
}

/// A sign of use; see the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A file was opened, for reading or for writing (inotify OPEN).
    Opened,
    /// It was read or executed (ACCESS), or closed by somebody who could not write it
    /// (`CLOSE_NOWRITE`).
    Read,
    /// A folder's names were read (ACCESS with ISDIR). An open alone tells nobody a name: a sync
    /// client's tar opens the folder that it extracts into.
    Listed,
    /// Something below may have been used unseen: the watch came after the exec, events were lost,
    /// or the mount is polled.
    Unseen,
}

/// What is known of a path's use by the running generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Use {
    /// A change of it counts, as everywhere outside the spared roots.
    Counts,
    /// Its bytes count for nothing; that this entry, the path or a folder on the way to it, came
    /// or went would count, since the folder that holds it was listed.
    Name(Arc<Path>),
    /// Nothing was done to it.
    None,
}

/// What follows from a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Follows {
    /// The file counts from now on, so our own reading of it gives nothing away.
    Counts(Arc<Path>),
    /// Everything in this folder counts from now on; listening on would cost more than it tells.
    Busy(Arc<Path>),
}

/// The evidence of one generation.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// The roots in which a file that was not used does not count.
    spared: Vec<Arc<Path>>,
    files: BTreeMap<Arc<Path>, Opens>,
    listed: BTreeSet<Arc<Path>>,
    /// Folders in which every file counts.
    busy: BTreeSet<Arc<Path>>,
    /// Folders below which everything counts.
    unseen: BTreeSet<Arc<Path>>,
    /// What has changed and is not judged yet, and whether a comparison found it, so that nobody
    /// knows since when.
    changing: BTreeMap<Arc<Path>, Noticed>,
    /// What of it was read for the first time after its last change: who read it knows what lies there
    /// now, be it the app or whoever copies it on.
    read_since: BTreeSet<Arc<Path>>,
    /// The same of folders that were listed.
    listed_since: BTreeSet<Arc<Path>>,
    /// What of it was read between two changes.
    read_amid: BTreeSet<Arc<Path>>,
    /// What of it somebody opened, and when, who has neither read nor written it since.
    opened: BTreeMap<Arc<Path>, Moment>,
    /// How much each folder was read in the last second.
    rates: BTreeMap<Arc<Path>, Rate>,
    /// How often the person was told that a path is not in use.
    told: BTreeMap<Arc<Path>, u32>,
}

/// How a change came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noticed {
    AtOnce,
    Late,
}

/// Who has opened a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opens {
    /// So many who did not read it and have not closed it, as far as the kernel told.
    Unknown(u32),
    /// A reader.
    Read,
}

#[derive(Debug, Clone, Copy)]
struct Rate {
    since: Moment,
    signs: u32,
}

impl Usage {
    /// A start was ordered: the next process has opened nothing, and which roots are spared is not
    /// known until it runs.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The generation that was started may be stale in files of these roots only by opening them.
    pub(super) fn spare(&mut self, roots: Vec<Arc<Path>>) {
        self.spared = roots;
    }

    /// Whether the person is to be told that this path is not in use: what the app writes again and
    /// again would fill the log.
    pub(super) fn is_news(&mut self, path: &Arc<Path>) -> bool {
        if self.told.len() >= MOST_FILES && !self.told.contains_key(path) {
            return false;
        }
        let told = self.told.entry(Arc::clone(path)).or_default();
        *told = told.saturating_add(1);
        *told <= MOST_TOLD
    }

    /// Takes a sign in.
    pub(super) fn sign(&mut self, event: &UseEvent, now: Moment) -> Option<Follows> {
        let UseEvent { path, sign } = event;
        if *sign == Sign::Read {
            self.opened.remove(path);
        }
        match sign {
            Sign::Unseen => {
                self.unseen.insert(Arc::clone(path));
                None
            }
            Sign::Listed => {
                let from = (Bound::Included(&**path), Bound::Unbounded);
                let changes = self.changing.range::<Path, _>(from);
                let changes = changes.take_while(|(it, _)| it.starts_with(path));
                let noticed: Vec<Noticed> = changes.map(|(_, noticed)| *noticed).collect();
                let in_time = !noticed.contains(&Noticed::Late) && !self.is_unseen(path);
                if !noticed.is_empty() && in_time && !self.listed.contains(path) {
                    self.listed_since.insert(Arc::clone(path));
                } else {
                    if !noticed.is_empty() {
                        self.read_amid.insert(Arc::clone(path));
                    }
                    self.listed.insert(Arc::clone(path));
                }
                self.count(path, now)
            }
            Sign::Opened if self.files.len() >= MOST_FILES && !self.files.contains_key(path) => {
                // Ever new names: too many to be told apart, so all beside this one count.
                self.unseen.extend(path.parent().map(Arc::from));
                None
            }
            Sign::Opened => {
                let opens = self.files.entry(Arc::clone(path)).or_insert(Opens::Unknown(0));
                if let Opens::Unknown(count) = opens {
                    *count = count.saturating_add(1);
                    if self.changing.contains_key(path) {
                        self.opened.insert(Arc::clone(path), now);
                    }
                }
                None
            }
            Sign::Read if self.is_first_reading_since_its_change(path) => {
                self.files.remove(path);
                self.read_since.insert(Arc::clone(path));
                path.parent().and_then(|folder| self.count(folder, now))
            }
            Sign::Read => {
                if self.changing.contains_key(path) {
                    self.read_amid.insert(Arc::clone(path));
                }
                let before = self.files.insert(Arc::clone(path), Opens::Read);
                let new = before != Some(Opens::Read);
                let busy = path.parent().and_then(|folder| self.count(folder, now));
                busy.or_else(|| new.then(|| Follows::Counts(Arc::clone(path))))
            }
        }
    }

    /// Whether this generation has read the file only as it is since a change that is not judged yet.
    /// Not where nobody knows when that change was, or where others may have it open as well.
    fn is_first_reading_since_its_change(&self, path: &Path) -> bool {
        let alone = matches!(self.files.get(path), None | Some(Opens::Unknown(1)));
        alone && self.changing.get(path) == Some(&Noticed::AtOnce) && !self.is_unseen(path)
    }

    /// Takes in what a change tells of use: a writer's close, and new names of what was used. `is_judged` =
    /// it is part of a set.
    pub(super) fn file(&mut self, event: &FileEvent, is_judged: bool) {
        let path = &event.path;
        if is_judged && self.is_spared(path) {
            let noticed = match &event.what {
                What::Found => Noticed::Late,
                _ => Noticed::AtOnce,
            };
            let before = self.changing.insert(Arc::clone(path), noticed);
            let listed = |folder: &&Arc<Path>| path.starts_with(folder);
            let listed: Vec<_> = self.listed_since.iter().filter(listed).cloned().collect();
            for folder in listed {
                self.listed_since.remove(&folder);
                self.read_amid.insert(Arc::clone(&folder));
                self.listed.insert(folder);
            }
            if self.read_since.remove(path) {
                self.files.insert(Arc::clone(path), Opens::Read);
                self.read_amid.insert(Arc::clone(path));
            }
            // Between the two it may have been read unseen.
            if before == Some(Noticed::Late) && self.is_unseen(path) {
                self.read_amid.insert(Arc::clone(path));
            }
        }
        match &event.what {
            What::Modified => {
                self.opened.remove(path);
            }
            What::Closed => {
                self.opened.remove(path);
                if let Some(Opens::Unknown(count)) = self.files.get_mut(path) {
                    *count -= 1;
                    if *count == 0 {
                        self.files.remove(path);
                    }
                }
            }
            What::MovedWithin { from } => {
                let since = self.read_since.contains(from).then_some(Opens::Read);
                if let Some(opens) = self.files.get(from).copied().or(since) {
                    self.files.insert(Arc::clone(path), opens);
                }
            }
            What::FolderMoved { from } => {
                if self.is_used_below(from) {
                    self.unseen.insert(Arc::clone(path));
                }
            }
            What::Created
            | What::Linked
            | What::MovedIn
            | What::MovedAway
            | What::Deleted
            | What::Attributes
            | What::Found
            | What::FolderGone => {}
        }
    }

    /// Whether anything was read or listed between its change and now: though it is again what it
    /// was at the start, the app may know what it was meanwhile.
    pub(super) fn was_read_amid(&self) -> bool {
        !self.read_amid.is_empty()
    }

    /// The change of this path is the app's own and is not judged: what it reads of it proves nothing.
    pub(super) fn leave_out(&mut self, path: &Path) {
        self.changing.remove(path);
        self.opened.remove(path);
        self.read_amid.remove(path);
        if let Some(path) = self.read_since.take(path) {
            self.files.insert(path, Opens::Read);
        }
    }

    /// Until when it is worth to wait for what somebody does who has just opened one of the changed
    /// files: whoever copies it on opens the source first, and to judge before the copy's first write
    /// would take him for the app.
    pub(super) fn undecided_until(&self) -> Option<Moment> {
        self.opened.values().max().map(|at| *at + COPIER)
    }

    /// The set was judged, or nothing is left of it.
    pub(super) fn settled(&mut self) {
        self.changing.clear();
        let read = std::mem::take(&mut self.read_since);
        self.files.extend(read.into_iter().map(|path| (path, Opens::Read)));
        self.listed.append(&mut self.listed_since);
        self.read_amid.clear();
        self.opened.clear();
    }

    fn is_unseen(&self, path: &Path) -> bool {
        path.ancestors().any(|folder| self.unseen.contains(folder))
    }

    fn is_spared(&self, path: &Path) -> bool {
        self.spared.iter().any(|root| path.starts_with(root))
    }

    /// What is known of this path. A folder was used when anything below it was.
    pub(super) fn of(&self, path: &Path) -> Use {
        if !self.is_spared(path) {
            return Use::Counts;
        }
        let busy = path.parent().is_some_and(|folder| self.busy.contains(folder));
        if busy || self.is_unseen(path) || self.is_used_below(path) {
            return Use::Counts;
        }
        let mut entry = path;
        while let Some(folder) = entry.parent() {
            if self.listed.contains(folder) {
                return Use::Name(Arc::from(entry));
            }
            entry = folder;
        }
        Use::None
    }

    /// Whether anything was done to this path or below it.
    fn is_used_below(&self, path: &Path) -> bool {
        let from = (Bound::Included(path), Bound::Unbounded);
        let file = self.files.range::<Path, _>(from).next().map(|(path, _)| path);
        let folders = [&self.listed, &self.busy, &self.unseen];
        let folders = folders.into_iter().filter_map(|set| set.range::<Path, _>(from).next());
        // Paths are ordered by component, so what lies below comes first.
        file.into_iter().chain(folders).any(|used| used.starts_with(path))
    }

    /// Counts one more reading in a folder.
    fn count(&mut self, folder: &Path, now: Moment) -> Option<Follows> {
        let folder: Arc<Path> = Arc::from(folder);
        let rate = self.rates.entry(Arc::clone(&folder)).or_insert(Rate { since: now, signs: 0 });
        if now >= rate.since + RATE {
            *rate = Rate { since: now, signs: 0 };
        }
        rate.signs += 1;
        if rate.signs < BUSY && self.files.len() < MOST_FILES {
            return None;
        }
        self.rates.remove(&folder);
        self.files.retain(|path, _| path.parent() != Some(&folder));
        self.busy.insert(Arc::clone(&folder)).then_some(Follows::Busy(folder))
    }
}

/// A copier makes its target within a fraction of a millisecond; one that waits for a processor
/// beside ten others was late by 20.
const COPIER: Duration = Duration::from_millis(50);
/// Readings of a folder within [`RATE`] from which on it counts as a whole. An open, its reads and
/// its close are two or three; a start that reads twenty files of a folder stays below.
const BUSY: u32 = 100;
/// A reading a second does not add up.
const RATE: Duration = Duration::from_secs(1);
/// Files that are remembered one by one: about 2 MB.
const MOST_FILES: usize = 10_000;
/// So often a path is named as not in use under one generation.
const MOST_TOLD: u32 = 5;
