//! The app's own writes: a path that changes soon after each start, without a sync session, is the
//! app's doing, and restarting for it would never end.
//!
//! A person who saves a file twice in a second must not be taken for the app. So the first two such
//! changes restart as usual, the next two only after [`PATIENCE`] without another one, and only when
//! the path changes again right after *those* starts is it the app's. A change at any other time
//! clears the suspicion, and so does a start that no change followed: a build that writes a file on
//! the heels of the executable does so after every other start, the app after each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Change, Generation};

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
    suspicions: BTreeMap<Arc<Path>, Suspicion>,
    named: BTreeSet<Arc<Path>>,
}

/// A path that changed right after one start, and the next, and so on.
#[derive(Debug, Clone, Copy)]
struct Suspicion {
    starts: u32,
    last: Generation,
}

impl OwnWrites {
    /// Weighs a change; `after` = it began within [`SOON`] after this start and no session wrote it.
    pub(super) fn weigh(
        &mut self,
        change: &Change,
        after: Option<Generation>,
        postponed: bool,
    ) -> Verdict {
        let Some(after) = after.filter(|_| !change.executable) else {
            for path in &change.paths {
                self.suspicions.remove(path);
            }
            return Verdict::Counts;
        };
        let starts = change.paths.iter().map(|path| self.starts_before(path, after));
        match starts.min().unwrap_or(0) {
            CERTAIN.. => {
                let new = change.paths.iter().filter(|path| self.named.insert(Arc::clone(path)));
                Verdict::Own(new.cloned().collect())
            }
            DOUBTFUL.. if !postponed => Verdict::Postpone,
            _ => {
                for path in &change.paths {
                    let starts = self.starts_before(path, after) + 1;
                    self.suspicions.insert(Arc::clone(path), Suspicion { starts, last: after });
                }
                Verdict::Counts
            }
        }
    }

    /// After how many starts in a row up to this one the path changed.
    fn starts_before(&self, path: &Path, after: Generation) -> u32 {
        let chain = |it: &&Suspicion| it.starts >= CERTAIN || it.last.next() == after;
        self.suspicions.get(path).filter(chain).map_or(0, |it| it.starts)
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

    fn after(start: u64) -> Option<Generation> {
        Some(Generation(start))
    }

    fn change(path: &str) -> Change {
        Change { paths: vec![Path::new(path).into()], ..Change::default() }
    }

    #[test]
    fn the_fifth_write_right_after_a_start_is_the_apps() {
        let mut own = OwnWrites::default();
        let log = change("/app/state.json");
        let verdicts = [
            own.weigh(&log, after(1), false),
            own.weigh(&log, after(2), false),
            own.weigh(&log, after(3), false),
            own.weigh(&log, after(3), true),
            own.weigh(&log, after(4), false),
            own.weigh(&log, after(4), true),
            own.weigh(&log, after(5), false),
            own.weigh(&log, after(7), false),
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
        own.weigh(&source, after(1), false);
        own.weigh(&source, after(2), false);
        own.weigh(&source, None, false);
        assert_eq!(own.weigh(&source, after(3), false), Verdict::Counts);
    }

    /// A build writes the executable, which is started, and then its data, which is started again;
    /// after that start nothing is written. Build for build this was held against the data.
    #[test]
    fn a_file_on_the_heels_of_each_build_is_never_suspected() {
        let mut own = OwnWrites::default();
        let data = change("/app/data.bin");
        let verdicts: Vec<_> =
            (0..9).map(|build| own.weigh(&data, after(2 + 2 * build), false)).collect();
        assert_eq!(verdicts, vec![Verdict::Counts; 9]);
    }

    #[test]
    fn the_executable_is_never_suspected() {
        let mut own = OwnWrites::default();
        let app = Change { executable: true, ..change("/app/bin/app") };
        let verdicts: Vec<_> = (0..9).map(|start| own.weigh(&app, after(start), false)).collect();
        assert_eq!(verdicts, vec![Verdict::Counts; 9]);
    }
}
