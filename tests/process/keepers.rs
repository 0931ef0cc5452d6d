//! Keepers: small, invisible to terminals, and survived.

use std::time::{Duration, Instant};

use super::Case;
use super::world::{
    Output, World, eventually, kill_process, lives, orphaned, signal, start_on, start_under,
    status_field, try_start,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use relaunch_buildpack::process::{Keeper, Place, Report, Status, reap_children};

pub(crate) const CASES: &[Case] = &[
    ("a_keeper_is_small_and_apart", a_keeper_is_small_and_apart),
    ("an_unused_keeper_goes_when_it_is_dropped", an_unused_keeper_goes),
    ("a_dead_prepared_keeper_is_noticed", a_dead_prepared_keeper_is_noticed),
    ("a_keeper_ignores_every_signal_but_kill", a_keeper_ignores_every_signal_but_kill),
    ("a_generation_survives_its_keeper", a_generation_survives_its_keeper),
    ("an_adopted_generation_leaves_strangers_alone", an_adopted_generation_leaves_strangers_alone),
    ("a_keeper_that_dies_with_its_app_is_survived", a_keeper_that_dies_with_its_app_is_survived),
    ("a_keeper_killed_at_any_moment_of_a_start_is_survived", a_keeper_killed_at_any_moment),
    ("a_stopped_keeper_is_continued", a_stopped_keeper_is_continued),
    ("a_dead_supervisors_app_is_ended", a_dead_supervisors_app_is_ended),
    ("a_thousand_generations_leave_no_descriptor", a_thousand_generations_leave_no_descriptor),
];

fn a_keeper_is_small_and_apart() {
    let world = World::new();
    let keeper = Keeper::prepare().unwrap();
    let pid = keeper.pid().to_string();
    eventually("the keeper has its name", || status_field(&pid, "Name") == "relaunch-keeper");
    let descriptors = || {
        let mut all: Vec<i32> = std::fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap())
            .collect();
        all.sort_unstable();
        all
    };
    eventually("socket and signalfd are all it has", || descriptors() == [0, 1, 2, 3, 4]);
    let group = nix::unistd::getpgid(Some(Pid::from_raw(keeper.pid()))).unwrap();
    assert_eq!(group.as_raw(), keeper.pid());
    drop(world);
}

fn an_unused_keeper_goes() {
    let mut world = World::new();
    let keeper = Keeper::prepare().unwrap();
    let pid = keeper.pid();
    drop(keeper);
    eventually("the keeper is gone", || !lives(pid));
    world.children.extend(reap_children());
    assert_eq!(
        world.children.iter().map(|child| (child.pid, child.status)).collect::<Vec<_>>(),
        [(pid, Status::Exited(0))]
    );
}

fn a_dead_prepared_keeper_is_noticed() {
    let _world = World::new();
    let keeper = Keeper::prepare().unwrap();
    kill_process(keeper.pid());
    eventually("the keeper is gone", || !lives(keeper.pid()));
    let error = try_start(keeper, &["/bin/true"], Place::OwnSession).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}

fn a_keeper_ignores_every_signal_but_kill() {
    let mut world = World::new();
    let mut generation = world.started(&["/bin/sleep", "60"]);
    let keeper = generation.keeper().unwrap();
    for number in (1..=64).filter(|number| ![libc::SIGKILL, libc::SIGSTOP].contains(number)) {
        // SAFETY: integers only.
        assert_eq!(unsafe { libc::kill(keeper, number) }, 0);
    }
    let reports = world.end(&mut generation);
    let expected = [Report::Leader(Status::Signaled(signal(9))), Report::Empty];
    assert_eq!(reports, expected);
}

/// An app with a helper in its group, one in its own session, and an orphan of its own session.
const FAMILY: &str = "sleep 60 & setsid sleep 61 & (setsid sleep 62 & echo $!) ; echo $$; wait";

fn words_of(pid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

fn a_generation_survives_its_keeper() {
    let mut world = World::new();
    let mut output = Output::capture();
    let mut generation = world.started(&["/bin/sh", "-c", FAMILY]);
    let (orphan, leader) = (output.pid(), output.pid());
    // setsid(1) becomes sleep only after it made the session; its words show when exec is through.
    let sleeps = |generation: &relaunch_buildpack::process::Generation| {
        let pids = generation.processes().into_iter();
        pids.filter(|pid| words_of(*pid).starts_with("sleep\0")).count()
    };
    eventually("the family is complete", || sleeps(&generation) == 3);
    kill_process(generation.keeper().unwrap());
    let reports = world.until(&mut generation, |_| true);
    assert_eq!((reports, generation.keeper()), (vec![Report::KeeperDied], None));
    assert_eq!((generation.leader(), lives(leader)), (Some(leader), true));
    let mut processes = generation.processes();
    processes.retain(|pid| [leader, orphan].contains(pid));
    assert_eq!((processes.len(), generation.processes().len()), (2, 4));

    generation.signal_group(signal(libc::SIGTERM)).unwrap();
    let ended = Report::Leader(Status::Signaled(signal(libc::SIGTERM)));
    let reports = world.until(&mut generation, |report| matches!(report, Report::Leader(_)));
    assert_eq!(reports, [ended]);
    eventually("the group is gone", || generation.processes().len() == 2);
    assert_eq!(generation.signal_others(&[signal(libc::SIGTERM)]), 2);
    assert_eq!(world.until_empty(&mut generation), [Report::Empty]);
    assert!(!lives(orphan));
}

fn an_adopted_generation_leaves_strangers_alone() {
    let mut world = World::new();
    let mut output = Output::capture();
    std::process::Command::new("sh").args(["-c", "setsid sleep 60 & echo $!"]).spawn().unwrap();
    let stranger = output.pid();
    let waiting = Keeper::prepare().unwrap();
    let mut generation = world.started(&["/bin/sh", "-c", FAMILY]);
    output.pid();
    output.pid();
    kill_process(generation.keeper().unwrap());
    world.until(&mut generation, |report| *report == Report::KeeperDied);
    let reports = world.end(&mut generation);
    let ended = Report::Leader(Status::Signaled(signal(libc::SIGKILL)));
    assert_eq!(reports, [ended, Report::Empty]);
    assert_eq!([lives(stranger), lives(waiting.pid())], [true, true]);
    kill_process(stranger);
}

fn a_keeper_that_dies_with_its_app_is_survived() {
    let mut world = World::new();
    let mut generation = world.started(&["/bin/sleep", "60"]);
    let (keeper, leader) = (generation.keeper().unwrap(), generation.leader().unwrap());
    kill_process(keeper);
    kill_process(leader);
    let reports = world.until_empty(&mut generation);
    let ended = Report::Leader(Status::Signaled(signal(9)));
    assert_eq!(reports, [Report::KeeperDied, ended, Report::Empty]);
}

/// The moments lie 20 µs apart, from before the order is read to after the exec.
fn a_keeper_killed_at_any_moment() {
    let mut world = World::new();
    let mut seen = std::collections::BTreeSet::new();
    for step in 0..200 {
        let mut generation = start_on(&["/bin/sleep", "60"], Place::OwnSession);
        let (keeper, ordered) = (generation.keeper().unwrap(), Instant::now());
        while ordered.elapsed() < Duration::from_micros(20 * step) {
            std::hint::spin_loop();
        }
        kill_process(keeper);
        let reports = world.end(&mut generation);
        assert_eq!(reports.last(), Some(&Report::Empty), "{reports:?}");
        assert!(generation.leader().is_none_or(|leader| !lives(leader)), "{reports:?}");
        seen.insert(reports.len());
        let died = reports.iter().filter(|report| **report == Report::KeeperDied).count();
        assert!(died <= 1, "{reports:?}");
    }
    assert!(seen.len() > 1, "one moment only: {seen:?}");
}

fn a_stopped_keeper_is_continued() {
    let mut world = World::new();
    let stop = |keeper: i32| {
        kill(Pid::from_raw(keeper), Signal::SIGSTOP).unwrap();
        eventually("the keeper is stopped", || {
            status_field(&keeper.to_string(), "State").starts_with('T')
        });
    };
    let keeper = Keeper::prepare().unwrap();
    stop(keeper.pid());
    let mut generation = start_under(keeper, &["/bin/sleep", "60"], Place::OwnSession);
    world.until(&mut generation, |report| matches!(report, Report::Started { .. }));
    stop(generation.keeper().unwrap());
    generation.signal_group(signal(libc::SIGTERM)).unwrap();
    let ended = Report::Leader(Status::Signaled(signal(libc::SIGTERM)));
    assert_eq!(world.until_empty(&mut generation), [ended, Report::Empty]);
}

fn a_dead_supervisors_app_is_ended() {
    let [helper, leader] = orphaned();
    eventually("nothing of the app is left", || {
        let _ = reap_children();
        !lives(helper) && !lives(leader)
    });
}

fn a_thousand_generations_leave_no_descriptor() {
    let mut world = World::new();
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = count();
    let mut next = Keeper::prepare().unwrap();
    for _ in 0..1000 {
        let mut generation = start_under(next, &["/bin/true"], Place::OwnSession);
        next = Keeper::prepare().unwrap();
        world.until_empty(&mut generation);
    }
    drop(next);
    assert_eq!(count(), before);
}
