//! Single files: what each way of writing is told as.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use super::*;

#[test]
fn a_writer_is_created_modified_and_closed() {
    let mut field = Field::with(&[]);
    let mut file = File::create(field.at("app")).unwrap();
    field.tells(&["Created app"]);
    file.write_all(b"1").unwrap();
    file.write_all(b"2").unwrap();
    field.tells(&["Modified app"]);
    drop(file);
    field.tells(&["Closed app"]);
}

#[test]
fn a_rewrite_in_place_is_modified_and_closed() {
    let mut field = Field::with(&["app"]);
    fs::write(field.at("app"), "other").unwrap();
    field.tells(&["Modified app", "Closed app"]);
}

#[test]
fn a_touch_and_a_chmod_are_attributes() {
    let mut field = Field::with(&["app"]);
    Command::new("touch").arg(field.at("app")).status().unwrap();
    field.tells_in_any_order(&["Attributes app", "Closed app"]);
    fs::set_permissions(field.at("app"), fs::Permissions::from_mode(0o755)).unwrap();
    field.tells(&["Attributes app"]);
}

#[test]
fn a_rename_inside_the_tree_names_both_ends() {
    let mut field = Field::with(&["app", "sub/"]);
    fs::write(field.at(".app.Xy12zQ"), "new").unwrap();
    fs::rename(field.at(".app.Xy12zQ"), field.at("app")).unwrap();
    let expected = [
        "Created .app.Xy12zQ",
        "Modified .app.Xy12zQ",
        "Closed .app.Xy12zQ",
        "MovedWithin .app.Xy12zQ -> app",
    ];
    field.tells(&expected);
    fs::rename(field.at("app"), field.at("sub/app")).unwrap();
    field.tells(&["MovedWithin app -> sub/app"]);
    assert_eq!(field.watch.files(), 1);
}

#[test]
fn a_rename_across_the_border_is_moved_in_or_away() {
    let mut field = Field::watching(&["in/", "out/app"], &["in"], &[]);
    fs::rename(field.at("out/app"), field.at("in/app")).unwrap();
    field.tells(&["MovedIn in/app"]);
    fs::rename(field.at("in/app"), field.at("out/app")).unwrap();
    field.tells(&["MovedAway in/app"]);
    fs::rename(field.at("out/app"), field.at("in/app")).unwrap();
    fs::rename(field.at("in/app"), field.at("app")).unwrap();
    field.tells(&["MovedIn in/app", "MovedAway in/app"]);
}

#[test]
fn an_ignored_name_is_outside_the_tree() {
    let mut field = Field::watching(&["main.go", "build/x"], &["."], &["build", "logs/*.log"]);
    fs::write(field.at("4913"), "probe").unwrap();
    fs::write(field.at("build/x"), "2").unwrap();
    fs::create_dir(field.at(".git")).unwrap();
    fs::write(field.at(".git/index"), "2").unwrap();
    fs::create_dir(field.at("logs")).unwrap();
    fs::write(field.at("logs/a.log"), "2").unwrap();
    field.tells(&[]);
    fs::write(field.at("logs/b.log"), "2").unwrap();
    field.tells(&[]);
    fs::rename(field.at("main.go"), field.at("main.go~")).unwrap();
    field.tells(&["MovedAway main.go"]);
    fs::rename(field.at("main.go~"), field.at("main.go")).unwrap();
    field.tells(&["MovedIn main.go"]);
    assert_eq!((field.watch.files(), field.watch.folders()), (1, 2));
}

#[test]
fn a_hard_link_and_a_symbolic_link_are_whole_at_once() {
    let mut field = Field::with(&["deps/app-1234"]);
    fs::hard_link(field.at("deps/app-1234"), field.at("app")).unwrap();
    field.tells(&["Linked app"]);
    symlink("app", field.at("current")).unwrap();
    field.tells(&["Linked current"]);
}

#[test]
fn fifos_and_sockets_are_nothing() {
    let mut field = Field::with(&["app"]);
    nix::unistd::mkfifo(&field.at("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(field.at("socket")).unwrap();
    field.tells(&[]);
    assert_eq!(field.watch.files(), 1);
}

#[test]
fn reading_and_running_files_is_no_event() {
    let mut field = Field::with(&["app"]);
    fs::copy("/bin/true", field.at("app")).unwrap();
    field.told();
    assert!(Command::new(field.at("app")).status().unwrap().success());
    fs::read(field.at("app")).unwrap();
    fs::read_dir(&field.top).unwrap().count();
    field.digested(&[]);
    field.tells(&[]);
}

#[test]
fn delete_and_create_is_told_in_order() {
    let mut field = Field::with(&["app"]);
    fs::remove_file(field.at("app")).unwrap();
    fs::write(field.at("app"), "new").unwrap();
    let expected = ["Deleted app", "Created app", "Modified app", "Closed app"];
    field.tells(&expected);
    let file = OpenOptions::new().append(true).open(field.at("app")).unwrap();
    drop(file);
    field.tells(&["Closed app"]);
}
