//! Processes held by a tracer, as a debugger holds them: KILL alone ends that, no CONT does. Cases use
//! it to stay in a state for as long as they like, and as what happens to apps under a debugger.

use std::fs;
use std::time::Instant;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::apps;
use crate::runner::Case;
use crate::world::{PATIENCE, Run, Setup, pause};

pub(crate) const CASES: &[Case] = &[
    ("an app that a debugger holds and watches is killed at the deadline", watched_debuggee),
    ("an app whose debugger looks away delays a restart, and is named", neglected_debuggee),
];

/// A process that is held until it is let go, or killed. Only the thread that began it may do either.
pub(crate) struct Held(i32);

impl Held {
    pub(crate) fn seize(pid: i32) -> Self {
        let none = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: integers and null pointers.
        unsafe {
            let seized = libc::ptrace(libc::PTRACE_SEIZE, pid, none, none);
            assert_eq!(seized, 0, "{pid}: {}", Errno::last());
            assert_eq!(libc::ptrace(libc::PTRACE_INTERRUPT, pid, none, none), 0);
        }
        let held = Self(pid);
        let status = held.wait();
        assert!(libc::WIFSTOPPED(status), "{status}");
        held
    }

    /// The process's next change, as its debugger sees it.
    fn wait(&self) -> i32 {
        let mut status = 0;
        until("news of a held process", || {
            let flags = libc::__WALL | libc::WNOHANG;
            // SAFETY: the pointer is to a local.
            let waited = unsafe { libc::waitpid(self.0, &raw mut status, flags) };
            assert_ne!(waited, -1, "{}", Errno::last());
            (waited == self.0).then_some(())
        });
        status
    }

    /// Waits until it was killed. Until its debugger has taken note it is a zombie for all others.
    pub(crate) fn see_killed(&self) {
        let status = self.wait();
        assert!(libc::WIFSIGNALED(status), "{status}");
        assert_eq!(libc::WTERMSIG(status), libc::SIGKILL);
    }

    /// Kills it, and takes note.
    pub(crate) fn kill(self) {
        kill(Pid::from_raw(self.0), Signal::SIGKILL).unwrap();
        self.see_killed();
    }

    pub(crate) fn let_go(self) {
        drop(self);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let none = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: integers and null pointers. Fails when it was killed meanwhile.
        unsafe { libc::ptrace(libc::PTRACE_DETACH, self.0, none, none) };
    }
}

/// The keeper that waits for its order: the one without a child.
pub(crate) fn prepared_keeper(run: &Run) -> i32 {
    until("a prepared keeper", || {
        children(run.supervisor()).into_iter().find_map(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            let waits = name == "relaunch-keeper\n" && children(pid).is_empty();
            waits.then(|| i32::try_from(pid).unwrap())
        })
    })
}

/// Waits until the keeper of an app that has ended is gone: it has no child either.
pub(crate) fn alone(run: &Run) {
    until("supervisor without a child", || children(run.supervisor()).is_empty().then_some(()));
}

/// The keeper that a process of an app comes from.
pub(crate) fn keeper_of(app: i32) -> i32 {
    let mut pid = app;
    loop {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        if status.contains("Name:\trelaunch-keeper\n") {
            return pid;
        }
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t")).unwrap();
        pid = parent.parse().unwrap();
    }
}

pub(crate) fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "no {what}");
        pause(2);
    }
}

/// The debugger takes note of the end, as strace and gdb do.
fn watched_debuggee() {
    let run = Setup::elf().flags(&["--stop-timeout=200ms"]).start();
    let app = Held::seize(run.pid());
    run.shell("mv new tree/app");
    app.see_killed();
    run.assert_story(&["start 1", "stop 1", "kill 1", "start 2"]);
    run.assert_runs("v2");
}

/// A dead process that nobody has told its debugger of is neither gone nor anybody else's to reap.
fn neglected_debuggee() {
    let run = Setup::elf().flags(&["--stop-timeout=200ms"]).start();
    let app = Held::seize(run.pid());
    run.shell("mv new tree/app");
    run.wait_for_version("v2");
    let story = run.story();
    assert_eq!(story.len(), 5, "{}", run.everything());
    assert_eq!(story[..3], ["start 1", "stop 1", "kill 1"], "{}", run.everything());
    assert!(story[3].contains("\"event\":\"unkillable\""), "{}", run.everything());
    run.assert_runs("v2");
    app.see_killed();
    // Its keeper reaps it now, and goes.
    until("end of the zombie", || (!fs::exists(format!("/proc/{}", app.0)).unwrap()).then_some(()));
    run.publish(&apps::elf("v3"));
    run.wait_for_version("v3");
}
