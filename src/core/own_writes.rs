//! The app's own writes: a path that changes soon after each start, without a sync session, is the
//! app's doing, and restarting for it would never end.
//!
//! A person who saves a file twice in a second must not be taken for the app. So the first two such
//! changes restart as usual, the next two only after [`PATIENCE`] without another one, and only when
//! the path changes again right after *those* starts is it the app's. A change at any other time
//! clears the suspicion, and so does a start that no change followed: a build that writes a file on
//! the heels of the executable does so after every other start, the app after each.
//!
//! An app may write another name after each start (a dump with the time in its name, a cache of
//! hashes). So starts in a row that were each followed by *any* such change are counted as well: from
//! [`MANY`] on a change waits for [`PATIENCE`], then twice as long each time, up to [`SELDOM`]. It is
//! never called the app's: a slow copy that was cut again and again looks the same (the simulator found
//! one), and would lose its last file.
//!
//! Who has the file open when somebody looks is known at once; who opened it for one line is gone by
//! then. Once a path is the app's, so is what becomes of it later in a generation that has written it
//! right after its start, as long as that generation writes anything at all.

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
    /// It counts if nothing more comes for so long.
    Postpone(Duration),
    /// It is the app's doing; these paths are named for the first time.
    Own(Vec<Arc<Path>>),
}

/// When a change set began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// A sync session wrote it, so the app did not.
    InSession,
    /// Within [`SOON`] after a start.
    Soon,
    /// At another time.
    Later,
}

#[derive(Debug, Default)]
pub(super) struct OwnWrites {
    suspicions: BTreeMap<Arc<Path>, Suspicion>,
    /// The same for changes of any path.
    any: Option<Suspicion>,
    named: BTreeSet<Arc<Path>>,
    /// What the generation had written at the last look, and at the one before the last verdict.
    written: Option<u64>,
    written_before: Option<u64>,
}

/// A path that changed right after one start, and the next, and so on.
#[derive(Debug, Clone, Copy)]
struct Suspicion {
    starts: u32,
    last: Generation,
}

impl Suspicion {
    fn is_certain(self) -> bool {
        self.starts >= CERTAIN
    }
}

impl OwnWrites {
    /// The generation has written so many bytes so far, if the kernel tells.
    pub(super) fn looked_around(&mut self, written: Option<u64>) {
        self.written = written;
    }

    /// A process of the generation had this file open for writing. Returns whether the person was told
    /// of it before, under any generation.
    pub(super) fn seen_writing(&mut self, path: &Arc<Path>) -> bool {
        let last = self.suspicions.get(path).map_or(Generation(0), |it| it.last);
        self.suspicions.insert(Arc::clone(path), Suspicion { starts: CERTAIN, last });
        !self.named.insert(Arc::clone(path))
    }

    /// Whether this file is the app's for certain.
    pub(super) fn are_certain_of(&self, path: &Path) -> bool {
        self.suspicions.get(path).is_some_and(|it| it.is_certain())
    }

    /// Weighs a change under this generation.
    pub(super) fn weigh(
        &mut self,
        change: &Change,
        when: When,
        generation: Generation,
        postponed: bool,
    ) -> Verdict {
        let before = std::mem::replace(&mut self.written_before, self.written);
        let silent = before.is_some() && before == self.written;
        let own = |path: &Arc<Path>| {
            self.suspicions.get(path).is_some_and(|it| {
                let since = it.last == generation && !silent;
                it.is_certain() && (when == When::Soon || when == When::Later && since)
            })
        };
        if !change.executable && change.paths.iter().all(own) {
            for path in &change.paths {
                self.suspect(path, CERTAIN, generation);
            }
            let new = change.paths.iter().filter(|path| self.named.insert(Arc::clone(path)));
            return Verdict::Own(new.cloned().collect());
        }
        if change.executable || when != When::Soon {
            self.any = None;
            // A line that the app writes to its log beside a new executable clears nothing.
            let (own, others): (Vec<_>, Vec<_>) = change.paths.iter().partition(|path| own(path));
            for path in others {
                self.suspicions.remove(path);
            }
            for path in own {
                self.suspect(path, CERTAIN, generation);
            }
            return Verdict::Counts;
        }
        let starts = change.paths.iter().map(|path| self.starts_before(path, generation));
        let in_a_row = self.in_a_row(generation);
        if !postponed && in_a_row >= MANY {
            let doublings = (in_a_row - MANY).min(SELDOM.as_secs().ilog2());
            return Verdict::Postpone((PATIENCE * (1 << doublings)).min(SELDOM));
        }
        if !postponed && starts.min().unwrap_or(0) >= DOUBTFUL {
            return Verdict::Postpone(PATIENCE);
        }
        self.any = Some(Suspicion { starts: in_a_row + 1, last: generation });
        for path in &change.paths {
            self.suspect(path, self.starts_before(path, generation) + 1, generation);
        }
        Verdict::Counts
    }

    fn suspect(&mut self, path: &Arc<Path>, starts: u32, last: Generation) {
        self.suspicions.insert(Arc::clone(path), Suspicion { starts, last });
    }

    /// After how many starts in a row up to this one anything changed.
    fn in_a_row(&self, generation: Generation) -> u32 {
        match &self.any {
            Some(any) if any.last.next() == generation => any.starts,
            // It was weighed, and not started.
            Some(any) if any.last == generation => any.starts.saturating_sub(1),
            _ => 0,
        }
    }

    /// After how many starts in a row up to this one the path changed.
    fn starts_before(&self, path: &Path, generation: Generation) -> u32 {
        let chain = |it: &&Suspicion| it.is_certain() || it.last.next() == generation;
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
/// So many starts in a row with a change of any path make the next one doubtful: a person who saves
/// file after file pauses for longer, and a sync that was cut so often has taught a longer window.
const MANY: u32 = 5;
/// An app that never leaves its folder alone is restarted this seldom: as on a tree that never goes
/// quiet (the default of `--settle-max`).
const SELDOM: Duration = Duration::from_secs(10);

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
            own.weigh(&log, When::Soon, Generation(1), false),
            own.weigh(&log, When::Soon, Generation(2), false),
            own.weigh(&log, When::Soon, Generation(3), false),
            own.weigh(&log, When::Soon, Generation(3), true),
            own.weigh(&log, When::Soon, Generation(4), false),
            own.weigh(&log, When::Soon, Generation(4), true),
            own.weigh(&log, When::Soon, Generation(5), false),
            own.weigh(&log, When::Soon, Generation(7), false),
        ];
        let expected = [
            Verdict::Counts,
            Verdict::Counts,
            Verdict::Postpone(PATIENCE),
            Verdict::Counts,
            Verdict::Postpone(PATIENCE),
            Verdict::Counts,
            Verdict::Own(log.paths.clone()),
            Verdict::Own(vec![]),
        ];
        assert_eq!(verdicts, expected);
    }

    /// Each start wrote a dump under a new name, and each dump started the app again at once, for ever.
    #[test]
    fn an_app_that_writes_a_new_name_after_each_start_is_restarted_ever_more_seldom() {
        let mut own = OwnWrites::default();
        let mut pauses = Vec::new();
        for generation in 1..=10 {
            let dump = change(&format!("/app/dump-{generation}"));
            let verdict = own.weigh(&dump, When::Soon, Generation(generation), false);
            if let Verdict::Postpone(patience) = verdict {
                pauses.push(patience.as_secs());
                let later = own.weigh(&dump, When::Soon, Generation(generation), true);
                assert_eq!(later, Verdict::Counts);
            } else {
                pauses.push(0);
            }
        }
        assert_eq!(pauses, [0, 0, 0, 0, 0, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn a_change_at_another_time_clears_the_suspicion() {
        let mut own = OwnWrites::default();
        let source = change("/app/main.py");
        own.weigh(&source, When::Soon, Generation(1), false);
        own.weigh(&source, When::Soon, Generation(2), false);
        own.weigh(&source, When::Later, Generation(3), false);
        assert_eq!(own.weigh(&source, When::Soon, Generation(3), false), Verdict::Counts);
    }

    /// A build writes the executable, which is started, and then its data, which is started again;
    /// after that start nothing is written. Build for build this was held against the data.
    #[test]
    fn a_file_on_the_heels_of_each_build_is_never_suspected() {
        let mut own = OwnWrites::default();
        let data = change("/app/data.bin");
        let verdicts: Vec<_> = (0..9)
            .map(|build| own.weigh(&data, When::Soon, Generation(2 + 2 * build), false))
            .collect();
        assert_eq!(verdicts, vec![Verdict::Counts; 9]);
    }

    #[test]
    fn the_executable_is_never_suspected() {
        let mut own = OwnWrites::default();
        let app = Change { executable: true, ..change("/app/bin/app") };
        let verdicts: Vec<_> =
            (0..9).map(|start| own.weigh(&app, When::Soon, Generation(start), false)).collect();
        assert_eq!(verdicts, vec![Verdict::Counts; 9]);
    }

    /// A log that is opened for each line.
    #[test]
    fn later_lines_are_the_apps_as_long_as_it_writes_anything() {
        let mut own = OwnWrites::default();
        let log = change("/app/app.log");
        own.seen_writing(&log.paths[0]);
        let mut weigh = |written, when, generation| {
            own.looked_around(Some(written));
            own.weigh(&log, when, Generation(generation), false)
        };
        assert_eq!(weigh(10, When::Soon, 2), Verdict::Own(vec![]));
        assert_eq!(weigh(20, When::Later, 2), Verdict::Own(vec![]));
        assert_eq!(weigh(20, When::Later, 2), Verdict::Counts);
    }

    /// Its line and a new executable in one set made its log a stranger's, and two starts more.
    #[test]
    fn a_line_beside_a_new_executable_leaves_the_log_the_apps() {
        let mut own = OwnWrites::default();
        let log = change("/app/app.log");
        own.seen_writing(&log.paths[0]);
        own.weigh(&log, When::Soon, Generation(2), false);
        let both = Change {
            paths: vec![Path::new("/app/app").into(), Arc::clone(&log.paths[0])],
            executable: true,
            ..Change::default()
        };
        assert_eq!(own.weigh(&both, When::Later, Generation(2), false), Verdict::Counts);
        assert_eq!(own.weigh(&log, When::Soon, Generation(3), false), Verdict::Own(vec![]));
        assert_eq!(own.weigh(&both, When::InSession, Generation(3), false), Verdict::Counts);
        assert_eq!(own.weigh(&log, When::Soon, Generation(4), false), Verdict::Counts);
    }

    /// A client that sent the log clears the suspicion; the next look at its writer brings it back.
    #[test]
    fn a_log_that_is_seen_again_is_the_apps_again_and_named_once() {
        let mut own = OwnWrites::default();
        let log = change("/app/app.log");
        assert!(!own.seen_writing(&log.paths[0]));
        own.weigh(&log, When::InSession, Generation(2), false);
        assert_eq!(own.weigh(&log, When::Soon, Generation(2), false), Verdict::Counts);
        assert!(own.seen_writing(&log.paths[0]));
        assert_eq!(own.weigh(&log, When::Soon, Generation(3), false), Verdict::Own(vec![]));
    }

    /// Under this generation the app has left it alone.
    #[test]
    fn what_the_app_wrote_under_another_generation_counts_later() {
        let mut own = OwnWrites::default();
        let state = change("/app/state.json");
        own.seen_writing(&state.paths[0]);
        assert_eq!(own.weigh(&state, When::Later, Generation(2), false), Verdict::Counts);
        own.seen_writing(&state.paths[0]);
        assert_eq!(own.weigh(&state, When::InSession, Generation(2), false), Verdict::Counts);
    }
}
