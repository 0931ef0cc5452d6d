//! The change sets. A case names what is right: how many starts, and which version runs then.

use crate::failure::Failure;

use super::super::publish::Way;
use super::scene::{App, Scene, pause};
use super::writing;

/// A change set.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) app: App,
    /// The fewest and the most starts that are right.
    pub(super) ideal: (u32, u32),
    /// The version that runs in the end.
    pub(super) last: &'static str,
    /// Loads the machine: runs alone.
    pub(super) heavy: bool,
    pub(super) act: fn(&mut Scene) -> Result<(), Failure>,
}

/// One start of `v2` with an executable.
const ELF: Case =
    Case { name: "", app: App::Elf, ideal: (1, 1), last: "v2", heavy: false, act: |_| Ok(()) };
/// The same with a script.
const SCRIPT: Case = Case { app: App::Script, ..ELF };
/// Each of eight updates may be started, the last one must be.
const UPDATES: Case = Case { ideal: (1, 8), last: "v9", ..ELF };
/// Nothing that matters has changed.
const SAME: Case = Case { ideal: (0, 0), last: "v1", ..ELF };

pub(super) const CASES: &[Case] = &[
    Case { name: "mv over it", act: |it| it.shell("mv out/new tree/app"), ..ELF },
    Case { name: "cp -f", act: |it| it.shell("cp -f out/new tree/app"), ..ELF },
    Case { name: "cp onto a script", act: |it| it.shell("cp out/new tree/app"), ..SCRIPT },
    Case {
        name: "cp -p, same size and time",
        act: |it| it.shell("touch -r tree/app out/new; cp -fp out/new tree/app"),
        ..ELF
    },
    Case { name: "install", act: |it| it.shell("install -m 755 out/new tree/app"), ..ELF },
    Case { name: "hard link over it (cargo)", act: |it| it.shell("ln -f out/new tree/app"), ..ELF },
    Case {
        name: "mv inside the tree (go build)",
        act: |it| it.shell("cp out/new tree/.go-1.tmp; mv tree/.go-1.tmp tree/app"),
        ..ELF
    },
    Case {
        name: "GNU tar",
        act: |it| it.shell("cp -p out/new out/app; tar -c -C out app | tar -x -C tree"),
        ..ELF
    },
    Case {
        name: "busybox tar",
        act: |it| it.shell("cp out/new out/app; tar -c -C out app | busybox tar -x -C tree"),
        ..ELF
    },
    Case { name: "tar through a slow pipe", act: slow_tar, ..ELF },
    Case { name: "rsync -t", act: |it| it.shell("rsync -t out/new tree/app"), ..ELF },
    Case {
        name: "rsync --inplace of a script",
        act: |it| it.shell("rsync --inplace out/new tree/app"),
        ..SCRIPT
    },
    Case { name: "rsync of 120 files beside a big one", act: rsync_beside, heavy: true, ..ELF },
    Case { name: "docker cp", act: docker_cp, ..ELF },
    Case { name: "git checkout of 50 files", act: checkout, app: App::Crowded, ..ELF },
    Case { name: "mv of 40 files under load", act: mv_loop, heavy: true, ..ELF },
    Case {
        name: "vim saves a script",
        act: |it| it.shell("mv tree/app tree/app~; cp -p out/new tree/app; rm tree/app~"),
        ..SCRIPT
    },
    Case {
        name: "Emacs saves a script",
        act: |it| it.shell("cp tree/app tree/app~; cat out/new > tree/app"),
        ..SCRIPT
    },
    Case {
        name: "VS Code saves a script",
        act: |it| it.shell(": > tree/app; cat out/new > tree/app"),
        ..SCRIPT
    },
    Case {
        name: "written in pieces, 200 ms gaps",
        act: |it| writing::in_pieces(it, 8, 200, 0),
        ..ELF
    },
    Case {
        name: "written in pieces, 1 s gaps",
        act: |it| writing::in_pieces(it, 3, 1_000, 0),
        ..ELF
    },
    Case {
        name: "writer stays open 2 s after the last byte",
        act: |it| writing::in_pieces(it, 1, 0, 2_000),
        ..ELF
    },
    Case {
        name: "closed and reopened for each piece",
        act: |it| writing::reopening(it, 6, 250),
        ..ELF
    },
    Case {
        name: "a script written over in pieces",
        act: |it| writing::over_a_script(it),
        ..SCRIPT
    },
    Case { name: "5 files 5 ms apart", act: |it| writing::five_files(it, 5), ..ELF },
    // No window that a person would bear covers the first gap.
    Case {
        name: "5 files 120 ms apart",
        act: |it| writing::five_files(it, 120),
        ideal: (1, 3),
        ..ELF
    },
    Case { name: "8 updates 5 ms apart", act: |it| writing::updates(it, 5), ..UPDATES },
    Case { name: "8 updates 20 ms apart", act: |it| writing::updates(it, 20), ..UPDATES },
    Case { name: "8 updates 50 ms apart", act: |it| writing::updates(it, 50), ..UPDATES },
    Case { name: "8 updates 100 ms apart", act: |it| writing::updates(it, 100), ..UPDATES },
    Case { name: "8 updates 150 ms apart", act: |it| writing::updates(it, 150), ..UPDATES },
    Case {
        name: "an update while the app starts",
        act: writing::while_starting,
        ideal: (2, 2),
        last: "v3",
        ..ELF
    },
    Case {
        name: "an update while the app stops",
        act: |it| writing::while_stopping(it),
        app: App::Slow,
        last: "v3",
        ..ELF
    },
    Case {
        name: "deleted, copied 300 ms later",
        act: |it| it.shell("rm tree/app; sleep 0.3; cp out/new tree/app"),
        ..ELF
    },
    Case {
        name: "folder removed and made again",
        act: |it| it.shell("mv tree old; mkdir tree; sleep 0.2; cp out/new tree/app"),
        ..ELF
    },
    Case { name: "..data link swapped (ConfigMap)", act: link_swap, app: App::Linked, ..ELF },
    Case { name: "40,000 files, then the app", act: overflow, heavy: true, ..ELF },
    Case { name: "touch", act: |it| it.shell("touch tree/app tree/file1"), ..SAME },
    Case {
        name: "identical copy",
        act: |it| it.shell("cp tree/app out/app; cp -f out/app tree/app"),
        ..SAME
    },
    Case {
        name: "identical files by tar",
        act: |it| it.shell("tar -c -C tree . | tar -x -C tree"),
        ..SAME
    },
    Case {
        name: "the app's own log",
        act: |_| {
            pause(2_000);
            Ok(())
        },
        app: App::Logging,
        ..SAME
    },
    Case {
        name: "a new app beside its own log",
        act: |it| it.publish("v2"),
        app: App::Logging,
        ..ELF
    },
    Case { name: "a file cut off", act: |it| writing::cut_off(it), ..SAME },
    Case {
        name: "a crash, then a good one",
        act: writing::a_crash_between,
        ideal: (2, 2),
        last: "v3",
        ..ELF
    },
];

fn slow_tar(scene: &mut Scene) -> Result<(), Failure> {
    scene.shell(
        "cp -p out/new out/app; for i in {1..20}; do head -c 20000 /dev/urandom > out/f$i; done
         cd out; tar -c app f* | while head -c 60000 > part; [ -s part ]; do cat part; sleep 0.01; \
         done | tar -x -C ../tree",
    )
}

fn rsync_beside(scene: &mut Scene) -> Result<(), Failure> {
    scene.shell(
        "mkdir out/src; cp -p out/new out/src/app; head -c 40000000 /dev/urandom > out/src/big
         for i in {1..60}; do echo $i > out/src/a$i; echo $i > out/src/z$i; done
         rsync -rt out/src/ tree/",
    )
}

fn docker_cp(scene: &mut Scene) -> Result<(), Failure> {
    let bytes = scene.bytes("v2")?;
    Way::DockerCp.publish(&scene.run.place, &bytes).map(drop)
}

fn checkout(scene: &mut Scene) -> Result<(), Failure> {
    scene.shell(
        "export GIT_DIR=$PWD/out/git GIT_WORK_TREE=$PWD/tree GIT_CONFIG_GLOBAL=/dev/null
         git init -q -b one; git config user.name x; git config user.email x@localhost
         git add -A; git commit -qm one
         mkdir out/next; cp -p out/new out/next/app; for i in {1..50}; do echo new $i > out/next/file$i; done
         GIT_WORK_TREE=$PWD/out/next GIT_INDEX_FILE=$PWD/out/index git add -A
         tree=$(GIT_INDEX_FILE=$PWD/out/index git write-tree)
         git branch two $(git commit-tree -p one -m two $tree)
         git checkout -q two",
    )
}

fn mv_loop(scene: &mut Scene) -> Result<(), Failure> {
    scene.shell(
        "mkdir out/src; for i in {1..40}; do echo $i > out/src/f$i; done
         for i in 1 2 3; do timeout 20 sh -c 'while :; do :; done' & done
         for i in {1..20}; do mv out/src/f$i tree/; done; mv out/new tree/app
         for i in {21..40}; do mv out/src/f$i tree/; done
         kill $(jobs -p)",
    )
}

/// kubelet makes a folder, then turns the link to it by a rename.
fn link_swap(scene: &mut Scene) -> Result<(), Failure> {
    scene.shell(
        "mkdir tree/..two; cp out/new tree/..two/app; ln -s ..two tree/..tmp
         mv -T tree/..tmp tree/..data; rm -r tree/..one",
    )
}

/// More than twice what the kernel's queue holds.
fn overflow(scene: &mut Scene) -> Result<(), Failure> {
    scene.shell(
        "mkdir tree/many; cd tree/many; seq 40000 | xargs touch; cd ../..; mv out/new tree/app",
    )
}
