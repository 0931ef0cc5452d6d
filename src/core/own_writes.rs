//! The app's own writes: a path that changes soon after each start, without a sync session, is the
//! app's doing, and restarting for it would never end.
//!
//! A person who saves a file twice in a second must not be taken for the app. So the first two such
//! changes restart as usual, the next two only after [`PATIENCE`] without another one, and only when
//! the path changes again right after *those* starts is it the app's. A change at any other time
//! clears the suspicion.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Change;

/// What a change soon after a start amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It counts.
    Counts,
    /// It counts if nothing more comes for [`PATIENCE`].
    Postpone,
    /// It is the app's doing; these paths are named for the first time.
    Own(Vec<Arc<Path>>),
}

#[derive(Debug, Default)]
pub(super) struct OwnWrites {
    suspicions: BTreeMap<Arc<Path>, u32>,
    named: BTreeSet<Arc<Path>>,
}

impl OwnWrites {
    /// Weighs a change; `soon` = it began within [`SOON`] after a start and no session wrote it.
    pub(super) fn weigh(&mut self, change: &Change, soon: bool, postponed: bool) -> Verdict {
        if change.executable || !soon {
            for path in &change.paths {
                self.suspicions.remove(path);
            }
            return Verdict::Counts;
        }
        let count = |path| self.suspicions.get(path).copied().unwrap_or(0);
        match change.paths.iter().map(count).min().unwrap_or(0) {
            CERTAIN.. => {
                let new = change.paths.iter().filter(|path| self.named.insert(Arc::clone(path)));
                Verdict::Own(new.cloned().collect())
            }
            DOUBTFUL.. if !postponed => Verdict::Postpone,
            _ => {
                for path in &change.paths {
                    *self.suspicions.entry(Arc::clone(path)).or_default() += 1;
                }
                Verdict::Counts
            }
        }
    }
}

/// An app writes what it writes at start within its first second.
pub(super) const SOON: Duration = Duration::from_secs(1);
/// A person who saves again and again pauses less than this.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// So many changes right after a start make a change doubtful.
const DOUBTFUL: u32 = 2;
/// So many make it certain. With one less the simulator found a series of foreign writes that was
/// taken for the app's, once in 180,000 schedules.
const CERTAIN: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str) -> Change {
        Change { paths: vec![Path::new(path).into()], ..Change::default() }
    }

    #[test]
    fn the_fifth_write_right_after_a_start_is_the_apps() {
        let mut own = OwnWrites::default();
        let log = change("/app/state.json");
        let verdicts = [
            own.weigh(&log, true, false),
            own.weigh(&log, true, false),
            own.weigh(&log, true, false),
            own.weigh(&log, true, true),
            own.weigh(&log, true, false),
            own.weigh(&log, true, true),
            own.weigh(&log, true, false),
            own.weigh(&log, true, false),
        ];
        let expected = [
            Verdict::Counts,
            Verdict::Counts,
            Verdict::Postpone,
            Verdict::Counts,
            Verdict::Postpone,
            Verdict::Counts,
            Verdict::Own(log.paths.clone()),
            Verdict::Own(vec![]),
        ];
        assert_eq!(verdicts, expected);
    }

    #[test]
    fn a_change_at_another_time_clears_the_suspicion() {
        let mut own = OwnWrites::default();
        let source = change("/app/main.py");
        own.weigh(&source, true, false);
        own.weigh(&source, true, false);
        own.weigh(&source, false, false);
        assert_eq!(own.weigh(&source, true, false), Verdict::Counts);
    }

    #[test]
    fn the_executable_is_never_suspected() {
        let mut own = OwnWrites::default();
        let app = Change { executable: true, ..change("/app/bin/app") };
        let verdicts: Vec<_> = (0..9).map(|_| own.weigh(&app, true, false)).collect();
        assert_eq!(verdicts, vec![Verdict::Counts; 9]);
    }
}
