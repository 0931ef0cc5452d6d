//! Correctness: one change set, written as some tool or person writes it. How often was the app
//! started, does it live, are its bytes those on disk?
//!
//! | file | concept |
//! | --- | --- |
//! | `cases` | the change sets, each with the number of starts that is right |
//! | `writing` | how their bytes come |
//! | `scene` | a running tool and the hands of a case |

mod cases;
mod scene;
mod writing;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::failure::Failure;
use crate::tier::Count;

use super::Bench;
use super::peers::{Installed, Tool};
use super::programs::Programs;
use super::results::{Cell, Outcome, Results};

use cases::{CASES, Case};
use scene::Scene;

/// The section. Cases mostly sleep, so several run at a time; those that load the machine come
/// last, one by one.
pub(super) fn measure(bench: &mut Bench) -> Result<(), Failure> {
    let (heavy, light): (Vec<&Case>, Vec<&Case>) = CASES.iter().partition(|case| case.heavy);
    let tools = bench.judged();
    let (programs, repetitions) = (&bench.programs, bench.effort.repetitions);
    println!("    {} change sets, {} tools, {repetitions} times each", CASES.len(), tools.len());
    let mut cells = side_by_side(programs, &light, &tools, repetitions, bench.effort.side_by_side)?;
    cells.extend(side_by_side(programs, &heavy, &tools, repetitions, 1)?);
    for cell in cells.iter().filter(|cell| cell.tool == Tool::Relaunch.name() && !cell.holds()) {
        println!("        not ideal: {}", failing(cell));
    }
    bench.results.cells = cells;
    Ok(())
}

/// Each cell of Relaunch counts as a test.
pub(super) fn count(results: &Results) -> Count {
    let cells = results.cells.iter().filter(|cell| cell.tool == Tool::Relaunch.name());
    cells.fold(Count::default(), |count, cell| count.plus(Count::check(cell.holds())))
}

/// A cell in words, for whoever has to find the fault.
pub(super) fn failing(cell: &Cell) -> String {
    let bad = cell.outcomes.iter().filter(|it| !cell.is_ideal(it));
    let told: Vec<String> = bad
        .map(|it| {
            let (alive, right) = (it.alive, it.right);
            format!("starts {} alive {alive} right bytes {right}: {}", it.starts, it.told)
        })
        .collect();
    format!("{} (ideal: {:?} starts): {}", cell.workload, cell.ideal, told.join("; "))
}

fn side_by_side(
    programs: &Programs,
    cases: &[&Case],
    tools: &[Installed],
    repetitions: usize,
    workers: usize,
) -> Result<Vec<Cell>, Failure> {
    let empty = |case: &Case, tool: &Installed| Cell {
        workload: case.name.to_owned(),
        tool: tool.tool.name().to_owned(),
        ideal: case.ideal,
        outcomes: Vec::new(),
    };
    let pairs: Vec<(&Case, &Installed)> =
        cases.iter().flat_map(|case| tools.iter().map(move |tool| (*case, tool))).collect();
    let cells: Mutex<Vec<Cell>> =
        Mutex::new(pairs.iter().map(|(case, tool)| empty(case, tool)).collect());
    let next = AtomicUsize::new(0);
    let first_failure = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let place = number % pairs.len().max(1);
                    if number >= pairs.len() * repetitions || holds_something(&first_failure) {
                        break;
                    }
                    let (case, tool) = pairs[place];
                    match outcome(programs, case, tool) {
                        Ok(outcome) => {
                            if let Ok(mut cells) = cells.lock() {
                                cells[place].outcomes.push(outcome);
                            }
                        }
                        Err(failure) => {
                            if let Ok(mut first) = first_failure.lock() {
                                first.get_or_insert(failure);
                            }
                        }
                    }
                }
            });
        }
    });
    match first_failure.into_inner() {
        Ok(Some(failure)) => Err(failure),
        _ => Ok(cells.into_inner().unwrap_or_default()),
    }
}

fn holds_something<T>(place: &Mutex<Option<T>>) -> bool {
    place.lock().is_ok_and(|it| it.is_some())
}

/// Runs one case with one tool.
fn outcome(programs: &Programs, case: &Case, tool: &Installed) -> Result<Outcome, Failure> {
    let mut scene = match Scene::set(programs, tool, case.app)? {
        Ok(scene) => scene,
        Err(told) => return Ok(Outcome { starts: 0, alive: false, right: false, told }),
    };
    (case.act)(&mut scene)?;
    let mut outcome = scene.outcome(case.last);
    let (fewest, most) = case.ideal;
    if (fewest..=most).contains(&outcome.starts) && outcome.alive && outcome.right {
        outcome.told.clear();
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cells_of_relaunch_count() {
        let mut results = super::super::results::examples::results();
        let good = Outcome { starts: 1, alive: true, right: true, told: String::new() };
        let bad = Outcome { starts: 2, told: "why".to_owned(), ..good.clone() };
        for (tool, outcome) in [("relaunch", good), ("relaunch", bad.clone()), ("entr", bad)] {
            let (workload, ideal) = ("mv".to_owned(), (1, 1));
            let outcomes = vec![outcome];
            results.cells.push(Cell { workload, tool: tool.to_owned(), ideal, outcomes });
        }
        assert_eq!(count(&results), Count { passed: 1, failed: 1 });
        let said = failing(&results.cells[1]);
        let expected = "mv (ideal: (1, 1) starts): starts 2 alive true right bytes true: why";
        assert_eq!(said, expected);
    }

    #[test]
    fn no_two_cases_have_one_name() {
        let names: std::collections::BTreeSet<&str> = CASES.iter().map(|it| it.name).collect();
        assert_eq!(names.len(), CASES.len());
    }
}
