//! The last good executable, held open so that it can be started again when its path holds
//! something broken. What comes in: a path at the time of a start.
//!
//! A rename or an unlink leaves the held bytes alone; a write in place does not. While the program
//! runs the kernel turns such writers away, so the bytes can change only after it has ended.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use super::compare::digest;
use super::elf::{Kind, inspect};
use super::identity::{Identity, identity_of_file};
use super::writer::{Writer, open_regular, writer_of_file};

/// An executable that was good when it was started. Costs one descriptor, closed on exec.
#[derive(Debug)]
pub struct Held {
    file: File,
    path: PathBuf,
    identity: Identity,
    digest: Option<u128>,
}

impl Held {
    /// Opens what `path` names now, links followed, never blocking.
    ///
    /// # Errors
    ///
    /// The error of open(2): also for an executable that may be run but not read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = open_regular(path)?;
        let identity = identity_of_file(&file)?;
        Ok(Self { file, path: path.to_owned(), identity, digest: None })
    }

    /// What it was when it was opened.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The open file, for comparisons.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The path under which it was opened; another file may stand there now.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Digests the bytes, so that [`Held::is_intact`] need not rely on the modification time. For a
    /// quiet moment while the program runs: nobody can write them then. A script can be written all
    /// the same, since it was opened or meanwhile: then no digest is noted.
    ///
    /// # Errors
    ///
    /// See [`digest`].
    pub fn note_bytes(&mut self, budget: &mut u64) -> io::Result<()> {
        let noted = digest(&self.file, budget)?;
        let untouched = identity_of_file(&self.file).is_ok_and(|now| now == self.identity);
        self.digest = noted.filter(|_| untouched);
        Ok(())
    }

    /// Whether these are still the bytes that they were, with nobody writing them: by the digest,
    /// or, where none was noted, by size and modification time. The ctime says nothing here, since
    /// rename-over and unlink move it too. Reads the whole file where a digest was noted.
    ///
    /// # Errors
    ///
    /// The error of fstat(2) or pread(2).
    pub fn is_intact(&self) -> io::Result<bool> {
        let now = identity_of_file(&self.file)?;
        if now.size != self.identity.size || writer_of_file(&self.file) == Writer::Somebody {
            return Ok(false);
        }
        match self.digest {
            Some(noted) => Ok(digest(&self.file, &mut now.size.clone())? == Some(noted)),
            None => Ok(now.same_stamp(&self.identity)),
        }
    }

    /// Whether the exec'ed process needs the descriptor: a script's interpreter opens the script by
    /// that path, so close-on-exec must be cleared in the child, or it finds nothing.
    #[must_use]
    pub fn must_stay_open(&self) -> bool {
        !matches!(inspect(&self.file, self.identity.size), Ok(Kind::Elf(_)))
    }
}

impl AsFd for Held {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, FileTimes, OpenOptions};
    use std::io::Write as _;

    use super::super::testing::{closed, file, folder};
    use super::*;

    /// Writes in place and sets the modification time back, as `rsync --inplace -t` may.
    fn overwrite(path: &Path, bytes: &[u8]) {
        let before = fs::metadata(path).unwrap().modified().unwrap();
        let mut file = OpenOptions::new().write(true).open(path).unwrap();
        file.write_all(bytes).unwrap();
        file.set_times(FileTimes::new().set_modified(before)).unwrap();
        drop(file);
        closed(path);
    }

    #[test]
    fn a_replaced_or_removed_executable_is_intact_and_runs() {
        let folder = folder();
        let path = file(&folder, "app", &fs::read("/bin/echo").unwrap(), 0o755);
        let held = Held::open(&path).unwrap();
        let broken = file(&folder, "next", b"broken", 0o755);
        fs::rename(&broken, &path).unwrap();
        assert!(held.is_intact().unwrap());
        fs::remove_file(&path).unwrap();
        assert!(held.is_intact().unwrap());
        assert!(!held.must_stay_open());
    }

    #[test]
    fn other_bytes_in_place_are_noticed_by_size_time_or_digest() {
        let folder = folder();
        let path = file(&folder, "app", b"#!/bin/sh\necho one\n", 0o755);
        let mut held = Held::open(&path).unwrap();
        assert!(held.must_stay_open());
        held.note_bytes(&mut 1_000).unwrap();
        overwrite(&path, b"#!/bin/sh\necho two\n");
        assert!(!held.is_intact().unwrap());
        overwrite(&path, b"#!/bin/sh\necho one\n");
        assert!(held.is_intact().unwrap());
        overwrite(&path, b"#!/bin/sh\necho three\n");
        assert!(!held.is_intact().unwrap());
    }

    /// A script overwritten between the look and the exec was noted as what runs, and the next start
    /// took its broken bytes for the last good ones.
    #[test]
    fn bytes_written_since_the_look_are_not_noted_as_those_that_run() {
        let folder = folder();
        let path = file(&folder, "app", b"#!/bin/sh\necho one\n", 0o755);
        // The clock of file times moves in steps of milliseconds.
        let long_ago = FileTimes::new().set_modified(std::time::UNIX_EPOCH);
        File::open(&path).unwrap().set_times(long_ago).unwrap();
        let mut held = Held::open(&path).unwrap();
        fs::write(&path, b"#!/bin/sh\necho two\n").unwrap();
        closed(&path);
        held.note_bytes(&mut 1_000).unwrap();
        assert!(!held.is_intact().unwrap());
    }

    #[test]
    fn an_executable_that_is_being_written_is_not_intact() {
        let folder = folder();
        let path = file(&folder, "app", b"#!/bin/sh\n", 0o755);
        let held = Held::open(&path).unwrap();
        let _open = OpenOptions::new().append(true).open(&path).unwrap();
        assert!(!held.is_intact().unwrap());
    }

    #[test]
    fn nothing_to_hold_is_an_error_and_never_waited_for() {
        let folder = folder();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(Held::open(&fifo).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        let missing = folder.path().join("missing");
        assert_eq!(Held::open(&missing).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
