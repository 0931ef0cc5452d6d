//! Folders that come, go and move; links to folders.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

#[test]
fn files_made_in_a_new_folder_before_its_watch_are_found() {
    let mut field = Field::with(&["old"]);
    make(&field.top, "a/b/one");
    make(&field.top, "a/two");
    field.tells_in_any_order(&["Found a/b/one", "Found a/two"]);
    fs::write(field.at("a/b/one"), "again").unwrap();
    field.tells(&["Modified a/b/one", "Closed a/b/one"]);
}

#[test]
fn an_empty_new_folder_says_nothing() {
    let mut field = Field::with(&[]);
    make(&field.top, "a/b/");
    field.tells(&[]);
    assert_eq!(field.watch.folders(), 3);
}

#[test]
fn a_folder_renamed_into_the_tree_is_found_with_all_below() {
    let mut field = Field::watching(&["in/x", "out/a/one", "out/a/b/two"], &["in"], &[]);
    fs::rename(field.at("out/a"), field.at("in/a")).unwrap();
    field.tells_in_any_order(&["Found in/a/b/two", "Found in/a/one"]);
    fs::write(field.at("in/a/b/two"), "2").unwrap();
    field.tells(&["Modified in/a/b/two", "Closed in/a/b/two"]);
}

#[test]
fn a_folder_renamed_inside_the_tree_moves_with_all_its_files() {
    let mut field = Field::with(&["a/b/one", "a/two", "c/"]);
    fs::rename(field.at("a"), field.at("c/d")).unwrap();
    let files = ["Deleted a/two", "Found c/d/two", "Deleted a/b/one", "Found c/d/b/one"];
    field.tells(&[&["FolderMoved a -> c/d"], &files[..]].concat());
    fs::write(field.at("c/d/b/one"), "1").unwrap();
    field.tells(&["Modified c/d/b/one", "Closed c/d/b/one"]);
    let answers = ["a/two", "c/d/two", "a/b/one"].map(|path| field.differs(path));
    assert_eq!(answers, [Difference::Gone, Difference::New, Difference::Gone]);
    fs::rename(field.at("c/d"), field.at("a")).unwrap();
    // Nobody was started with the names that are gone.
    field.tells(&["FolderMoved c/d -> a", "Found a/two", "Found a/b/one"]);
    let answers = ["a/two", "c/d/two"].map(|path| field.differs(path));
    assert_eq!(answers, [Difference::Same, Difference::Same]);
}

#[test]
fn swapped_folders_are_compared_by_path_and_content() {
    let mut field = Field::with(&["build/app", "build/lib", "next/app", "next/lib"]);
    fs::write(field.at("next/app"), "content of build/app").unwrap();
    fs::write(field.at("next/lib"), "CONTENT OF build/lib").unwrap();
    field.told();
    field.watch.rebase_all();
    field.digested(&["build/app", "build/lib", "next/app", "next/lib"]);
    fs::rename(field.at("build"), field.at("last")).unwrap();
    fs::rename(field.at("next"), field.at("build")).unwrap();
    field.tells(&[
        "FolderMoved build -> last",
        "Deleted build/app",
        "Found last/app",
        "Deleted build/lib",
        "Found last/lib",
        "FolderMoved next -> build",
        "Deleted next/app",
        "Found build/app",
        "Deleted next/lib",
        "Found build/lib",
    ]);
    let answers =
        ["build/app", "build/lib", "last/app", "next/lib"].map(|path| field.differs(path));
    let expected = [Difference::Same, Difference::Changed, Difference::New, Difference::Gone];
    assert_eq!(answers, expected);
    field.watch.rebase_all();
    let answers =
        ["build/app", "build/lib", "last/app", "next/lib"].map(|path| field.differs(path));
    assert_eq!(answers, [Difference::Same; 4]);
}

/// A rule that holds at the new place alone.
#[test]
fn what_an_ignore_rule_covers_in_a_renamed_folder_is_forgotten() {
    let paths = ["next/app", "next/cache/x", "next/b.log"];
    let mut field = Field::watching(&paths, &["."], &["dist/cache", "dist/*.log"]);
    fs::rename(field.at("next"), field.at("dist")).unwrap();
    let told = field.told();
    assert!(told.contains(&"Found dist/app".to_owned()), "{told:?}");
    assert!(!told.iter().any(|it| it.starts_with("Found dist/cache/")), "{told:?}");
    assert!(!told.contains(&"Found dist/b.log".to_owned()), "{told:?}");
    fs::write(field.at("dist/cache/y"), "1").unwrap();
    fs::write(field.at("dist/b.log"), "1").unwrap();
    fs::write(field.at("dist/app"), "1").unwrap();
    field.tells(&["Modified dist/app", "Closed dist/app"]);
}

/// `mv --exchange`: told as two renames of which the second takes back the first.
#[test]
fn exchanged_folders_are_followed() {
    let mut field = Field::with(&["dist/page", "next/page"]);
    for round in ["1", "2"] {
        let (dist, next) = (field.at("dist"), field.at("next"));
        let exchange = nix::fcntl::RenameFlags::RENAME_EXCHANGE;
        nix::fcntl::renameat2(nix::fcntl::AT_FDCWD, &dist, nix::fcntl::AT_FDCWD, &next, exchange)
            .unwrap();
        let told = field.told();
        assert!(told.contains(&"Found dist/page".to_owned()), "{told:?}");
        assert_ne!(field.differs("dist/page"), Difference::Same);
        field.watch.freeze();
        field.watch.rebase_all();
        fs::write(field.at("dist/page"), round).unwrap();
        fs::write(field.at("next/page"), round).unwrap();
        let written = ["Modified dist/page", "Closed dist/page"];
        let both = [written, ["Modified next/page", "Closed next/page"]].concat();
        field.tells(&both);
        field.watch.freeze();
        field.watch.rebase_all();
    }
}

/// What they hold was not listed under their old names.
#[test]
fn folders_renamed_before_their_first_list_are_in_doubt() {
    // With a rule that looks at whole paths a folder is listed anyway when it has moved.
    for ignore in [&[][..], &["a/b"]] {
        let mut field = Field::unswept(&["dist/page", "next/page"], &["."], ignore);
        field.watch.epoch = i64::MAX;
        while field.watch.folders() < 3 {
            field.watch.work(Duration::ZERO);
        }
        field.watch.read();
        fs::rename(field.at("dist"), field.at("last")).unwrap();
        fs::rename(field.at("next"), field.at("dist")).unwrap();
        let told = field.told();
        assert!(told.contains(&"Found dist/page".to_owned()), "{ignore:?}: {told:?}");
        assert_eq!(field.differs("dist/page"), Difference::CannotTell);
    }
}

#[test]
fn a_folder_moved_out_or_removed_is_gone_and_no_longer_watched() {
    let mut field = Field::watching(&["in/a/one", "in/b/two", "out/"], &["in"], &[]);
    fs::rename(field.at("in/a"), field.at("out/a")).unwrap();
    field.tells(&["FolderGone in/a", "Deleted in/a/one"]);
    fs::write(field.at("out/a/one"), "1").unwrap();
    field.tells(&[]);
    fs::remove_dir_all(field.at("in/b")).unwrap();
    field.tells(&["Deleted in/b/two", "FolderGone in/b"]);
    assert_eq!([field.differs("in/a/one"), field.differs("in/b/two")], [Difference::Gone; 2]);
    assert_eq!((field.watch.files(), field.watch.folders()), (0, 1));
}

#[test]
fn a_folder_removed_and_made_again_is_followed() {
    let mut field = Field::with(&["a/one"]);
    fs::remove_dir_all(field.at("a")).unwrap();
    make(&field.top, "a/one");
    field.tells(&["Deleted a/one", "FolderGone a", "Found a/one"]);
    assert_eq!(field.differs("a/one"), Difference::CannotTell);
    fs::write(field.at("a/one"), "1").unwrap();
    field.tells(&["Modified a/one", "Closed a/one"]);
    assert_eq!(field.differs("a/one"), Difference::Changed);
}

#[test]
fn a_swapped_config_map_changes_its_link() {
    let mut field = Field::with(&["..v1/app.yaml"]);
    symlink("..v1", field.at("..data")).unwrap();
    symlink("..data/app.yaml", field.at("app.yaml")).unwrap();
    field.told();
    field.watch.rebase_all();
    make(&field.top, "..v2/app.yaml");
    symlink("..v2", field.at("..data_tmp")).unwrap();
    fs::rename(field.at("..data_tmp"), field.at("..data")).unwrap();
    fs::remove_dir_all(field.at("..v1")).unwrap();
    let expected = [
        "Created ..data_tmp",
        "MovedWithin ..data_tmp -> ..data",
        "Linked ..data",
        "Deleted ..v1/app.yaml",
        "FolderGone ..v1",
        "Found ..v2/app.yaml",
    ];
    field.tells(&expected);
    let answers = ["..data", "app.yaml", "..data_tmp"].map(|path| field.differs(path));
    assert_eq!(answers, [Difference::Changed, Difference::Same, Difference::Same]);
}

#[test]
fn many_reloads_of_a_folder_leave_nothing_behind() {
    let mut field = Field::with(&["a/one"]);
    let size = |field: &mut Field| {
        field.watch.rebase_all();
        (field.watch.table_bytes(), field.watch.wds.len(), field.watch.by_wd.len())
    };
    let round = |field: &mut Field| {
        fs::remove_dir_all(field.at("a")).unwrap();
        make(&field.top, "a/one");
        make(&field.top, "a/b/c/two");
        field.told();
        size(field)
    };
    for _ in 0..5 {
        round(&mut field);
    }
    let early = round(&mut field);
    for _ in 0..300 {
        round(&mut field);
    }
    assert_eq!(round(&mut field), early);
}

/// Compilers write into a folder and rename it in the same breath: when the write is read, its path
/// is gone. Each look after a start found a difference again, and each made another start.
#[test]
fn a_file_written_just_before_its_folder_moved_is_no_difference_after_the_next_start() {
    let mut field = Field::with(&["working/products"]);
    fs::write(field.at("working/products"), "longer than before, by far").unwrap();
    fs::rename(field.at("working"), field.at("final")).unwrap();
    field.told();
    assert_eq!(field.differs("final/products"), Difference::New);
    field.watch.rebase_all();
    assert_eq!(field.differs("final/products"), Difference::Same);
}
