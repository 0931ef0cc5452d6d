//! Evidence of use, sign by sign. `cargo test --lib core::usage`

use super::*;
use std::path::PathBuf;

const NOW: Moment = Duration::ZERO;

fn path(text: &str) -> Arc<Path> {
    Arc::from(Path::new(text))
}

fn usage(signs: &[(&str, Sign)]) -> Usage {
    let mut usage = Usage::default();
    usage.spare(vec![path("/s")]);
    for (name, sign) in signs {
        usage.sign(&UseEvent { path: path(name), sign: *sign }, NOW);
    }
    usage
}

fn of(usage: &Usage, names: &[&str]) -> Vec<Use> {
    names.iter().map(|name| usage.of(Path::new(name))).collect()
}

fn name(text: &str) -> Use {
    Use::Name(path(text))
}

fn told(usage: &mut Usage, name: &str, what: What) {
    usage.file(&FileEvent { path: path(name), what }, true);
}

#[test]
fn what_nobody_opened_is_not_in_use_in_a_spared_root_alone() {
    let usage = usage(&[("/s/conf", Sign::Read)]);
    let found = of(&usage, &["/s/conf", "/s/main.go", "/s/conf.d/x", "/w/lib", "/"]);
    assert_eq!(found, [Use::Counts, Use::None, Use::None, Use::Counts, Use::Counts]);
}

#[test]
fn a_writer_is_told_from_a_reader_by_its_close() {
    let mut usage = usage(&[("/s/a", Sign::Opened), ("/s/b", Sign::Opened)]);
    assert_eq!(of(&usage, &["/s/a", "/s/b"]), [Use::Counts, Use::Counts]);
    told(&mut usage, "/s/a", What::Closed);
    assert_eq!(of(&usage, &["/s/a", "/s/b"]), [Use::None, Use::Counts]);
}

/// A build, and 60 ms later the copy of what it made: that reading restarted an app that knew nothing
/// of the file.
#[test]
fn a_reading_after_the_change_proves_nothing_until_the_next_one() {
    let conf = Path::new("/s/conf");
    let fresh = usage;
    let mut usage = fresh(&[]);
    for what in [What::Created, What::Modified, What::Closed] {
        told(&mut usage, "/s/conf", what);
    }
    let sign = |usage: &mut Usage, sign| {
        usage.sign(&UseEvent { path: path("/s/conf"), sign }, NOW);
    };
    for it in [Sign::Opened, Sign::Read, Sign::Read] {
        sign(&mut usage, it);
    }
    assert_eq!((usage.of(conf), usage.was_read_amid()), (Use::None, false));
    // Judged, and from now on it may be the app that has read it.
    let mut later = usage;
    later.settled();
    assert_eq!(later.of(conf), Use::Counts);
    // A change after the reading in the same set: who read it is stale.
    let mut usage = fresh(&[]);
    told(&mut usage, "/s/conf", What::MovedIn);
    sign(&mut usage, Sign::Read);
    told(&mut usage, "/s/conf", What::MovedIn);
    assert_eq!((usage.of(conf), usage.was_read_amid()), (Use::Counts, true));
    // Read before as well.
    let mut usage = fresh(&[("/s/conf", Sign::Read)]);
    told(&mut usage, "/s/conf", What::MovedIn);
    sign(&mut usage, Sign::Read);
    assert_eq!(usage.of(conf), Use::Counts);
}

#[test]
fn a_reader_beside_a_writer_stays() {
    let mut usage = usage(&[("/s/a", Sign::Opened), ("/s/a", Sign::Read)]);
    told(&mut usage, "/s/a", What::Closed);
    told(&mut usage, "/s/a", What::Closed);
    assert_eq!(usage.of(Path::new("/s/a")), Use::Counts);
}

#[test]
fn in_a_listed_folder_names_count_and_so_does_a_new_folder_on_the_way() {
    let usage = usage(&[("/s/pages", Sign::Listed)]);
    let found = of(&usage, &["/s/pages/a", "/s/pages/new/deep/a", "/s/a", "/s/pages"]);
    assert_eq!(found, [name("/s/pages/a"), name("/s/pages/new"), Use::None, Use::Counts]);
}

#[test]
fn unseen_covers_all_below_and_busy_one_folder() {
    let mut usage = usage(&[("/s/late", Sign::Unseen)]);
    for _ in 0..BUSY {
        usage.sign(&UseEvent { path: path("/s/hot/x"), sign: Sign::Read }, NOW);
    }
    let found = of(&usage, &["/s/late/deep/a", "/s/hot/y", "/s/hot/deep/y", "/s/z"]);
    assert_eq!(found, [Use::Counts, Use::Counts, Use::None, Use::None]);
}

#[test]
fn a_busy_folder_is_told_once_and_slow_reading_does_not_add_up() {
    let mut usage = usage(&[]);
    let read = UseEvent { path: path("/s/x"), sign: Sign::Read };
    let fast: Vec<_> = (0..BUSY + 50).filter_map(|_| usage.sign(&read, NOW)).collect();
    // Read again after the folder's files were forgotten, it is new once more.
    assert_eq!(fast[..2], [Follows::Counts(path("/s/x")), Follows::Busy(path("/s"))]);
    assert!(!fast[2..].contains(&Follows::Busy(path("/s"))));

    usage.forget();
    let slow: Vec<_> =
        (0..500).filter_map(|second| usage.sign(&read, Duration::from_secs(second))).collect();
    assert_eq!(slow, [Follows::Counts(path("/s/x"))]);
}

#[test]
fn a_used_file_is_used_under_its_new_name_too() {
    let mut usage = usage(&[("/s/a", Sign::Read), ("/s/d/x", Sign::Read)]);
    told(&mut usage, "/s/b", What::MovedWithin { from: path("/s/a") });
    told(&mut usage, "/s/e", What::FolderMoved { from: path("/s/d") });
    told(&mut usage, "/s/g", What::FolderMoved { from: path("/s/f") });
    let found = of(&usage, &["/s/a", "/s/b", "/s/e", "/s/e/y", "/s/g", "/s/d"]);
    let counts = [Use::Counts, Use::Counts, Use::Counts, Use::Counts];
    assert_eq!(found[..4], counts);
    assert_eq!(found[4..], [Use::None, Use::Counts]);
}

#[test]
fn a_start_forgets_everything_and_spares_nothing_until_it_is_told() {
    let mut usage = usage(&[("/s/a", Sign::Read), ("/s", Sign::Listed)]);
    usage.forget();
    assert_eq!(of(&usage, &["/s/a", "/s/b"]), [Use::Counts, Use::Counts]);
    usage.spare(vec![path("/s")]);
    assert_eq!(of(&usage, &["/s/a", "/s/b"]), [Use::None, Use::None]);
}

#[test]
fn a_file_that_was_read_before_it_changed_back_is_not_what_it_was() {
    let amid = |name: &str, sign: Sign| {
        let mut usage = usage(&[]);
        told(&mut usage, "/s/d/a", What::Modified);
        usage.sign(&UseEvent { path: path(name), sign }, NOW);
        told(&mut usage, "/s/d/a", What::Modified);
        let found = usage.was_read_amid();
        usage.settled();
        assert!(!usage.was_read_amid());
        found
    };
    let found = [
        amid("/s/d/a", Sign::Read),
        amid("/s/d/b", Sign::Read),
        amid("/s/d", Sign::Listed),
        amid("/s/e", Sign::Listed),
    ];
    assert_eq!(found, [true, false, true, false]);
}

#[test]
fn whoever_opens_what_has_changed_is_waited_for_until_he_tells_what_for() {
    let opened = UseEvent { path: path("/s/conf"), sign: Sign::Opened };
    let mut usage = usage(&[]);
    usage.sign(&opened, NOW);
    assert_eq!(usage.undecided_until(), None);
    told(&mut usage, "/s/conf", What::Modified);
    usage.sign(&opened, NOW);
    assert_eq!(usage.undecided_until(), Some(NOW + COPIER));
    told(&mut usage, "/s/conf", What::Closed);
    assert_eq!(usage.undecided_until(), None);
    usage.sign(&opened, NOW);
    usage.sign(&UseEvent { sign: Sign::Read, ..opened }, NOW);
    assert_eq!(usage.undecided_until(), None);
}

#[test]
fn what_is_written_again_and_again_is_named_a_few_times() {
    let mut usage = usage(&[]);
    let log = path("/s/log");
    let told = (0..50).filter(|_| usage.is_news(&log)).count();
    assert_eq!(told, MOST_TOLD as usize);
}

fn paths(texts: &[&str]) -> Vec<PathBuf> {
    texts.iter().map(PathBuf::from).collect()
}

/// The roots of the classic Go sample, and what of them is spared.
fn sample(executable: &str, named: &[&str], arguments: &[&str]) -> Vec<PathBuf> {
    let executable = Path::new(executable);
    spared(&Scope {
        roots: &paths(&["/l/target", "/l/go/bin", "/workspace", "/workspace/sub"]),
        named: &paths(named),
        target: Some(Path::new("/l/target")),
        executable: [executable; 2],
        arguments: &paths(arguments),
    })
}

#[test]
fn the_other_roots_of_a_named_native_executable_are_spared_but_never_the_target() {
    let named = ["/l/go/bin", "/workspace"];
    let others = paths(&["/workspace", "/workspace/sub"]);
    assert_eq!(sample("/l/go/bin/mod", &named, &[]), others);
    assert_eq!(
        sample("/l/target/bin/mod", &["/l/target"], &[]),
        [PathBuf::from("/l/go/bin"), PathBuf::from("/workspace"), PathBuf::from("/workspace/sub")]
    );
}

#[test]
fn nothing_is_spared_where_the_executable_or_an_argument_lies_in_the_wrong_place() {
    let named = ["/l/go/bin", "/workspace"];
    let nothing: Vec<PathBuf> = Vec::new();
    assert_eq!(sample("/usr/bin/mod", &named, &[]), nothing);
    assert_eq!(sample("/l/go/bin/mod", &["/workspace"], &[]), nothing);
    assert_eq!(sample("/l/go/bin/mod", &named, &["/workspace/conf"]), nothing);
    assert_eq!(sample("/l/go/bin/mod", &named, &["/"]), nothing);
    assert_eq!(sample("/workspace/sub/mod", &named, &[]), paths(&["/l/go/bin"]));
}
