//! The states of the life. Each carries exactly what it needs.

use std::time::Duration;

use super::kept::Kept;
use crate::core::{Generation, Moment, Program, Reason, RestartTimes, Stop};

/// Where the app is in its life, without what the machine needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its start was ordered or is due.
    Starting,
    /// It is up.
    Running,
    /// It is being stopped for its next start.
    Restarting,
    /// It has ended by itself or could not be started; the next change starts it.
    Held,
    /// The supervisor ends.
    Ending,
}

/// Where the app is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) enum State {
    /// Nothing runs.
    Waiting(Waiting),
    /// The exec was ordered.
    Starting {
        due: Due,
        ordered: Moment,
        /// The supervisor was asked to end meanwhile.
        then_stop: Option<Asked>,
    },
    /// The app runs.
    Running {
        generation: Generation,
        since: Moment,
        /// When its files are looked at once more.
        recheck: Option<Moment>,
        /// What came before it was there.
        kept: Option<Kept>,
    },
    /// The app has ended by itself; helpers of its generation may still run.
    Left { generation: Generation, since: Moment },
    /// The generation is being stopped.
    Stopping { generation: Generation, phase: StopPhase, next: Next },
    /// The supervisor ends.
    Ended,
}

/// A request to end that came before the app was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct Asked {
    pub(super) stop: Stop,
    /// When it came.
    pub(super) since: Moment,
}

/// What a start waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) enum Waiting {
    /// The next change.
    Idle,
    /// That no change set is pending: the old generation is gone, the new one is due.
    ToStart(Due),
    /// A moment after a failure that passes by itself; then as above, for whoever made it fail may
    /// be writing.
    ToRetry { at: Moment, due: Due },
}

/// A start that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) struct Due {
    /// Its number; tried again, it keeps it.
    pub(super) generation: Generation,
    pub(super) reason: Reason,
    pub(super) times: RestartTimes,
    /// Since when nothing runs that should.
    pub(super) since: Moment,
    /// What is to be exec'ed at the next try.
    pub(super) program: Program,
    /// What has been in its way for so long that it was said.
    pub(super) delay: Option<Delay>,
    /// Signals for an app that is not there yet, in order.
    pub(super) kept: Vec<i32>,
}

impl Due {
    pub(super) fn new(
        generation: Generation,
        reason: Reason,
        times: RestartTimes,
        since: Moment,
    ) -> Self {
        let (program, delay, kept) = (Program::Current, None, Vec::new());
        Self { generation, reason, times, since, program, delay, kept }
    }
}

/// A start that fails again and again for a reason that is not the executable's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct Delay {
    /// Since when.
    pub(super) since: Moment,
    /// How many tries failed.
    pub(super) tries: u32,
    /// The pause after the last one.
    pub(super) pause: Duration,
}

/// How far a stop has come; `begun` = when the app was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum StopPhase {
    /// The app was asked; killed at the deadline.
    Asked { deadline: Moment, begun: Moment },
    /// The app has ended, its helpers were asked.
    Rest { deadline: Moment, begun: Moment },
    /// Everything is being killed, in rounds, since the deadline `since`.
    Killing { next_round: Moment, since: Moment, begun: Moment },
}

impl StopPhase {
    pub(super) fn deadline(self) -> Moment {
        match self {
            Self::Asked { deadline, .. } | Self::Rest { deadline, .. } => deadline,
            Self::Killing { next_round, .. } => next_round,
        }
    }

    pub(super) fn begun(self) -> Moment {
        match self {
            Self::Asked { begun, .. } | Self::Rest { begun, .. } | Self::Killing { begun, .. } => {
                begun
            }
        }
    }
}

/// What follows when nothing of the generation is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) enum Next {
    Start {
        reason: Reason,
        times: RestartTimes,
        /// As in [`Due`].
        kept: Vec<i32>,
    },
    Exit {
        code: u8,
    },
}
