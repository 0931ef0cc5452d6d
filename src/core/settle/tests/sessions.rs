//! Sync sessions: whose end settles what.

use super::*;

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

/// `relaunch events --follow` without a terminal made every update wait for a second.
#[test]
fn a_session_that_outlives_two_sets_is_no_sync_client() {
    let mut walk = Walk::new();
    walk.session(50, false, 3);
    let mut times = Vec::new();
    for _ in 0..4 {
        let begin = walk.now;
        walk.file("a", What::MovedIn);
        let set = walk.settle_before(None).unwrap();
        times.push((walk.now.saturating_sub(begin).as_millis(), set.by_session));
        walk.settler.close(true, walk.now);
        walk.now += Duration::from_millis(200);
    }
    assert_eq!(times, [(1_000, true), (1_000, true), (10, false), (10, false)]);
    // Nor does its end settle what somebody else writes.
    let begin = walk.now;
    walk.file("a", What::MovedIn).session_ends(50);
    assert!(walk.settle_before(None).is_some());
    assert_eq!(walk.now.saturating_sub(begin).as_millis(), 10);
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
