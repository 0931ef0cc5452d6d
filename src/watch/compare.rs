//! Is what the app runs with still what lies on the disk? And what it runs with from now on.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::baseline::Baseline;
use super::digests::FILE_BYTES;
use super::packed::DOUBT;
use super::stamp::{Seen, Stamp, digest_file, digest_link, file_clock};
use super::table::LOOSE;
use super::watcher::Watch;

/// A path now, against the start of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The same content, and the rights that a program notices.
    Same,
    /// Other content, another kind of file, or other rights to read, execute or set ids.
    Changed,
    /// It was not there.
    New,
    /// It was there.
    Gone,
    /// It may be another: no digest, beyond the budget, being written, or not seen before.
    CannotTell,
}

/// Permission bits that a reader or an exec notices. Write bits of a file that the app only reads
/// change nothing, and sync clients set them as they like.
const NOTICED: u16 = 0o7555;

impl Watch {
    /// Compares a watched file or link with the baseline. Metadata first; where they leave it open,
    /// digests: files up to 8 MB while `budget` (bytes, lowered by what was read) lasts. Reads the
    /// file only when the baseline's digest is known and the sizes are equal.
    pub fn differs(&mut self, path: &Path, budget: &mut u64) -> Difference {
        let place = self.table.locate(path);
        let loose = place.as_ref().is_some_and(|(id, _)| *id == LOOSE)
            || self.roots.iter().any(|root| root.is_file() && root.path == path);
        let now = if loose { Seen::through(path) } else { Seen::at(path) }.stamp();
        let entry = place.map(|(id, name)| (id, self.table.get(id, &name), name));
        if let Some((id, entry, name)) = &entry
            && entry.map(|entry| entry.stamp) != now
        {
            // Its last event came when its folder had another name already, so that nothing was
            // there to look at; or it came or went since the last poll. The next start must not
            // take the old look for what it ran with.
            self.stale.insert((*id, name.clone()));
        }
        let entry = entry.and_then(|(id, entry, name)| Some((id, entry?, name)));
        let (was, now) = match (self.table.baseline(path), now) {
            (Baseline::Absent, None) => return Difference::Same,
            (Baseline::Absent, Some(_)) => return Difference::New,
            (Baseline::Known(..) | Baseline::Unknown, None) => return Difference::Gone,
            (Baseline::Unknown, Some(_)) => return Difference::CannotTell,
            (Baseline::Known(stamp, digest), Some(now)) => ((stamp, digest), now),
        };
        let (stamp, digest) = was;
        let kind = |stamp: &Stamp| u32::from(stamp.mode) & libc::S_IFMT;
        if kind(&stamp) != kind(&now)
            || stamp.size != now.size
            || (stamp.mode ^ now.mode) & NOTICED != 0 && !now.is_link()
        {
            return Difference::Changed;
        }
        let doubted = entry.as_ref().is_none_or(|(_, entry, _)| entry.marks & DOUBT != 0);
        if stamp.ino == now.ino && !doubted && stamp.mtime == now.mtime {
            return Difference::Same;
        }
        let Some(digest) = digest else {
            // A touch raises no MODIFY. Without a digest this is all there is to tell it by, and
            // only where events can be trusted.
            let touched = stamp.ino == now.ino && !doubted && !self.polls_anything();
            return if touched { Difference::Same } else { Difference::CannotTell };
        };
        let known = entry
            .as_ref()
            .filter(|(_, entry, _)| entry.stamp == now)
            .and_then(|(_, entry, _)| entry.digest);
        if known.is_none() && *budget > 0 {
            self.opening(path);
        }
        let found = known.or_else(|| digest_now(path, now, loose, budget));
        if let (Some((id, _, name)), Some(found)) = (&entry, found) {
            self.table.set_digest(*id, name, now, found);
        }
        match found {
            Some(found) if found == digest => Difference::Same,
            Some(_) => Difference::Changed,
            None => Difference::CannotTell,
        }
    }

    /// Whether a file or folder of this name came or went since the app was started; opens nothing.
    #[must_use]
    pub fn came_or_went(&self, path: &Path) -> bool {
        if let Some(folder) = self.table.locate_folder(path) {
            return self.table.is_new_here(folder);
        }
        let is_there = !matches!(Seen::at(path), Seen::Nothing);
        match self.table.baseline(path) {
            Baseline::Absent => is_there || self.table.had_folder(path),
            Baseline::Known(..) => !is_there,
            Baseline::Unknown => true,
        }
    }

    /// Whether events under this name tell of everything that befalls its bytes, and of everybody
    /// who opens them: not so with links, symbolic or hard. Opens nothing.
    #[must_use]
    pub fn is_plain(&self, path: &Path) -> bool {
        let was_link =
            matches!(self.table.baseline(path), Baseline::Known(stamp, _) if stamp.is_link());
        !was_link
            && matches!(Seen::at(path), Seen::File(_, 1) | Seen::Nothing | Seen::Folder { .. })
    }

    /// Just before an exec: looks once more at what was written without a close and at what was
    /// judged to be other than it was seen last, and remembers
    /// this moment. What is seen later does not belong to the coming baseline.
    pub fn freeze(&mut self) {
        if !self.listening.is_empty() {
            // Before the queue is drained: the close of what we read is told as well.
            self.digests.forget_used();
        }
        // What came until now is on the disk that the app is started with.
        self.drain();
        self.begin_listening();
        self.frozen_at = Some(file_clock());
        for (folder, name) in std::mem::take(&mut self.stale) {
            if folder != LOOSE && !self.table.exists(folder) {
                continue;
            }
            let path = self.table.path(folder).join(OsStr::from_bytes(&name));
            let seen = if folder == LOOSE { Seen::through(&path) } else { Seen::at(&path) };
            match seen.stamp() {
                Some(stamp) => {
                    self.table.see(folder, &name, stamp, true);
                }
                None => {
                    self.table.remove(folder, &name);
                }
            }
        }
        self.table.freeze();
        self.started = true;
    }

    /// The exec succeeded: what was seen at [`Watch::freeze`] (now, if there was none) is what the
    /// app runs with. Not to be called when the start failed.
    pub fn rebase_all(&mut self) {
        if self.frozen_at.is_none() {
            self.freeze();
        }
        self.epoch = self.frozen_at.take().unwrap_or(self.epoch);
        self.table.adopt();
        self.digests.again();
        self.poll_after_start();
    }

    /// These were found to be the same (touch, identical re-sync): what is seen now stands for
    /// what the app runs with, so that the next comparison is cheap.
    pub fn rebase<'a>(&mut self, paths: impl IntoIterator<Item = &'a Path>) {
        for path in paths {
            if let Some((folder, name)) = self.table.locate(path) {
                let seen = if folder == LOOSE { Seen::through(path) } else { Seen::at(path) };
                if let Some(stamp) = seen.stamp() {
                    self.table.see(folder, &name, stamp, false);
                }
                self.stale.remove(&(folder, name));
            }
            self.table.rebase(path);
        }
        self.digests.again();
    }
}

fn digest_now(
    path: &Path,
    stamp: Stamp,
    follow: bool,
    budget: &mut u64,
) -> Option<super::stamp::Digest> {
    if stamp.is_link() {
        return digest_link(path);
    }
    if stamp.size > FILE_BYTES || stamp.size > *budget {
        return None;
    }
    *budget -= stamp.size;
    digest_file(path, stamp, follow).ok().flatten()
}
