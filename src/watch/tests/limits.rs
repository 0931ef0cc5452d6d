//! Overflow, no inotify, no more watches, silent mounts; and what it costs.

use std::fs;

use nix::errno::Errno;

use super::*;
use crate::watch::polling::Target;

#[test]
fn after_an_overflow_everything_is_listed_again() {
    let mut field = Field::with(&["keep", "gone", "same", "old/x"]);
    for folder in 0..40 {
        fs::create_dir(field.at(&format!("d{folder}"))).unwrap();
    }
    field.tells(&[]);
    // 40,000 files make 120,000 events; the queue holds 16,384.
    for folder in 0..40 {
        for file in 0..1_000 {
            fs::write(field.at(&format!("d{folder}/f{file}")), "x").unwrap();
        }
    }
    fs::remove_file(field.at("gone")).unwrap();
    fs::remove_dir_all(field.at("old")).unwrap();
    fs::write(field.at("keep"), "changed unsaid").unwrap();
    make(&field.top, "late/one");
    let told = field.told();
    assert_eq!(told.iter().filter(|line| *line == "Overflow").count(), 1);
    let after: Vec<&String> = told.iter().skip_while(|line| *line != "Overflow").collect();
    for line in ["Found keep", "Found gone", "Found late/one", "FolderGone old", "Found d39/f999"] {
        assert!(after.iter().any(|said| *said == line), "{line}");
    }
    assert!(!after.iter().any(|line| line.contains("same")));
    assert_eq!(field.watch.files(), 40_000 + 2 + 1);
    let answers = ["keep", "gone", "same", "d7/f7", "old/x"].map(|path| field.differs(path));
    let expected = [
        Difference::Changed,
        Difference::Gone,
        Difference::Same,
        Difference::New,
        Difference::Gone,
    ];
    assert_eq!(answers, expected);
}

#[test]
fn a_new_tree_of_40000_files_is_whole_though_events_are_lost() {
    let mut field = Field::with(&["keep"]);
    let top = field.top.clone();
    let writer = std::thread::spawn(move || {
        for number in 0..40_000 {
            let folder = top.join(format!("d{}/e{}", number % 7, number % 31));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("f{number}")), "x").unwrap();
        }
    });
    let mut named = std::collections::HashSet::new();
    let mut note = |all: Vec<Observation>| {
        for one in all {
            if let Observation::File(event) = one {
                named.insert(event.path);
            }
        }
    };
    while !writer.is_finished() {
        note(field.watch.read());
        if !field.watch.work(SLICE) {
            let wait = PollFd::new(field.watch.fd().unwrap(), PollFlags::POLLIN);
            poll(&mut [wait], PollTimeout::from(10_u8)).unwrap();
        }
    }
    writer.join().unwrap();
    note(field.observed());
    assert_eq!((field.watch.files(), field.watch.folders()), (40_001, 1 + 7 + 7 * 31));
    assert_eq!(named.len(), 40_000);
}

#[test]
fn without_inotify_everything_is_polled() {
    let (keep, top) = folder();
    make(&top, "a/app");
    make(&top, "single");
    let roots = [top.join("a"), top.join("single"), top.join("late")];
    let watch = Watch::with_queue(Err(Errno::EMFILE), &roots, Ignore::new(&[]), None);
    let mut field = Field::of(keep, top, watch);
    field.watch.epoch = i64::MAX;
    let expected = [
        "the kernel gives no file events (EMFILE: Too many open files); everything is polled, which is slower",
        "late does not exist yet; it is watched as soon as it does",
    ];
    field.tells(&expected);
    assert!(field.watch.fd().is_none());
    field.watch.rebase_all();
    fs::write(field.at("a/app"), "2").unwrap();
    assert_eq!(field.told_later(), ["Found a/app"]);
    fs::write(field.at("single"), "2").unwrap();
    assert_eq!(field.told_later(), ["Found single"]);
    make(&field.top, "late/x");
    assert_eq!(field.told_later(), ["Found late/x"]);
    fs::remove_dir_all(field.at("a")).unwrap();
    let mut gone = field.told_later();
    gone.sort();
    assert_eq!(
        gone,
        ["Deleted a/app", "FolderGone a", "a is gone; it is watched again as soon as it is back"]
    );
    assert_eq!(field.differs("a/app"), Difference::Gone);
}

/// Judged and started with between two polls, and gone again before the second. Found by the
/// simulator.
#[test]
fn what_came_and_went_between_two_polls_is_found_if_a_start_lay_between() {
    let (keep, top) = folder();
    make(&top, "a/app");
    make(&top, "a/went");
    let watch = Watch::with_queue(Err(Errno::EMFILE), &[top.join("a")], Ignore::new(&[]), None);
    let mut field = Field::of(keep, top, watch);
    field.watch.epoch = i64::MAX;
    field.told();
    field.watch.rebase_all();
    make(&field.top, "a/came");
    fs::rename(field.at("a/went"), field.at("beside")).unwrap();
    assert_eq!(field.differs("a/came"), Difference::New);
    assert_eq!(field.differs("a/went"), Difference::Gone);
    field.watch.freeze();
    field.watch.rebase_all();
    fs::remove_file(field.at("a/came")).unwrap();
    fs::rename(field.at("beside"), field.at("a/went")).unwrap();
    let mut found = field.told_later();
    found.sort();
    assert_eq!(found, ["Found a/came", "Found a/went"]);
    assert_eq!(field.differs("a/came"), Difference::Gone);
    assert_eq!(field.differs("a/went"), Difference::New);
}

#[test]
fn a_start_is_followed_by_a_poll_at_once() {
    let (keep, top) = folder();
    make(&top, "app");
    let day = std::time::Duration::from_hours(24);
    let watch = Watch::with_queue(
        Err(Errno::EMFILE),
        std::slice::from_ref(&top),
        Ignore::new(&[]),
        Some(day),
    );
    let mut field = Field::of(keep, top, watch);
    field.watch.epoch = i64::MAX;
    field.told();
    make(&field.top, "lib");
    assert_eq!(field.told(), Vec::<String>::new());
    field.watch.rebase_all();
    assert_eq!(field.told(), ["Found lib"]);
}

#[test]
fn folders_beyond_the_limit_of_watches_are_polled_and_it_is_said_once() {
    let mut field = Field::with(&["a/x", "b/y", "c/z"]);
    for name in ["a", "b"] {
        let id = field.watch.table.locate_folder(&field.at(name)).unwrap();
        let wd = field.watch.wds.remove(&id).unwrap();
        field.watch.by_wd.remove(&wd);
        field.watch.queue.as_ref().unwrap().remove(wd);
        let path = field.at(name);
        field.watch.cannot_watch(id, path, Errno::ENOSPC);
    }
    let told = field.told();
    let expected =
        ["the kernel's limit of watches is reached at a; folders beyond it are polled, which is \
         slower; raise fs.inotify.max_user_watches or ignore large folders"];
    assert_eq!(told, expected);
    fs::write(field.at("b/y"), "2").unwrap();
    assert_eq!(field.told_later(), ["Found b/y"]);
    assert_eq!(field.differs("b/y"), Difference::Changed);
    // The watch could be had again by now.
    fs::write(field.at("b/y"), "3").unwrap();
    field.tells(&["Modified b/y", "Closed b/y"]);
}

#[test]
fn a_mount_that_says_nothing_is_found_out_by_the_slow_poll() {
    let mut field = Field::with(&["app", "lib"]);
    let root = field.watch.roots[0].folder().unwrap();
    field.watch.poll_also(Target::Folder(root));
    // Told by an event: no suspicion.
    fs::write(field.at("app"), "2").unwrap();
    field.tells(&["Modified app", "Closed app"]);
    field.watch.polls[0].next = Instant::now();
    field.tells(&[]);
    // The mount grows silent: the watch is gone and nobody says so.
    for wd in field.watch.wds.values() {
        field.watch.queue.as_ref().unwrap().remove(*wd);
    }
    field.watch.queue.as_ref().unwrap().drain();
    fs::write(field.at("lib"), "2").unwrap();
    let told = field.told_later();
    let said = "lib changed without an event; its root is polled from here on";
    assert_eq!(told, ["Found lib", said]);
}

#[test]
fn a_poll_beside_working_events_says_nothing_more() {
    let (keep, top) = folder();
    make(&top, "app");
    let period = Duration::from_millis(5);
    let watch = Watch::new(std::slice::from_ref(&top), Ignore::new(&[]), Some(period));
    let mut field = Field::of(keep, top, watch);
    field.told();
    for round in 0..50 {
        fs::write(field.at("app"), round.to_string()).unwrap();
        fs::hard_link(
            field.at("app"),
            field.at("..").join(format!("{round}.link-{}", std::process::id())),
        )
        .unwrap();
        let told = field.told();
        fs::remove_file(field.at("..").join(format!("{round}.link-{}", std::process::id())))
            .unwrap();
        assert!(!told.iter().any(|line| line.contains("without an event")), "{told:?}");
    }
}

#[test]
fn a_folder_of_root_moved_by_an_overflow_of_tasks_keeps_its_watches() {
    let mut field = Field::with(&["a/one", "a/b/two"]);
    field.watch.overflow();
    fs::rename(field.at("a"), field.at("z")).unwrap();
    let told = field.told();
    let files = ["Deleted a/one", "Found z/one", "Deleted a/b/two", "Found z/b/two"];
    assert_eq!(told, [&["Overflow", "FolderMoved a -> z"], &files[..]].concat());
    fs::write(field.at("z/b/two"), "2").unwrap();
    field.tells(&["Modified z/b/two", "Closed z/b/two"]);
}

#[test]
fn a_file_of_100_000_takes_about_70_bytes() {
    let (keep, top) = folder();
    for folder in 0..1_000 {
        let folder = top.join(format!("folder-{folder:04}"));
        fs::create_dir(&folder).unwrap();
        for file in 0..10 {
            fs::write(folder.join(format!("source-{file}.rs")), "").unwrap();
        }
    }
    let watch = Watch::new(std::slice::from_ref(&top), Ignore::new(&[]), None);
    let mut field = Field::of(keep, top, watch);
    field.watch.epoch = i64::MAX;
    field.told();
    let each = field.watch.table_bytes() / field.watch.files();
    println!("{each} bytes a file, its share of the folder included");
    assert!(each <= 80, "{each}");
}
