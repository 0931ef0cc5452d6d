//! Roots: single files, links, missing and returning ones, nested ones.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

#[test]
fn a_single_file_is_followed_through_every_way_of_saving() {
    let mut field = Field::watching(&["app.yaml", "other"], &["app.yaml"], &[]);
    fs::write(field.at("other"), "2").unwrap();
    fs::write(field.at("app.yaml"), "in place").unwrap();
    field.tells(&["Modified app.yaml", "Closed app.yaml"]);
    fs::rename(field.at("other"), field.at("app.yaml")).unwrap();
    field.tells(&["MovedIn app.yaml"]);
    fs::remove_file(field.at("app.yaml")).unwrap();
    make(&field.top, "app.yaml");
    let expected = ["Deleted app.yaml", "Created app.yaml", "Modified app.yaml", "Closed app.yaml"];
    field.tells(&expected);
    assert_eq!(field.watch.files(), 1);
    field.watch.rebase_all();
    assert_eq!(field.differs("app.yaml"), Difference::Same);
    fs::remove_file(field.at("app.yaml")).unwrap();
    let gone = "app.yaml is gone; it is watched again as soon as it is back";
    field.tells(&["Deleted app.yaml", gone]);
    assert_eq!(field.differs("app.yaml"), Difference::Gone);
}

#[test]
fn a_single_file_behind_swapped_links_is_found() {
    let (keep, top) = folder();
    make(&top, "..v1/app.yaml");
    make(&top, "..v2/app.yaml");
    fs::write(top.join("..v2/app.yaml"), "the other one").unwrap();
    symlink("..v1", top.join("..data")).unwrap();
    symlink("..data/app.yaml", top.join("app.yaml")).unwrap();
    let watch = Watch::new(&[top.join("app.yaml")], Ignore::new(&[]), None);
    let mut field = Field::of(keep, top, watch);
    field.tells(&[]);
    symlink("..v2", field.at("..data_tmp")).unwrap();
    fs::rename(field.at("..data_tmp"), field.at("..data")).unwrap();
    field.tells(&["Found app.yaml"]);
    assert_eq!(field.differs("app.yaml"), Difference::Changed);
    fs::write(field.at("..v2/app.yaml"), "written behind the link").unwrap();
    field.tells(&["Modified app.yaml", "Closed app.yaml"]);
}

#[test]
fn a_folder_behind_a_swapped_link_is_compared() {
    let (keep, top) = folder();
    make(&top, "v1/app");
    make(&top, "v1/lib");
    make(&top, "v2/app");
    symlink("v1", top.join("current")).unwrap();
    let watch = Watch::new(&[top.join("current")], Ignore::new(&[]), None);
    let mut field = Field::of(keep, top, watch);
    field.watch.epoch = i64::MAX;
    field.tells(&[]);
    field.watch.rebase_all();
    symlink("v2", field.at("next")).unwrap();
    fs::rename(field.at("next"), field.at("current")).unwrap();
    field.tells_in_any_order(&["Found current/app", "Found current/lib"]);
    assert_eq!(field.differs("current/lib"), Difference::Gone);
    fs::write(field.at("v2/app"), "2").unwrap();
    field.tells(&["Modified current/app", "Closed current/app"]);
    fs::write(field.at("v1/app"), "2").unwrap();
    field.tells(&[]);
}

#[test]
fn a_root_that_is_missing_is_watched_when_it_comes() {
    let mut field = Field::unswept(&[], &["build/out"], &[]);
    let missing = "build/out does not exist yet; it is watched as soon as it does";
    field.tells(&[missing]);
    make(&field.top, "other");
    field.tells(&[]);
    make(&field.top, "build/out/app");
    field.tells(&["Found build/out/app"]);
    assert_eq!(field.differs("build/out/app"), Difference::New);
    fs::write(field.at("build/out/app"), "2").unwrap();
    field.tells(&["Modified build/out/app", "Closed build/out/app"]);
}

#[test]
fn a_missing_root_that_becomes_a_file_is_told_with_its_writer() {
    let mut field = Field::unswept(&[], &["app"], &[]);
    field.told();
    let file = fs::File::create(field.at("app")).unwrap();
    field.tells(&["Created app"]);
    drop(file);
    field.tells(&["Closed app"]);
    assert_eq!(field.differs("app"), Difference::New);
}

#[test]
fn a_root_removed_and_made_again_is_followed() {
    let mut field = Field::watching(&["build/app", "build/sub/lib"], &["build"], &[]);
    fs::remove_dir_all(field.at("build")).unwrap();
    let expected = [
        "Deleted build/app",
        "Deleted build/sub/lib",
        "FolderGone build",
        "FolderGone build/sub",
        "build is gone; it is watched again as soon as it is back",
    ];
    field.tells_in_any_order(&expected);
    make(&field.top, "build/app");
    field.tells(&["Found build/app"]);
    fs::write(field.at("build/app"), "2").unwrap();
    field.tells(&["Modified build/app", "Closed build/app"]);
    let answers = ["build/app", "build/sub/lib"].map(|path| field.differs(path));
    assert_eq!(answers, [Difference::Changed, Difference::Gone]);
}

#[test]
fn a_root_replaced_by_rename_is_compared() {
    let mut field = Field::watching(&["build/app", "build/a", "next/app"], &["build"], &[]);
    fs::rename(field.at("build"), field.at("last")).unwrap();
    fs::rename(field.at("next"), field.at("build")).unwrap();
    field.tells_in_any_order(&["Found build/a", "Found build/app"]);
    fs::write(field.at("last/app"), "2").unwrap();
    field.tells(&[]);
    fs::write(field.at("build/app"), "2").unwrap();
    field.tells(&["Modified build/app", "Closed build/app"]);
}

#[test]
fn a_folder_above_the_root_replaced_by_rename_is_noticed() {
    let mut field = Field::watching(&["x/y/build/app", "z/y/build/new"], &["x/y/build"], &[]);
    fs::rename(field.at("x"), field.at("old")).unwrap();
    fs::rename(field.at("z"), field.at("x")).unwrap();
    field.tells_in_any_order(&["Found x/y/build/app", "Found x/y/build/new"]);
}

#[test]
fn nested_and_repeated_roots_tell_once() {
    let mut field = Field::watching(
        &["app/bin/server", "app/conf"],
        &["app/bin", "app", "app/bin/server", "app"],
        &[],
    );
    fs::write(field.at("app/bin/server"), "2").unwrap();
    field.tells(&["Modified app/bin/server", "Closed app/bin/server"]);
    assert_eq!((field.watch.files(), field.watch.folders()), (2, 2));
}

#[test]
fn a_root_in_an_ignored_place_of_another_counts() {
    let mut field = Field::watching(&["a/.git/hooks/run", "a/x"], &["a", "a/.git/hooks"], &[]);
    fs::write(field.at("a/.git/hooks/run"), "2").unwrap();
    field.tells(&["Modified a/.git/hooks/run", "Closed a/.git/hooks/run"]);
    assert_eq!(field.differs("a/.git/hooks/run"), Difference::Changed);
}
