//! What the app runs with, against the disk.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::*;
use crate::watch::stamp::file_clock;
use crate::watch::watcher::can_wait;

#[test]
fn touch_and_an_identical_sync_are_the_same() {
    let mut field = Field::with(&["app", "lib"]);
    field.digested(&["app", "lib"]);
    Command::new("touch").arg(field.at("app")).status().unwrap();
    fs::write(field.at("new"), "content of lib").unwrap();
    fs::rename(field.at("new"), field.at("lib")).unwrap();
    field.told();
    assert_eq!([field.differs("app"), field.differs("lib")], [Difference::Same; 2]);
    fs::write(field.at("app"), "content of app").unwrap();
    field.told();
    assert_eq!(field.differs("app"), Difference::Same);
}

/// The last write before the exec may still be in the kernel's queue: what was read later made a second
/// start, for bytes that ran already.
#[test]
fn what_was_written_before_the_freeze_is_what_the_app_runs_with() {
    let mut field = Field::with(&["app", "lib"]);
    fs::write(field.at("new"), "another content of lib").unwrap();
    fs::rename(field.at("new"), field.at("lib")).unwrap();
    field.watch.freeze();
    field.watch.rebase_all();
    let told = field.told();
    assert!(told.contains(&"MovedWithin new -> lib".to_owned()), "{told:?}");
    assert_eq!(field.differs("lib"), Difference::Same);
}

#[test]
fn other_bytes_of_the_same_size_and_time_are_changed() {
    let mut field = Field::with(&["app"]);
    field.digested(&["app"]);
    let before = fs::metadata(field.at("app")).unwrap().modified().unwrap();
    fs::write(field.at("app"), "CONTENT OF app").unwrap();
    let file = fs::File::options().write(true).open(field.at("app")).unwrap();
    file.set_modified(before).unwrap();
    drop(file);
    field.told();
    assert_eq!(field.differs("app"), Difference::Changed);
}

#[test]
fn without_a_digest_a_touch_is_the_same_and_a_write_cannot_be_told() {
    let mut field = Field::with(&["app", "lib"]);
    Command::new("touch").arg(field.at("app")).status().unwrap();
    fs::write(field.at("lib"), "content of lib").unwrap();
    field.told();
    let answers = [field.differs("app"), field.differs("lib")];
    assert_eq!(answers, [Difference::Same, Difference::CannotTell]);
}

#[test]
fn beyond_the_budget_it_cannot_tell_and_the_budget_is_used_once() {
    let mut field = Field::with(&["app"]);
    field.digested(&["app"]);
    fs::write(field.at("app"), "CONTENT OF app").unwrap();
    field.told();
    let path = field.at("app");
    let mut budget = 5;
    assert_eq!(field.watch.differs(&path, &mut budget), Difference::CannotTell);
    let mut budget = 100;
    assert_eq!(field.watch.differs(&path, &mut budget), Difference::Changed);
    assert_eq!(field.watch.differs(&path, &mut budget), Difference::Changed);
    assert_eq!(budget, 100 - 14);
}

#[test]
fn rights_to_read_and_execute_count_and_write_bits_do_not() {
    let mut field = Field::with(&["app"]);
    let answers = [0o664, 0o755, 0o644].map(|mode| {
        fs::set_permissions(field.at("app"), fs::Permissions::from_mode(mode)).unwrap();
        field.told();
        field.differs("app")
    });
    assert_eq!(answers, [Difference::Same, Difference::Changed, Difference::Same]);
}

#[test]
fn new_gone_and_back_again() {
    let mut field = Field::with(&["app"]);
    field.digested(&["app"]);
    fs::remove_file(field.at("app")).unwrap();
    make(&field.top, "new");
    field.told();
    let answers = ["app", "new", "never"].map(|path| field.differs(path));
    assert_eq!(answers, [Difference::Gone, Difference::New, Difference::Same]);
    make(&field.top, "app");
    fs::remove_file(field.at("new")).unwrap();
    field.told();
    let answers = ["app", "new"].map(|path| field.differs(path));
    assert_eq!(answers, [Difference::Same, Difference::Same]);
}

#[test]
fn a_change_between_freeze_and_start_is_no_part_of_the_baseline() {
    let mut field = Field::with(&["app", "lib"]);
    fs::write(field.at("app"), "for this start").unwrap();
    field.told();
    field.watch.freeze();
    fs::write(field.at("lib"), "too late for this start").unwrap();
    make(&field.top, "new/file");
    field.told();
    field.watch.rebase_all();
    let answers = ["app", "lib", "new/file"].map(|path| field.differs(path));
    assert_eq!(answers, [Difference::Same, Difference::Changed, Difference::New]);
}

#[test]
fn a_change_that_nobody_read_yet_is_no_part_of_the_baseline() {
    let mut field = Field::with(&["app"]);
    field.watch.freeze();
    fs::write(field.at("app"), "too late for this start").unwrap();
    field.watch.rebase_all();
    field.tells(&["Modified app", "Closed app"]);
    assert_eq!(field.differs("app"), Difference::Changed);
}

#[test]
fn what_was_found_the_same_is_the_new_baseline() {
    let mut field = Field::with(&["app", "lib", "a/one"]);
    fs::write(field.at("app"), "2").unwrap();
    fs::remove_file(field.at("lib")).unwrap();
    make(&field.top, "new");
    fs::rename(field.at("a"), field.at("b")).unwrap();
    field.told();
    let paths = ["app", "lib", "new", "a/one", "b/one"].map(|path| field.at(path));
    field.watch.rebase(paths.iter().map(PathBuf::as_path));
    let answers = ["app", "lib", "new", "a/one", "b/one"].map(|path| field.differs(path));
    assert_eq!(answers, [Difference::Same; 5]);
}

#[test]
fn what_changes_between_start_and_sweep_is_found() {
    let mut field =
        Field::unswept(&["a/old", "a/b/older", "c/moved", "d/one"], &["a", "c", "d"], &[]);
    next_tick();
    let executables = field.at("a");
    field.watch.prepare(&executables);
    field.watch.read();
    field.watch.rebase_all();
    fs::write(field.at("a/b/older"), "2").unwrap();
    fs::write(field.at("c/moved"), "2").unwrap();
    fs::create_dir(field.at("c/new")).unwrap();
    fs::write(field.at("a/old"), "2").unwrap();
    // The watches of the roots and of what was prepared were up; the rest is found by its ctime.
    let expected = [
        "Modified c/moved",
        "Closed c/moved",
        "Modified a/old",
        "Closed a/old",
        "Modified a/b/older",
    ];
    field.tells(&expected);
    let answers = ["a/old", "a/b/older", "c/moved", "d/one"].map(|path| field.differs(path));
    let expected =
        [Difference::Changed, Difference::CannotTell, Difference::CannotTell, Difference::Same];
    assert_eq!(answers, expected);
}

#[test]
fn a_long_list_is_left_to_the_sweep_and_what_changes_before_it_is_found() {
    let (keep, top) = folder();
    make(&top, "app");
    for number in 0..4_000 {
        make(&top, &format!("a name as long as many a generated one, {number}"));
    }
    assert!(can_wait(&top));
    let watch = Watch::new(std::slice::from_ref(&top), Ignore::new(&[]), None);
    let mut field = Field::of(keep, top.clone(), watch);
    next_tick();
    field.watch.prepare(&top);
    assert!(field.watch.by_wd.is_empty() && field.watch.scan.is_none());
    field.watch.freeze();
    fs::rename(field.at("app"), field.at("renamed")).unwrap();
    let mut log = fs::File::create(field.at("log")).unwrap();
    field.watch.rebase_all();
    // Who wrote what is so young may write on.
    field.tells_in_any_order(&["Found renamed", "Modified log"]);
    assert_eq!(field.watch.files(), 4_002);
    log.write_all(b"line").unwrap();
    field.tells(&["Modified log"]);
    make(&field.top, "app");
    field.tells(&["Created app", "Modified app", "Closed app"]);
    fs::write(field.at("app"), "2").unwrap();
    field.tells(&["Modified app", "Closed app"]);
}

#[test]
fn what_replaces_the_executables_folder_before_the_sweep_is_watched() {
    let made =
        ["root/a/bin/app", "root/a/bin/lib/one", "root/next/app", "root/next/lib/one", "gone/"];
    let mut field = Field::unswept(&made, &["root"], &[]);
    next_tick();
    let bin = field.at("root/a/bin");
    field.watch.prepare(&bin);
    field.watch.read();
    field.watch.rebase_all();
    field.watch.work(Duration::ZERO); // One folder of the sweep.
    field.watch.by_wd.clear(); // As if it had put no watch yet.
    fs::rename(&bin, field.at("gone/bin")).unwrap();
    fs::rename(field.at("root/next"), &bin).unwrap();
    field.told();
    let paths = ["root/a/bin/app", "root/a/bin/lib/one"];
    assert_eq!(
        paths.map(|path| field.differs(path)),
        [Difference::Changed, Difference::CannotTell]
    );
    for path in paths {
        fs::write(field.at(path), "2").unwrap();
        field.tells(&[&format!("Modified {path}"), &format!("Closed {path}")]);
    }
}

#[test]
fn what_lies_below_the_executables_folder_is_part_of_the_baseline() {
    let mut field = Field::unswept(&["root/a/bin/app", "root/a/bin/lib/one"], &["root"], &[]);
    next_tick();
    let bin = field.at("root/a/bin");
    field.watch.prepare(&bin);
    field.watch.read();
    field.watch.rebase_all();
    field.tells(&[]);
    assert_eq!(field.differs("root/a/bin/lib/one"), Difference::Same);
    assert_eq!((field.watch.files(), field.watch.folders()), (2, 4));
}

#[test]
fn a_root_swapped_before_the_sweep_is_no_baseline() {
    let mut field = Field::unswept(&["v1/a/b/app", "v2/a/b/app"], &["current"], &[]);
    symlink("v1", field.at("current")).unwrap();
    next_tick();
    field.watch = Watch::new(&[field.at("current")], Ignore::new(&[]), None);
    field.watch.rebase_all();
    fs::remove_file(field.at("current")).unwrap();
    symlink("v2", field.at("current")).unwrap();
    field.tells(&["Found current/a/b/app"]);
    assert_eq!(field.differs("current/a/b/app"), Difference::CannotTell);
}

#[test]
fn a_folder_renamed_into_place_between_start_and_sweep_is_doubtful() {
    let mut field = Field::unswept(&["a/b/one", "old/lib", "a/c/two"], &["a"], &[]);
    next_tick();
    field.watch.rebase_all();
    field.watch.by_wd.clear(); // As if not even the root had a watch: nothing is told.
    fs::rename(field.at("old"), field.at("a/b/new")).unwrap();
    field.tells(&["Found a/b/new/lib"]);
    let answers = ["a/b/new/lib", "a/c/two"].map(|path| field.differs(path));
    assert_eq!(answers, [Difference::CannotTell, Difference::Same]);
}

#[test]
fn temporary_files_and_folders_under_ever_new_names_leave_nothing_behind() {
    let mut field = Field::with(&["app"]);
    let before = field.watch.table_bytes();
    for number in 0..1_000 {
        let name = format!("tmp-{number}");
        make(&field.top, &format!("{name}/file"));
        make(&field.top, &format!("{name}.file"));
        field.watch.read();
        field.watch.work(SLICE);
        fs::remove_file(field.at(&format!("{name}.file"))).unwrap();
        fs::remove_dir_all(field.at(&name)).unwrap();
    }
    field.told();
    let (changed, stale) = (field.watch.table.changed.len(), field.watch.stale.len());
    assert_eq!((changed, stale, field.watch.folders()), (0, 0, 1));
    assert!(field.watch.table_bytes() < before + 8_192);
    assert_eq!(field.differs("tmp-7/file"), Difference::Same);
}

/// File times have the kernel's tick, and a tick may come late: waits until the coarse clock is
/// past the true time of this call, so that what comes after has a later time than what was before.
fn next_tick() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    while u128::try_from(file_clock()).unwrap() <= now.as_nanos() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_file_that_was_too_young_gets_its_digest_when_it_is_old_enough() {
    let mut field = Field::with(&["app"]);
    field.watch.rebase_all();
    // As the driver does: the walk, then the deadline, then the walk again.
    let mut rounds = 0;
    loop {
        field.digest();
        let Some(next) = field.watch.deadline() else { break };
        assert!(rounds < 5, "it never gets old enough");
        rounds += 1;
        std::thread::sleep(next.saturating_duration_since(std::time::Instant::now()));
        assert!(field.watch.has_undigested());
    }
    fs::remove_file(field.at("app")).unwrap();
    make(&field.top, "app");
    field.observed();
    assert_eq!(field.differs("app"), Difference::Same);
}
