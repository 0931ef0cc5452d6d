//! How editors save, and the sources of interpreted apps.

use std::fs;

use crate::apps;
use crate::runner::Case;
use crate::world::{Setup, has, pause};

pub(crate) const CASES: &[Case] = &[
    ("vim's way to save restarts once", vims_way),
    ("vim itself restarts once", vim_itself),
    ("emacs' way to save restarts once", || {
        saved(
            "cp -p tree/app 'tree/#app#'; mv tree/app tree/app~; cp new tree/app; rm 'tree/#app#'",
        );
    }),
    ("the way of VS Code restarts once", || saved("cat new > tree/app")),
    ("the way of JetBrains restarts once", || {
        saved(
            "cp new tree/app___jb_tmp___; mv tree/app tree/app___jb_old___
             mv tree/app___jb_tmp___ tree/app; rm tree/app___jb_old___",
        );
    }),
    ("sed -i restarts once", || saved("sed -i 's/version=v1/version=v2/' tree/app")),
    ("an edited Python module restarts once, with the bytecode cache on", python),
    ("a source in a new subfolder restarts once", a_source_in_a_new_subfolder),
    ("the editor's temporary files alone say nothing", temporary_files_alone),
];

fn saved(lines: &str) {
    let run = Setup::script().start();
    run.shell(lines);
    run.assert_one_restart_to("v2");
}

/// Probe for a writable folder, swap file, backup by renaming, write, mode, backup removed.
fn vims_way() {
    let run = Setup::script().start();
    run.shell("echo > tree/.app.swp");
    pause(100);
    run.shell(
        "touch tree/4913; rm tree/4913; mv tree/app tree/app~; cat new > tree/app
         chmod 755 tree/app; rm tree/app~; rm tree/.app.swp",
    );
    run.assert_one_restart_to("v2");
}

fn vim_itself() {
    if has("vim") {
        saved("vim -u NONE -es -c '%s/version=v1/version=v2/' -c wq tree/app < /dev/null");
    }
}

fn python() {
    if !has("python3") {
        return;
    }
    let setup = Setup::elf();
    let main = "import os, time, lib\n\
                print(f'started version={lib.VERSION} pid={os.getpid()}', flush=True)\n\
                time.sleep(1000)\n";
    fs::remove_file(setup.path("tree/app")).unwrap();
    fs::create_dir(setup.path("tree/lib")).unwrap();
    fs::write(setup.path("tree/main.py"), main).unwrap();
    fs::write(setup.path("tree/lib/__init__.py"), "VERSION = 'v1'\n").unwrap();
    let python = std::process::Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    let python = String::from_utf8(python.stdout).unwrap();
    let run = setup.command(&[python.trim(), "tree/main.py"]).start();
    // Python tells versions apart by second and size.
    fs::write(run.path("tree/lib/__init__.py"), "VERSION = 'second'\n").unwrap();
    run.assert_one_restart_to("second");
    fs::write(run.path("tree/lib/__init__.py"), "VERSION = 'the third'[4:]\n").unwrap();
    run.assert_story(&["start 1", "stop 1", "start 2", "stop 2", "start 3"]);
    run.assert_runs("third");
}

fn a_source_in_a_new_subfolder() {
    let setup = Setup::with(
        &apps::script_with("v1", "cat tree/a/b/source 2>&1; exec sleep 1000"),
        &apps::script("v2"),
    );
    let run = setup.start();
    run.shell("mkdir -p tree/a/b; echo 'started version=v2 pid=0' > tree/a/b/source");
    run.assert_story(&["start 1", "stop 1", "start 2"]);
    run.wait_for_version("v2");
}

fn temporary_files_alone() {
    let run = Setup::script().start();
    run.shell("echo > tree/.app.swp; touch tree/4913; rm tree/4913; cp new tree/app~; rm tree/*~");
    run.shell("mkdir -p tree/.git tree/__pycache__; echo > tree/.git/x; echo > tree/__pycache__/y");
    run.assert_story(&["start 1"]);
    run.assert_runs("v1");
}
