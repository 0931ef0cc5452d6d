//! The supervisor never dies of its own troubles: one line, and a retry or a lesser mode.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::apps;
use crate::runner::Case;
use crate::world::{Setup, is_there};

pub(crate) const CASES: &[Case] = &[
    ("descriptors that run out delay a start and fall back to nothing", no_descriptors),
    ("a fork that fails is tried again, and said once", no_processes),
    ("a closed stderr changes nothing", || blind("exec \"$@\" 2>&-")),
    ("a full disk behind stderr changes nothing", || blind("exec \"$@\" 2>/dev/full")),
    ("a read-only root changes nothing", read_only_root),
    ("with /proc hidden an app that ignores TERM is killed before the next starts", hidden_proc),
    ("a user without a name and a home is enough", nobody),
];

/// Sets how many descriptors the running supervisor may have; returns how many it might before.
fn limit_descriptors(pid: u32, most: u64) -> u64 {
    let pid = i32::try_from(pid).unwrap();
    let what = libc::RLIMIT_NOFILE;
    let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: each pointer is null or to a local.
    unsafe {
        assert_eq!(libc::prlimit(pid, what, std::ptr::null(), &raw mut before), 0);
        let new = libc::rlimit { rlim_cur: most, ..before };
        assert_eq!(libc::prlimit(pid, what, &raw const new, std::ptr::null_mut()), 0);
    }
    before.rlim_cur
}

fn no_descriptors() {
    let slow = apps::slow_to_stop("v1", "0.3");
    let run = Setup::with(&slow, &apps::elf("v2")).start();
    run.shell("mv new tree/app");
    run.wait_for("stop 1");
    // What is open stays open; nothing new can be.
    let before = limit_descriptors(run.supervisor(), 3);
    run.wait_for("delayed 2");
    limit_descriptors(run.supervisor(), before);
    run.wait_for_version("v2");
    run.assert_story(&["start 1", "stop 1", "delayed 2", "recovered 2", "start 2"]);
    run.assert_runs("v2");
}

/// Words that run the rest as a user that nobody knows.
pub(crate) const NOBODY: [&str; 4] =
    ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"];

pub(crate) fn open_to_all(setup: &Setup) {
    for name in ["", "tree"] {
        let mode = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(setup.path(name), mode).unwrap();
    }
}

pub(crate) fn is_root() -> bool {
    is_there(nix::unistd::geteuid().is_root(), "only root can become another user")
}

fn no_processes() {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    if !is_root() {
        return;
    }
    let setup = Setup::elf();
    open_to_all(&setup);
    // A user of this case alone, whose processes are counted. RLIMIT_NPROC means nothing to root.
    let user = 1_000_000 + std::process::id() * 100 + NUMBER.fetch_add(1, Ordering::Relaxed) % 100;
    let user = format!("--reuid={user}");
    let counted = ["setpriv", &user, "--regid=54322", "--clear-groups"];
    // As many as the user may have, together with the supervisor.
    let sleeps = || Command::new(counted[0]).args(&counted[1..]).args(["sleep", "60"]).spawn();
    let mut others: Vec<_> = (0..9).map(|_| sleeps().unwrap()).collect();
    let run = setup.under(&[&counted[..], &["prlimit", "--nproc=10"]].concat()).start_blind();
    run.wait_for("delayed 1");
    for other in &mut others {
        other.kill().unwrap();
        other.wait().unwrap();
    }
    run.wait_for_version("v1");
    let story = run.story();
    let starts: Vec<_> = story.iter().filter(|line| !line.starts_with("warning")).collect();
    assert_eq!(starts, ["delayed 1", "recovered 1", "start 1"], "{}", run.everything());
}

fn nobody() {
    if !is_root() {
        return;
    }
    let setup = Setup::elf();
    open_to_all(&setup);
    let run = setup.under(&NOBODY).variable("HOME", "/nowhere").start();
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    assert_eq!(run.starts(), 2, "{}", run.everything());
}

/// Where the supervisor can say nothing, the app tells.
fn blind(exec: &str) {
    let run = Setup::elf().under(&["sh", "-c", exec, "sh"]).start_blind();
    run.wait_for_version("v1");
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    run.publish(&apps::elf("v3"));
    run.wait_for_version("v3");
}

/// Runs a line as root of mounts of its own, then the supervisor.
fn with_mounts(line: &str) -> Vec<String> {
    let own = if nix::unistd::geteuid().is_root() { "-m" } else { "-rm" };
    let line = format!("{line} && exec \"$@\"");
    ["unshare", own, "sh", "-c", &line, "sh"].map(ToOwned::to_owned).to_vec()
}

fn read_only_root() {
    let under = with_mounts("mount -o remount,bind,ro /");
    let under: Vec<&str> = under.iter().map(String::as_str).collect();
    let run = Setup::elf().under(&under).start();
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    assert_eq!(run.starts(), 2, "{}", run.everything());
}

fn hidden_proc() {
    let under = with_mounts("mount -t tmpfs none /proc");
    let under: Vec<&str> = under.iter().map(String::as_str).collect();
    let stubborn = apps::script_with("v1", "trap '' TERM\nwhile :; do sleep 0.02; done");
    let setup = Setup::with(&stubborn, &apps::elf("v2"));
    let run = setup.under(&under).flags(&["--stop-timeout=200ms"]).start();
    let first = run.pid();
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    let gone = !std::path::Path::new(&format!("/proc/{first}")).exists();
    assert!(gone, "two generations run\n{}", run.everything());
    let story = run.story();
    let life: Vec<_> = story.iter().filter(|line| !line.starts_with("warning")).collect();
    assert_eq!(life, ["start 1", "stop 1", "kill 1", "start 2"], "{}", run.everything());
}
