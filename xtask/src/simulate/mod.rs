//! `cargo xtask simulate`: the core in a fake world, over and over, against its promises.
//!
//! ```text
//! cargo xtask simulate [--schedules N]       N schedules, 1,000,000 unless told
//! cargo xtask simulate --seed N [--trace]    one schedule, with everything that happens
//! cargo xtask simulate --faults              each planted fault must be found
//!     --fault NAME                           with this fault planted, in either of the first two
//! ```
//!
//! May come in: the core; no file, no process, no clock but the one of the process that counts.

mod app;
mod author;
mod disk;
mod fault;
mod hangup;
mod kernel;
mod perform;
mod promise;
pub(crate) mod random;
mod schedule;
mod steps;
mod usage;
mod watch;
mod world;
mod writer;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use self::fault::{FAULTS, Fault};
use self::world::World;

/// Schedules in which each planted fault must show itself.
pub(crate) const FAULTY: u64 = 10_000;
/// Schedules of `cargo xtask simulate`.
const MANY: u64 = 1_000_000;
const USAGE: &str = "usage: cargo xtask simulate [--fault NAME] ([--schedules N] | --seed N [--trace]) | --faults [--schedules N]";

/// Runs what `args` ask for. Exit code 1: a promise was broken, or a planted fault was not found;
/// 2: wrong usage.
pub fn run(args: impl Iterator<Item = String>) -> ExitCode {
    let Some(asked) = Asked::parse(args) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let good = match asked {
        Asked { seed: Some(seed), trace, fault, .. } => one(seed, fault, trace),
        Asked { faults: true, schedules, .. } => faults(schedules.unwrap_or(FAULTY)),
        Asked { schedules, fault, .. } => many(schedules.unwrap_or(MANY), fault),
    };
    ExitCode::from(u8::from(!good))
}

#[derive(Debug, Default)]
struct Asked {
    seed: Option<u64>,
    trace: bool,
    schedules: Option<u64>,
    faults: bool,
    fault: Option<Fault>,
}

impl Asked {
    fn parse(mut args: impl Iterator<Item = String>) -> Option<Self> {
        let mut asked = Self::default();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--seed" => asked.seed = Some(args.next()?.parse().ok()?),
                "--trace" => asked.trace = true,
                "--schedules" => {
                    asked.schedules = Some(args.next()?.replace('_', "").parse().ok()?);
                }
                "--faults" => asked.faults = true,
                "--fault" => {
                    let name = args.next()?;
                    asked.fault = Some(FAULTS.into_iter().find(|it| format!("{it:?}") == name)?);
                }
                _ => return None,
            }
        }
        Some(asked)
    }
}

/// A broken promise, and the seed that breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) seed: u64,
    pub(crate) promise: String,
}

/// Runs one schedule; `None` = every promise was kept.
fn simulate(seed: u64, fault: Option<Fault>, trace: bool) -> Option<Broken> {
    let mut world = World::new(seed, fault, trace);
    world.run();
    world.check();
    world.broken.take().map(|promise| Broken { seed, promise })
}

/// The first broken promises of the seeds from 0 on, at most `enough` of them, on all cores.
fn search(schedules: u64, fault: Option<Fault>, enough: usize) -> Vec<Broken> {
    let next = AtomicU64::new(0);
    let work = || {
        let mut found = Vec::new();
        while found.len() < enough {
            let from = next.fetch_add(BATCH, Ordering::Relaxed);
            if from >= schedules {
                break;
            }
            found.extend(
                (from..schedules.min(from + BATCH)).filter_map(|seed| simulate(seed, fault, false)),
            );
        }
        found
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut found: Vec<Broken> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|it| it.join().unwrap_or_default()).collect()
    });
    found.sort_by_key(|it| it.seed);
    found
}

fn one(seed: u64, fault: Option<Fault>, trace: bool) -> bool {
    match simulate(seed, fault, trace) {
        None => {
            println!("seed {seed}: every promise was kept");
            true
        }
        Some(Broken { promise, .. }) => {
            println!("seed {seed}: {promise}");
            false
        }
    }
}

fn many(schedules: u64, fault: Option<Fault>) -> bool {
    let found = search(schedules, fault, 20);
    for Broken { seed, promise } in &found {
        println!("seed {seed}: {promise}");
    }
    if found.is_empty() {
        println!("{schedules} schedules: every promise was kept");
    } else {
        println!("see one with: cargo xtask simulate --seed N --trace");
    }
    found.is_empty()
}

/// Looks for every planted fault.
fn faults(schedules: u64) -> bool {
    let mut all = true;
    for fault in FAULTS {
        let label = format!("{fault:?}");
        if let Some(Broken { seed, promise }) = search(schedules, Some(fault), 1).first() {
            println!("{label:20} seed {seed}: {promise}");
        } else {
            println!("{label:20} NOT FOUND in {schedules} schedules");
            all = false;
        }
    }
    all
}

/// Seeds that a thread takes at a time.
const BATCH: u64 = 50;

#[cfg(test)]
mod tests;
