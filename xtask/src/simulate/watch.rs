//! The watch: from the kernel's words to the core's, with a table of what was seen, to be compared
//! with the disk after an overflow.
//!
//! Its contract, which the real one keeps: a CREATE is a hard link when the inode has more links; a
//! rename is told once, by both names, and behind that of a folder its files one by one; after an
//! overflow everything is compared, between `ScanBegan` and `ScanEnded`, and what differs from the
//! table is `Found`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use relaunch_buildpack::core::{Event, FileEvent, Sign, UseEvent, What};

use super::disk::{Disk, Name, SPARED, Stat};
use super::fault::Fault;
use super::kernel::{Kind, Queue, Read};

#[derive(Debug, Default)]
pub(super) struct Watch {
    table: BTreeMap<Name, Stat>,
    /// Every name that was ever in it.
    known: BTreeSet<Name>,
}

impl Watch {
    /// Takes the disk as it is for what is known.
    pub(super) fn begin(&mut self, disk: &Disk) {
        self.table = disk
            .names()
            .into_iter()
            .filter_map(|name| Some((disk.stat(&name)?, name)))
            .map(|(stat, name)| (name, stat))
            .collect();
        self.known = self.table.keys().cloned().collect();
    }

    /// What the table has below a path.
    pub(super) fn below(&self, path: &Name) -> Vec<Name> {
        self.table.keys().filter(|name| name.starts_with(path)).cloned().collect()
    }

    /// Whether it ever saw this name.
    pub(super) fn knew(&self, name: &Name) -> bool {
        self.known.contains(name)
    }

    /// Reads what the kernel queued and says it to the core.
    pub(super) fn read(
        &mut self,
        queue: &mut Queue,
        disk: &Disk,
        fault: Option<Fault>,
    ) -> Vec<Event> {
        let mut said = Vec::new();
        while let Some(read) = queue.pop() {
            match read {
                Read::Overflow if fault == Some(Fault::ScanForgotten) => {}
                Read::Overflow => {
                    said.push(unseen());
                    said.push(Event::ScanBegan);
                    said.extend(self.compare(disk, |_| true));
                    said.push(Event::ScanEnded);
                }
                Read::Told(told) => {
                    let what = match told.kind {
                        Kind::FolderFrom { cookie } => {
                            let mut files = all(self.below(&told.name), &What::Deleted);
                            self.note_below(&told.name, disk);
                            match queue.peek() {
                                Some(Read::Told(to)) if to.kind == (Kind::FolderTo { cookie }) => {
                                    let to = Arc::clone(&to.name);
                                    queue.pop();
                                    self.note_below(&to, disk);
                                    files.extend(all(self.below(&to), &What::Found));
                                    said.push(event(to, What::FolderMoved { from: told.name }));
                                }
                                _ => said.push(event(told.name, What::FolderGone)),
                            }
                            if fault != Some(Fault::FoldersLost) {
                                said.append(&mut files);
                            }
                            continue;
                        }
                        // Its first half was lost: what is in it is not known.
                        Kind::FolderTo { .. } => {
                            said.push(Event::ScanBegan);
                            said.extend(self.compare(disk, |name| name.starts_with(&told.name)));
                            said.push(Event::ScanEnded);
                            continue;
                        }
                        Kind::Open | Kind::Read | Kind::List => {
                            let sign = match told.kind {
                                Kind::Open => Sign::Opened,
                                Kind::Read => Sign::Read,
                                _ => Sign::Listed,
                            };
                            said.push(Event::Used(UseEvent { path: told.name, sign }));
                            continue;
                        }
                        Kind::Create => created(&told.name, disk),
                        Kind::Modify => What::Modified,
                        Kind::CloseWrite => What::Closed,
                        Kind::Attrib => What::Attributes,
                        Kind::MovedTo { .. } => What::MovedIn,
                        Kind::Delete => What::Deleted,
                        Kind::MovedFrom { cookie } => match queue.peek() {
                            Some(Read::Told(to)) if to.kind == (Kind::MovedTo { cookie }) => {
                                let to = Arc::clone(&to.name);
                                queue.pop();
                                self.note(&told.name, disk);
                                self.note(&to, disk);
                                let what = What::MovedWithin { from: told.name };
                                said.push(event(to, what));
                                continue;
                            }
                            _ => What::MovedAway,
                        },
                    };
                    self.note(&told.name, disk);
                    said.push(event(told.name, what));
                }
            }
        }
        said
    }

    fn note(&mut self, name: &Name, disk: &Disk) {
        match disk.stat(name) {
            Some(stat) => {
                self.known.insert(Arc::clone(name));
                self.table.insert(Arc::clone(name), stat)
            }
            None => self.table.remove(name),
        };
    }

    /// Takes these as they are for seen.
    pub(super) fn look_at(&mut self, names: &BTreeSet<Name>, disk: &Disk) {
        for name in names {
            self.note(name, disk);
        }
    }

    fn note_below(&mut self, folder: &Name, disk: &Disk) {
        let known = self.table.keys().filter(|name| name.starts_with(folder)).cloned();
        for name in known.chain(disk.below(folder)).collect::<BTreeSet<_>>() {
            self.note(&name, disk);
        }
    }

    /// Compares the table with the disk, as far as names are `asked` for, and brings it up to date.
    pub(super) fn compare(&mut self, disk: &Disk, asked: impl Fn(&Name) -> bool) -> Vec<Event> {
        let known: BTreeSet<_> = self.table.keys().cloned().chain(disk.names()).collect();
        let mut found = Vec::new();
        for name in known.into_iter().filter(asked) {
            if self.table.get(&name).copied() != disk.stat(&name) {
                self.note(&name, disk);
                found.push(event(name, What::Found));
            }
        }
        found
    }
}

/// Anything may have been used below the root that is listened to.
pub(super) fn unseen() -> Event {
    Event::Used(UseEvent { path: Arc::from(Path::new(SPARED)), sign: Sign::Unseen })
}

fn event(path: Name, what: What) -> Event {
    Event::File(FileEvent { path, what })
}

fn all(names: Vec<Name>, what: &What) -> Vec<Event> {
    names.into_iter().map(|path| event(path, what.clone())).collect()
}

fn created(name: &Name, disk: &Disk) -> What {
    let linked = disk.inode_of(name).is_some_and(|inode| disk.inode(inode).linked);
    if linked { What::Linked } else { What::Created }
}
