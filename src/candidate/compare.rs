//! Are these the same bytes? What comes in: open files.
//!
//! The path proves nothing: with a rename between exec and a hash of the path, "unchanged" was
//! wrong 50 times of 50 (measured). So the running side is the inode that was exec'ed, and it is
//! compared instead of hashed, because a difference shows in the first blocks (one-line edits of Go
//! and Rust programs differ first at offsets 813 and 3977, with equal sizes).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use xxhash_rust::xxh3::Xxh3;

/// One read; 128 KiB is the allocator's limit for memory that goes straight back to the kernel.
const BLOCK: usize = 128 * 1024;

/// The answer of [`compare`].
#[derive(Debug)]
pub enum Comparison {
    /// The same bytes.
    Same,
    /// Not the same bytes.
    Different,
    /// One of them could not be read.
    CannotTell(io::Error),
}

/// The executable that process `pid` runs, open for reading: its inode, whatever its path is now.
///
/// # Errors
///
/// `NotFound` where the process is gone, `PermissionDenied` where it has file capabilities and we
/// have none: compare with the descriptor that was held since before the exec then.
pub fn open_running(pid: u32) -> io::Result<File> {
    File::open(format!("/proc/{pid}/exe"))
}

/// Compares the bytes of two files up to the first difference. Moves no file offset.
#[must_use]
pub fn compare(candidate: &File, running: &File) -> Comparison {
    match is_same(candidate, running) {
        Ok(true) => Comparison::Same,
        Ok(false) => Comparison::Different,
        Err(error) => Comparison::CannotTell(error),
    }
}

fn is_same(one: &File, other: &File) -> io::Result<bool> {
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; BLOCK], vec![0; BLOCK]);
    let mut offset = 0;
    loop {
        let (left, right) = (block(one, &mut left, offset)?, block(other, &mut right, offset)?);
        if left != right {
            return Ok(false);
        }
        if left.len() < BLOCK {
            return Ok(true);
        }
        offset += BLOCK as u64;
    }
}

/// The digest (XXH3, 128 bits) of all bytes of `file`, as long as `budget` bytes pay for them; the
/// budget is lowered by what was read. `None` where it does not suffice: nothing is read then,
/// unless the file grew meanwhile.
///
/// # Errors
///
/// The error of fstat(2) or pread(2).
pub fn digest(file: &File, budget: &mut u64) -> io::Result<Option<u128>> {
    let size = file.metadata()?.len();
    if size > *budget {
        return Ok(None);
    }
    // Small files are many, and most files are small.
    let mut buffer = vec![0; BLOCK.min(usize::try_from(size).unwrap_or(BLOCK) + 1)];
    let mut state = Xxh3::new();
    let mut offset = 0;
    loop {
        let bytes = block(file, &mut buffer, offset)?;
        let count = bytes.len() as u64;
        if count > *budget {
            *budget = 0;
            return Ok(None);
        }
        *budget -= count;
        offset += count;
        state.update(bytes);
        if bytes.len() < buffer.len() {
            return Ok(Some(state.digest128()));
        }
    }
}

/// A full block, or what is left of the file.
fn block<'b>(file: &File, buffer: &'b mut [u8], offset: u64) -> io::Result<&'b [u8]> {
    let mut count = 0;
    while count < buffer.len() {
        match file.read_at(&mut buffer[count..], offset + count as u64) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(&buffer[..count])
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::testing::{file, folder};
    use super::*;

    #[test]
    fn files_are_the_same_to_the_last_byte() {
        let folder = folder();
        for size in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let bytes = vec![7; size];
            let one = File::open(file(&folder, &format!("one{size}"), &bytes, 0o644)).unwrap();
            let same = File::open(file(&folder, &format!("same{size}"), &bytes, 0o644)).unwrap();
            assert!(matches!(compare(&one, &same), Comparison::Same), "{size}");
            let Some(last) = size.checked_sub(1) else {
                continue;
            };
            let mut other = bytes.clone();
            other[last] = 8;
            let other = File::open(file(&folder, &format!("other{size}"), &other, 0o644)).unwrap();
            assert!(matches!(compare(&one, &other), Comparison::Different), "{size}");
            let short = &bytes[..last];
            let short = File::open(file(&folder, &format!("short{size}"), short, 0o644)).unwrap();
            assert!(matches!(compare(&one, &short), Comparison::Different), "{size}");
        }
    }

    #[test]
    fn what_runs_is_compared_and_not_what_its_path_holds_now() {
        let folder = folder();
        let sleep = std::fs::read("/bin/sleep").unwrap();
        let path = file(&folder, "app", &sleep, 0o755);
        let mut child = Command::new(&path).arg("1000").spawn().unwrap();
        let mut other = sleep.clone();
        *other.last_mut().unwrap() ^= 1;
        let next = file(&folder, "next", &other, 0o755);
        std::fs::rename(&next, &path).unwrap();
        let running = open_running(child.id()).unwrap();
        let same = File::open(file(&folder, "same", &sleep, 0o755)).unwrap();
        assert!(matches!(compare(&same, &running), Comparison::Same));
        assert!(matches!(compare(&File::open(&path).unwrap(), &running), Comparison::Different));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_answer() {
        let folder = folder();
        let path = file(&folder, "one", &[7; 10], 0o644);
        let unreadable = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        let Comparison::CannotTell(error) = compare(&File::open(&path).unwrap(), &unreadable)
        else {
            panic!("a file open for writing only was read");
        };
        assert_eq!(error.raw_os_error(), Some(libc::EBADF));
    }

    #[test]
    fn a_digest_is_paid_from_the_budget_or_not_made() {
        let folder = folder();
        let bytes = vec![7; 2 * BLOCK + 5];
        let file = File::open(file(&folder, "one", &bytes, 0o644)).unwrap();
        let size = bytes.len() as u64;
        let mut budget = size + 1;
        let whole = xxhash_rust::xxh3::xxh3_128(&bytes);
        assert_eq!(digest(&file, &mut budget).unwrap(), Some(whole));
        assert_eq!(budget, 1);
        assert_eq!(digest(&file, &mut budget).unwrap(), None);
        assert_eq!(budget, 1);
    }
}
