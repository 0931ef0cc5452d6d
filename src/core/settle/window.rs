//! The quiet time that ends a change set when nothing better tells its end.
//!
//! The starting values come from recorded traces of sync clients: flat windows of 10, 20 and 50 ms
//! split 14, 12 and 5 of 24, the rule below split one, the first time. What was cut too early
//! teaches a longer window, which decays.

use std::time::Duration;

use super::set::{ChangeSet, Shape};
use crate::core::Moment;

/// How long quiet must last, learned from what was cut too early.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    /// `--settle`.
    least: Duration,
    /// From early cuts; zero = nothing learned.
    learned: Duration,
}

impl Window {
    pub(super) fn new(least: Option<Duration>) -> Self {
        Self { least: least.unwrap_or_default(), learned: Duration::ZERO }
    }

    /// What the user wants waited for at least.
    pub(super) fn least(&self) -> Duration {
        self.least
    }

    /// The quiet time that ends this set, counted from its last event.
    pub(super) fn quiet(&self, set: &ChangeSet, stretch: u32) -> Duration {
        let base = match set.shape() {
            Shape::RenamedIn => RENAMED_IN,
            Shape::OnePath => ONE_PATH,
            Shape::Several => {
                let gaps = set.largest_gap() * GAPS;
                gaps.max(set.rhythm() * 3 / 2).clamp(SEVERAL, LONGEST)
            }
            Shape::DeletionsOnly => return DELETIONS.max(self.least),
        };
        let base = base.max((set.streamed() * 5 / 4).min(STREAMED));
        let stretched = base * stretch.clamp(1, MOST_STRETCH);
        stretched.min(LONGEST_STRETCHED).max(self.learned).max(self.least)
    }

    /// A set went on `gap` after its last event although it had been settled.
    pub(super) fn cut_too_early(&mut self, gap: Duration) {
        match lesson(gap) {
            Some(wanted) => self.learned = self.learned.max(wanted),
            None => self.decay(),
        }
    }

    /// A set with gaps up to this one was settled and nothing followed. What was learned counts a
    /// little less, unless this set is of the kind that taught it: `go build` and then `strip`
    /// would be cut at every third build.
    pub(super) fn kept_together(&mut self, gap: Duration) {
        if gap * 2 < self.learned || gap.is_zero() {
            self.decay();
        }
    }

    fn decay(&mut self) {
        self.learned = self.learned * 3 / 4;
        if self.learned < RENAMED_IN {
            self.learned = Duration::ZERO;
        }
    }
}

/// Whether a new event so soon after a settle says that the cut came early.
pub(super) fn proves_early_cut(settled: Moment, now: Moment) -> bool {
    now.saturating_sub(settled) < EARLY_CUT
}

/// The window that would have kept a set together that went on after this gap; `None` = it would
/// be unbearable.
pub(super) fn lesson(gap: Duration) -> Option<Duration> {
    Some(gap * 3 / 2).filter(|wanted| *wanted <= LONGEST_LEARNED)
}

/// One complete file, renamed in: nothing can follow but another file. `mv` in a loop has gaps of
/// 2.7 ms.
const RENAMED_IN: Duration = Duration::from_millis(10);
/// One path written, linked or renamed inside the tree: tar sets times and mode after the close,
/// `go build` leaves 0.1 ms, a git checkout up to 12.6 ms between two files.
const ONE_PATH: Duration = Duration::from_millis(20);
/// Several paths: a sync; rsync leaves 45 to 99 ms between a rename and the next file beside a
/// big one, tar over a slow pipe 17 to 30 ms.
const SEVERAL: Duration = Duration::from_millis(50);
/// A sync's next gap is seldom longer than three of those it showed. A client limited to so many
/// bytes a second sleeps between two files as long as inside one (`rsync --bwlimit`: 100 to 110 ms),
/// so half as much again as the pause that its writers made three times is waited for, too.
const GAPS: u32 = 3;
/// After a file that took it long to send, rsync is silent for up to 0.83 of that time, since the
/// next file waited in the same pipe: 45 to 99 ms were seen. Of a client of whole trees alone:
/// whoever writes one executable slowly and without a temporary name does not wait for this.
const STREAMED: Duration = Duration::from_millis(120);
/// Longer than this helps no recorded client and is felt by a person.
const LONGEST: Duration = Duration::from_millis(300);
/// Clients that delete and copy in separate sessions (compose, Tilt, Skaffold) need up to a second
/// between the two.
const DELETIONS: Duration = Duration::from_secs(1);
/// More runnable tasks than cores stretch every gap: `mv` in a loop, 19 ms apart under three busy
/// loops on two cores, was 35 ms apart under ten. Beyond this it is not load but a hang.
const MOST_STRETCH: u32 = 6;
/// However busy the machine is, nobody waits longer than this for quiet.
const LONGEST_STRETCHED: Duration = Duration::from_millis(900);
/// A change this soon after a settle belongs to the same set more often than to a second edit.
const EARLY_CUT: Duration = Duration::from_secs(1);
/// What would need a longer window is not learned at all: nobody would bear it after every change,
/// and two edits half a second apart are more often two edits.
const LONGEST_LEARNED: Duration = Duration::from_millis(600);
