//! The judgement of a settled set: does it differ from what runs, and is the executable fit?

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::evidence::Holdings;
use super::image::Image;
use super::program::{Command, NoProgram, Program};
use crate::candidate::{Fault, Refusal, check, check_last};
use crate::core::{Change, Judge, Judgement};
use crate::watch::{Difference, Watch};

/// Compares, then checks; the executable, `program`, is checked only when something differs.
pub(super) fn judge(
    order: &Judge,
    command: &Command,
    program: &Result<Program, NoProgram>,
    image: Option<&Image>,
    watch: &mut Watch,
    processes: impl FnOnce() -> Vec<i32>,
) -> Judgement {
    let path = program.as_ref().ok().map(|program| program.path.as_path());
    let executable_differs = match (path, image) {
        (Some(path), Some(image)) => image.differs_from(path),
        (None, _) | (_, None) => true,
    };
    let mut change = differences(&order.paths, path, watch);
    change.paths.extend(order.names.iter().filter(|name| watch.came_or_went(name)).cloned());
    let mut unused = Vec::new();
    if change.paths.is_empty() && !executable_differs && !order.unused.is_empty() {
        let (doubtful, rest) = doubtful(&order.unused, watch, &processes());
        change = differences(&doubtful, path, watch);
        unused = rest;
    }
    if executable_differs {
        change.executable = true;
        change.bytes += path.map_or(0, size);
        let name: Arc<Path> = match (path, image) {
            (Some(path), _) => path.into(),
            (None, Some(image)) => image.path.as_path().into(),
            (None, None) => PathBuf::from(command.name()).into(),
        };
        change.paths.retain(|path| *path != name);
        change.paths.insert(0, name);
    }
    if change.paths.is_empty() && !order.forced {
        return not_used(unused, watch);
    }
    let program = match program {
        Ok(program) => program,
        Err(cause) => return Judgement::Refused { why: cause.to_string() },
    };
    match fitness(&program.path, executable_differs) {
        Ok(()) => Judgement::Changed(change),
        Err(refusal) if matches!(refusal.fault, Fault::Busy) => {
            Judgement::Busy { path: refusal.path.into() }
        }
        Err(refusal) => Judgement::Refused { why: refusal.to_string() },
    }
}

/// The unused paths that may be in use all the same, and the others: what a process of the
/// generation holds open, what events under its name do not tell all of, and everything where an
/// interpreter runs.
fn doubtful(
    paths: &[Arc<Path>],
    watch: &Watch,
    processes: &[i32],
) -> (Vec<Arc<Path>>, Vec<Arc<Path>>) {
    let holdings = Holdings::of(processes);
    if holdings.interprets {
        return (paths.to_vec(), Vec::new());
    }
    let in_doubt = |path: &Arc<Path>| holdings.hold(path) || !watch.is_plain(path);
    paths.iter().cloned().partition(in_doubt)
}

/// Nothing that counts differs.
fn not_used(unused: Vec<Arc<Path>>, watch: &mut Watch) -> Judgement {
    // Without a budget nothing is opened.
    let same =
        |path: &Arc<Path>, watch: &mut Watch| watch.differs(path, &mut 0) == Difference::Same;
    let paths: Vec<_> = unused.into_iter().filter(|path| !same(path, watch)).collect();
    if paths.is_empty() {
        return Judgement::Unchanged;
    }
    let bytes = paths.iter().map(|path| size(path)).sum();
    Judgement::NotUsed(Change { paths, bytes, ..Change::default() })
}

/// The dry exec makes writers' opens fail for a moment, so it is spared for an executable that has
/// not changed.
fn fitness(path: &Path, changed: bool) -> Result<(), Refusal> {
    check(path)?;
    if changed { check_last(path) } else { Ok(()) }
}

/// Which of the paths differ from what they were when the app was started; the executable apart.
fn differences(paths: &[Arc<Path>], program: Option<&Path>, watch: &mut Watch) -> Change {
    let mut change = Change::default();
    let mut budget = COMPARE_BUDGET;
    for path in paths.iter().filter(|path| Some(path.as_ref()) != program) {
        match watch.differs(path, &mut budget) {
            Difference::Same => continue,
            Difference::Changed | Difference::New | Difference::Gone => {}
            Difference::CannotTell => change.beyond_budget = true,
        }
        change.bytes += size(path);
        change.paths.push(Arc::clone(path));
    }
    change
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| if meta.is_file() { meta.len() } else { 0 })
}

/// Bytes of one change set that are digested to tell a touch from a change: about 40 ms.
const COMPARE_BUDGET: u64 = 64 << 20;
