//! The app's word: a record through a pipe that the benchmark holds open at both ends, so that no
//! app ever waits for a reader and no word is lost between two apps.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use nix::time::{ClockId, clock_gettime};

use crate::failure::Failure;

/// What the app said. The layout is that of `struct record` in `programs/app.c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// When its `main` began; nanoseconds of the monotonic clock.
    pub(super) at: i64,
    /// The process, as it sees itself.
    pub(super) pid: i32,
    /// The app itself, or a helper of it.
    pub(super) kind: Kind,
    /// The version in the bytes that run.
    pub(super) version: String,
}

/// Who spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The app.
    App,
    /// A helper.
    Helper,
}

/// Bytes of a record: written at once, so never mixed.
const LENGTH: usize = 32;

/// The pipe.
pub(super) struct Marks(File);

impl Marks {
    /// Makes the pipe at `path`.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let made = nix::unistd::mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR);
        made.map_err(std::io::Error::from).map_err(Failure::file(path))?;
        let opened = OpenOptions::new().read(true).write(true).open(path);
        opened.map(Self).map_err(Failure::file(path))
    }

    /// The next word, if one comes in time.
    pub(super) fn next(&mut self, within: Duration) -> Option<Mark> {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if readable(self.as_fd(), left) {
                let mut record = [0; LENGTH];
                self.0.read_exact(&mut record).ok()?;
                return parse(&record);
            }
            if left.is_zero() {
                return None;
            }
        }
    }

    /// For waiting on the pipe and something else.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether it can be read within this time.
pub(super) fn readable(fd: BorrowedFd<'_>, within: Duration) -> bool {
    let timeout = PollTimeout::try_from(within).unwrap_or(PollTimeout::MAX);
    poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], timeout).is_ok_and(|ready| ready > 0)
}

fn parse(record: &[u8; LENGTH]) -> Option<Mark> {
    let (time, rest) = record.split_first_chunk()?;
    let (pid, rest) = rest.split_first_chunk()?;
    let kind = match rest.first()? {
        b'S' => Kind::App,
        b'H' => Kind::Helper,
        _ => return None,
    };
    let version = String::from_utf8_lossy(&rest[4..]).trim_end_matches('.').to_owned();
    Some(Mark { at: i64::from_ne_bytes(*time), pid: i32::from_ne_bytes(*pid), kind, version })
}

/// The monotonic clock in nanoseconds: the one that the app reads.
pub(super) fn now() -> i64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC);
    time.map_or(0, |time| time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}

/// Nanoseconds as milliseconds.
#[allow(clippy::cast_precision_loss)] // Differences of minutes at most.
pub(super) fn milliseconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_the_app_writes_it() {
        let mut record = [0; LENGTH];
        record[..8].copy_from_slice(&5_000_000_i64.to_ne_bytes());
        record[8..12].copy_from_slice(&77_i32.to_ne_bytes());
        record[12] = b'S';
        record[16..].copy_from_slice(b"v12.............");
        let mark = Mark { at: 5_000_000, pid: 77, kind: Kind::App, version: "v12".to_owned() };
        assert_eq!(parse(&record), Some(mark));
        record[12] = b'?';
        assert_eq!(parse(&record), None);
    }

    #[test]
    fn no_word_in_time_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut marks = Marks::create(&folder.path().join("pipe")).unwrap();
        assert_eq!(marks.next(Duration::ZERO), None);
    }
}
