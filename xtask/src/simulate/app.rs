//! The processes of the app: how each generation behaves, and what is alive of it.

use std::time::Duration;

use relaunch_buildpack::core::{Ending, Generation};

/// How the app of a schedule behaves.
#[allow(clippy::struct_excessive_bools, reason = "independent habits of an app")]
#[derive(Debug, Clone, Copy)]
pub(super) struct Manners {
    /// From TERM to its end, at most.
    pub(super) slow_ms: u64,
    /// Generations in 100 that ignore TERM.
    pub(super) ignores_term: u64,
    /// Generations in 100 that leave a helper behind, which outlives the leader.
    pub(super) helpers: u64,
    /// Generations in 100 that end by themselves within 3 s.
    pub(super) crashes: u64,
    /// It keeps a log open and appends to it.
    pub(super) own_log: bool,
    /// It writes a file of its own soon after each start, and closes it.
    pub(super) own_state: bool,
    /// That state has another name after each start.
    pub(super) new_names: bool,
    /// Again and again, as a log that is opened for each line.
    pub(super) heartbeat: bool,
    /// Generations in 100 that handle HUP, from some moment within 3 s on.
    pub(super) handles_hup: u64,
    /// It reads files beside at any time, and lists folders.
    pub(super) curious: bool,
}

/// One generation.
#[allow(clippy::struct_excessive_bools, reason = "four independent facts about a process")]
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub(super) generation: Generation,
    pub(super) leader: bool,
    pub(super) helper: bool,
    pub(super) ignores_term: bool,
    /// It was told to end, so its end is no crash.
    pub(super) asked: bool,
    /// When it began.
    pub(super) begin: Duration,
    /// From when on HUP does not end it.
    pub(super) handles_from: Option<Duration>,
    pub(super) log: Option<usize>,
}

impl Process {
    pub(super) fn is_alive(&self) -> bool {
        self.leader || self.helper
    }
}

/// How a leader that was asked ends.
pub(super) const TERMINATED: Ending = Ending::Signal(15);
/// How one that fails ends.
pub(super) const CRASHED: Ending = Ending::Code(3);
/// A fork and an exec.
pub(super) const SPAWN: (u64, u64) = (300, 2_500);
/// What the app writes by itself it writes this long after its start.
pub(super) const OWN_STATE: Duration = Duration::from_millis(80);
