//! Writers: what cp, tar, rsync, cargo, editors and their like do to a tree, step by step.
//!
//! A *well-behaved* writer pauses no longer between two files, or while nothing is open, than the
//! recorded ones do; for it the ideal is one start. How long it may write one file is not bounded.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::disk::{Content, Form, Name, SPARED};

/// One system call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Op {
    Create(Name, Content),
    Open {
        name: Name,
        cut: bool,
        content: Content,
    },
    Write(Content),
    Close,
    Attrib(Name),
    Rename(Name, Name),
    RenameFolder(Name, Name),
    MoveIn(Name, Content),
    Link(Name, Content),
    Unlink(Name),
    Store(Name, Content),
    Read(Name),
    OpenToRead(Name),
    ReadOpen(Name),
    /// The executable that runs comes back under its name.
    Restore,
}

/// A process that writes: each step after a pause.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    pub(super) begin: Duration,
    pub(super) steps: Vec<(Duration, Op)>,
    /// An engine exec'ed it into the container.
    pub(super) session: bool,
}

impl Writer {
    pub(super) fn end(&self) -> Duration {
        self.begin + self.steps.iter().map(|(pause, _)| *pause).sum::<Duration>()
    }

    /// When it does something that is no deletion.
    pub(super) fn first_write(&self) -> Duration {
        let writes = |op: &Op| !matches!(op, Op::Unlink(_));
        let before = self.steps.iter().position(|(_, op)| writes(op)).map_or(0, |at| at + 1);
        self.begin + self.steps.iter().take(before).map(|(pause, _)| *pause).sum::<Duration>()
    }

    /// A health check: an engine execs it, and it writes nothing.
    pub(super) fn check(begin: Duration, life: Duration) -> Self {
        let nothing = Op::Attrib(name("not there"));
        Self { begin, steps: vec![(life, nothing)], session: true }
    }
}

/// Every way of writing that the schedules use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    Copy,
    CopyForce,
    Install,
    Tar,
    BusyboxTar,
    Rsync,
    InPlaceChunks,
    SlowFirst,
    Pieces,
    HardLink,
    MoveLoop,
    DeleteThenCopy,
    SessionCopy,
    Touch,
    SameAgain,
    TruncatedThenGood,
    TruncatedThenBack,
    Vim,
    DataChunks,
    BuiltFolder,
    LongSession,
    TwoSessions,
    Unused,
    Used,
    Classic,
}

pub(super) const PATTERNS: [Pattern; 25] = [
    Pattern::Copy,
    Pattern::CopyForce,
    Pattern::Install,
    Pattern::Tar,
    Pattern::BusyboxTar,
    Pattern::Rsync,
    Pattern::InPlaceChunks,
    Pattern::SlowFirst,
    Pattern::Pieces,
    Pattern::HardLink,
    Pattern::MoveLoop,
    Pattern::DeleteThenCopy,
    Pattern::SessionCopy,
    Pattern::Touch,
    Pattern::SameAgain,
    Pattern::TruncatedThenGood,
    Pattern::TruncatedThenBack,
    Pattern::Vim,
    Pattern::DataChunks,
    Pattern::BuiltFolder,
    Pattern::LongSession,
    Pattern::TwoSessions,
    Pattern::Unused,
    Pattern::Used,
    Pattern::Classic,
];

impl Pattern {
    /// Nothing differs afterwards, so nothing is to be started.
    pub(super) fn changes_nothing(self) -> bool {
        matches!(self, Self::Touch | Self::SameAgain | Self::Unused)
    }
}

/// A name in the watched tree.
pub(super) fn name(text: &str) -> Name {
    Arc::from(Path::new("/w").join(text))
}

/// A name in the root beside it.
pub(super) fn spared(text: &str) -> Name {
    Arc::from(Path::new(SPARED).join(text))
}

/// Files beside: one that the app reads at each start, one that it may read, one that it never does.
pub(super) const BESIDE: [&str; 3] = ["conf", "sub/page", "main.c"];

/// The executable.
pub(super) const APP: &str = "app";
/// A file that the app reads.
pub(super) const DATA: &str = "lib.so";

/// What lies under a name of [`BESIDE`] in the beginning.
pub(super) fn first_content(number: usize) -> Content {
    let version = 1_000_100 + u32::try_from(number).unwrap_or(0);
    Content { version, size: 100, form: Form::Whole }
}
