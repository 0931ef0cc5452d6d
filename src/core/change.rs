//! What the watch reports to the core: hints about single paths, in the order in which the kernel
//! queued them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Time since the supervisor began, on the monotonic clock.
pub type Moment = Duration;

/// Something happened to a watched path that no ignore rule covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEvent {
    /// Absolute path, as reached through the watched root.
    pub path: Arc<Path>,
    /// What happened, as far as the event proves it.
    pub what: What,
}

/// What an event proves. Each kind says whether a writer may still be at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A regular file with one link appeared: presumed open for writing until it is closed
    /// (inotify CREATE).
    Created,
    /// A whole file appeared under this name: a hard link or a symbolic link. Nothing is written
    /// through it (CREATE of an inode with more links, or of a link).
    Linked,
    /// Bytes were written or the file was cut: somebody has it open (MODIFY). Also a file that the
    /// first sweep finds younger than the start: whoever wrote it may have it open.
    Modified,
    /// A writer closed it (`CLOSE_WRITE`).
    Closed,
    /// Renamed in from outside the watched tree, complete when it came (`MOVED_TO` alone).
    MovedIn,
    /// Renamed inside the watched tree (`MOVED_FROM` and `MOVED_TO` of one cookie).
    MovedWithin {
        /// The name it had.
        from: Arc<Path>,
    },
    /// Renamed out of the watched tree (`MOVED_FROM` alone).
    MovedAway,
    /// The name is gone (DELETE).
    Deleted,
    /// Mode, owner, times, links or extended attributes changed (ATTRIB).
    Attributes,
    /// A rescan or a poll found it different from the table, or gone; says nothing about writers.
    Found,
    /// A folder was renamed inside the tree: everything below it has a new name. Its files are told one by
    /// one behind it, under the new name as found, under the old one as deleted.
    FolderMoved {
        /// The name it had.
        from: Arc<Path>,
    },
    /// A folder is gone, with all that was in it; deleted or renamed away. What was in it is told behind it.
    FolderGone,
}
