//! Has somebody this file open for writing? Asked by a read lease, which the kernel grants only
//! where nobody has (2.5 µs on average). What comes in: a path or an open file.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::sys;
use crate::system::mounts::shared_file_system;

/// The answer of the writer test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Nobody has it open for writing. A writer that mapped it and closed its descriptor stays
    /// unseen on overlayfs' own upper folders.
    Nobody,
    /// Somebody has.
    Somebody,
    /// The kernel does not say: not our file and no `CAP_LEASE`, a file system without leases or
    /// with writers on another machine, a file that is gone or no regular file.
    Unknown,
}

/// The writer test of the file at `path`, links followed. Opens it, so call it only for files that
/// count already; never blocks, and never opens a device or a FIFO. A writer that opens the file
/// with `O_NONBLOCK` in the same microseconds gets `EAGAIN`.
#[must_use]
pub fn writer(path: &Path) -> Writer {
    open_regular(path).map_or(Writer::Unknown, |file| writer_of_file(&file))
}

/// [`writer`] of an open file; `file` must be open for reading only and for nothing else, since the
/// lease belongs to the open file description.
#[must_use]
pub fn writer_of_file(file: &File) -> Writer {
    if shared_file_system(file).is_some() {
        return Writer::Unknown;
    }
    match sys::try_read_lease(file) {
        Ok(()) => Writer::Nobody,
        Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => Writer::Somebody,
        Err(_) => Writer::Unknown,
    }
}

/// Opens a regular file for reading without ever waiting: `O_NONBLOCK` keeps a FIFO that took its
/// place in between, or another's lease, from blocking us.
///
/// # Errors
///
/// The error of stat(2) or open(2); `InvalidInput` where it is no regular file.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let regular = |metadata: std::fs::Metadata| {
        metadata.is_file().then_some(()).ok_or(io::ErrorKind::InvalidInput)
    };
    // Before the open as well, because opening alone can make a device act.
    regular(std::fs::metadata(path)?)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC)
        .open(path)?;
    regular(file.metadata()?)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::super::testing::{as_nobody, closed, file, folder, is_root};
    use super::*;

    #[test]
    fn an_open_writer_is_seen_until_it_closes() {
        let folder = folder();
        let path = file(&folder, "app", b"bytes", 0o755);
        assert_eq!(writer(&path), Writer::Nobody);
        let open = OpenOptions::new().append(true).open(&path).unwrap();
        assert_eq!(writer(&path), Writer::Somebody);
        drop(open);
        closed(&path);
        assert_eq!(writer(&path), Writer::Nobody);
    }

    #[test]
    fn a_reader_is_no_writer_and_links_are_followed() {
        let folder = folder();
        let path = file(&folder, "app", b"bytes", 0o755);
        let _reader = File::open(&path).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(writer(&link), Writer::Nobody);
    }

    #[test]
    fn what_is_no_regular_file_is_unknown_and_never_waited_for() {
        let folder = folder();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        let missing = folder.path().join("missing");
        for path in [&fifo, &socket, &missing, folder.path(), Path::new("/dev/null")] {
            assert_eq!(writer(path), Writer::Unknown, "{}", path.display());
        }
    }

    #[test]
    fn a_file_of_another_owner_is_unknown_without_the_capability() {
        if !is_root() {
            return; // Only root can make a file of another owner.
        }
        let folder = folder();
        let path = file(&folder, "app", b"bytes", 0o755);
        assert_eq!(as_nobody(|| writer(&path)), Writer::Unknown);
    }

    #[test]
    fn a_writer_that_breaks_the_lease_hurts_neither_side() {
        let folder = folder();
        let path = file(&folder, "app", b"bytes", 0o755);
        std::thread::scope(|scope| {
            let opens = scope.spawn(|| {
                (0..20_000).filter(|_| OpenOptions::new().write(true).open(&path).is_ok()).count()
            });
            // The default action of SIGIO would end this process.
            let mut asked = 0;
            while !opens.is_finished() {
                assert_ne!(writer(&path), Writer::Unknown);
                asked += 1;
            }
            assert_eq!(opens.join().unwrap(), 20_000);
            assert!(asked > 0);
        });
    }
}
