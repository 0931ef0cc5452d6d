//! The set that is not settled yet: how far its settling has come.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::set::ChangeSet;
use crate::core::Moment;

/// How far the settler is.
#[derive(Debug)]
pub(super) enum Phase {
    /// Nothing has changed.
    Quiet,
    /// A set is growing or waits for its quiet time.
    Collecting(Pending),
    /// The set is being judged; an event meanwhile takes it back to collecting.
    Judging(Pending),
}

/// A set, and what is known beside its events.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) set: ChangeSet,
    /// When we last looked for sessions, and from when on we may look again.
    pub(super) looked: Option<Moment>,
    pub(super) look_from: Moment,
    /// The writer test may be asked from this moment on, and again after this pause.
    pub(super) probe_from: Moment,
    pub(super) probe_pause: Duration,
    pub(super) session: Origin,
    /// When something was first written that no session that we know of can have written.
    pub(super) unclaimed: Option<Moment>,
    /// Not before this moment, whatever the window says.
    pub(super) not_before: Moment,
    /// The executable whose writer the person was told of.
    pub(super) told: Option<Arc<Path>>,
    /// When an executable was last seen open: the time that it took does not count for
    /// `--settle-max`, or what comes with it would be cut off at its close.
    pub(super) held_up: Moment,
    /// The cut before came this long before the first event of this set: too early, perhaps.
    pub(super) follows: Option<Duration>,
}

impl Pending {
    /// Whether sync sessions wrote all of it.
    pub(super) fn is_by_session(&self) -> bool {
        self.session != Origin::Unknown && self.unclaimed.is_none()
    }

    /// When the set has to do as it is, on a tree that never goes quiet. A known sync session that
    /// goes on sending is one change set, and its end will be told.
    /// `hurry` = and at that moment in any case.
    pub(super) fn latest(
        &self,
        in_session: bool,
        settle_max: Duration,
        hurry: Option<Moment>,
    ) -> Moment {
        let longer = if in_session && self.session == Origin::Session { SESSION_LONGER } else { 1 };
        let longest = self.held_up + settle_max.saturating_mul(longer);
        hurry.map_or(longest, |hurry| hurry.min(longest))
    }
}

/// A whole tree over a slow line takes half a minute; what streams for longer than a minute is no
/// sync, or one that a person wants to see something of.
const SESSION_LONGER: u32 = 6;

/// Whether a sync session wrote the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Unknown,
    Session,
    /// The session has ended and nothing came since.
    EndedSession,
}
