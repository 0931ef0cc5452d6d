//! What each kind of change proves: deletions, temporary files, folders, scans.

use super::*;

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
fn a_folder_that_is_gone_takes_its_files_along() {
    let mut walk = Walk::new();
    walk.file("dir/new", What::Created).file("dir/old", What::Modified);
    walk.file("dir", What::FolderGone);
    assert_eq!(walk.settles(), settled(1_000, &["dir", "dir/old"]));
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
