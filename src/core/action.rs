//! Orders in the imperative: all that leaves the core.

use std::path::Path;
use std::sync::Arc;

use super::generation::Generation;
use super::note::Note;

/// An output of [`Core::handle`](super::Core::handle), to be performed in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Look for sync sessions and for load; answer with `LookedAround`, behind all that happened
    /// until then.
    LookAround,
    /// Test who writes these files; answer with `Probed`, behind all that happened until then: a file
    /// that is found closed may have been written a moment ago.
    Probe(Vec<Arc<Path>>),
    /// Compare these paths with what runs and check the executable; answer with `Judged`, at once.
    Judge(Judge),
    /// The app may be stale in this file from now on: digest it in an idle moment, so that a touch
    /// is told from a change. Before, our own reading would have looked like the app's.
    Digest(Arc<Path>),
    /// Nothing is started for a set with these unused paths: what lies there now is what the app
    /// may open, so the next change is compared with that.
    Adopt(Vec<Arc<Path>>),
    /// Everything in this folder counts from now on: ask the kernel no longer who reads there.
    StopListening(Arc<Path>),
    /// Exec the app; answer with `Started` or `StartFailed`.
    Start {
        /// The number of the start.
        generation: Generation,
        /// What to exec.
        program: Program,
    },
    /// Send a signal to a part of a generation.
    Signal {
        /// The generation.
        generation: Generation,
        /// The part.
        to: Recipient,
        /// The signal's number.
        signal: i32,
    },
    /// Look for which of these signals the app is ready: it handles, ignores or blocks them; answer
    /// with `Ready`.
    AskReady {
        /// The generation.
        generation: Generation,
        /// The signals' numbers.
        signals: Vec<i32>,
    },
    /// One round of STOP all, KILL all.
    KillAll {
        /// The generation.
        generation: Generation,
    },
    /// Look once more at the files that were just started: mapped writers send no events.
    Recheck,
    /// Stop ourselves as the app was stopped, and continue both together (job control).
    Suspend,
    /// Tell the person what happened.
    Note(Note),
    /// End with this code.
    Exit {
        /// The exit code.
        code: u8,
    },
}

/// What is to be judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judge {
    /// The settled paths that count if they differ.
    pub paths: Vec<Arc<Path>>,
    /// Entries of folders whose names the app may know: each counts if it came or went.
    pub names: Vec<Arc<Path>>,
    /// Settled paths that nobody opened since the start: not to be opened by us either, or that
    /// would look like use. Where none of the others differs, a difference of these is `NotUsed`.
    pub unused: Vec<Arc<Path>>,
    /// A restart was asked for: only the fitness of the executable matters.
    pub forced: bool,
}

/// What a start execs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The command as it is on disk now.
    Current,
    /// The executable that ran last, held open since.
    LastGood,
}

/// The part of a generation that a signal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipient {
    /// The app itself.
    Leader,
    /// The app's process group.
    Group,
    /// Every descendant; used when the leader is gone.
    Rest,
}
