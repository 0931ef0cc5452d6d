//! Reload after reload, without a pause: does latency, memory or the number of open files grow?

use std::time::{Duration, Instant};

use crate::failure::Failure;

use super::cost::bytes;
use super::peers::{Installed, Tool};
use super::place::{Place, write_executable};
use super::results::{Key, Unit};
use super::run::Run;
use super::statistics::median;
use super::{Bench, Section, latency};

/// A peer that is slow gets no more than this.
const AT_MOST: Duration = Duration::from_mins(1);
/// The latency at a point is the median of so many reloads before it.
const WINDOW: usize = 50;

pub(super) fn measure(bench: &mut Bench) -> Result<(), Failure> {
    for installed in bench.tools.clone() {
        let ours = matches!(installed.tool, Tool::Relaunch | Tool::Floor);
        let reloads = bench.effort.reloads / if ours { 1 } else { 10 };
        println!("    {}: up to {reloads} reloads", installed.tool.name());
        one(bench, &installed, reloads, ours)?;
    }
    Ok(())
}

fn one(bench: &mut Bench, installed: &Installed, reloads: usize, all: bool) -> Result<(), Failure> {
    let place = Place::new()?;
    write_executable(&place.app(), &bench.programs.build("v1", 0)?)?;
    let mut run = Run::start(installed, place, &[], &[])?;
    let tool = installed.tool;
    if let Err(reason) = run.first_start() {
        bench.results.miss(key(tool, "latency after 1", Unit::Milliseconds), reason);
        return Ok(());
    }
    run.ready();
    let began = Instant::now();
    let (mut latencies, mut lost) = (Vec::new(), 0_u32);
    for number in 1..=reloads {
        match latency::reload(&bench.programs, &mut run, &format!("v{}", number + 1))? {
            Some(time) => latencies.push(time),
            None => lost += 1,
        }
        if is_power_of_ten(number) {
            let window = &latencies[latencies.len().saturating_sub(WINDOW)..];
            if let Some(median) = median(window) {
                let name = format!("latency after {number}");
                bench.results.sample(key(tool, &name, Unit::Milliseconds), median);
            }
            let cost = run.cost();
            let name = format!("memory after {number}");
            bench.results.sample(key(tool, &name, Unit::Bytes), bytes(cost.resident));
            let name = format!("open files after {number}");
            bench.results.sample(key(tool, &name, Unit::Count), bytes(cost.files));
        }
        if !all && began.elapsed() > AT_MOST {
            println!("        stopped after {number}");
            break;
        }
    }
    let name = "updates without a new process in 4 s";
    bench.results.sample(key(tool, name, Unit::Count), lost.into());
    Ok(())
}

fn key(tool: Tool, workload: &str, unit: Unit) -> Key<'_> {
    Key { section: Section::Reloads.name(), workload, tool, unit }
}

fn is_power_of_ten(number: usize) -> bool {
    let mut power = 1;
    while power < number {
        power *= 10;
    }
    power == number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_powers_of_ten() {
        let points: Vec<usize> = (1..=1_000).filter(|it| is_power_of_ten(*it)).collect();
        assert_eq!(points, [1, 10, 100, 1_000]);
    }
}
