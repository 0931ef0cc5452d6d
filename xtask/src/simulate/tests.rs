//! The simulation, as part of the ordinary test run.

use super::*;

/// Schedules of the ordinary test run.
const ORDINARY: u64 = 10_000;

#[test]
fn ten_thousand_schedules_break_no_promise() {
    assert_eq!(search(ORDINARY, None, 5), vec![]);
}

#[test]
fn every_planted_fault_is_found() {
    let missed: Vec<_> =
        FAULTS.into_iter().filter(|fault| search(FAULTY, Some(*fault), 1).is_empty()).collect();
    assert_eq!(missed, vec![]);
}

#[test]
fn a_seed_replays() {
    let fault = Some(Fault::JudgedBySize);
    let found = search(ORDINARY, fault, 1).swap_remove(0);
    assert_eq!(simulate(found.seed, fault, false), Some(found));
}
