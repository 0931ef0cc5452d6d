//! The end of a generation: nothing of it survives, and nothing else is touched.

use super::Case;
use super::world::{Output, World, eventually, lives, own_path, signal};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use relaunch_buildpack::process::{Report, Status};

pub(crate) const CASES: &[Case] = &[
    ("term_reaches_the_group", term_reaches_the_group),
    ("a_term_ignoring_tree_is_killed", a_term_ignoring_tree_is_killed),
    ("a_helper_in_its_own_session_obeys_term", a_helper_in_its_own_session_obeys_term),
    ("a_stopped_helper_is_continued_to_obey", a_stopped_helper_is_continued_to_obey),
    ("escaped_orphans_are_killed", escaped_orphans_are_killed),
    ("a_double_forker_is_killed", || hostile("plain")),
    ("a_double_forker_in_new_sessions_is_killed", || {
        hostile("setsid");
    }),
    ("a_stranger_is_never_touched", a_stranger_is_never_touched),
    ("the_leaders_pid_is_held_until_the_end", the_leaders_pid_is_held_until_the_end),
    ("a_signal_to_the_leader_spares_its_helpers", a_signal_to_the_leader_spares_its_helpers),
    ("orphans_are_reaped_meanwhile", orphans_are_reaped_meanwhile),
    ("a_stop_is_reported_and_a_continuation", a_stop_is_reported_and_a_continuation),
];

fn leader_ended(signal_number: i32) -> Report {
    Report::Leader(Status::Signaled(signal(signal_number)))
}

fn term_reaches_the_group() {
    let mut world = World::new();
    let mut output = Output::capture();
    let mut generation = world.started(&["/bin/sh", "-c", "sleep 60 & echo ready; wait"]);
    assert_eq!(output.line(), "ready");
    generation.signal_group(signal(libc::SIGTERM)).unwrap();
    let reports = world.until_empty(&mut generation);
    assert_eq!(reports, [leader_ended(libc::SIGTERM), Report::Empty]);
}

fn a_term_ignoring_tree_is_killed() {
    let mut world = World::new();
    let mut output = Output::capture();
    let line = "trap '' TERM; (sleep 60 & echo ready; wait) & wait";
    let mut generation = world.started(&["/bin/sh", "-c", line]);
    assert_eq!(output.line(), "ready");
    generation.signal_group(signal(libc::SIGTERM)).unwrap();
    assert_eq!(generation.processes().len(), 3);
    let reports = world.end(&mut generation);
    assert_eq!(reports, [leader_ended(libc::SIGKILL), Report::Empty]);
}

fn a_helper_in_its_own_session_obeys_term() {
    let mut world = World::new();
    let mut output = Output::capture();
    let line = "setsid sh -c 'echo ready; exec sleep 60' & wait";
    let mut generation = world.started(&["/bin/sh", "-c", line]);
    assert_eq!(output.line(), "ready");
    generation.signal_group(signal(libc::SIGTERM)).unwrap();
    let leader = world.until(&mut generation, |report| matches!(report, Report::Leader(_)));
    assert_eq!(leader, [leader_ended(libc::SIGTERM)]);
    let reached = generation.signal_others(&[signal(libc::SIGTERM), signal(libc::SIGCONT)]);
    assert_eq!(reached, 1);
    assert_eq!(world.until_empty(&mut generation), [Report::Empty]);
}

fn a_stopped_helper_is_continued_to_obey() {
    let mut world = World::new();
    let mut output = Output::capture();
    let line = "setsid sh -c 'echo $$; kill -STOP $$; sleep 60' & wait";
    let mut generation = world.started(&["/bin/sh", "-c", line]);
    let helper = output.pid();
    eventually("the helper is stopped", || {
        super::world::status_field(&helper.to_string(), "State").starts_with('T')
    });
    assert_eq!(generation.signal_others(&[signal(libc::SIGTERM), signal(libc::SIGCONT)]), 1);
    eventually("the helper is gone", || !lives(helper));
    world.end(&mut generation);
}

fn escaped_orphans_are_killed() {
    let mut world = World::new();
    let mut output = Output::capture();
    let line = "trap '' TERM; (setsid sh -c 'setsid sleep 60 & echo $!' &) ; echo $$ >/dev/null";
    let mut generation = world.started(&["/bin/sh", "-c", line]);
    let orphan = output.pid();
    let leader = world.until(&mut generation, |report| matches!(report, Report::Leader(_)));
    assert_eq!(leader, [Report::Leader(Status::Exited(0))]);
    assert!(lives(orphan));
    eventually("only the orphan is left", || generation.processes() == [orphan]);
    assert_eq!(world.end(&mut generation), [Report::Empty]);
    assert!(!lives(orphan));
}

fn hostile(kind: &str) {
    let mut world = World::new();
    let mut output = Output::capture();
    let mut generation = world.started(&[&own_path(), "--role", "double-fork", kind]);
    assert_eq!(output.line(), "ready");
    let leader = world.until(&mut generation, |report| matches!(report, Report::Leader(_)));
    assert_eq!(leader, [Report::Leader(Status::Exited(0))]);
    assert_eq!(world.end(&mut generation), [Report::Empty]);
}

fn a_stranger_is_never_touched() {
    let mut world = World::new();
    let mut output = Output::capture();
    // A session that somebody exec'ed: its orphan becomes our child, as under PID 1.
    let line = "setsid sleep 60 & echo $!";
    std::process::Command::new("sh").args(["-c", line]).spawn().unwrap();
    let stranger = output.pid();
    let mut first = world.started(&["/bin/sh", "-c", "sleep 60 & wait"]);
    let mut second = world.started(&["/bin/sh", "-c", "echo $$; exec sleep 60"]);
    let other = output.pid();
    world.end(&mut first);
    assert_eq!([lives(stranger), lives(other)], [true, true]);
    world.end(&mut second);
    assert_eq!([lives(stranger), lives(other)], [true, false]);
    kill(Pid::from_raw(stranger), Signal::SIGKILL).unwrap();
}

fn the_leaders_pid_is_held_until_the_end() {
    let mut world = World::new();
    let mut generation = world.started(&["/bin/true"]);
    let leader = generation.leader().unwrap();
    let reports = world.until_empty(&mut generation);
    assert_eq!(reports, [Report::Leader(Status::Exited(0)), Report::Empty]);
    let held = super::world::status_field(&leader.to_string(), "State");
    assert_eq!(held, "Z (zombie)");
    drop(generation);
    eventually("the zombie is gone", || {
        let _ = relaunch_buildpack::process::reap_children();
        !std::path::Path::new(&format!("/proc/{leader}")).exists()
    });
}

fn a_signal_to_the_leader_spares_its_helpers() {
    let mut world = World::new();
    let mut output = Output::capture();
    let line = "sleep 60 & trap 'echo got it' USR1; echo $!; while :; do wait; done";
    let mut generation = world.started(&["/bin/sh", "-c", line]);
    let helper = output.pid();
    generation.signal_leader(signal(libc::SIGUSR1)).unwrap();
    assert_eq!((output.line(), lives(helper)), ("got it".into(), true));
    world.end(&mut generation);
}

fn orphans_are_reaped_meanwhile() {
    let mut world = World::new();
    let mut output = Output::capture();
    let line = format!("{} --role leave-orphans 2000; echo done; exec sleep 60", own_path());
    let mut generation = world.started(&["/bin/sh", "-c", &line]);
    assert_eq!(output.line(), "done");
    let keeper = generation.keeper().unwrap();
    let list = format!("/proc/{keeper}/task/{keeper}/children");
    let leader = format!("{} ", generation.leader().unwrap());
    eventually("no zombie is left", || std::fs::read_to_string(&list).unwrap() == leader);
    let reports = world.end(&mut generation);
    assert_eq!(reports, [leader_ended(libc::SIGKILL), Report::Empty]);
}

fn a_stop_is_reported_and_a_continuation() {
    let mut world = World::new();
    let mut generation = world.started(&["/bin/sleep", "60"]);
    generation.signal_group(signal(libc::SIGTSTP)).unwrap();
    // A new session's group is orphaned: the kernel drops TSTP there, but not STOP (POSIX 11.1.4).
    generation.signal_group(signal(libc::SIGSTOP)).unwrap();
    let stopped = Report::Leader(Status::Stopped(signal(libc::SIGSTOP)));
    assert_eq!(world.until(&mut generation, |_| true), [stopped]);
    generation.signal_group(signal(libc::SIGCONT)).unwrap();
    let continued = Report::Leader(Status::Continued);
    assert_eq!(world.until(&mut generation, |_| true), [continued]);
    world.end(&mut generation);
}
