//! The files of one folder, packed: one array of fixed-size records, one buffer of names. 48 bytes
//! a file and its name; 100,000 paths in a hash map would take four times as much.

use super::stamp::{Digest, Stamp};

/// Content may have changed since the baseline though the stamp may not show it: written,
/// created or replaced.
pub(super) const DOUBT: u16 = 1 << 12;
/// The same since the table was frozen for a start.
pub(super) const LATE: u16 = 1 << 13;
/// A name has at most `PATH_MAX` bytes: 12 bits. The rest of the field are the two marks.
const LENGTH: u16 = DOUBT - 1;

#[derive(Debug, Clone, Copy)]
struct Record {
    ino: u64,
    size: u64,
    mtime: i64,
    ctime: i64,
    digest: Option<Digest>,
    name_at: u32,
    name_len_and_marks: u16,
    mode: u16,
}

/// One file as the table holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) stamp: Stamp,
    /// Of exactly the bytes that `stamp` speaks of.
    pub(super) digest: Option<Digest>,
    pub(super) marks: u16,
}

/// Files of a folder, sorted by name.
#[derive(Debug, Default)]
pub(super) struct Packed {
    records: Vec<Record>,
    names: Vec<u8>,
    /// Bytes of `names` that no record uses any more.
    unused: u32,
}

impl Packed {
    fn record(&mut self, name: &[u8], entry: Entry) -> Record {
        // 4 GiB of names in one folder do not happen; a cut offset would only misname a file.
        let name_at = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.extend_from_slice(name);
        let length = u16::try_from(name.len()).unwrap_or(LENGTH) & LENGTH;
        Record {
            ino: entry.stamp.ino,
            size: entry.stamp.size,
            mtime: entry.stamp.mtime,
            ctime: entry.stamp.ctime,
            digest: entry.digest,
            name_at,
            name_len_and_marks: length | entry.marks,
            mode: entry.stamp.mode,
        }
    }

    fn find(&self, name: &[u8]) -> Result<usize, usize> {
        self.records.binary_search_by(|record| name_of(&self.names, record).cmp(name))
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn name(&self, index: usize) -> &[u8] {
        self.records.get(index).map_or(&[], |record| name_of(&self.names, record))
    }

    pub(super) fn entry(&self, index: usize) -> Option<Entry> {
        self.records.get(index).map(entry_of)
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<Entry> {
        self.entry(self.find(name).ok()?)
    }

    /// Puts or replaces an entry.
    pub(super) fn set(&mut self, name: &[u8], entry: Entry) {
        match self.find(name) {
            Ok(index) => {
                let old = self.records[index];
                self.records[index] = Record {
                    name_at: old.name_at,
                    name_len_and_marks: (old.name_len_and_marks & LENGTH) | entry.marks,
                    ino: entry.stamp.ino,
                    size: entry.stamp.size,
                    mtime: entry.stamp.mtime,
                    ctime: entry.stamp.ctime,
                    digest: entry.digest,
                    mode: entry.stamp.mode,
                };
            }
            Err(index) => {
                let record = self.record(name, entry);
                self.records.insert(index, record);
            }
        }
    }

    /// Puts many new entries at once: one sort instead of a move of half the folder for each.
    pub(super) fn extend(&mut self, entries: impl IntoIterator<Item = (Vec<u8>, Entry)>) {
        for (name, entry) in entries {
            let record = self.record(&name, entry);
            self.records.push(record);
        }
        let names = &self.names;
        self.records
            .sort_unstable_by(|left, right| name_of(names, left).cmp(name_of(names, right)));
        self.records.shrink_to_fit();
        self.names.shrink_to_fit();
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> Option<Entry> {
        let index = self.find(name).ok()?;
        let record = self.records.remove(index);
        self.unused = self.unused.saturating_add(u32::from(record.name_len_and_marks & LENGTH));
        // Names that come and go (temporary files) must not make the buffer grow for ever.
        if self.unused as usize > self.names.len() / 2 + 256 {
            self.compact();
        }
        Some(entry_of(&record))
    }

    fn compact(&mut self) {
        let old = std::mem::take(&mut self.names);
        for record in &mut self.records {
            let at = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
            self.names.extend_from_slice(name_of(&old, record));
            record.name_at = at;
        }
        self.unused = 0;
    }

    /// Changes the marks of every file.
    pub(super) fn remark(&mut self, change: impl Fn(u16) -> u16) {
        for record in &mut self.records {
            let marks = change(record.name_len_and_marks & !LENGTH) & !LENGTH;
            record.name_len_and_marks = (record.name_len_and_marks & LENGTH) | marks;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Entry)> {
        self.records.iter().map(|record| (name_of(&self.names, record), entry_of(record)))
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.records.capacity() * size_of::<Record>() + self.names.capacity()
    }
}

fn name_of<'a>(names: &'a [u8], record: &Record) -> &'a [u8] {
    let start = record.name_at as usize;
    let end = start + usize::from(record.name_len_and_marks & LENGTH);
    names.get(start..end).unwrap_or_default()
}

fn entry_of(record: &Record) -> Entry {
    Entry {
        stamp: Stamp {
            ino: record.ino,
            size: record.size,
            mtime: record.mtime,
            ctime: record.ctime,
            mode: record.mode,
        },
        digest: record.digest,
        marks: record.name_len_and_marks & !LENGTH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(ino: u64) -> Stamp {
        Stamp { ino, size: 1, mtime: 2, ctime: 3, mode: 0o100_644 }
    }

    fn entry(ino: u64) -> Entry {
        Entry { stamp: stamp(ino), digest: Digest::new(ino), marks: DOUBT }
    }

    fn from_listing(listing: impl IntoIterator<Item = (Vec<u8>, Stamp)>) -> Packed {
        let mut packed = Packed::default();
        packed.extend(listing.into_iter().map(|(name, stamp)| {
            let entry = Entry { stamp, digest: None, marks: 0 };
            (name, entry)
        }));
        packed
    }

    #[test]
    fn entries_stay_sorted_and_keep_what_was_put_in() {
        let mut packed = from_listing([(b"b".to_vec(), stamp(1)), (b"a".to_vec(), stamp(2))]);
        packed.set(b"aa", entry(3));
        packed.set(b"b", entry(4));
        assert_eq!(packed.remove(b"none"), None);
        let plain = Entry { digest: None, marks: 0, ..entry(2) };
        let all: Vec<_> = packed.iter().collect();
        assert_eq!(all, [(&b"a"[..], plain), (b"aa", entry(3)), (b"b", entry(4))]);
    }

    #[test]
    fn names_that_come_and_go_leave_nothing_behind() {
        let mut packed = from_listing([(b"stays".to_vec(), stamp(1))]);
        for number in 0..10_000_u64 {
            let name = format!(".stays.{number:06}");
            packed.set(name.as_bytes(), entry(number));
            assert_eq!(packed.remove(name.as_bytes()), Some(entry(number)));
        }
        assert!(packed.heap() < 2_048, "{}", packed.heap());
        assert_eq!(packed.get(b"stays").map(|entry| entry.stamp), Some(stamp(1)));
    }

    #[test]
    fn a_file_takes_48_bytes_and_its_name() {
        let listing =
            (0..1_000_u64).map(|number| (format!("f{number:04}").into_bytes(), stamp(number)));
        let packed = from_listing(listing);
        assert_eq!(packed.heap(), 1_000 * (48 + 5));
    }
}
