//! The keeper is killed, as by the kernel when memory is short, in each state of the supervisor.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::apps;
use crate::runner::Case;
use crate::traced::{Held, alone, keeper_of, prepared_keeper, until};
use crate::world::{Run, Setup};

pub(crate) const CASES: &[Case] = &[
    ("a keeper killed while it waits costs nothing", waiting),
    ("a keeper killed with its order before it is replaced", starting),
    ("a keeper killed under a running app ends nothing", running),
    ("a keeper killed while its app is stopped is survived", stopping),
    ("a keeper killed when only helpers are left is survived", left),
    ("a keeper killed with its app is survived", with_its_app),
];

const SAID: &str = "warning: the keeper of the app was killed; going on without it, helpers that left the app's session may be missed";

fn kill_process(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

/// The lifecycle without the warning, and that it came so often.
fn assert_life(run: &Run, warnings: usize, expected: &[&str]) {
    run.wait_for(expected.last().unwrap());
    let (said, life): (Vec<_>, Vec<_>) =
        run.story().into_iter().partition(|line| line.starts_with("warning"));
    assert_eq!(said, vec![SAID; warnings], "{}", run.everything());
    assert_eq!(life, expected, "{}", run.everything());
}

fn waiting() {
    let run = Setup::elf().flags(&["--settle=1s"]).start();
    run.shell("mv new tree/app");
    kill_process(prepared_keeper(&run));
    run.assert_one_restart_to("v2");
}

fn starting() {
    let brief = apps::script_with("v1", "exit 7");
    let run = Setup::with(&brief, &apps::elf("v2")).flags(&["--settle=1s"]).start();
    run.wait_for("exit 1: code 7");
    alone(&run);
    run.shell("mv new tree/app");
    let keeper = Held::seize(prepared_keeper(&run));
    run.wait_for_state("starting");
    keeper.kill();
    run.wait_for_version("v2");
    let life = ["start 1", "exit 1: code 7", "delayed 2", "recovered 2", "start 2"];
    assert_life(&run, 1, &life);
    run.assert_runs("v2");
}

fn running() {
    let run = Setup::elf().start();
    let app = run.pid();
    kill_process(keeper_of(app));
    run.wait_for("warning");
    run.assert_runs("v1");
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    assert_life(&run, 1, &["start 1", "stop 1", "start 2"]);
    assert!(!fs::exists(format!("/proc/{app}")).unwrap());
}

fn stopping() {
    let habit = "trap 'echo asked' TERM\nwhile :; do sleep 0.02; done";
    let setup = Setup::with(&apps::script_with("v1", habit), &apps::elf("v2"));
    let run = setup.flags(&["--stop-timeout=500ms"]).start();
    let app = run.pid();
    run.shell("mv new tree/app");
    run.wait_for_app("asked");
    kill_process(keeper_of(app));
    run.wait_for_version("v2");
    assert_life(&run, 1, &["start 1", "stop 1", "kill 1", "start 2"]);
    assert!(!fs::exists(format!("/proc/{app}")).unwrap());
}

fn left() {
    let app = apps::script_with("v1", "setsid sh -c 'echo helper=$$; exec sleep 1000' &\nexit 7");
    let run = Setup::with(&app, &apps::elf("v2")).start();
    run.wait_for("exit 1: code 7");
    let helper: i32 = until("a helper", || {
        run.app_lines().iter().find_map(|line| line.strip_prefix("helper=")?.parse().ok())
    });
    kill_process(keeper_of(helper));
    run.wait_for("warning");
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    assert_life(&run, 1, &["start 1", "exit 1: code 7", "stop 1", "start 2"]);
    assert!(!fs::exists(format!("/proc/{helper}")).unwrap());
}

/// As when a cgroup kills all that is in it (`memory.oom.group`) and the supervisor is not.
fn with_its_app() {
    let run = Setup::elf().start();
    let app = run.pid();
    kill_process(keeper_of(app));
    kill_process(app);
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    assert_life(&run, 1, &["start 1", "exit 1: signal 9", "start 2"]);
}
