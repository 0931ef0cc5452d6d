//! Listening to readers, on real files. `cargo test --lib watch::tests::hearing`

use std::time::SystemTime;

use super::*;

/// Two roots of which the second is listened to, both swept before a start.
fn listening(paths: &[&str]) -> Field {
    let mut field = Field::unswept(paths, &["bin", "src"], &[]);
    field.watch.epoch = i64::MAX;
    let root = field.at("src");
    field.watch.listen(&[root]);
    field.tells(&[]);
    field.watch.freeze();
    field.watch.rebase_all();
    field
}

fn read(field: &Field, path: &str) {
    fs::read(field.at(path)).unwrap();
}

#[test]
fn a_reader_is_heard_below_the_root_that_is_listened_to() {
    let mut field = listening(&["bin/app", "src/conf", "src/sub/page"]);
    read(&field, "bin/app");
    read(&field, "src/conf");
    read(&field, "src/sub/page");
    let signs = ["Opened", "Read", "Read"];
    let of = |name: &str| signs.map(|sign| format!("{sign} {name}"));
    assert_eq!(field.told(), [of("src/conf"), of("src/sub/page")].concat());
}

#[test]
fn a_writer_opens_and_closes() {
    let mut field = listening(&["bin/app", "src/conf"]);
    fs::write(field.at("src/new"), "x").unwrap();
    field.tells(&["Created src/new", "Opened src/new", "Modified src/new", "Closed src/new"]);
}

#[test]
fn our_own_listing_is_not_heard_and_somebody_elses_is() {
    let mut field = listening(&["bin/app", "src/sub/page"]);
    assert_eq!(fs::read_dir(field.at("src/sub")).unwrap().count(), 1);
    // Two reads: the names, and that there are no more.
    field.tells(&["Listed src/sub", "Listed src/sub"]);
    // A tar that extracts into the folder opens it and asks for no name.
    fs::File::open(field.at("src/sub")).unwrap();
    field.tells(&[]);
    fs::create_dir(field.at("src/new")).unwrap();
    fs::write(field.at("src/new/page"), "x").unwrap();
    let told = field.told();
    assert!(!told.iter().any(|it| it.starts_with("Listed")), "{told:?}");
    read(&field, "src/new/page");
    field.tells(&["Opened src/new/page", "Read src/new/page", "Read src/new/page"]);
}

#[test]
fn a_busy_folder_is_deaf_until_the_next_start() {
    let mut field = listening(&["bin/app", "src/conf"]);
    let folder = field.at("src");
    field.watch.stop_listening(&folder);
    read(&field, "src/conf");
    field.tells(&[]);
    fs::write(field.at("src/conf"), "other").unwrap();
    field.tells(&["Modified src/conf", "Closed src/conf"]);
    field.watch.freeze();
    read(&field, "src/conf");
    field.tells(&["Opened src/conf", "Read src/conf", "Read src/conf"]);
}

#[test]
fn what_is_not_listed_at_a_start_may_be_used_unseen() {
    let mut field = Field::unswept(&["bin/app", "src/conf"], &["bin", "src"], &[]);
    let root = field.at("src");
    field.watch.listen(&[root]);
    field.watch.freeze();
    let told = field.told();
    assert!(told.contains(&"Unseen src".to_owned()), "{told:?}");
}

#[test]
fn a_small_tree_is_heard_before_the_first_start() {
    let mut field = Field::unswept(&["bin/app", "src/a/b/c"], &["bin", "src"], &[]);
    let root = field.at("src");
    field.watch.epoch = i64::MAX;
    field.watch.listen(&[root]);
    field.watch.prepare_listening(DEADLINE);
    field.watch.freeze();
    field.tells(&[]);
}

#[test]
fn signs_of_the_old_generation_are_dropped_at_a_start() {
    let mut field = listening(&["bin/app", "src/conf"]);
    read(&field, "src/conf");
    fs::write(field.at("src/conf"), "other").unwrap();
    field.watch.freeze();
    field.tells(&["Modified src/conf", "Closed src/conf"]);
}

#[test]
fn an_overflow_a_polled_root_and_one_that_came_back_are_unseen() {
    let mut field = listening(&["bin/app", "src/conf"]);
    field.watch.overflow();
    let told = field.told();
    assert!(told.contains(&"Unseen src".to_owned()), "{told:?}");

    let mut field = listening(&["bin/app", "src/conf"]);
    fs::rename(field.at("src"), field.at("old")).unwrap();
    make(&field.top.clone(), "src/conf");
    let told = field.told();
    assert!(told.contains(&"Unseen src".to_owned()), "{told:?}");

    let mut field = listening(&["bin/app", "src/conf"]);
    field.watch.poll_also(super::super::polling::Target::All);
    field.tells(&["Unseen src"]);
    field.watch.freeze();
    assert!(field.told().contains(&"Unseen src".to_owned()));
}

#[test]
fn only_wanted_files_are_digested_where_readers_are_heard() {
    let mut field = listening(&["bin/app", "src/conf", "src/main"]);
    digest_wanted(&mut field, "src/conf");
    assert!(!has_digest(&field, "src/main"));
}

#[test]
fn what_the_last_generation_used_is_not_read_under_the_next() {
    let mut field = listening(&["bin/app", "src/conf", "src/page"]);
    let conf = field.at("src/conf");
    field.watch.want_digest(&conf);
    field.watch.freeze();
    digest_wanted(&mut field, "src/page");
    assert!(!has_digest(&field, "src/conf"));
}

/// A folder that was deaf is heard again at the start: what of it was being read then, by us, was
/// taken for unused, and its close for the new app's.
#[test]
fn a_digest_in_the_making_ends_with_its_generation() {
    let mut field = listening(&["bin/app", "src/big"]);
    fs::write(field.at("src/big"), vec![7; 4 << 20]).unwrap();
    field.told();
    let folder = field.at("src");
    field.watch.stop_listening(&folder);
    let deadline = Instant::now() + DEADLINE;
    while !field.watch.is_digesting() {
        field.watch.digest(Duration::ZERO);
        assert!(Instant::now() < deadline, "nothing is read");
    }
    field.watch.freeze();
    field.tells(&[]);
    field.digest();
    read(&field, "src/big");
    let told = field.told();
    assert!(told.contains(&"Opened src/big".to_owned()), "{told:?}");
}

fn has_digest(field: &Field, path: &str) -> bool {
    let (id, name) = field.watch.table.locate(&field.at(path)).unwrap();
    field.watch.table.get(id, &name).unwrap().digest.is_some()
}

/// Wants it once: a file that is too young is remembered.
fn digest_wanted(field: &mut Field, path: &str) {
    let wanted = field.at(path);
    field.watch.want_digest(&wanted);
    digested_at_last(field, path);
}

/// As the driver does: it digests whenever there is something to digest, and not otherwise.
fn digested_at_last(field: &mut Field, path: &str) {
    let deadline = Instant::now() + DEADLINE;
    while !has_digest(field, path) {
        field.digest();
        assert!(Instant::now() < deadline, "no digest");
    }
}

/// A polled folder counts as a whole, so a touch in it made a start.
#[test]
fn where_everything_counts_files_are_digested_though_readers_are_heard() {
    let mut field = listening(&["bin/app", "src/conf"]);
    field.watch.poll_also(super::super::polling::Target::All);
    field.watch.freeze();
    field.watch.rebase_all();
    field.told();
    digested_at_last(&mut field, "src/conf");
    fs::File::open(field.at("src/conf")).unwrap().set_modified(SystemTime::now()).unwrap();
    field.told();
    assert_eq!(field.differs("src/conf"), Difference::Same);
}

/// Nobody may be left to ask for it again: an app that reads its configuration once, at its start.
#[test]
fn a_wanted_file_that_was_too_young_outlasts_a_set_that_came_to_nothing() {
    let mut field = listening(&["bin/app", "src/conf", "src/main"]);
    let (conf, main) = (field.at("src/conf"), field.at("src/main"));
    let deadline = Instant::now() + DEADLINE;
    let mut grew_old = true;
    while grew_old {
        make(&field.top.clone(), "src/conf");
        field.told();
        field.watch.want_digest(&conf);
        field.digest();
        grew_old = has_digest(&field, "src/conf");
        assert!(Instant::now() < deadline, "it is never young");
    }
    field.watch.rebase([main.as_path()]);
    digested_at_last(&mut field, "src/conf");
}

#[test]
fn names_that_came_or_went_are_told_without_opening_anything() {
    let mut field = listening(&["bin/app", "src/conf", "src/old/page"]);
    fs::remove_file(field.at("src/conf")).unwrap();
    make(&field.top.clone(), "src/new/page");
    fs::write(field.at("src/main"), "x").unwrap();
    fs::remove_dir_all(field.at("src/old")).unwrap();
    field.told();
    let names = ["src/conf", "src/new", "src/main", "src/old", "src/none", "bin/app"];
    let found = names.map(|name| field.watch.came_or_went(&field.at(name)));
    assert_eq!(found, [true, true, true, true, false, false]);
}

#[test]
fn a_name_that_went_and_came_back_is_no_news() {
    let mut field = listening(&["bin/app", "src/conf", "src/sub/page"]);
    for path in ["src/conf", "src/sub/page"] {
        fs::remove_file(field.at(path)).unwrap();
        fs::write(field.at(path), "other").unwrap();
    }
    field.told();
    let found = ["src/conf", "src/sub", "src/sub/page"];
    assert_eq!(found.map(|name| field.watch.came_or_went(&field.at(name))), [false; 3]);
    // In a folder that was made after the first start, too.
    make(&field.top.clone(), "src/build/app");
    field.told();
    field.watch.freeze();
    field.watch.rebase_all();
    fs::remove_file(field.at("src/build/app")).unwrap();
    fs::write(field.at("src/build/app"), "other").unwrap();
    field.told();
    assert!(!field.watch.came_or_went(&field.at("src/build/app")));
}
