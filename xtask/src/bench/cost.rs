//! Cost: start-up to the first exec, memory, processor time and wake-ups while nothing happens,
//! processor time in a storm of events, size on disk.

use std::thread;
use std::time::Duration;

use crate::failure::Failure;

use super::marks::milliseconds;
use super::peers::Installed;
use super::place::{Place, write_executable};
use super::results::{Key, Unit};
use super::run::Run;
use super::{Bench, Section, latency};

/// Created, opened, written, closed: four events each.
const STORM_FILES: usize = 2_500;
/// Files beside the app.
const FILES: usize = 9;

pub(super) fn measure(bench: &mut Bench) -> Result<(), Failure> {
    start_up(bench)?;
    idle(bench)?;
    storm(bench)?;
    for installed in bench.tools.clone() {
        let size = bench.results.tools.iter().find(|it| it.name == installed.tool.name());
        let size = size.map_or(0, |it| it.size);
        bench.results.sample(key(&installed, "size on disk", Unit::Bytes), bytes(size));
    }
    Ok(())
}

fn key<'a>(installed: &Installed, workload: &'a str, unit: Unit) -> Key<'a> {
    Key { section: Section::Cost.name(), workload, tool: installed.tool, unit }
}

fn begin(bench: &Bench, installed: &Installed) -> Result<Run, Failure> {
    let place = Place::new()?;
    write_executable(&place.app(), &bench.programs.build("v1", 0)?)?;
    for number in 1..=FILES {
        let path = place.tree().join(format!("file{number}"));
        std::fs::write(&path, "text").map_err(Failure::file(&path))?;
    }
    Run::start(installed, place, &[], &[])
}

fn start_up(bench: &mut Bench) -> Result<(), Failure> {
    println!("    start-up ({} rounds)", bench.effort.startups);
    let name = "start-up to first exec";
    for _ in 0..bench.effort.startups {
        for installed in bench.tools.clone() {
            let mut run = begin(bench, &installed)?;
            let key = key(&installed, name, Unit::Milliseconds);
            match run.first_start() {
                Ok(mark) => bench.results.sample(key, milliseconds(mark.at - run.began)),
                Err(reason) => bench.results.miss(key, reason),
            }
        }
    }
    Ok(())
}

/// All at the same time: nobody does anything.
fn idle(bench: &mut Bench) -> Result<(), Failure> {
    println!("    idle ({} s)", bench.effort.idle_seconds);
    let mut runs = Vec::new();
    for installed in bench.tools.clone() {
        let mut run = begin(bench, &installed)?;
        match run.first_start() {
            Ok(_) => runs.push((installed, run)),
            Err(reason) => bench.results.miss(key(&installed, RESIDENT, Unit::Bytes), reason),
        }
    }
    for (_, run) in &mut runs {
        run.ready();
    }
    // One reload each: what a tool keeps for the next one counts as well.
    for (_, run) in &mut runs {
        latency::reload(&bench.programs, run, "v2")?;
    }
    // Second looks and deferred work of the reload are over by then.
    thread::sleep(Duration::from_secs(3));
    let before: Vec<_> = runs.iter().map(|(_, run)| run.cost()).collect();
    thread::sleep(Duration::from_secs(bench.effort.idle_seconds));
    let seconds = f64::from(u32::try_from(bench.effort.idle_seconds).unwrap_or(u32::MAX));
    for ((installed, run), before) in runs.iter().zip(before) {
        let after = run.cost();
        let results = &mut bench.results;
        results.sample(key(installed, RESIDENT, Unit::Bytes), bytes(after.resident));
        results.sample(key(installed, "memory (PSS)", Unit::Bytes), bytes(after.proportional));
        let wakes = bytes(after.wakes.saturating_sub(before.wakes)) / seconds;
        results.sample(key(installed, "wake-ups per second, idle", Unit::Count), wakes);
        let busy = after.running.saturating_sub(before.running).cast_signed();
        let name = "processor time per idle minute";
        let per_minute = milliseconds(busy) * 60.0 / seconds;
        results.sample(key(installed, name, Unit::Milliseconds), per_minute);
    }
    Ok(())
}

const RESIDENT: &str = "memory (RSS)";

/// Processor time from the first of 10,000 events to rest, an update at the end included.
fn storm(bench: &mut Bench) -> Result<(), Failure> {
    let name = "processor time in a storm of 10,000 events";
    println!("    storm ({} rounds)", bench.effort.storms);
    for _ in 0..bench.effort.storms {
        for installed in bench.tools.clone() {
            let mut run = begin(bench, &installed)?;
            let key = key(&installed, name, Unit::Milliseconds);
            if let Err(reason) = run.first_start() {
                bench.results.miss(key, reason);
                continue;
            }
            run.ready();
            let before = run.cost();
            for number in 0..STORM_FILES {
                let path = run.place.tree().join(format!("storm{number}"));
                std::fs::write(&path, "text").map_err(Failure::file(&path))?;
            }
            let reloaded = latency::reload(&bench.programs, &mut run, "v2")?;
            run.settle(Duration::from_millis(500), Duration::from_secs(20));
            run.ready();
            let after = run.cost();
            let used = (after.running + after.ended).saturating_sub(before.running + before.ended);
            bench.results.sample(key, milliseconds(used.cast_signed()));
            if reloaded.is_none() {
                let key = Key { workload: "storm: new app not started", unit: Unit::Count, ..key };
                bench.results.miss(key, "the update after the storm was missed");
            }
        }
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // Far below 2^53.
pub(super) fn bytes(number: u64) -> f64 {
    number as f64
}
