//! What the tables hold, for the manifest. Values only: the disk is not asked.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::table::LOOSE;
use super::watcher::Watch;

/// A watched file as the tables have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// Its absolute path.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// XXH3 (64 bits) of its bytes, where it was made.
    pub xxh3: Option<u64>,
}

impl Watch {
    /// Every watched file, when they are at most `most`.
    #[must_use]
    pub fn listing(&self, most: usize) -> Option<Vec<KnownFile>> {
        if self.files() > most {
            return None;
        }
        let mut files = Vec::new();
        for folder in self.table.roots.iter().flat_map(|root| self.table.subtree(*root)) {
            let path = self.table.path(folder);
            files.extend(self.table.files(folder).map(|(name, entry)| KnownFile {
                path: path.join(OsStr::from_bytes(name)),
                bytes: entry.stamp.size,
                xxh3: entry.digest.map(u64::from),
            }));
        }
        files.extend(self.table.files(LOOSE).map(|(name, entry)| KnownFile {
            path: OsStr::from_bytes(name).into(),
            bytes: entry.stamp.size,
            xxh3: entry.digest.map(u64::from),
        }));
        Some(files)
    }

    /// Whether the kernel tells of changes at all.
    #[must_use]
    pub fn has_events(&self) -> bool {
        self.queue.is_some()
    }

    /// Whether something is listed again and again.
    #[must_use]
    pub fn polls(&self) -> bool {
        self.polls_anything()
    }
}
