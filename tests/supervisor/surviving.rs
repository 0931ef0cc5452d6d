//! The watch goes on: overflow, folders that go and come, symlink swaps, several roots.

use std::fs;

use nix::sys::signal::Signal;

use crate::apps;
use crate::runner::Case;
use crate::world::{Run, Setup, pause};

pub(crate) const CASES: &[Case] = &[
    ("40,000 files at once overflow the queue and restart once", overflow),
    ("a folder removed and made again is watched again", folder_made_again),
    ("a folder moved away and another moved in restarts once", folder_swapped),
    ("a folder made in an earlier set and moved in restarts once", folder_moved_in_later),
    ("a folder that is moved out restarts once", folder_moved_out),
    ("a folder that is moved away and back does not restart", folder_moved_and_back),
    ("the swap of a ConfigMap's link restarts once", config_map),
    ("a second root counts", second_root),
    ("a root that comes later is watched from then on", a_root_that_comes_later),
    ("an executable that is a link to a version restarts once", linked_version),
    ("an executable behind a link is watched where it lies", behind_a_link),
    ("a synced file stands in for the command", stand_in),
    ("polling sees a change and restarts once", polling),
];

fn overflow() {
    let setup = Setup::elf();
    fs::create_dir(setup.path("tree/many")).unwrap();
    let run = setup.start();
    run.story();
    // Nobody reads the queue meanwhile, so that it overflows for sure.
    run.signal_supervisor(Signal::SIGSTOP);
    run.shell(
        "cd tree/many
         python3 -c 'for i in range(40000): open(str(i), \"w\").close()'",
    );
    run.shell("mv new tree/app");
    run.signal_supervisor(Signal::SIGCONT);
    run.wait_for("start 2");
    let (said, life): (Vec<_>, Vec<_>) =
        run.story().into_iter().partition(|line| line.starts_with("warning"));
    // The overflow is the queue's last word: on a busy machine the set settles while the events
    // before it are read, and the restart begins first.
    let warning = "warning: more changed at once than the kernel remembers; comparing everything";
    assert_eq!(said, [warning], "{}", run.everything());
    assert_eq!(life, ["start 1", "stop 1", "start 2"], "{}", run.everything());
    run.assert_runs("v2");
    run.publish(&apps::elf("v3"));
    run.wait_for_version("v3");
    run.assert_runs("v3");
}

const GONE: &str = "warning: tree is gone; it is watched again as soon as it is back";

/// Whether the supervisor saw the folder missing depends on who was faster.
fn assert_two_restarts_and_perhaps_gone(run: &Run) {
    run.wait_for("start 3");
    let mut story = run.story();
    assert!(story.iter().filter(|line| *line == GONE).count() <= 1, "{}", run.everything());
    story.retain(|line| line != GONE);
    let expected = ["start 1", "stop 1", "start 2", "stop 2", "start 3"];
    assert_eq!(story, expected, "{}", run.everything());
}

fn folder_made_again() {
    let run = Setup::elf().start();
    run.shell("rm -r tree; mkdir tree; cp new tree/app");
    run.wait_for_version("v2");
    run.story();
    run.publish(&apps::elf("v3"));
    assert_two_restarts_and_perhaps_gone(&run);
    run.assert_runs("v3");
}

/// What is in it was judged, and started, under its old name.
fn folder_moved_in_later() {
    let run = Setup::elf().start();
    run.shell("mkdir tree/dist; echo one > tree/dist/page");
    run.wait_for_start(2);
    run.shell("mkdir tree/next; echo two > tree/next/page");
    run.wait_for_start(3);
    run.story();
    run.shell("mv tree/dist tree/last; mv tree/next tree/dist");
    run.wait_for_start(4);
    assert_eq!(run.starts(), 4, "{}", run.everything());
}

/// A page below the executable's folder, older by more than a tick of the kernel's clock than the app:
/// younger ones are in doubt once.
fn with_a_page() -> Setup {
    let setup = Setup::elf();
    fs::create_dir_all(setup.path("tree/pages")).unwrap();
    fs::write(setup.path("tree/pages/one"), "one").unwrap();
    pause(20);
    setup
}

fn folder_moved_out() {
    let run = with_a_page().start();
    run.wait_for_rest();
    run.shell("mv tree/pages elsewhere");
    run.assert_story(&["start 1", "stop 1", "start 2"]);
}

fn folder_moved_and_back() {
    let run = with_a_page().start();
    run.wait_for_rest();
    run.shell("mv tree/pages tree/elsewhere; mv tree/elsewhere tree/pages");
    run.wait_for("unchanged tree/");
    assert_eq!(run.starts(), 1, "{}", run.everything());
}

fn folder_swapped() {
    let run = Setup::elf().start();
    run.shell("mkdir next; cp new next/app; mv tree gone; mv next tree");
    run.wait_for_version("v2");
    run.story();
    run.shell("touch gone/app; echo > gone/other");
    run.publish(&apps::elf("v3"));
    assert_two_restarts_and_perhaps_gone(&run);
    run.assert_runs("v3");
}

/// Kubernetes makes a folder with a new name and swaps the link `..data` by renaming another over.
fn config_map() {
    let setup = Setup::elf();
    let config = setup.path("config");
    fs::create_dir_all(config.join("..one")).unwrap();
    fs::write(config.join("..one/line"), "started version=v1 pid=0\n").unwrap();
    std::os::unix::fs::symlink("..one", config.join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/line", config.join("line")).unwrap();
    apps::write_executable(
        &setup.path("tree/app"),
        b"#!/bin/sh\ncat config/line\nexec sleep 1000\n",
    );
    let run = setup.flags(&["--watch", &config.display().to_string()]).start();
    run.shell(
        "cd config; mkdir ..two; echo 'started version=v2 pid=0' > ..two/line
         ln -s ..two ..data_tmp; mv -T ..data_tmp ..data; rm -r ..one",
    );
    run.assert_story(&["start 1", "stop 1", "start 2"]);
    run.wait_for_version("v2");
}

fn second_root() {
    let setup = Setup::elf();
    let other = setup.path("other");
    fs::create_dir(&other).unwrap();
    let flags = ["--restart-on=any", "--watch", &other.display().to_string()];
    let run = setup.flags(&flags).start();
    run.shell("echo data > other/data");
    run.assert_one_restart_to("v1");
    run.publish(&apps::elf("v2"));
    run.assert_story(&["start 1", "stop 1", "start 2", "stop 2", "start 3"]);
    run.assert_runs("v2");
}

fn a_root_that_comes_later() {
    let setup = Setup::elf();
    let later = setup.path("not/yet/there");
    let flags = ["--restart-on=any", "--watch", &later.display().to_string()];
    let run = setup.flags(&flags).start();
    run.shell("mkdir -p not/yet/there; echo data > not/yet/there/data");
    let missing = "warning: not/yet/there does not exist yet; it is watched as soon as it does";
    run.assert_story(&[missing, "start 1", "stop 1", "start 2"]);
    run.assert_runs("v1");
    run.wait_for_rest();
    run.shell("echo other > not/yet/there/data");
    run.assert_story(&[missing, "start 1", "stop 1", "start 2", "stop 2", "start 3"]);
    run.assert_runs("v1");
}

/// As release tools do: versions in folders, a link that says which one runs.
fn linked_version() {
    let setup = Setup::elf();
    let link = setup.path("tree/app");
    fs::remove_file(&link).unwrap();
    fs::create_dir_all(setup.path("tree/v1")).unwrap();
    apps::write_executable(&setup.path("tree/v1/app"), &apps::elf("v1"));
    std::os::unix::fs::symlink("v1/app", &link).unwrap();
    let run = setup.start();
    run.shell("mkdir tree/v2; cp new tree/v2/app; ln -s v2/app tree/tmp; mv -T tree/tmp tree/app");
    run.assert_one_restart_to("v2");
}

/// As in `node_modules/.bin`: nothing but the default rule says what to watch.
fn behind_a_link() {
    let setup = Setup::elf();
    fs::create_dir_all(setup.path("home/bin")).unwrap();
    fs::create_dir_all(setup.path("home/real")).unwrap();
    apps::write_executable(&setup.path("home/real/app"), &apps::elf("v1"));
    std::os::unix::fs::symlink("../real/app", setup.path("home/bin/app")).unwrap();
    let run = setup.unwatched().command(&["home/bin/app", "--port=none"]).start();
    run.shell("mv new home/real/app");
    run.wait_for_version("v2");
    run.assert_story(&["start 1", "stop 1", "start 2"]);
}

fn stand_in() {
    let setup = Setup::elf();
    let target = setup.path("target");
    fs::create_dir_all(target.join("bin")).unwrap();
    let run = setup
        .variable("RELAUNCH_TARGET", &target.display().to_string())
        .flags(&["--watch", &target.display().to_string()])
        .start();
    run.shell("cp new target/bin/app");
    run.wait_for_version("v2");
    let story = run.story();
    assert_eq!(story.len(), 4, "{}", run.everything());
    assert_eq!(run.starts(), 2, "{}", run.everything());
}

fn polling() {
    let run = Setup::elf().flags(&["--poll=100ms"]).start();
    run.shell("mv new tree/app");
    run.assert_one_restart_to("v2");
}
