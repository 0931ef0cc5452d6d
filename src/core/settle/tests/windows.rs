//! Windows of quiet, and what early cuts teach.

use super::*;

#[test]
fn one_file_renamed_in_settles_after_10_ms() {
    let mut walk = Walk::new();
    walk.file("app", What::MovedIn);
    assert_eq!(walk.settles(), settled(10, &["app"]));
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
