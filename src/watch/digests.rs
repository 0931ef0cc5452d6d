//! Digests of what lies in the tables, made in idle time, so that a touch or an identical re-sync
//! is told from a change without a word from the app.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use super::packed::Entry;
use super::stamp::{Digesting, Progress, Stamp, file_clock};
use super::table::{FolderId, LOOSE};
use super::watcher::Watch;

/// Digests are held for files of this many bytes in all: 64 MB are read in about 40 ms when they
/// are cached, and a tree of sources is smaller.
const ALL_BYTES: u64 = 64 << 20;

/// A larger file is no source; it costs others their share.
pub(super) const FILE_BYTES: u64 = 8 << 20;

/// A file that changed this short a time ago may change again within the same tick of its times.
const YOUNG: i64 = 20_000_000;
/// One that claims to have changed so long from now has its time from another clock, and never gets
/// old.
const ANOTHER_CLOCK: i64 = 1_000_000_000;
/// By then it is old enough, whatever part of a tick the clocks differ by.
const RIPENS: Duration = Duration::from_millis(25);

/// How far the walk over the tables came.
#[derive(Debug, Default)]
pub(super) struct Digests {
    folder: FolderId,
    file: usize,
    /// Bytes of the files passed so far that have a digest.
    held: u64,
    /// The walk came to the end and nothing was changed since.
    done: bool,
    /// It passed files that were too young: when the first of them is old enough.
    pub(super) ripe: Option<Instant>,
    active: Option<(FolderId, Vec<u8>, Stamp, Digesting)>,
    /// Files that were found to be in use in folders that the walk passes by.
    wanted: Vec<(FolderId, Vec<u8>)>,
    /// Bytes of those that were read for this generation.
    wanted_bytes: u64,
    /// Those of them that were too young.
    unripe: Vec<(FolderId, Vec<u8>)>,
    buffer: Vec<u8>,
}

impl Digests {
    /// Walks again from the start: there are new files or other bytes.
    pub(super) fn again(&mut self) {
        self.folder = 0;
        self.file = 0;
        self.held = 0;
        self.done = false;
        self.ripe = None;
        self.wanted.append(&mut self.unripe);
    }

    /// The next generation has used nothing: our reading of what the last one used would hide its
    /// own. What the walk is at is begun again where it still may.
    pub(super) fn forget_used(&mut self) {
        self.again();
        self.wanted.clear();
        self.wanted_bytes = 0;
        self.active = None;
    }

    /// This file is next.
    pub(super) fn want(&mut self, folder: FolderId, name: Vec<u8>) {
        self.wanted.push((folder, name));
        self.done = false;
    }
}

impl Watch {
    /// Whether [`Watch::digest`] has anything to do. It has again after a start, when a file in use
    /// was named, and when one that was too young has got old enough ([`Watch::deadline`]).
    #[must_use]
    pub fn has_undigested(&self) -> bool {
        !self.digests.done || self.digests.ripe.is_some_and(|ripe| Instant::now() >= ripe)
    }

    /// One slice of making digests, for when nothing else is to be done: it reads files, up to
    /// 8 MB each, 64 MB in all and as much again of those that were found to be in use, 128 KB at a
    /// time.
    pub fn digest(&mut self, budget: Duration) {
        if self.digests.done && self.has_undigested() {
            self.digests.again();
        }
        let end = Instant::now() + budget;
        while !self.digests.done && !self.has_work() {
            if self.digests.active.is_some() {
                self.digest_piece();
            } else {
                self.next_file();
            }
            if Instant::now() >= end {
                break;
            }
        }
        if self.digests.done {
            self.digests.buffer = Vec::new();
        }
    }

    /// Whether a file is open and half read.
    #[cfg(test)]
    pub(super) fn is_digesting(&self) -> bool {
        self.digests.active.is_some()
    }

    /// Passes files that need none; opens the next one that does.
    fn next_file(&mut self) {
        if let Some((folder, name)) = self.digests.wanted.pop() {
            self.wanted_file(folder, name);
            return;
        }
        for _ in 0..1_000 {
            let at = (self.digests.folder, self.digests.file);
            if at.0 as usize >= self.table.slots() {
                self.digests.done = true;
                return;
            }
            let passed = self.must_not_read_in(at.0);
            let Some((name, entry)) = self.table.nth(at.0, at.1).filter(|_| !passed) else {
                self.digests.folder += 1;
                self.digests.file = 0;
                continue;
            };
            self.digests.file += 1;
            let size = entry.stamp.size;
            let fits = size <= FILE_BYTES && self.digests.held + size <= ALL_BYTES;
            if entry.digest.is_some() {
                self.digests.held += size;
            } else if fits && !entry.stamp.is_link() && is_young(entry.stamp) {
                self.digests.ripe.get_or_insert_with(|| Instant::now() + RIPENS);
            } else if fits && !entry.stamp.is_link() {
                let name = name.to_vec();
                self.open_for_digest(at.0, name, entry.stamp);
                return;
            }
        }
    }

    /// Opens a file that was asked for, if it needs a digest and is old enough for one.
    fn wanted_file(&mut self, folder: FolderId, name: Vec<u8>) {
        let entry = self.table.get(folder, &name).filter(|_| self.table.exists(folder));
        let needs = |entry: &Entry| entry.digest.is_none() && !entry.stamp.is_link();
        match entry.filter(needs).map(|entry| entry.stamp) {
            Some(stamp)
                if stamp.size > FILE_BYTES
                    || self.digests.wanted_bytes + stamp.size > ALL_BYTES => {}
            Some(stamp) if is_young(stamp) => {
                self.digests.unripe.push((folder, name));
                self.digests.ripe.get_or_insert_with(|| Instant::now() + RIPENS);
            }
            Some(stamp) => {
                self.digests.wanted_bytes += stamp.size;
                self.open_for_digest(folder, name, stamp);
            }
            None => {}
        }
    }

    fn open_for_digest(&mut self, folder: FolderId, name: Vec<u8>, stamp: Stamp) {
        if !self.table.exists(folder) {
            return;
        }
        let path = self.table.path(folder).join(OsStr::from_bytes(&name));
        self.opening(&path);
        // A file that cannot be read or is another by now stays without: "cannot tell".
        if let Ok(Some(digesting)) = Digesting::start(&path, stamp, folder == LOOSE) {
            self.digests.active = Some((folder, name, stamp, digesting));
        }
    }

    fn digest_piece(&mut self) {
        let Some((folder, name, stamp, mut digesting)) = self.digests.active.take() else {
            return;
        };
        if self.heard.contains(&folder) {
            let path = self.table.path(folder).join(OsStr::from_bytes(&name));
            self.opening(&path);
        }
        match digesting.step(&mut self.digests.buffer) {
            Ok(Progress::More) => self.digests.active = Some((folder, name, stamp, digesting)),
            Ok(Progress::Done(digest)) => {
                self.digests.held += stamp.size;
                self.table.set_digest(folder, &name, stamp, digest);
            }
            Ok(Progress::Disturbed) | Err(_) => {}
        }
    }
}

fn is_young(stamp: Stamp) -> bool {
    let now = file_clock();
    (now - YOUNG..=now + ANOTHER_CLOCK).contains(&stamp.ctime)
}
