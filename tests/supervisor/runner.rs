//! Runs the cases side by side and prints one line for each, with all that was seen for a failure.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A behaviour and the function that checks it.
pub(crate) type Case = (&'static str, fn());

/// Cases at a time, unless `RELAUNCH_SIDE_BY_SIDE` says another number: they sleep far more than
/// they compute.
const WORKERS: usize = 8;

thread_local! {
    /// What the case on this thread panicked with.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What became of a case's repetitions.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    longest: Duration,
}

pub(crate) fn run(cases: &[Case]) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let filters: Vec<_> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let chosen: Vec<Case> = cases
        .iter()
        .filter(|(name, _)| filters.is_empty() || filters.iter().any(|it| name.contains(*it)))
        .copied()
        .collect();
    if arguments.iter().any(|word| word == "--list") {
        for (name, _) in &chosen {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    // Compiled once, before deadlines run.
    crate::apps::compiled();
    let number = |name, default| env::var(name).map_or(default, |text| text.parse().unwrap());
    let (times, workers) = (number("RELAUNCH_REPEAT", 1), number("RELAUNCH_SIDE_BY_SIDE", WORKERS));
    panic::set_hook(Box::new(|info| PANIC.set(info.to_string())));
    let tallies = side_by_side(&chosen, times, workers);
    let failed: Vec<_> =
        tallies.iter().filter(|(_, it)| it.failed > 0).map(|(name, _)| *name).collect();
    for (name, tally) in &tallies {
        let Tally { passed, failed, longest } = tally;
        let verdict = if *failed == 0 { "ok" } else { "FAILED" };
        println!("test {name} ... {verdict} ({passed} of {}, {longest:.1?})", passed + failed);
    }
    let verdict = if failed.is_empty() { "ok" } else { "FAILED" };
    println!("\nfailed: {failed:?}");
    // The form of libtest, which `cargo xtask test` counts by.
    let passed = tallies.len() - failed.len();
    println!("test result: {verdict}. {passed} passed; {} failed", failed.len());
    ExitCode::from(u8::from(!failed.is_empty()))
}

fn side_by_side(chosen: &[Case], times: usize, workers: usize) -> BTreeMap<&'static str, Tally> {
    let next = AtomicUsize::new(0);
    let tallies = Mutex::new(BTreeMap::<_, Tally>::new());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= chosen.len() * times {
                        break;
                    }
                    let (name, case) = chosen[number % chosen.len()];
                    let began = Instant::now();
                    let passed = panic::catch_unwind(AssertUnwindSafe(case)).is_ok();
                    if !passed {
                        println!("\n---- {name}\n{}", PANIC.take());
                    }
                    let mut tallies = tallies.lock().unwrap();
                    let tally = tallies.entry(name).or_default();
                    *(if passed { &mut tally.passed } else { &mut tally.failed }) += 1;
                    tally.longest = tally.longest.max(began.elapsed());
                }
            });
        }
    });
    tallies.into_inner().unwrap()
}
