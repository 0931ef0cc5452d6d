//! The kernel's queue of events: one descriptor, drained without blocking. No folder is looked at
//! here.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

/// One watched folder in the kernel.
pub(super) type Wd = WatchDescriptor;

/// Flags of inotify(7).
pub(super) type Mask = AddWatchFlags;

/// `IN_EXCL_UNLINK` and `IN_MASK_ADD`, which nix does not name.
const EXCL_UNLINK: u32 = 0x0400_0000;
const MASK_ADD: u32 = 0x2000_0000;

/// What is asked for a folder in the tree: everything that can mean new content, nothing that a
/// reader causes (OPEN, ACCESS, `CLOSE_NOWRITE`: an app's own reads would cost 9 % of a core).
pub(super) const CONTENT: Mask = Mask::IN_CREATE
    .union(Mask::IN_MODIFY)
    .union(Mask::IN_CLOSE_WRITE)
    .union(Mask::IN_ATTRIB)
    .union(Mask::IN_MOVED_FROM)
    .union(Mask::IN_MOVED_TO)
    .union(Mask::IN_DELETE);

/// The folder itself went away or got another name.
pub(super) const ITSELF: Mask = Mask::IN_DELETE_SELF.union(Mask::IN_MOVE_SELF);

/// Somebody read or executed a file: evidence of use, asked for folder by folder.
pub(super) const USE: Mask = Mask::IN_OPEN.union(Mask::IN_ACCESS).union(Mask::IN_CLOSE_NOWRITE);

/// At most this many events in one go, the kernel's default queue: a tree that never goes quiet
/// must not hold the loop.
const MOST: usize = 16_384;

/// One event, names owned.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) wd: Wd,
    pub(super) mask: Mask,
    pub(super) cookie: u32,
    pub(super) name: Option<OsString>,
}

/// What one draining gave.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    /// Cookies whose `MOVED_TO` is in this batch.
    pub(super) arrivals: HashSet<u32>,
    /// The queue is empty; otherwise more waits.
    pub(super) empty: bool,
}

/// The descriptor.
#[derive(Debug)]
pub(super) struct Queue {
    inotify: Inotify,
}

impl Queue {
    /// # Errors
    ///
    /// `EMFILE` when the user has `max_user_instances` already, `ENOSYS` without inotify.
    pub(super) fn new() -> Result<Self, Errno> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        Ok(Self { inotify })
    }

    /// For poll(2).
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// Watches a folder, or adds to what is asked of it. `follow`: through a link at the end.
    ///
    /// # Errors
    ///
    /// `ENOSPC` when `max_user_watches` is reached, `ENOENT`, `ENOTDIR`, `EACCES` of the folder.
    pub(super) fn add(&self, folder: &Path, mask: Mask, follow: bool) -> Result<Wd, Errno> {
        let mut mask = mask | Mask::IN_ONLYDIR | Mask::from_bits_retain(EXCL_UNLINK | MASK_ADD);
        if !follow {
            mask |= Mask::IN_DONT_FOLLOW;
        }
        self.inotify.add_watch(folder, mask)
    }

    /// Asks of a watched folder this and nothing more.
    ///
    /// # Errors
    ///
    /// As [`Queue::add`].
    pub(super) fn replace(&self, folder: &Path, mask: Mask, follow: bool) -> Result<Wd, Errno> {
        let mut mask = mask | Mask::IN_ONLYDIR | Mask::from_bits_retain(EXCL_UNLINK);
        if !follow {
            mask |= Mask::IN_DONT_FOLLOW;
        }
        self.inotify.add_watch(folder, mask)
    }

    /// Forgets a folder; one that the kernel forgot first is no error.
    pub(super) fn remove(&self, wd: Wd) {
        let _ = self.inotify.rm_watch(wd);
    }

    /// Everything that waits. The two halves of a rename are queued one after the other, not at
    /// once: a first half at the end gets a millisecond for its second.
    pub(super) fn drain(&self) -> Batch {
        let mut batch = Batch::default();
        let mut waited = false;
        loop {
            self.read_into(&mut batch);
            let alone = |event: &Event| {
                event.mask.contains(Mask::IN_MOVED_FROM) && !batch.arrivals.contains(&event.cookie)
            };
            let late = batch.events.iter().rev().take(8).any(alone);
            if waited || !batch.empty || !late {
                return batch;
            }
            waited = true;
            let timeout = PollTimeout::from(1_u8);
            let _ = poll(&mut [PollFd::new(self.fd(), PollFlags::POLLIN)], timeout);
        }
    }

    fn read_into(&self, batch: &mut Batch) {
        batch.empty = false;
        while batch.events.len() < MOST {
            match self.inotify.read_events() {
                Ok(events) => {
                    for event in events {
                        if event.mask.contains(Mask::IN_MOVED_TO) {
                            batch.arrivals.insert(event.cookie);
                        }
                        batch.events.push(Event {
                            wd: event.wd,
                            mask: event.mask,
                            cookie: event.cookie,
                            name: event.name,
                        });
                    }
                }
                Err(Errno::EINTR) => {}
                Err(_) => {
                    batch.empty = true;
                    return;
                }
            }
        }
    }
}
