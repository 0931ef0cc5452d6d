//! Lines for the person, as data; the log turns them into words or JSON.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::generation::{Ending, Generation};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The app runs.
    Started {
        /// Its number.
        generation: Generation,
        /// Its process id.
        pid: i32,
        /// Why it was started.
        reason: Reason,
        /// How long each phase took.
        times: RestartTimes,
    },
    /// The app could not be started.
    StartFailed {
        /// Which start.
        generation: Generation,
        /// Why, with the file's name.
        why: String,
        /// The supervisor waits for the next change; otherwise it ends too.
        held: bool,
    },
    /// The app cannot be started for now; it is tried again, ever more seldom. Said once.
    StartDelayed {
        /// Which start.
        generation: Generation,
        /// What is in the way.
        why: String,
        /// The pause before the next try; it doubles each time.
        pause: Duration,
        /// The longest pause.
        at_most: Duration,
    },
    /// What was in the way of a start that was said to be delayed is gone.
    StartRecovered {
        /// Which start.
        generation: Generation,
        /// How long it was in the way.
        after: Duration,
        /// How many tries failed.
        tries: u32,
    },
    /// A change set came to nothing: same content.
    Unchanged {
        /// One of the paths.
        path: Arc<Path>,
        /// How many there were.
        files: usize,
    },
    /// Something changed that the running generation never opened.
    NotUsed {
        /// One of the paths.
        path: Arc<Path>,
        /// How many there were.
        files: usize,
    },
    /// The new executable is not fit to run.
    Refused {
        /// Why, with the file's name.
        why: String,
        /// The generation that keeps running; `None` = nothing runs.
        running: Option<Generation>,
    },
    /// The new executable broke while the old app was stopping: the last good one is started.
    FellBack {
        /// What is wrong with the new one.
        why: String,
    },
    /// The app ended by itself.
    Exited {
        /// Its number.
        generation: Generation,
        /// How.
        ending: Ending,
        /// How long it ran.
        after: Duration,
        /// The supervisor waits for the next change; otherwise it ends too.
        held: bool,
    },
    /// The old generation is asked to stop for a restart.
    Stopping {
        /// Its number.
        generation: Generation,
        /// What changed.
        reason: Reason,
    },
    /// A generation did not stop in time and is killed.
    Killing {
        /// Its number.
        generation: Generation,
        /// How long it was given.
        after: Duration,
    },
    /// Killed processes are still there, in the kernel's hands.
    Unkillable {
        /// Its number.
        generation: Generation,
    },
    /// A writer keeps the executable open: the restart waits for it.
    WaitingForWriter {
        /// The file.
        path: Arc<Path>,
    },
    /// A file that the app itself keeps open or writes after each start causes no restart.
    OwnWrites {
        /// The file.
        path: Arc<Path>,
    },
    /// A signal that came while the app was being restarted is not passed on: the app does not
    /// handle it and would end.
    SignalDropped {
        /// The app that runs.
        generation: Generation,
        /// The signal's number.
        signal: i32,
    },
    /// The supervisor is asked to end.
    ShuttingDown {
        /// The signal that asked.
        signal: i32,
    },
}

/// Why a generation was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It is the first.
    First,
    /// Files changed.
    Changed {
        /// One of them.
        path: Arc<Path>,
        /// How many.
        files: usize,
        /// Their bytes.
        bytes: u64,
    },
    /// A person or a tool asked for it.
    Requested,
}

/// How long the phases of a restart took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RestartTimes {
    /// From the last event of the set to the judgement.
    pub settle: Duration,
    /// From the stop signal until nothing was left.
    pub stop: Duration,
    /// From the order to start until the exec.
    pub start: Duration,
}
