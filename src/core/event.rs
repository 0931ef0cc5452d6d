//! What happened, in the past tense: all that may come into the core.

use std::path::Path;
use std::sync::Arc;

use super::change::{FileEvent, Moment};
use super::generation::{Ending, Generation};
use super::usage::UseEvent;

/// An input of [`Core::handle`](super::Core::handle).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The driver is ready; the first start may happen.
    Began,
    /// A watched path changed.
    File(FileEvent),
    /// Somebody opened, read or listed something below a spared root; evidence of use.
    Used(UseEvent),
    /// The watch has doubts (an overflow, a new folder) and compares the disk with its tables;
    /// what it finds comes as [`What::Found`](super::What::Found).
    ScanBegan,
    /// The comparison is complete.
    ScanEnded,
    /// The answer to [`Action::LookAround`](super::Action::LookAround).
    LookedAround(Surroundings),
    /// A sync session that [`Event::LookedAround`] named has ended. Delivered after every file
    /// event that was queued before its end.
    SessionEnded {
        /// Its process id.
        pid: i32,
    },
    /// The answer to [`Action::Probe`](super::Action::Probe).
    Probed(Vec<Probe>),
    /// The answer to [`Action::Judge`](super::Action::Judge).
    Judged {
        /// It was asked for by `ReloadAsked`, as the question said.
        forced: bool,
        /// The answer.
        judgement: Judgement,
    },
    /// The app was exec'ed.
    Started {
        /// Which start it was.
        generation: Generation,
        /// Its process id.
        pid: i32,
        /// The roots that are listened to under it: a file there that nobody opens is not in use; see
        /// [`spared`](super::usage::spared). Empty = everything counts.
        spared: Vec<Arc<Path>>,
    },
    /// The app could not be exec'ed.
    StartFailed {
        /// Which start it was.
        generation: Generation,
        /// Why.
        problem: StartProblem,
    },
    /// The app itself ended; helpers of its generation may still run.
    Exited {
        /// Its generation.
        generation: Generation,
        /// How it ended.
        ending: Ending,
    },
    /// Nothing of the generation is left.
    Emptied {
        /// The generation.
        generation: Generation,
    },
    /// The app was stopped.
    Suspended {
        /// Its generation.
        generation: Generation,
        /// What stopped it.
        by: Stopper,
    },
    /// The supervisor was asked to end.
    ShutdownAsked(Stop),
    /// A signal that is the app's business arrived: hang-up, user signals, window size.
    SignalArrived {
        /// Its number.
        signal: i32,
    },
    /// The answer to [`Action::AskReady`](super::Action::AskReady).
    Ready {
        /// The generation.
        generation: Generation,
        /// Those of the signals that the app is ready for; none where the kernel does not say.
        signals: Vec<i32>,
    },
    /// A person or a tool asked for a restart.
    ReloadAsked,
    /// The deadline passed.
    Woke,
}

/// Why the supervisor is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// The signal that asked for it.
    pub signal: i32,
}

/// What stopped the app, so that it still exists and does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopper {
    /// The terminal: Ctrl-Z (TSTP), or its use from the background (TTIN, TTOU).
    Terminal,
    /// Somebody, with STOP; he will continue it.
    Somebody,
}

/// What goes on around a change set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// When it was looked, from when the ages of sessions count.
    pub at: Moment,
    /// Processes that an engine exec'ed into the container.
    pub sessions: Vec<Session>,
    /// By how much quiet times are stretched, 1 to 6: runnable tasks over cores.
    pub stretch: u32,
    /// Bytes that the processes of the running generation have written so far, anywhere; `None` =
    /// the kernel does not say.
    pub written: Option<u64>,
}

/// A process with parent 0 that is not PID 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its process id.
    pub pid: i32,
    /// Time since its start, in milliseconds.
    pub age_ms: u64,
    /// It has a terminal: a person, not a sync client.
    pub terminal: bool,
}

/// The result of the writer test of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The path that was tested.
    pub path: Arc<Path>,
    /// Who writes.
    pub writer: WriterState,
    /// The next start will exec this file: it may be put off without limit.
    pub vital: bool,
}

/// Who has a file open for writing; the lease test of fcntl(2), the exec check of execveat(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriterState {
    /// Nobody.
    Nobody,
    /// A process of the running generation: its log, its database.
    OwnGeneration,
    /// Somebody else.
    Foreign,
    /// The kernel does not say (another owner, an untrusted file system).
    Unknown,
}

/// What a settled set amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing differs from what runs.
    Unchanged,
    /// Something differs, but the running generation provably never opened it.
    NotUsed(Change),
    /// The file that would be exec'ed is open for writing: not settled after all.
    Busy {
        /// Which file.
        path: Arc<Path>,
    },
    /// The executable is not fit to run; the sentence names the file and what is wrong.
    Refused {
        /// Why, in one clause.
        why: String,
    },
    /// Something differs and the executable is fit to run.
    Changed(Change),
}

/// The difference between the disk and what runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Every path that differs, or could not be compared.
    pub paths: Vec<Arc<Path>>,
    /// Bytes of the files that differ.
    pub bytes: u64,
    /// Some were too large to be compared; they count as changed.
    pub beyond_budget: bool,
    /// What the next start would exec is among them.
    pub executable: bool,
}

/// Why a start failed; the exit codes are those of a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartProblem {
    /// Why, in one clause that names the file.
    pub why: String,
    /// 127 not found, 126 not executable.
    pub exit_code: u8,
    /// What has to change before a start can succeed.
    pub obstacle: Obstacle,
}

/// What stands in the way of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The executable: it has to be written again.
    Candidate,
    /// Somebody is writing the executable (`ETXTBSY`): worth another try in a moment.
    Writer,
    /// The system lacks memory, processes or descriptors. No other executable would fare better, so
    /// it is tried again for as long as it takes.
    Shortage,
}
