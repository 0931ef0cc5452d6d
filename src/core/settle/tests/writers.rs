//! Open files: who may delay, and for how long.

use super::*;

#[test]
fn a_hard_link_settles_after_20_ms_without_a_close() {
    let mut walk = Walk::new();
    walk.file("app", What::Deleted).file("app", What::Linked);
    assert_eq!(walk.settles(), settled(20, &["app"]));
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
fn an_own_file_is_told_again_when_it_is_found_again() {
    let mut walk = Walk::new();
    walk.opened("app.log", WriterState::OwnGeneration, false).file("app.log", What::Modified);
    assert_eq!(walk.settles(), None);
    walk.file("app.log", What::Modified);
    assert_eq!(walk.settles(), None);
    assert_eq!(walk.told, [Told::OwnFile(path("app.log"))]);
    walk.settler.forget_own_files();
    walk.file("app.log", What::Modified);
    assert_eq!(walk.settles(), None);
    assert_eq!(walk.told, vec![Told::OwnFile(path("app.log")); 2]);
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
fn an_open_file_is_open_under_its_new_name_too() {
    let mut walk = Walk::new();
    walk.opened("dir2/app", WriterState::Foreign, true).file("dir/app", What::Created);
    walk.file("dir2", What::FolderMoved { from: path("dir") });
    walk.at(500).file("dir2/app", What::Closed);
    assert_eq!(walk.settles(), settled(550, &["dir2", "dir2/app"]));
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

impl Walk {
    /// Goes on to the next writer test, which asks for this path alone.
    fn is_tested(&mut self, name: &str) {
        self.now = self.settler.deadline(None).unwrap();
        let asked = self.settler.poll(None, self.now);
        assert_eq!(asked, Some(Step::Probe(vec![path(name)])));
    }

    /// What happens before the answer.
    fn meanwhile(&mut self, name: &str, what: What) -> &mut Self {
        self.now += Duration::from_millis(1);
        self.settler.file(&FileEvent { path: path(name), what }, self.now);
        assert_eq!(self.settler.poll(None, self.now), None, "it does not wait for the answer");
        self
    }

    fn answers(&mut self, name: &str, writer: WriterState, vital: bool) {
        let answer = [Probe { path: path(name), writer, vital }];
        let told = self.settler.probed(&answer, None, self.now);
        self.told.extend(told);
    }
}

/// The last bytes and the close, or the next piece: the file is found closed either way.
#[test]
fn what_happened_while_the_writers_were_tested_counts_before_the_answer() {
    for what in [What::Closed, What::Modified] {
        let mut walk = Walk::new();
        walk.opened("app", WriterState::Foreign, true).file("app", What::Modified).at(300);
        walk.is_tested("app");
        walk.open.clear();
        walk.meanwhile("app", what).answers("app", WriterState::Nobody, true);
        let changed = walk.ms();
        let (ms, names) = walk.settles().unwrap();
        assert!(ms >= changed + 20, "settled {} ms after the change", ms - changed);
        assert_eq!(names, ["app"]);
    }
}

/// With several writers at work something is always open.
#[test]
fn what_was_opened_while_the_writers_were_tested_is_not_waited_for_when_time_is_up() {
    let mut walk = Walk::new();
    walk.opened("a", WriterState::Foreign, false).opened("b", WriterState::Foreign, false);
    walk.file("a", What::Created);
    for second in 1..10 {
        walk.at(second * 1_000).file("a", What::Modified);
    }
    walk.at(9_999);
    walk.is_tested("a");
    assert!(walk.ms() >= 10_000, "{} ms", walk.ms());
    walk.meanwhile("a", What::Closed).meanwhile("b", What::Created);
    walk.answers("a", WriterState::Foreign, false);
    assert_eq!(walk.answer().map(|set| set.paths), Some(vec![path("a"), path("b")]));
}

/// Between the test and its answer a copy, or a temporary file that is still open, took the name.
#[test]
fn a_file_that_took_the_name_while_the_writers_were_tested_is_not_the_apps() {
    let renamed = What::MovedWithin { from: path("new") };
    for (before, what) in [(None, What::Created), (Some(("new", What::Created)), renamed)] {
        let mut walk = Walk::new();
        walk.opened("state", WriterState::OwnGeneration, false).file("state", What::Modified);
        walk.is_tested("state");
        walk.open.clear();
        if let Some((name, what)) = before {
            walk.meanwhile(name, what);
        }
        walk.meanwhile("state", what);
        walk.answers("state", WriterState::OwnGeneration, false);
        walk.file("state", What::Modified);
        let names = walk.settles().map(|(_, names)| names).unwrap();
        assert!(names.contains(&"state".to_owned()), "{names:?}");
        assert_eq!(walk.told, []);
    }
}

#[test]
fn a_file_that_the_app_closed_while_the_writers_were_tested_is_the_apps() {
    let mut walk = Walk::new();
    walk.opened("state", WriterState::OwnGeneration, false).file("state", What::Modified);
    walk.is_tested("state");
    walk.meanwhile("state", What::Closed);
    walk.answers("state", WriterState::OwnGeneration, false);
    assert_eq!(walk.settles(), None);
    assert_eq!(walk.told, [Told::OwnFile(path("state"))]);
}

#[test]
fn an_answer_about_a_set_that_came_to_nothing_says_nothing_of_the_next() {
    let mut walk = Walk::new();
    walk.opened("a", WriterState::Foreign, false).file("a", What::Created);
    walk.is_tested("a");
    walk.meanwhile("a", What::Deleted);
    assert!(!walk.settler.is_quiet(), "a start would not wait for the answer");
    walk.meanwhile("a", What::Created).answers("a", WriterState::Nobody, false);
    let created = walk.ms();
    let (ms, _) = walk.settles().unwrap();
    assert!(ms >= created + 2_000, "settled {} ms after the open", ms - created);
}

#[test]
fn what_happened_during_a_look_around_counts_before_the_answer() {
    let mut walk = Walk::new();
    walk.settler.file(&FileEvent { path: path("a"), what: What::MovedIn }, walk.now);
    assert_eq!(walk.settler.poll(None, walk.now), Some(Step::LookAround));
    walk.meanwhile("b", What::MovedIn);
    assert_eq!(walk.settler.deadline(None), None);
    let seen = Surroundings { at: walk.now, stretch: 1, ..Surroundings::default() };
    walk.settler.looked_around(&seen, walk.now);
    assert_eq!(walk.settles(), settled(1 + 50, &["a", "b"]));
}
