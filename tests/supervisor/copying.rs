//! Copies, archives, sync clients: one restart each, from the bytes that now lie on disk.

use std::fs;

use crate::apps;
use crate::runner::Case;
use crate::world::{Run, Setup, copy_mtime, has, pause};

pub(crate) const CASES: &[Case] = &[
    ("cp onto a script restarts once", || script("cp new tree/app")),
    ("cp -f onto a running executable restarts once", || elf("cp -f new tree/app")),
    ("cp -p of the same size restarts once", cp_of_the_same_size_and_time),
    ("install restarts once", || elf("install -m 755 new tree/app")),
    ("mv from beside the tree restarts once", || elf("mv new tree/app")),
    ("mv of a copy inside the tree restarts once", || {
        elf("cp new tree/.app.tmp; mv tree/.app.tmp tree/app");
    }),
    ("a hard link over the old name restarts once", || elf("ln -f new tree/app")),
    ("GNU tar restarts once", || elf("cp new app; tar -c app | tar -x -C tree")),
    ("busybox tar restarts once", busybox_tar),
    ("tar through a slow pipe restarts once", tar_through_a_slow_pipe),
    ("rsync restarts once", || rsync("rsync src/ tree/ -r")),
    ("rsync -t restarts once", || rsync("rsync -rlpt src/ tree/")),
    ("rsync --inplace restarts a script once", rsync_in_place),
    ("rsync of many files beside a big one restarts once", rsync_beside_a_big_file),
    ("the way of docker cp restarts once", the_way_of_docker_cp),
    ("mv in a loop under load restarts once", mv_in_a_loop_under_load),
    ("five files 5 ms apart restart once", || five_files(5)),
    ("five files 120 ms apart run in the end", five_files_far_apart),
];

/// Publishes an executable and expects one restart.
fn elf(lines: &str) {
    let run = Setup::elf().start();
    run.shell(lines);
    run.assert_one_restart_to("v2");
}

/// The same with a script.
fn script(lines: &str) {
    let run = Setup::script().start();
    run.shell(lines);
    run.assert_one_restart_to("v2");
}

fn cp_of_the_same_size_and_time() {
    let setup = Setup::elf();
    copy_mtime(&setup.path("tree/app"), &setup.path("new"));
    let run = setup.start();
    run.shell("cp -fp new tree/app");
    run.assert_one_restart_to("v2");
}

fn busybox_tar() {
    if has("busybox") {
        elf("cp new app; busybox tar -c app | busybox tar -x -C tree");
    }
}

fn tar_through_a_slow_pipe() {
    let run = Setup::elf().start();
    run.shell(
        "mkdir src; cp new src/app; for i in {1..20}; do head -c 20000 /dev/urandom > src/f$i; done
         tar -c -C src . | while head -c 60000 > part; [ -s part ]; do cat part; sleep 0.01; done \
         | tar -x -C tree",
    );
    run.assert_one_restart_to("v2");
}

fn rsync(line: &str) {
    if has("rsync") {
        elf(&format!("mkdir src; cp -p new src/app; {line}"));
    }
}

fn rsync_in_place() {
    if has("rsync") {
        script("mkdir src; cp -p new src/app; rsync --inplace -r src/ tree/");
    }
}

fn rsync_beside_a_big_file() {
    if !has("rsync") {
        return;
    }
    let run = Setup::elf().start();
    run.shell(
        "mkdir src; cp -p new src/app; head -c 40000000 /dev/urandom > src/big
         for i in {1..60}; do echo $i > src/a$i; echo $i > src/z$i; done
         rsync -rt src/ tree/",
    );
    run.assert_one_restart_to("v2");
}

/// docker's daemon unlinks, creates, writes, closes, then sets owner and mode.
fn the_way_of_docker_cp() {
    let run = Setup::elf().start();
    fs::remove_file(run.app()).unwrap();
    fs::write(run.app(), apps::elf("v2")).unwrap();
    run.shell("chown 0:0 tree/app; chmod 755 tree/app; touch -d yesterday tree/app");
    run.assert_one_restart_to("v2");
}

fn mv_in_a_loop_under_load() {
    let run = Setup::elf().start();
    run.shell(
        "mkdir src; for i in {1..40}; do echo $i > src/f$i; done
         for i in 1 2 3; do timeout 20 sh -c 'while :; do :; done' & done
         for i in {1..20}; do mv src/f$i tree/; done; mv new tree/app
         for i in {21..40}; do mv src/f$i tree/; done
         kill $(jobs -p)",
    );
    run.assert_one_restart_to("v2");
}

fn publish_five_files(run: &Run, gap: u64) {
    let bytes = apps::elf("v2");
    for number in 1..=4 {
        fs::write(run.path(&format!("tree/file{number}")), "new").unwrap();
        pause(gap);
    }
    run.publish(&bytes);
}

fn five_files(gap: u64) {
    let run = Setup::elf().start();
    publish_five_files(&run, gap);
    run.assert_one_restart_to("v2");
}

/// No window that a person would bear covers the first gap; what it teaches covers the others.
fn five_files_far_apart() {
    let run = Setup::elf().start();
    publish_five_files(&run, 120);
    run.assert_runs("v2");
    let starts = run.starts();
    assert!((2..=3).contains(&starts), "{starts} starts\n{}", run.everything());
    run.assert_runs("v2");
}
