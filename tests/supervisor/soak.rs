//! Flat: descriptors, memory and latency after many reloads are what they were after few. The
//! number is 500, or that of `RELAUNCH_SOAK` (`cargo xtask soak`).

use std::fs;
use std::time::{Duration, Instant};

use crate::apps;
use crate::runner::Case;
use crate::traced::children;
use crate::world::{Run, Setup};

pub(crate) const CASES: &[Case] = &[
    ("reloads leave descriptors, memory and latency as they were", flat),
    ("while holding no process is left, not even a dead one", holds_alone),
    ("at rest it gives back the code and the keeper that only work needs", rests),
];

/// What a supervisor holds.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    descriptors: usize,
    /// Of the supervisor and its keepers.
    processes: usize,
    /// In kB.
    memory: u64,
}

/// What it holds at rest: on its way from one generation to the next it holds more, and work that
/// can wait (digests, the manifest) has its files open for a moment.
fn held(run: &Run) -> Held {
    run.story();
    let pid = run.supervisor();
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let memory = kilobytes(pid, "RssAnon:");
    Held { descriptors, processes: children(pid).len(), memory }
}

/// A line of a process's `status`.
fn kilobytes(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn median(latencies: &[Duration]) -> Duration {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// The allocator takes memory in such steps and gives it back in such steps (`M_TOP_PAD` and
/// `M_TRIM_THRESHOLD` of mallopt(3)): at rest it holds one or none. In kB.
const STEP: u64 = 128;
/// Pages that are touched late: the ring of the last lines, the table of files. In kB.
const PAGES: u64 = 64;

fn flat() {
    let reloads: usize =
        std::env::var("RELAUNCH_SOAK").map_or(500, |number| number.parse().unwrap());
    let run = Setup::elf().flags(&["--settle=10ms"]).start();
    let versions = ["v1", "v2"].map(apps::elf);
    let mut latencies = Vec::new();
    let mut early = None;
    for number in 1..=reloads {
        let began = Instant::now();
        run.publish(&versions[number % 2]);
        run.wait_for_start(number + 1);
        latencies.push(began.elapsed());
        // Caches and tables have their size after a tenth.
        if number == reloads / 10 {
            early = Some(held(&run));
        }
    }
    let (early, late) = (early.unwrap(), held(&run));
    let tenth = reloads / 10;
    let (first, last) =
        (median(&latencies[tenth..2 * tenth]), median(&latencies[reloads - tenth..]));
    println!("{reloads} reloads: {early:?} then {late:?}; median {first:?} then {last:?}");
    assert_eq!(late.descriptors, early.descriptors);
    assert!(late.processes <= early.processes.max(2), "{early:?} {late:?}");
    assert!(late.memory <= early.memory + STEP + PAGES, "{early:?} {late:?}");
    assert!(last < first * 2, "{first:?} {last:?}");
}

/// A touch has a keeper prepared that nothing comes to use.
fn rests() {
    let run = Setup::elf().start();
    run.shell("touch tree/app");
    run.wait_for("unchanged tree/app");
    let pid = run.supervisor();
    let code = kilobytes(pid, "RssFile:");
    run.wait_for_rest();
    let held = held(&run);
    let left = kilobytes(pid, "RssFile:");
    assert!(held.processes == 1 && left < code / 2, "{code} kB of files, then {left}, {held:?}");
    run.publish(&apps::elf("v2"));
    run.assert_story(&["start 1", "unchanged tree/app", "stop 1", "start 2"]);
    run.assert_runs("v2");
}

fn holds_alone() {
    let run = Setup::with(&apps::script_with("v1", "exit 7"), &apps::elf("v2")).start_blind();
    run.wait_for("exit 1: code 7");
    run.wait_for_rest();
    assert_eq!(held(&run).processes, 0, "{}", run.everything());
    run.shell("mv new tree/app");
    run.assert_story(&["start 1", "exit 1: code 7", "start 2"]);
    run.assert_runs("v2");
}
