//! What the watch says. Values only.

use std::path::PathBuf;

use nix::errno::Errno;

use crate::core::{FileEvent, UseEvent};

/// One thing that the watch saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A hint about a path.
    File(FileEvent),
    /// A sign of use, where it was asked for.
    Used(UseEvent),
    /// Events were lost; everything is being listed again and comes out as found.
    Overflow,
    /// Something that a person should know; each is said once.
    Warning(Warning),
}

/// What limits the watch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// `fs.inotify.max_user_watches` is used up: the rest is polled.
    #[error(
        "the kernel's limit of watches is reached at {}; folders beyond it are polled, which is \
         slower; raise fs.inotify.max_user_watches or ignore large folders",
        .0.display()
    )]
    LimitReached(PathBuf),
    /// No queue of events: everything is polled.
    #[error("the kernel gives no file events ({0}); everything is polled, which is slower")]
    NoInotify(Errno),
    /// A mount of this type may change without events: it is polled as well.
    #[error(
        "{} lies on {kind}, which may change without telling; it is polled as well",
        .path.display()
    )]
    UntrustedMount {
        /// The watched folder.
        path: PathBuf,
        /// The type of file system.
        kind: &'static str,
    },
    /// A poll found a change that no event told.
    #[error("{} changed without an event; its root is polled from here on", .0.display())]
    EventsMissing(PathBuf),
    /// A watched path is not there yet.
    #[error("{} does not exist yet; it is watched as soon as it does", .0.display())]
    RootMissing(PathBuf),
    /// A watched path was there and is gone.
    #[error("{} is gone; it is watched again as soon as it is back", .0.display())]
    RootVanished(PathBuf),
    /// A folder cannot be listed or watched.
    #[error("{} cannot be watched: {cause}", .path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        cause: Errno,
    },
}
