//! Walks through the rules of settling: events in, the moment of the settlement out. Moments are
//! milliseconds since the first event.

use std::collections::BTreeMap;

use super::*;
use crate::core::{Probe, Session, WriterState};

/// A settler, its clock and the world that answers it.
struct Walk {
    settler: Settler,
    now: Moment,
    /// Each with the moment when it was that old.
    sessions: Vec<(Session, Moment)>,
    stretch: u32,
    /// Who has which file open, and whether the next start would exec it; nobody else does.
    open: BTreeMap<Arc<Path>, (WriterState, bool)>,
    told: Vec<Told>,
}

const BEGIN: Moment = Duration::from_secs(1000);

fn path(name: &str) -> Arc<Path> {
    Path::new("/w").join(name).into()
}

fn within(from: &str) -> What {
    What::MovedWithin { from: path(from) }
}

impl Walk {
    fn new() -> Self {
        Self {
            settler: Settler::new(None, Duration::from_secs(10)),
            now: BEGIN,
            sessions: Vec::new(),
            stretch: 1,
            open: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    fn at(&mut self, ms: u64) -> &mut Self {
        let until = BEGIN + Duration::from_millis(ms);
        assert_eq!(self.settle_before(Some(until)), None, "settled before {ms} ms");
        self.now = until;
        self
    }

    fn file(&mut self, name: &str, what: What) -> &mut Self {
        self.settler.file(&FileEvent { path: path(name), what }, self.now);
        assert_eq!(self.answer(), None);
        self
    }

    fn opened(&mut self, name: &str, writer: WriterState, vital: bool) -> &mut Self {
        self.open.insert(path(name), (writer, vital));
        self
    }

    fn session(&mut self, pid: i32, terminal: bool, age_ms: u64) -> &mut Self {
        self.sessions.push((Session { pid, age_ms, terminal }, self.now));
        self
    }

    fn session_ends(&mut self, pid: i32) -> &mut Self {
        self.sessions.retain(|(it, _)| it.pid != pid);
        self.settler.session_ended(pid);
        self
    }

    /// Answers questions until there is none; the settled set if there is one.
    fn answer(&mut self) -> Option<Settled> {
        loop {
            match self.settler.poll(None, self.now)? {
                Step::LookAround => {
                    let age = |(session, then): &(Session, Moment)| {
                        let since =
                            u64::try_from(self.now.saturating_sub(*then).as_millis()).unwrap();
                        Session { age_ms: session.age_ms + since, ..session.clone() }
                    };
                    let seen = Surroundings {
                        sessions: self.sessions.iter().map(age).collect(),
                        stretch: self.stretch,
                        written: None,
                    };
                    self.settler.looked_around(&seen, self.now);
                }
                Step::Probe(paths) => {
                    let probe = |path: Arc<Path>| {
                        let nobody = (WriterState::Nobody, false);
                        let (writer, vital) = self.open.get(&path).copied().unwrap_or(nobody);
                        Probe { path, writer, vital }
                    };
                    let probes: Vec<_> = paths.into_iter().map(probe).collect();
                    let told = self.settler.probed(&probes, None, self.now);
                    self.told.extend(told);
                }
                Step::Settled(settled) => return Some(settled),
            }
        }
    }

    fn settle_before(&mut self, until: Option<Moment>) -> Option<Settled> {
        loop {
            if let Some(settled) = self.answer() {
                return Some(settled);
            }
            let next = self.settler.deadline(None)?;
            if until.is_some_and(|until| next >= until) {
                return None;
            }
            self.now = self.now.max(next);
        }
    }

    /// When the set settles, in milliseconds, and its names; `None` = never.
    fn settles(&mut self) -> Option<(u64, Vec<String>)> {
        let settled = self.settle_before(None)?;
        let name = |path: &Arc<Path>| {
            path.strip_prefix("/w").unwrap_or(path).to_string_lossy().into_owned()
        };
        Some((self.ms(), settled.paths.iter().map(name).collect()))
    }

    fn ms(&self) -> u64 {
        u64::try_from(self.now.saturating_sub(BEGIN).as_millis()).unwrap()
    }

    /// The set was judged to have changed something, or not.
    fn close(&mut self, real: bool) -> &mut Self {
        self.settler.close(real, self.now);
        self
    }
}

#[allow(clippy::unnecessary_wraps, reason = "compared with what may be None")]
fn settled(ms: u64, names: &[&str]) -> Option<(u64, Vec<String>)> {
    Some((ms, names.iter().map(|&name| name.to_owned()).collect()))
}

#[test]
fn one_file_renamed_in_settles_after_10_ms() {
    let mut walk = Walk::new();
    walk.file("app", What::MovedIn);
    assert_eq!(walk.settles(), settled(10, &["app"]));
}

#[test]
fn a_hard_link_settles_after_20_ms_without_a_close() {
    let mut walk = Walk::new();
    walk.file("app", What::Deleted).file("app", What::Linked);
    assert_eq!(walk.settles(), settled(20, &["app"]));
}

#[test]
fn two_files_settle_after_50_ms_or_three_gaps() {
    let mut walk = Walk::new();
    walk.file("a", What::MovedIn).at(5).file("b", What::MovedIn);
    assert_eq!(walk.settles(), settled(55, &["a", "b"]));
    let mut walk = Walk::new();
    walk.file("a", What::MovedIn).at(5).file("b", What::MovedIn).at(45).file("c", What::MovedIn);
    assert_eq!(walk.settles(), settled(45 + 120, &["a", "b", "c"]));
}

#[test]
fn the_longest_window_is_300_ms() {
    let mut walk = Walk::new();
    walk.file("a", What::MovedIn).file("b", What::MovedIn).at(49).file("c", What::MovedIn);
    walk.at(190).file("d", What::MovedIn);
    assert_eq!(walk.settles(), settled(490, &["a", "b", "c", "d"]));
}

#[test]
fn more_runnable_tasks_than_cores_stretch_the_window_up_to_six_times() {
    for (stretch, ms) in [(0, 20), (2, 40), (9, 120)] {
        let mut walk = Walk::new();
        walk.stretch = stretch;
        walk.file("app", What::Modified).file("app", What::Closed);
        assert_eq!(walk.settles(), settled(ms, &["app"]), "{stretch}");
    }
}

#[test]
fn an_executable_open_for_writing_is_waited_for_without_limit() {
    let mut walk = Walk::new();
    walk.opened("app", WriterState::Foreign, true).file("app", What::Created);
    walk.at(60_000).file("app", What::Modified);
    walk.at(60_100).file("app", What::Closed);
    assert_eq!(walk.settles(), settled(60_120, &["app"]));
    assert_eq!(walk.told, [Told::Waiting(path("app"))]);
}

#[test]
fn a_writer_that_sends_no_close_is_found_gone_by_the_writer_test() {
    let mut walk = Walk::new();
    walk.opened("app", WriterState::Foreign, true).file("app", What::Created);
    walk.at(400).open.clear();
    assert_eq!(walk.settles(), settled(490, &["app"]));
}

#[test]
fn a_silent_writer_of_another_file_delays_by_two_seconds() {
    for writer in [WriterState::Foreign, WriterState::Unknown] {
        let mut walk = Walk::new();
        walk.opened("data", writer, false).file("data", What::Created);
        let (ms, names) = walk.settles().unwrap();
        assert_eq!((ms / 200, names), (10, vec!["data".to_owned()]), "{writer:?}");
    }
}

#[test]
fn a_file_that_the_app_itself_has_open_causes_nothing() {
    let mut walk = Walk::new();
    walk.opened("app.log", WriterState::OwnGeneration, false).file("app.log", What::Modified);
    assert_eq!(walk.settles(), None);
    walk.file("app.log", What::Modified).file("app.log", What::Closed);
    assert_eq!(walk.settles(), None);
    assert_eq!(walk.told, [Told::OwnFile(path("app.log"))]);
}

#[test]
fn an_own_file_is_named_once_whatever_generation_has_it_open() {
    let mut walk = Walk::new();
    walk.opened("app.log", WriterState::OwnGeneration, false).file("app.log", What::Modified);
    assert_eq!(walk.settles(), None);
    walk.settler.forget_own_files();
    walk.file("app.log", What::Modified);
    assert_eq!(walk.settles(), None);
    assert_eq!(walk.told, [Told::OwnFile(path("app.log"))]);
}

#[test]
fn an_own_file_found_by_a_rescan_is_still_the_apps() {
    let mut walk = Walk::new();
    walk.opened("app.log", WriterState::OwnGeneration, false).file("app.log", What::Modified);
    assert_eq!(walk.settles(), None);
    walk.file("app.log", What::Found);
    assert_eq!(walk.settles(), None);
    walk.open.clear();
    walk.file("app.log", What::Found);
    assert_eq!(walk.settles(), settled(60, &["app.log"]));
}

#[test]
fn a_new_file_under_the_name_of_an_own_one_counts() {
    let mut walk = Walk::new();
    walk.opened("app.log", WriterState::OwnGeneration, false).file("app.log", What::Modified);
    assert_eq!(walk.settles(), None);
    let begin = walk.ms();
    walk.file("app.log", What::MovedIn);
    assert_eq!(walk.settles(), settled(begin + 10, &["app.log"]));
}

#[test]
fn tars_late_attributes_extend_the_set_and_touch_nothing_else() {
    let mut walk = Walk::new();
    walk.file("app", What::Deleted).file("app", What::Created).file("app", What::Modified);
    walk.at(3).file("app", What::Closed).at(12).file("app", What::Attributes);
    assert_eq!(walk.settles(), settled(32, &["app"]));
}

#[test]
fn deletions_wait_a_second_for_the_copy_that_follows() {
    let mut walk = Walk::new();
    walk.file("a", What::Deleted).file("b", What::Deleted);
    assert_eq!(walk.settles(), settled(1_000, &["a", "b"]));
    let mut walk = Walk::new();
    walk.file("a", What::Deleted).at(900).file("a", What::MovedIn);
    assert_eq!(walk.settles(), settled(910, &["a"]));
}

#[test]
fn what_came_and_went_is_nothing() {
    let mut walk = Walk::new();
    walk.file("4913", What::Created).file("4913", What::Closed).file("4913", What::Deleted);
    assert_eq!((walk.settles(), walk.settler.is_quiet()), (None, true));
}

#[test]
fn a_temporary_file_is_waited_for_until_it_has_its_name() {
    let mut walk = Walk::new();
    let temporary = ".app.aB3dE9";
    walk.file(temporary, What::Created).at(5).file(temporary, What::Closed);
    walk.at(300).file("app", within(temporary));
    // rsync was at work for 300 ms: it may need 120 ms for the next file.
    assert_eq!(walk.settles(), settled(420, &["app"]));
}

#[test]
fn a_temporary_file_left_behind_is_waited_for_two_seconds_and_never_judged() {
    let mut walk = Walk::new();
    walk.file("app", What::MovedIn)
        .file(".x.aB3dE9", What::Created)
        .file(".x.aB3dE9", What::Closed);
    assert_eq!(walk.settles(), settled(2_000, &["app"]));
}

#[test]
fn an_open_file_is_open_under_its_new_name_too() {
    let mut walk = Walk::new();
    walk.opened("dir2/app", WriterState::Foreign, true).file("dir/app", What::Created);
    walk.file("dir2", What::FolderMoved { from: path("dir") });
    walk.at(500).file("dir2/app", What::Closed);
    assert_eq!(walk.settles(), settled(550, &["dir2", "dir2/app"]));
}

#[test]
fn a_folder_that_is_gone_takes_its_files_along() {
    let mut walk = Walk::new();
    walk.file("dir/new", What::Created).file("dir/old", What::Modified);
    walk.file("dir", What::FolderGone);
    assert_eq!(walk.settles(), settled(1_000, &["dir", "dir/old"]));
}

#[test]
fn the_end_of_a_session_settles_at_once() {
    let mut walk = Walk::new();
    walk.session(50, false, 3).file("a", What::MovedIn).at(700).file("b", What::MovedIn);
    walk.at(1_200).session_ends(50);
    assert_eq!(walk.settles(), settled(1_200, &["a", "b"]));
}

#[test]
fn deletions_wait_for_the_copy_after_the_end_of_their_session_too() {
    let mut walk = Walk::new();
    walk.session(50, false, 3).file("a", What::Deleted).at(2).session_ends(50);
    walk.at(900).session(51, false, 1).file("a", What::MovedIn).at(950).session_ends(51);
    assert_eq!(walk.settles(), settled(950, &["a"]));
}

#[test]
fn a_session_that_lives_on_silently_is_waited_for_one_second() {
    let mut walk = Walk::new();
    walk.session(50, false, 3).file("a", What::MovedIn);
    assert_eq!(walk.settles(), settled(1_000, &["a"]));
}

#[test]
fn a_session_that_goes_on_sending_is_one_set_for_six_times_settle_max() {
    let mut walk = Walk::new();
    walk.session(50, false, 3).file("a", What::MovedIn);
    for second in 1..40 {
        walk.at(second * 900).file("b", What::MovedIn);
    }
    walk.session_ends(50);
    assert_eq!(walk.settles(), settled(39 * 900, &["a", "b"]));
    let mut walk = Walk::new();
    walk.session(50, false, 3).file("a", What::MovedIn);
    for second in 1..67 {
        walk.at(second * 900).file("b", What::MovedIn);
    }
    assert_eq!(walk.settles(), settled(60_000, &["a", "b"]));
}

/// An exec'ed health check beside files that come through the engine: its end settled them at once.
#[test]
fn a_session_that_began_after_the_first_write_ends_nothing() {
    let mut walk = Walk::new();
    for (name, ms) in [("a", 0), ("b", 8), ("c", 16)] {
        walk.at(ms).file(name, What::MovedIn);
    }
    walk.session(50, false, 0).at(37).file("d", What::MovedIn).at(39).session_ends(50);
    assert_eq!(walk.settles(), settled(37 + 63, &["a", "b", "c", "d"]));
}

#[test]
fn a_session_that_follows_another_or_deletions_is_the_author_of_what_it_writes() {
    for first in [What::Deleted, What::MovedIn] {
        let mut walk = Walk::new();
        walk.session(50, false, 3).file("a", first).at(2).session_ends(50);
        walk.at(3).session(51, false, 0).at(4).file("b", What::MovedIn);
        walk.at(40).file("c", What::MovedIn).at(900).session_ends(51);
        assert_eq!(walk.settles(), settled(900, &["a", "b", "c"]));
    }
}

/// Two clients at work side by side; the end of the one that was seen first settled both.
#[test]
fn the_end_of_one_session_is_not_the_end_of_another() {
    let mut walk = Walk::new();
    walk.session(50, false, 3).file("a", What::MovedIn);
    walk.at(5).session(51, false, 0).at(8).file("b", What::MovedIn).session_ends(50);
    walk.at(600).file("c", What::MovedIn).at(900).session_ends(51);
    assert_eq!(walk.settles(), settled(900, &["a", "b", "c"]));
}

/// It may be somebody else's end.
#[test]
fn the_end_of_a_session_waits_for_5_ms_of_quiet() {
    let mut walk = Walk::new();
    walk.session(50, false, 3).file("a", What::MovedIn).at(2).session_ends(50);
    walk.at(4).file("b", What::MovedIn);
    assert_eq!(walk.settles(), settled(54, &["a", "b"]));
    let mut walk = Walk::new();
    walk.session(50, false, 3).file("a", What::MovedIn).session_ends(50);
    assert_eq!(walk.settles(), settled(5, &["a"]));
}

#[test]
fn persons_and_old_sessions_are_no_sync_clients() {
    for (terminal, age_ms) in [(true, 3), (false, 5_001)] {
        let mut walk = Walk::new();
        walk.session(50, terminal, age_ms).file("a", What::MovedIn);
        assert_eq!(walk.settles(), settled(10, &["a"]));
    }
}

#[test]
fn a_log_that_never_rests_delays_the_rest_by_two_seconds() {
    let mut walk = Walk::new();
    walk.opened("other.log", WriterState::Foreign, false);
    walk.file("app", What::MovedIn);
    for ms in (5..2_010).step_by(5) {
        walk.at(ms).file("other.log", What::Modified);
    }
    let (ms, names) = walk.settles().unwrap();
    assert_eq!(names, ["app", "other.log"]);
    // Two seconds, and the pause until the next writer test.
    assert!((2_010..2_200).contains(&ms), "{ms}");
}

#[test]
fn a_tree_that_never_goes_quiet_settles_after_settle_max() {
    let mut walk = Walk::new();
    walk.settler = Settler::new(None, Duration::from_secs(1));
    for ms in (0..1_000).step_by(9) {
        walk.at(ms).file("a", What::Modified).file("a", What::Closed);
    }
    assert_eq!(walk.settles(), settled(1_000, &["a"]));
}

#[test]
fn settle_is_the_least_window() {
    let mut walk = Walk::new();
    walk.settler = Settler::new(Some(Duration::from_millis(250)), Duration::from_secs(10));
    walk.file("app", What::MovedIn);
    assert_eq!(walk.settles(), settled(250, &["app"]));
}

#[test]
fn nothing_settles_during_a_scan() {
    let mut walk = Walk::new();
    walk.settler.scan(true);
    walk.file("a", What::Found);
    assert_eq!(walk.settles(), None);
    walk.at(700).settler.scan(false);
    assert_eq!(walk.settles(), settled(700, &["a"]));
}

#[test]
fn a_scan_takes_a_judgement_back() {
    let mut walk = Walk::new();
    walk.file("a", What::MovedIn);
    assert_eq!(walk.settles(), settled(10, &["a"]));
    walk.settler.scan(true);
    assert!(!walk.settler.is_judging());
    walk.file("b", What::Found).settler.scan(false);
    assert_eq!(walk.settles(), settled(60, &["a", "b"]));
}

#[test]
fn an_event_takes_a_judgement_back() {
    let mut walk = Walk::new();
    walk.file("a", What::MovedIn);
    assert_eq!(walk.settles(), settled(10, &["a"]));
    walk.file("a", What::Modified);
    assert!(!walk.settler.is_judging());
}

#[test]
fn a_cut_that_came_too_early_teaches_a_longer_window_which_decays() {
    let mut walk = Walk::new();
    walk.file("a", What::Modified).file("a", What::Closed);
    assert_eq!(walk.settles(), settled(20, &["a"]));
    walk.close(true).at(120).file("b", What::Modified).file("b", What::Closed);
    assert_eq!(walk.settles(), settled(300, &["b"]));
    walk.close(true);
    let mut windows = Vec::new();
    for second in 10..14 {
        walk.at(second * 1_000).file("a", What::Modified).file("a", What::Closed);
        windows.push(walk.settles().unwrap().0 - second * 1_000);
        walk.close(true);
    }
    assert_eq!(windows, [180, 135, 101, 75]);
}

/// `go build`, and 17 ms later `strip`.
#[test]
fn what_was_learned_stays_as_long_as_it_is_needed() {
    let mut walk = Walk::new();
    walk.file("app", What::MovedIn);
    assert_eq!(walk.settles(), settled(10, &["app"]));
    walk.close(true).at(17).file("st", What::MovedIn);
    walk.settles();
    walk.close(true);
    for build in (10_000..50_000).step_by(2_000) {
        walk.at(build).file("app", What::MovedIn);
        walk.at(build + 17).file("app", What::Modified).file("app", What::Closed);
        assert_eq!(walk.settles(), settled(build + 17 + 25, &["app"]));
        walk.close(true);
    }
}

#[test]
fn a_set_that_was_refused_or_unchanged_teaches_nothing() {
    let mut walk = Walk::new();
    walk.file("a", What::Modified).file("a", What::Closed);
    assert_eq!(walk.settles(), settled(20, &["a"]));
    walk.close(false).at(320).file("a", What::Modified).file("a", What::Closed);
    assert_eq!(walk.settles(), settled(340, &["a"]));
    walk.close(true).at(9_000).file("a", What::Modified).file("a", What::Closed);
    assert_eq!(walk.settles(), settled(9_020, &["a"]));
}

#[test]
fn the_same_file_renamed_in_again_is_a_new_version_and_teaches_nothing() {
    let mut walk = Walk::new();
    for round in 0..5 {
        walk.at(round * 100).file("app", What::MovedIn);
        assert_eq!(walk.settles(), settled(round * 100 + 10, &["app"]));
        walk.close(true);
    }
}

#[test]
fn a_client_that_pauses_inside_its_files_may_pause_between_them() {
    let mut walk = Walk::new();
    walk.opened("a", WriterState::Foreign, true).file("a", What::Modified);
    for ms in [100, 200, 300] {
        walk.at(ms).file("a", What::Modified);
    }
    walk.file("a", What::Closed).file("b", What::Modified).file("b", What::Closed);
    assert_eq!(walk.settles(), settled(450, &["a", "b"]));
}
