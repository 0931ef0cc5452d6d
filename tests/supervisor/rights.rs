//! Apps with rights that their supervisor does not have: setuid ones, which it may not signal, and
//! ones with file capabilities, whose `/proc` it may not read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::apps;
use crate::runner::Case;
use crate::shortage::{NOBODY, is_root, open_to_all};
use crate::traced::{keeper_of, until};
use crate::world::{Run, Setup, has};

pub(crate) const CASES: &[Case] = &[
    ("an app of another user that cannot be stopped is named, and the next one starts", stranger),
    ("an app of another user that cannot be stopped does not keep the supervisor", stranger_at_end),
    ("an executable with file capabilities is compared and restarted as any other", capable),
];

/// An app that has become root, under a supervisor that is not: `tree/become` has the setuid bit.
fn become_root() -> Option<Run> {
    if !is_root() || !has("setpriv") {
        return None;
    }
    let setup = Setup::script();
    open_to_all(&setup);
    let become_it = setup.path("become");
    fs::copy("/usr/bin/setpriv", &become_it).unwrap();
    apps::write_executable(
        &setup.path("tree/app"),
        &apps::script_with("v1", "exec ./become --reuid=0 --regid=0 --clear-groups sleep 1000"),
    );
    fs::set_permissions(&become_it, fs::Permissions::from_mode(0o4755)).unwrap();
    let flags = ["--stop-timeout=200ms", "--shutdown-timeout=200ms"];
    let run = setup.flags(&flags).under(&NOBODY).start();
    let app = run.pid();
    until("an app of root", || {
        let status = fs::read_to_string(format!("/proc/{app}/status")).ok()?;
        status.contains("Name:\tsleep\n").then_some(())
    });
    Some(run)
}

const SAID: &str = "warning: the app has become another user and may not be signalled; to stop it, the supervisor must run as that user or as root";

/// What only root can end: the app, and then its keeper goes by itself.
fn end(app: i32) {
    let keeper = keeper_of(app);
    kill(Pid::from_raw(app), Signal::SIGKILL).unwrap();
    until("end of the keeper", || (!fs::exists(format!("/proc/{keeper}")).unwrap()).then_some(()));
}

fn stranger() {
    let Some(run) = become_root() else { return };
    let app = run.pid();
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    let story = run.story();
    let words: Vec<_> =
        story.iter().map(String::as_str).filter(|it| !it.starts_with('{')).collect();
    assert_eq!(words, ["start 1", "stop 1", SAID, "kill 1", "start 2"], "{}", run.everything());
    let last = story.get(4).is_some_and(|it| it.contains("\"event\":\"unkillable\""));
    assert!(last, "{}", run.everything());
    end(app);
    run.publish(&apps::script("v3"));
    run.wait_for_version("v3");
}

fn stranger_at_end() {
    let Some(mut run) = become_root() else { return };
    let app = run.pid();
    run.signal_supervisor(Signal::SIGTERM);
    assert_eq!(run.exit_code(), Some(143), "{}", run.everything());
    assert!(run.story().iter().any(|it| it == SAID), "{}", run.everything());
    end(app);
}

fn capable() {
    if !is_root() || !has("setcap") {
        return;
    }
    let setup = Setup::elf();
    open_to_all(&setup);
    let give = |path: &str| format!("setcap cap_net_bind_service=ep {path}");
    let mut setcap = Command::new("setcap");
    let setcap = setcap.arg("cap_net_bind_service=ep").arg(setup.path("tree/app"));
    assert!(setcap.status().unwrap().success());
    let run = setup.under(&NOBODY).start();
    // The kernel hides what it runs from a user with fewer rights.
    run.shell("touch tree/app");
    run.wait_for("unchanged");
    run.shell(&format!("cp tree/app again; {}; mv again tree/app", give("again")));
    run.wait_for_times("unchanged", 2);
    run.shell(&format!("{}; mv new tree/app", give("new")));
    run.wait_for_version("v2");
    // The same bytes without the right are another app.
    run.shell("cp tree/app again; mv again tree/app");
    run.wait_for("start 3");
    let again = "unchanged tree/app";
    let story = ["start 1", again, again, "stop 1", "start 2", "stop 2", "start 3"];
    run.assert_story(&story);
}
