//! What a look at the disk says of one file, and the digest of its bytes. Reads the file system.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::num::NonZeroU64;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

/// A digest of bytes: xxh3, with 0 set aside for "not known".
pub(super) type Digest = NonZeroU64;

/// What lstat(2) says of a regular file or a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Inode number.
    pub(super) ino: u64,
    /// Bytes.
    pub(super) size: u64,
    /// Last write, ns since 1970.
    pub(super) mtime: i64,
    /// Last change of bytes, links, mode, owner or name, ns since 1970; nobody can set it.
    pub(super) ctime: i64,
    /// Type and permission bits of `st_mode`.
    pub(super) mode: u16,
}

/// What a name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// A regular file and its number of names.
    File(Stamp, u64),
    /// A symbolic link.
    Link(Stamp),
    /// A folder: device, mtime and ctime.
    Folder {
        /// Device number.
        dev: u64,
        /// Last change of the folder itself: renamed, another mode, another list.
        ctime: i64,
        /// Last change of its list.
        mtime: i64,
    },
    /// A FIFO, a socket or a device: no content that an app could be stale in.
    Other,
    /// No such name, or none that we may ask.
    Nothing,
}

impl Stamp {
    pub(super) fn of(meta: &Metadata) -> Self {
        Self {
            ino: meta.ino(),
            size: meta.size(),
            mtime: nanos(meta.mtime(), meta.mtime_nsec()),
            ctime: nanos(meta.ctime(), meta.ctime_nsec()),
            // The type and permission bits of st_mode fit into 16 bits.
            mode: u16::try_from(meta.mode() & 0xFFFF).unwrap_or_default(),
        }
    }

    /// Whether only ctime or mode differ, if anything: no writer was there.
    pub(super) fn same_content(&self, other: &Self) -> bool {
        (self.ino, self.size, self.mtime) == (other.ino, other.size, other.mtime)
    }

    pub(super) fn is_link(&self) -> bool {
        u32::from(self.mode) & libc::S_IFMT == libc::S_IFLNK
    }
}

fn nanos(seconds: i64, nanos: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

impl Seen {
    pub(super) fn of(meta: &Metadata) -> Self {
        let kind = meta.file_type();
        if kind.is_file() {
            Self::File(Stamp::of(meta), meta.nlink())
        } else if kind.is_symlink() {
            Self::Link(Stamp::of(meta))
        } else if kind.is_dir() {
            let stamp = Stamp::of(meta);
            Self::Folder { dev: meta.dev(), ctime: stamp.ctime, mtime: stamp.mtime }
        } else {
            Self::Other
        }
    }

    /// The name itself, without following a link.
    pub(super) fn at(path: &Path) -> Self {
        fs::symlink_metadata(path).map_or(Self::Nothing, |meta| Self::of(&meta))
    }

    /// What the name leads to, through links.
    pub(super) fn through(path: &Path) -> Self {
        fs::metadata(path).map_or(Self::Nothing, |meta| Self::of(&meta))
    }

    /// The stamp of a file or link: what the tables hold.
    pub(super) fn stamp(self) -> Option<Stamp> {
        match self {
            Self::File(stamp, _) | Self::Link(stamp) => Some(stamp),
            Self::Folder { .. } | Self::Other | Self::Nothing => None,
        }
    }
}

/// The clock that the kernel stamps files with, ns since 1970: the coarse one, so that a change
/// after this call never has an older ctime.
pub(super) fn file_clock() -> i64 {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_REALTIME_COARSE)
        .map_or(0, |now| nanos(now.tv_sec(), now.tv_nsec()))
}

/// A digest that is made in pieces, so that a large file does not hold the loop.
pub(super) struct Digesting {
    file: File,
    state: Box<Xxh3>,
    stamp: Stamp,
}

impl std::fmt::Debug for Digesting {
    fn fmt(&self, form: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        form.debug_tuple("Digesting").field(&self.stamp).finish()
    }
}

/// After one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is more to read.
    More,
    /// The end.
    Done(Digest),
    /// The end, but the file changed while it was read: the bytes belong to no stamp.
    Disturbed,
}

const PIECE: usize = 128 * 1024;

impl Digesting {
    /// Opens the file, which must be the one of this stamp.
    pub(super) fn start(path: &Path, stamp: Stamp, follow: bool) -> io::Result<Option<Self>> {
        let no_follow = if follow { 0 } else { libc::O_NOFOLLOW };
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(no_follow | libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)?;
        let same = Stamp::of(&file.metadata()?) == stamp;
        Ok(same.then(|| Self { file, state: Box::new(Xxh3::new()), stamp }))
    }

    /// Reads one piece.
    pub(super) fn step(&mut self, buffer: &mut Vec<u8>) -> io::Result<Progress> {
        buffer.resize(PIECE, 0);
        let count = self.file.read(buffer)?;
        if count > 0 {
            self.state.update(&buffer[..count]);
            return Ok(Progress::More);
        }
        let same = Stamp::of(&self.file.metadata()?) == self.stamp;
        Ok(if same { Progress::Done(known(self.state.digest())) } else { Progress::Disturbed })
    }
}

/// The digest of a whole file that must be the one of this stamp; `None` where it is not.
pub(super) fn digest_file(path: &Path, stamp: Stamp, follow: bool) -> io::Result<Option<Digest>> {
    let Some(mut digesting) = Digesting::start(path, stamp, follow)? else {
        return Ok(None);
    };
    let mut buffer = Vec::new();
    loop {
        match digesting.step(&mut buffer)? {
            Progress::More => {}
            Progress::Done(digest) => return Ok(Some(digest)),
            Progress::Disturbed => return Ok(None),
        }
    }
}

/// The digest of where a link leads, as text.
pub(super) fn digest_link(path: &Path) -> Option<Digest> {
    let target = fs::read_link(path).ok()?;
    let digest = xxhash_rust::xxh3::xxh3_64(target.as_os_str().as_bytes());
    Some(known(digest))
}

fn known(digest: u64) -> Digest {
    NonZeroU64::new(digest).unwrap_or(NonZeroU64::MIN)
}
