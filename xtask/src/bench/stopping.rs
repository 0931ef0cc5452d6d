//! Stopping: what of the old generation is left after a reload and after the tool's own end, and
//! whether the tool can be the first process of a container.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::failure::Failure;

use super::peers::Installed;
use super::place::{Place, write_executable};
use super::procfs;
use super::results::{Key, Unit};
use super::run::Run;
use super::{Bench, Section, latency};

/// A container engine kills after so long.
const GRACE: Duration = Duration::from_secs(10);

/// Helpers that ignore TERM, and what they are in words.
const HELPERS: [(&str, &str); 3] = [
    ("helper=deaf", "in the app's group"),
    ("helper=session", "in a session of its own"),
    ("helper=double", "double-forked"),
];

pub(super) fn measure(bench: &mut Bench) -> Result<(), Failure> {
    for round in 0..bench.effort.stops {
        println!("    round {} of {}", round + 1, bench.effort.stops);
        for installed in bench.judged() {
            for (habit, words) in HELPERS {
                helpers(bench, &installed, habit, words)?;
            }
            first_process(bench, &installed)?;
        }
    }
    Ok(())
}

fn begin(
    bench: &Bench,
    installed: &Installed,
    habits: &[&str],
    under: &[&str],
) -> Result<Run, Failure> {
    let place = Place::new()?;
    write_executable(&place.app(), &bench.programs.build("v1", 0)?)?;
    Run::start(installed, place, habits, under)
}

/// A reload, then the tool's end, while the app has a child that ignores TERM.
fn helpers(
    bench: &mut Bench,
    installed: &Installed,
    habit: &str,
    words: &str,
) -> Result<(), Failure> {
    let mut run = begin(bench, installed, &[habit], &[])?;
    let after_reload = format!("helper {words}: left after a reload");
    let time = format!("helper {words}: reload");
    let after_end = format!("helper {words}: left after the end");
    let key = |workload, unit| Key {
        section: Section::Stopping.name(),
        workload,
        tool: installed.tool,
        unit,
    };
    if let Err(reason) = run.first_start() {
        bench.results.miss(key(&after_reload, Unit::Count), reason);
        return Ok(());
    }
    run.wait_for_helpers(1, latency::PATIENCE);
    run.ready();
    let reloaded = latency::reload(&bench.programs, &mut run, "v2")?;
    match reloaded {
        Some(latency) => bench.results.sample(key(&time, Unit::Milliseconds), latency),
        None => bench.results.miss(key(&time, Unit::Milliseconds), "no new process in 4 s"),
    }
    if reloaded.is_some() {
        run.wait_for_helpers(2, latency::PATIENCE);
        // The new generation's helper is to live.
        let left = wait_until_few(|| run.living_helpers(), 1).saturating_sub(1);
        bench.results.sample(key(&after_reload, Unit::Count), count(left));
    }
    Run::signal(run.pid(), Signal::SIGTERM);
    if run.wait(GRACE).is_none() {
        bench.results.miss(key(&after_end, Unit::Count), "does not end in 10 s");
        return Ok(());
    }
    let left = wait_until_few(|| run.living_helpers(), 0);
    bench.results.sample(key(&after_end, Unit::Count), count(left));
    Ok(())
}

/// Waits until at most `few` are left, or a second has passed; how many are.
fn wait_until_few(living: impl Fn() -> usize, few: usize) -> usize {
    let until = Instant::now() + Duration::from_secs(1);
    loop {
        let left = living();
        if left <= few || Instant::now() > until {
            return left;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// As process 1 of a namespace: orphans that have ended, and the end of the container.
fn first_process(bench: &mut Bench, installed: &Installed) -> Result<(), Failure> {
    let under = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let mut run = begin(bench, installed, &["orphans"], &under)?;
    let key = |workload, unit| Key {
        section: Section::Stopping.name(),
        workload,
        tool: installed.tool,
        unit,
    };
    let (zombies, time) = ("PID 1: orphans not reaped", "PID 1: TERM to its end");
    if let Err(reason) = run.first_start() {
        bench.results.miss(key(time, Unit::Milliseconds), reason);
        return Ok(());
    }
    let family = procfs::family(run.pid(), &std::collections::BTreeSet::new());
    let Some(first) = family.into_iter().find(|pid| procfs::is_child(*pid, run.pid())) else {
        bench.results.miss(key(time, Unit::Milliseconds), "no child of unshare");
        return Ok(());
    };
    run.settle(Duration::from_millis(300), Duration::from_secs(2));
    let left = wait_until_few(|| procfs::zombies(first), 0);
    bench.results.sample(key(zombies, Unit::Count), count(left));
    Run::signal(first, Signal::SIGTERM);
    match run.wait(GRACE) {
        Some((_, milliseconds)) => {
            bench.results.sample(key(time, Unit::Milliseconds), milliseconds);
        }
        None => {
            bench.results.miss(key(time, Unit::Milliseconds), "killed by the engine after 10 s");
        }
    }
    Ok(())
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}
