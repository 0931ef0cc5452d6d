//! Same content, no restart; what affects the process counts as content of the executable.

use crate::apps;
use crate::runner::Case;
use crate::world::{Setup, has};

pub(crate) const CASES: &[Case] = &[
    ("touch does not restart", || unchanged("touch tree/app")),
    ("touch of another file does not restart", || {
        let setup = Setup::elf();
        std::fs::write(setup.path("tree/data"), "data").unwrap();
        let run = setup.start();
        run.shell("touch tree/data");
        run.assert_story(&["start 1", "unchanged tree/data"]);
        run.assert_runs("v1");
    }),
    ("chmod to the same mode does not restart", || unchanged("chmod 755 tree/app")),
    ("chmod with effect restarts once", || {
        let run = Setup::elf().start();
        run.shell("chmod 700 tree/app");
        run.assert_one_restart_to("v1");
    }),
    ("an identical file moved over it does not restart", || {
        unchanged("cp -p tree/app same; mv same tree/app");
    }),
    ("an identical copy in place does not restart", || {
        let run = Setup::script().start();
        run.shell("cp tree/app same; cp same tree/app");
        run.assert_story(&["start 1", "unchanged tree/app"]);
        run.assert_runs("v1");
    }),
    ("an identical cp -f does not restart", || unchanged("cp tree/app same; cp -f same tree/app")),
    ("an identical re-sync by tar does not restart", || {
        unchanged("tar -c -C tree . > all.tar; tar -x -C tree -f all.tar");
    }),
    ("an identical re-sync by rsync does not restart", || {
        if has("rsync") {
            unchanged("mkdir src; cp tree/app src; rsync -r --ignore-times src/ tree/");
        }
    }),
    ("an identical re-sync of files as young as the app does not restart", || {
        let setup = Setup::elf();
        std::fs::write(setup.path("tree/data"), "data").unwrap();
        let run = setup.start();
        // Files that were written just before the start are digested a moment later.
        run.wait_for_rest();
        run.shell("tar -c -C tree data > all.tar; tar -x -C tree -f all.tar");
        run.assert_story(&["start 1", "unchanged tree/data"]);
    }),
    ("a file that comes and goes does not restart", || {
        let run = Setup::elf().start();
        run.shell("echo > tree/short-lived; rm tree/short-lived");
        run.assert_story(&["start 1"]);
        run.assert_runs("v1");
    }),
    ("there and back again does not restart", there_and_back),
    ("reading does not even say a word", || {
        let run = Setup::elf().start();
        run.shell("cat tree/app > /dev/null; ls -lR tree > /dev/null; tar -c tree > /dev/null");
        run.assert_story(&["start 1"]);
        run.assert_runs("v1");
    }),
];

/// One word, no restart; the old process goes on.
fn unchanged(lines: &str) {
    let run = Setup::elf().start();
    let pid = run.pid();
    run.shell(lines);
    run.assert_story(&["start 1", "unchanged tree/app"]);
    run.assert_runs("v1");
    assert_eq!(run.pid(), pid);
}

/// A restart, and back to the first version: both are changes.
fn there_and_back() {
    let run = Setup::elf().start();
    run.publish(&apps::elf("v2"));
    run.assert_one_restart_to("v2");
    run.publish(&apps::elf("v1"));
    run.assert_story(&["start 1", "stop 1", "start 2", "stop 2", "start 3"]);
    run.assert_runs("v1");
}
