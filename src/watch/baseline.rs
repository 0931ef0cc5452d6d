//! What the app runs with: the half of the tables that remembers what changed since the start.
//! Values only.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::packed::{DOUBT, Entry, LATE, Packed};
use super::stamp::{Digest, Stamp};
use super::table::{FolderId, LOOSE, NONE, Table};

/// What the app was started with under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Baseline {
    /// This file.
    Known(Stamp, Option<Digest>),
    /// No file.
    Absent,
    /// Something or nothing: the sweep had not come there yet.
    Unknown,
}

impl Table {
    /// The folder's path at the baseline; `None` = it was not there.
    fn home_path(&self, id: FolderId) -> Option<PathBuf> {
        let folder = self.folder(id);
        if folder.newcomer {
            return None;
        }
        if let Some((parent, name)) = self.homes.get(&id) {
            return Some(self.home_path(*parent)?.join(OsStr::from_bytes(name)));
        }
        if folder.parent == NONE {
            return Some(OsStr::from_bytes(&folder.name).into());
        }
        let parent = self.home_path(folder.parent)?;
        Some(parent.join(OsStr::from_bytes(&folder.name)))
    }

    pub(super) fn remember(&mut self, id: FolderId, name: &[u8], old: Baseline) {
        let name = OsStr::from_bytes(name);
        if let Some(home) = self.home_path(id) {
            self.changed.entry(home.join(name)).or_insert(old);
        }
        if self.since_frozen.is_some() {
            let path = self.path(id).join(name);
            if let Some(since) = &mut self.since_frozen {
                since.entry(path).or_insert(old);
            }
        }
    }

    /// A file that was not there at the baseline and is gone again needs no memory: temporary
    /// files under ever new names must not fill it.
    pub(super) fn forget_absent(&mut self, id: FolderId, name: &[u8]) {
        if !self.folder(id).swept {
            return;
        }
        let name = OsStr::from_bytes(name);
        let home = self.home_path(id).map(|home| home.join(name));
        let forget = |map: &mut HashMap<PathBuf, Baseline>, path: &Path| {
            if map.get(path) == Some(&Baseline::Absent) {
                map.remove(path);
            }
        };
        if let Some(home) = home {
            forget(&mut self.changed, &home);
        }
        let path = self.path(id).join(name);
        if let Some(since) = &mut self.since_frozen {
            forget(since, &path);
        }
    }

    pub(super) fn marks(&self, doubt: bool, old: u16) -> u16 {
        match (doubt, self.since_frozen.is_some()) {
            (false, _) => old,
            (true, false) => old | DOUBT,
            (true, true) => old | DOUBT | LATE,
        }
    }

    /// What the app was started with under this path.
    pub(super) fn baseline(&self, path: &Path) -> Baseline {
        if let Some(baseline) = self.changed.get(path) {
            return *baseline;
        }
        let whole = path.as_os_str().as_bytes();
        let tree = self
            .root_above(path)
            .filter(|_| self.get(LOOSE, whole).is_none())
            .and_then(|(root, below)| Some((root, below.parent()?, below.file_name()?)));
        let Some((root, parents, name)) = tree else {
            return self.own(LOOSE, whole);
        };
        let mut at = root;
        for part in parents.components() {
            let part = part.as_os_str().as_bytes();
            let was = self.displaced.get(&(at, part.into())).copied();
            let stayed = self
                .child(at, part)
                .filter(|id| !self.folder(*id).newcomer && !self.homes.contains_key(id));
            match was.or(stayed) {
                Some(id) => at = id,
                None if self.folder(at).swept => return Baseline::Absent,
                None => return Baseline::Unknown,
            }
        }
        self.own(at, name.as_bytes())
    }

    /// Whether this folder was not at its place at the baseline.
    pub(super) fn is_new_here(&self, id: FolderId) -> bool {
        self.folder(id).newcomer || self.homes.contains_key(&id)
    }

    /// Whether a folder lay here at the baseline and is gone.
    pub(super) fn had_folder(&self, path: &Path) -> bool {
        let parent = path.parent().and_then(|parent| self.locate_folder(parent));
        parent.zip(path.file_name()).is_some_and(|(parent, name)| {
            self.displaced.contains_key(&(parent, name.as_bytes().into()))
        })
    }

    fn own(&self, id: FolderId, name: &[u8]) -> Baseline {
        match self.get(id, name) {
            Some(entry) => Baseline::Known(entry.stamp, entry.digest),
            None if self.folder(id).swept => Baseline::Absent,
            None => Baseline::Unknown,
        }
    }

    /// From here on changes are counted against a second baseline too, which [`Table::adopt`]
    /// makes the first one.
    pub(super) fn freeze(&mut self) {
        self.since_frozen = Some(HashMap::new());
        for folder in &mut self.folders {
            folder.files.remark(|marks| marks & !LATE);
            folder.early = true;
        }
    }

    /// What was seen at the freeze is now what the app runs with; without one, what is seen now.
    pub(super) fn adopt(&mut self) {
        if self.since_frozen.is_none() {
            self.freeze();
        }
        self.changed = self.since_frozen.take().unwrap_or_default();
        // Folders that moved after the freeze stay displaced: their files count as changed.
        self.homes.retain(|id, _| !self.folders[*id as usize].early);
        let homes = &self.homes;
        self.displaced.retain(|_, id| homes.contains_key(id));
        for index in 0..self.folders.len() {
            let folder = &mut self.folders[index];
            folder.files.remark(|marks| if marks & LATE == 0 { 0 } else { DOUBT });
            if folder.early {
                folder.newcomer = false;
            }
            let id = FolderId::try_from(index).unwrap_or(NONE);
            // A freed record has no parent.
            if folder.detached && folder.early && folder.parent != NONE {
                self.release(id);
            }
        }
    }

    /// Frees a detached folder and what is still below it.
    pub(super) fn release(&mut self, id: FolderId) {
        for id in self.subtree(id) {
            let folder = self.folder_mut(id);
            folder.detached = true;
            folder.parent = NONE;
            folder.files = Packed::default();
            folder.children = Vec::new();
            self.homes.remove(&id);
            self.free.push(id);
        }
    }

    /// What is seen under this path now is what the app runs with.
    pub(super) fn rebase(&mut self, path: &Path) {
        self.changed.remove(path);
        let Some((id, name)) = self.locate(path) else {
            if self.baseline(path) != Baseline::Absent {
                self.changed.insert(path.to_owned(), Baseline::Absent);
            }
            return;
        };
        let now = self.own(id, &name);
        if self.baseline(path) != now {
            self.changed.insert(path.to_owned(), now);
        }
        if let Some(entry) = self.get(id, &name) {
            self.folder_mut(id).files.set(&name, Entry { marks: 0, ..entry });
        }
    }
}
