//! The kernel's queue of inotify events: bounded, merging an event with an identical last one, and
//! announcing that it lost some.

use std::collections::VecDeque;

use super::disk::Name;

/// An event as inotify(7) has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) name: Name,
    pub(super) kind: Kind,
}

/// The kinds that the watch asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Modify,
    CloseWrite,
    Attrib,
    MovedFrom {
        cookie: u32,
    },
    MovedTo {
        cookie: u32,
    },
    Delete,
    /// Somebody opened a file.
    Open,
    /// Somebody read it, or closed it without having written.
    Read,
    /// Somebody opened a folder.
    List,
    /// As for files, with `IN_ISDIR`.
    FolderFrom {
        cookie: u32,
    },
    FolderTo {
        cookie: u32,
    },
}

/// What a read returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Read {
    Told(Told),
    Overflow,
}

#[derive(Debug)]
pub(super) struct Queue {
    events: VecDeque<Read>,
    limit: usize,
}

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        Self { events: VecDeque::new(), limit }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Queues an event.
    pub(super) fn push(&mut self, told: Told) {
        let read = Read::Told(told);
        if self.events.back() == Some(&read) || self.events.back() == Some(&Read::Overflow) {
            return;
        }
        self.events.push_back(if self.events.len() < self.limit { read } else { Read::Overflow });
    }

    /// Reads the oldest event.
    pub(super) fn pop(&mut self) -> Option<Read> {
        self.events.pop_front()
    }

    /// The event that a read would return.
    pub(super) fn peek(&self) -> Option<&Read> {
        self.events.front()
    }
}
