//! Evidence of use: files beside the executable's own folder that a native app never opened.

use crate::apps;
use crate::runner::Case;
use crate::world::{Run, Setup, has, pause};

pub(crate) const CASES: &[Case] = &[
    ("a file that nobody opened is not in use", never_opened),
    ("a file that the app has read restarts it", read_by_the_app),
    ("a file that was read and is written again as it was does not restart", read_and_same_again),
    ("in a listed folder a new name restarts and new bytes do not", listed),
    ("the classic Go sample restarts once for each edit", classic),
    ("a folder that is read without rest counts as a whole", busy),
    ("an argument that names a watched path makes everything count", named_by_an_argument),
    ("--restart-on any restarts for a file that nobody opened", restart_on_any),
    ("a link that changes restarts though nobody opened it", link),
    ("a new file starts an app that has failed", after_a_failure),
    ("a copied python counts as the interpreter that it is", copied_python),
    ("a file that is open all the time is in use", held_open),
    ("the target is never left out", target),
];

/// `tree` has the executable, `beside` is watched as well; the app reads or lists `read`.
fn setup(read: &str) -> Setup {
    let setup = Setup::elf();
    std::fs::create_dir_all(setup.path("beside/sub")).unwrap();
    std::fs::write(setup.path("beside/conf"), "one").unwrap();
    std::fs::write(setup.path("beside/main.go"), "one").unwrap();
    let beside = setup.path("beside").display().to_string();
    let setup = setup.flags(&["--watch", &beside]);
    if read.is_empty() { setup } else { setup.variable("TEST_APP_READ", read) }
}

fn never_opened() {
    let run = setup("beside/conf").start();
    run.shell("echo two > beside/main.go");
    run.assert_story(&["start 1", "not used beside/main.go"]);
    run.shell("cp -r /etc/hosts beside/sub/new; mkdir beside/made; echo x > beside/made/x");
    run.wait_for("not used beside/made/x");
    run.publish(&apps::elf("v2"));
    run.wait_for_start(2);
    run.assert_runs("v2");
    assert_eq!(run.starts(), 2, "{}", run.everything());
}

fn read_by_the_app() {
    let run = setup("beside/conf").start();
    run.shell("echo two > beside/conf");
    run.assert_story(&["start 1", "stop 1", "start 2"]);
    run.shell("rm beside/conf");
    run.assert_story(&["start 1", "stop 1", "start 2", "stop 2", "start 3"]);
}

fn read_and_same_again() {
    let run = setup("beside/conf").start();
    // Its digest is made in a quiet moment, once the file is older than a tick of its times.
    run.wait_for_rest();
    run.shell("printf one > new-conf; cp --remove-destination new-conf beside/conf");
    run.assert_story(&["start 1", "unchanged beside/conf"]);
}

fn listed() {
    let run = setup("beside/sub").start();
    run.shell("echo two > beside/main.go");
    run.assert_story(&["start 1", "not used beside/main.go"]);
    run.shell("echo x > beside/sub/new");
    run.assert_story(&["start 1", "not used beside/main.go", "stop 1", "start 2"]);
    run.shell("echo other > beside/sub/new");
    run.wait_for("not used beside/sub/new");
    assert_eq!(run.starts(), 2, "{}", run.everything());
}

/// Everything is synced into one folder, compiled for a moment, and the executable copied on.
fn classic() {
    let run = setup("").start();
    for (edit, version) in ["v2", "v3", "v4"].into_iter().enumerate() {
        run.shell("date +%N > new-main; cp --remove-destination new-main beside/main.go");
        pause(400);
        apps::write_executable(&run.path("compiled"), &apps::elf(version));
        run.shell("mkdir -p beside/build; cp --remove-destination compiled beside/build/app");
        pause([0, 60, 900][edit]);
        run.shell("cp -rf beside/build/* tree/");
        run.wait_for_version(version);
        assert_eq!(run.starts(), edit + 2, "{}", run.everything());
    }
    run.assert_runs("v4");
}

fn busy() {
    let setup = setup("");
    let conf = setup.path("beside/conf").display().to_string();
    let run = setup.variable("TEST_APP_OPEN", &conf).start();
    // It has been read often enough by then.
    pause(500);
    run.shell("echo two > beside/main.go");
    run.assert_story(&["start 1", "stop 1", "start 2"]);
}

fn named_by_an_argument() {
    let run = setup("").arguments(&["beside/conf"]).start();
    run.shell("echo two > beside/main.go");
    run.assert_story(&["start 1", "stop 1", "start 2"]);
}

fn restart_on_any() {
    let run = setup("").flags(&["--restart-on", "any"]).start();
    run.shell("echo two > beside/main.go");
    run.assert_story(&["start 1", "stop 1", "start 2"]);
}

/// Who reads through a link opens what it leads to, and that may lie anywhere.
fn link() {
    let setup = setup("");
    std::os::unix::fs::symlink("main.go", setup.path("beside/link")).unwrap();
    let run = setup.start();
    run.shell("ln -s conf other; mv -T other beside/link");
    run.assert_story(&["start 1", "stop 1", "start 2"]);
}

/// It may have looked for the file, which leaves no trace.
fn after_a_failure() {
    let run = setup("").variable("TEST_APP_EXIT", "3@50").start();
    run.wait_for("exit 1");
    run.shell("echo x > beside/wanted");
    run.wait_for_start(2);
}

fn copied_python() {
    if !has("python3") {
        return;
    }
    let setup = setup("");
    let python = "import sys; print('started version=v1 generation=1 pid=0', flush=True); \
                  import time; time.sleep(1000)";
    let program = setup.path("tree/bin/app").display().to_string();
    let made = std::process::Command::new("python3")
        .args([
            "-c",
            "import os,shutil,sys; shutil.copy(os.path.realpath(sys.executable), sys.argv[1])",
        ])
        .arg({
            std::fs::create_dir_all(setup.path("tree/bin")).unwrap();
            std::fs::write(setup.path("tree/pyvenv.cfg"), "").unwrap();
            setup.path("tree/bin/app")
        })
        .status()
        .unwrap();
    assert!(made.success());
    let base = std::process::Command::new("python3")
        .args(["-c", "import sys; print(sys.base_prefix)"])
        .output()
        .unwrap();
    let base = String::from_utf8(base.stdout).unwrap();
    let run = setup.variable("PYTHONHOME", base.trim()).command(&[&program, "-c", python]).start();
    run.shell("echo two > beside/main.go");
    run.assert_story(&["start 1", "stop 1", "start 2"]);
}

/// A descriptor that it keeps raises no further event.
fn held_open() {
    let setup = setup("");
    let log = setup.path("beside/sub/log").display().to_string();
    let run: Run = setup.variable("TEST_APP_DATABASE", &log).start();
    run.wait_for("own beside/sub/log");
    run.shell("echo two > beside/main.go");
    run.wait_for("not used beside/main.go");
    assert_eq!(run.starts(), 1, "{}", run.everything());
}

/// What is synced there may be exec'ed before anybody opens it.
fn target() {
    let setup = setup("");
    let target = setup.path("target");
    std::fs::create_dir_all(target.join("bin")).unwrap();
    let target = target.display().to_string();
    let run = setup.flags(&["--watch", &target]).variable("RELAUNCH_TARGET", &target).start();
    run.shell("echo x > target/bin/helper");
    run.assert_story(&["start 1", "stop 1", "start 2"]);
    run.shell("cp new target/bin/app");
    run.wait_for_version("v2");
    assert_eq!(run.starts(), 3, "{}", run.everything());
}
