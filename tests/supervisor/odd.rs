//! Odd circumstances: what stands in the place of the executable, times that mean nothing, several
//! supervisors, other file systems.

use std::fs;

use crate::apps;
use crate::runner::Case;
use crate::world::{Run, Setup, is_there, pause};

pub(crate) const CASES: &[Case] = &[
    ("a folder in the place of the executable is refused", || {
        in_its_place("rm tree/app; mkdir tree/app", "rmdir tree/app");
    }),
    ("a pipe in the place of the executable is refused", || {
        in_its_place("rm tree/app; mkfifo tree/app", "rm tree/app");
    }),
    ("a link to nothing in the place of the executable is refused", || {
        in_its_place("ln -sfn nowhere tree/app", "rm tree/app");
    }),
    ("an empty file that is filled later runs when it is whole", || {
        in_its_place(": > tree/empty; chmod 755 tree/empty; mv tree/empty tree/app", "true");
    }),
    ("a file from the future restarts once", || published("touch -d 2099-01-01 new")),
    ("a file from the past restarts once", || published("touch -d 1971-01-01 new")),
    ("a sparse copy restarts once", || published("cp --sparse=always new new2; mv new2 new")),
    ("a root that is a link is watched where it leads", root_behind_a_link),
    ("two supervisors on one tree restart once each", two_supervisors),
    ("a tree on a tmpfs restarts once", || on_a_mount("mount -t tmpfs none tree")),
    ("a tree on an overlay restarts once", || {
        on_a_mount(
            "mkdir low tree/upper; mount -t tmpfs none tree/upper; mkdir tree/upper/u tree/upper/w
             mount -t overlay -o lowerdir=low,upperdir=tree/upper/u,workdir=tree/upper/w none tree",
        );
    }),
    ("a bind mount restarts once", || on_a_mount("mkdir low; mount --bind low tree")),
];

/// Refused while it lies there; the process goes on, and the next good file is taken.
fn in_its_place(lines: &str, away: &str) {
    let run = Setup::elf().start();
    run.shell(lines);
    run.wait_for("refused: tree/app ");
    let story = run.story();
    assert_eq!(story.len(), 2, "{}", run.everything());
    run.shell(&format!("{away}; cp new tree/.next; mv -T tree/.next tree/app"));
    run.assert_story(&["start 1", &story[1], "stop 1", "start 2"]);
    run.assert_runs("v2");
}

fn published(before: &str) {
    let run = Setup::elf().start();
    run.shell(&format!("{before}; mv new tree/app"));
    run.assert_one_restart_to("v2");
    run.shell("touch tree/app");
    run.assert_story(&["start 1", "stop 1", "start 2", "unchanged tree/app"]);
}

fn root_behind_a_link() {
    let setup = Setup::elf();
    fs::rename(setup.path("tree"), setup.path("real")).unwrap();
    std::os::unix::fs::symlink("real", setup.path("tree")).unwrap();
    let run = setup.start();
    run.shell("cp new real/.next; mv real/.next real/app");
    run.assert_one_restart_to("v2");
}

/// Their tests of the executable must not disturb each other, nor the one who copies.
fn two_supervisors() {
    let one = Setup::elf().start();
    let app = one.app().display().to_string();
    let tree = one.path("tree").display().to_string();
    let other =
        Setup::elf().unwatched().command(&[&app, "--port=none"]).flags(&["--watch", &tree]).start();
    for version in ["v2", "v3", "v4"] {
        one.publish(&apps::elf(version));
        for run in [&one, &other] {
            run.wait_for_version(version);
        }
        pause(300);
    }
    let expected = ["start 1", "stop 1", "start 2", "stop 2", "start 3", "stop 3", "start 4"];
    one.assert_story(&expected);
    other.assert_story(&expected);
}

/// The tree lies on a mount in a namespace of its own, into which the case looks.
fn on_a_mount(line: &str) {
    if !is_there(nix::unistd::geteuid().is_root(), "only root can mount") {
        return;
    }
    let setup = Setup::elf();
    fs::rename(setup.path("tree/app"), setup.path("app")).unwrap();
    let line = format!("{line}\ncp app tree/app\nexec \"$@\"");
    let run = setup.under(&["unshare", "-m", "sh", "-euc", &line, "sh"]).start();
    inside(&run, "cp -f new tree/app");
    run.wait_for_version("v2");
    inside(&run, "cp app tree/next; mv tree/next tree/app");
    run.wait_for_version("v1");
    let story = run.story();
    let story: Vec<_> = story.iter().filter(|it| !it.starts_with("warning")).collect();
    let expected = ["start 1", "stop 1", "start 2", "stop 2", "start 3"];
    assert_eq!(story, expected, "{}", run.everything());
}

fn inside(run: &Run, line: &str) {
    let folder = run.path("").display().to_string();
    let line =
        format!("nsenter --target {} --mount sh -euc 'cd {folder}; {line}'", run.supervisor());
    run.shell(&line);
}
