//! The one clock: monotonic time since the supervisor began.

use std::time::{Duration, Instant};

use crate::core::Moment;

/// Tells the core's `now`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    began: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { began: Instant::now() }
    }

    pub(super) fn now(self) -> Moment {
        self.began.elapsed()
    }

    /// The moment of an instant; the beginning for an earlier one.
    pub(super) fn moment(self, instant: Instant) -> Moment {
        instant.saturating_duration_since(self.began)
    }

    /// What is left until the moment.
    pub(super) fn left(self, until: Moment) -> Duration {
        until.saturating_sub(self.now())
    }
}
