//! What the disk showed last and what the app runs with, for every watched file. Values only.
//!
//! A folder is a number with a parent, so that a rename of a whole tree touches one record. Files
//! lie packed in their folder ([`Packed`]) with the *last seen* stamp. The *baseline*, what the app
//! runs with, is the same but where something changed since the start: those few are kept beside,
//! by path for files (`changed`) and by place for folders (`displaced`, `newcomer`).

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::baseline::Baseline;
use super::packed::{Entry, Packed};
use super::stamp::{Digest, Stamp};

/// Number of a folder; reused after the folder is gone and a new baseline was taken.
pub(super) type FolderId = u32;

/// The folder that holds watched single files: its path is empty, its names are whole paths.
pub(super) const LOOSE: FolderId = 0;

pub(super) const NONE: FolderId = u32::MAX;

#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts; as an enum they would be sixteen states"
)]
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) parent: FolderId,
    /// Name in the parent; the whole path for a root.
    pub(super) name: Box<[u8]>,
    /// Sorted by name.
    pub(super) children: Vec<FolderId>,
    pub(super) files: Packed,
    /// Its list was read at least once, so that what it lacks is absent.
    pub(super) swept: bool,
    /// It was not there at the baseline.
    pub(super) newcomer: bool,
    /// It is no longer in the tree, but its files are still somebody's baseline.
    pub(super) detached: bool,
    /// It was moved or detached before the table was frozen.
    pub(super) early: bool,
}

/// Where a displaced folder was at the baseline.
pub(super) type Place = (FolderId, Box<[u8]>);

/// See the room's text above.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) folders: Vec<Folder>,
    pub(super) free: Vec<FolderId>,
    pub(super) roots: Vec<FolderId>,
    /// Files whose baseline is not what was seen last, by their path at the baseline.
    pub(super) changed: HashMap<PathBuf, Baseline>,
    /// The same counted from the moment of the freeze.
    pub(super) since_frozen: Option<HashMap<PathBuf, Baseline>>,
    pub(super) displaced: HashMap<Place, FolderId>,
    pub(super) homes: HashMap<FolderId, Place>,
    pub(super) files: usize,
}

impl Table {
    pub(super) fn new() -> Self {
        let mut table = Self::default();
        let loose = table.put(NONE, b"", false);
        table.folder_mut(loose).swept = true;
        table
    }

    pub(super) fn folder(&self, id: FolderId) -> &Folder {
        &self.folders[id as usize]
    }

    pub(super) fn folder_mut(&mut self, id: FolderId) -> &mut Folder {
        &mut self.folders[id as usize]
    }

    fn put(&mut self, parent: FolderId, name: &[u8], newcomer: bool) -> FolderId {
        let folder = Folder {
            parent,
            name: name.into(),
            children: Vec::new(),
            files: Packed::default(),
            swept: false,
            newcomer,
            detached: false,
            early: false,
        };
        if let Some(id) = self.free.pop() {
            *self.folder_mut(id) = folder;
            return id;
        }
        self.folders.push(folder);
        // u32::MAX folders do not fit into memory.
        FolderId::try_from(self.folders.len() - 1).unwrap_or(NONE)
    }

    /// A root folder by its path; the same number when it is known already.
    pub(super) fn root(&mut self, path: &Path) -> FolderId {
        let name = path.as_os_str().as_bytes();
        if let Some(id) = self.roots.iter().find(|id| &*self.folder(**id).name == name) {
            return *id;
        }
        let id = self.put(NONE, name, false);
        self.roots.push(id);
        id
    }

    pub(super) fn exists(&self, id: FolderId) -> bool {
        let mut at = id;
        while let Some(folder) = self.folders.get(at as usize) {
            if folder.detached {
                return false;
            }
            if folder.parent == NONE {
                return true;
            }
            at = folder.parent;
        }
        false
    }

    pub(super) fn path(&self, id: FolderId) -> PathBuf {
        let mut names = Vec::new();
        let mut at = id;
        while at != NONE {
            let folder = self.folder(at);
            names.push(&*folder.name);
            at = folder.parent;
        }
        names.into_iter().rev().map(OsStr::from_bytes).collect()
    }

    pub(super) fn root_of(&self, id: FolderId) -> FolderId {
        let mut at = id;
        while self.folder(at).parent != NONE {
            at = self.folder(at).parent;
        }
        at
    }

    fn child_at(&self, parent: FolderId, name: &[u8]) -> Result<usize, usize> {
        self.folder(parent).children.binary_search_by(|id| (*self.folder(*id).name).cmp(name))
    }

    pub(super) fn child(&self, parent: FolderId, name: &[u8]) -> Option<FolderId> {
        let index = self.child_at(parent, name).ok()?;
        Some(self.folder(parent).children[index])
    }

    pub(super) fn children(&self, id: FolderId) -> &[FolderId] {
        &self.folder(id).children
    }

    pub(super) fn name(&self, id: FolderId) -> &[u8] {
        &self.folder(id).name
    }

    /// The folder of that name, made when there is none. `newcomer`: it was not there at the
    /// baseline.
    pub(super) fn add_child(&mut self, parent: FolderId, name: &[u8], newcomer: bool) -> FolderId {
        match self.child_at(parent, name) {
            Ok(index) => self.folder(parent).children[index],
            Err(index) => {
                let id = self.put(parent, name, newcomer);
                self.folder_mut(parent).children.insert(index, id);
                id
            }
        }
    }

    /// Every folder of a subtree, itself first.
    pub(super) fn subtree(&self, id: FolderId) -> Vec<FolderId> {
        let mut all = vec![id];
        let mut next = 0;
        while let Some(at) = all.get(next) {
            all.extend_from_slice(&self.folder(*at).children);
            next += 1;
        }
        all
    }

    /// Every file of a subtree, by its path below it.
    pub(super) fn files_below(&self, id: FolderId) -> Vec<PathBuf> {
        let mut folders = vec![(id, PathBuf::new())];
        let mut files = Vec::new();
        while let Some((id, path)) = folders.pop() {
            files.extend(self.files(id).map(|(name, _)| path.join(OsStr::from_bytes(name))));
            let below = self.children(id).iter();
            folders.extend(below.map(|id| (*id, path.join(OsStr::from_bytes(self.name(*id))))));
        }
        files
    }

    fn unlink(&mut self, id: FolderId) {
        let (parent, name) = (self.folder(id).parent, self.folder(id).name.clone());
        if !self.folder(id).newcomer && !self.homes.contains_key(&id) {
            self.homes.insert(id, (parent, name.clone()));
            self.displaced.insert((parent, name.clone()), id);
        }
        let early = self.since_frozen.is_none();
        self.folder_mut(id).early = early;
        if let Ok(index) = self.child_at(parent, &name) {
            self.folder_mut(parent).children.remove(index);
        }
    }

    /// Takes a folder out of the tree. Its files stay until the next baseline. Roots stay: only
    /// what is in them goes.
    pub(super) fn detach(&mut self, id: FolderId) {
        if self.folder(id).parent == NONE {
            self.empty(id);
            return;
        }
        let gone: usize = self.subtree(id).iter().map(|id| self.folder(*id).files.len()).sum();
        self.files -= gone;
        self.unlink(id);
        self.folder_mut(id).detached = true;
        let nobodys = |id: &FolderId| {
            let folder = self.folder(*id);
            folder.newcomer && !self.homes.contains_key(id)
        };
        // Nothing in it is part of a baseline.
        if self.since_frozen.is_none() && self.subtree(id).iter().all(nobodys) {
            self.release(id);
        }
    }

    fn empty(&mut self, root: FolderId) {
        for child in self.folder(root).children.clone() {
            self.detach(child);
        }
        let names: Vec<Vec<u8>> = self.files(root).map(|(name, _)| name.to_vec()).collect();
        for name in names {
            self.remove(root, &name);
        }
    }

    /// Gives a folder another place; whatever had that place is detached.
    pub(super) fn rename(&mut self, id: FolderId, parent: FolderId, name: &[u8]) {
        if let Some(old) = self.child(parent, name).filter(|old| *old != id) {
            self.detach(old);
        }
        self.unlink(id);
        let place = (parent, Box::from(name));
        if self.homes.get(&id) == Some(&place) {
            self.homes.remove(&id);
            self.displaced.remove(&place);
        }
        let folder = self.folder_mut(id);
        folder.parent = parent;
        folder.name = name.into();
        if let Err(index) = self.child_at(parent, name) {
            self.folder_mut(parent).children.insert(index, id);
        }
    }

    pub(super) fn swept(&self, id: FolderId) -> bool {
        self.folder(id).swept
    }

    pub(super) fn set_swept(&mut self, id: FolderId) {
        self.folder_mut(id).swept = true;
    }

    pub(super) fn newcomer(&self, id: FolderId) -> bool {
        self.folder(id).newcomer
    }

    /// It is known to be made after the baseline, though its parent was not listed yet.
    pub(super) fn mark_newcomer(&mut self, id: FolderId) {
        self.folder_mut(id).newcomer = true;
    }

    pub(super) fn get(&self, id: FolderId, name: &[u8]) -> Option<Entry> {
        self.folder(id).files.get(name)
    }

    pub(super) fn files(&self, id: FolderId) -> impl Iterator<Item = (&[u8], Entry)> {
        self.folder(id).files.iter()
    }

    /// File number `index` of a folder, in the order of names.
    pub(super) fn nth(&self, id: FolderId, index: usize) -> Option<(&[u8], Entry)> {
        let files = &self.folder(id).files;
        Some((files.name(index), files.entry(index)?))
    }

    /// The disk shows this file now. `doubt`: its bytes may be new whatever the stamp says.
    /// Returns whether the stamp is another than before.
    pub(super) fn see(&mut self, id: FolderId, name: &[u8], stamp: Stamp, doubt: bool) -> bool {
        let old = self.get(id, name);
        let marks = self.marks(doubt, old.map_or(0, |old| old.marks));
        let same = old.is_some_and(|old| old.stamp == stamp);
        let digest = old.filter(|_| same).and_then(|old| old.digest);
        let entry = Entry { stamp, digest, marks };
        if !same {
            let before = match old {
                Some(old) => Baseline::Known(old.stamp, old.digest),
                None if self.folder(id).swept || self.folder(id).newcomer => Baseline::Absent,
                None => Baseline::Unknown,
            };
            self.remember(id, name, before);
        }
        self.files += usize::from(old.is_none());
        self.folder_mut(id).files.set(name, entry);
        !same
    }

    /// Many files at once that the table does not have: of the baseline (`None`) or new since,
    /// with what they were at the baseline.
    pub(super) fn add_all(
        &mut self,
        id: FolderId,
        listing: Vec<(Vec<u8>, Stamp)>,
        before: Option<Baseline>,
    ) {
        if let Some(before) = before {
            for (name, _) in &listing {
                self.remember(id, name, before);
            }
        }
        let marks = self.marks(before.is_some(), 0);
        self.files += listing.len();
        let entries = listing.into_iter().map(|(name, stamp)| {
            let digest = None;
            (name, Entry { stamp, digest, marks })
        });
        self.folder_mut(id).files.extend(entries);
    }

    /// The name is gone from the disk. Returns whether it was known.
    pub(super) fn remove(&mut self, id: FolderId, name: &[u8]) -> bool {
        let Some(old) = self.folder_mut(id).files.remove(name) else {
            return false;
        };
        self.files -= 1;
        self.remember(id, name, Baseline::Known(old.stamp, old.digest));
        self.forget_absent(id, name);
        true
    }

    /// Marks a file whose bytes may have changed under the same stamp.
    pub(super) fn doubt(&mut self, id: FolderId, name: &[u8]) {
        if let Some(entry) = self.get(id, name) {
            let marks = self.marks(true, entry.marks);
            self.folder_mut(id).files.set(name, Entry { marks, ..entry });
        }
    }

    /// A digest that belongs to exactly this stamp; dropped when the file is another by now.
    pub(super) fn set_digest(&mut self, id: FolderId, name: &[u8], stamp: Stamp, digest: Digest) {
        if let Some(entry) = self.get(id, name).filter(|entry| entry.stamp == stamp) {
            let digest = Some(digest);
            self.folder_mut(id).files.set(name, Entry { digest, ..entry });
        }
    }

    /// The folder and name of a path in the tree as it is now.
    pub(super) fn locate(&self, path: &Path) -> Option<(FolderId, Vec<u8>)> {
        let whole = path.as_os_str().as_bytes();
        if self.get(LOOSE, whole).is_some()
            || self.changed.contains_key(path) && self.root_above(path).is_none()
        {
            return Some((LOOSE, whole.to_vec()));
        }
        let (root, below) = self.root_above(path)?;
        // A root's own path is no file of its tree.
        let name = below.file_name()?.as_bytes().to_vec();
        let mut at = root;
        for part in below.parent()?.components() {
            at = self.child(at, part.as_os_str().as_bytes())?;
        }
        Some((at, name))
    }

    /// The folder of a path in the tree as it is now.
    pub(super) fn locate_folder(&self, path: &Path) -> Option<FolderId> {
        let (root, below) = self.root_above(path)?;
        below.components().try_fold(root, |at, part| self.child(at, part.as_os_str().as_bytes()))
    }

    pub(super) fn root_above<'a>(&self, path: &'a Path) -> Option<(FolderId, &'a Path)> {
        self.roots
            .iter()
            .filter_map(|id| {
                let root = OsStr::from_bytes(&self.folder(*id).name);
                Some((*id, path.strip_prefix(root).ok()?))
            })
            .min_by_key(|(_, below)| below.as_os_str().len())
    }

    pub(super) fn file_count(&self) -> usize {
        self.files
    }

    pub(super) fn folder_count(&self) -> usize {
        let gone = self.folders.iter().filter(|folder| folder.detached).count();
        self.folders.len() - gone - 1
    }

    /// Number of folder records, for walks in pieces.
    pub(super) fn slots(&self) -> usize {
        self.folders.len()
    }

    /// Bytes on the heap, without the allocator's own.
    pub(super) fn heap(&self) -> usize {
        let each = |folder: &Folder| {
            folder.name.len() + folder.children.capacity() * 4 + folder.files.heap()
        };
        self.folders.capacity() * size_of::<Folder>() + self.folders.iter().map(each).sum::<usize>()
    }
}
