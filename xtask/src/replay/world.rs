//! The smallest world that a core can live in: one app that runs, files that a trace writes, and a
//! clock that jumps to the next event or wake-up.
//!
//! Stops and starts take no time, there are no sync sessions and no load. A file is open for
//! writing from its CREATE or first MODIFY to its `CLOSE_WRITE`. What the start would exec is not
//! known from a trace, so every name without an extension counts as vital: it may put the start
//! off without limit, which is the careful guess. A path has changed when the trace altered its
//! bytes or its name since the start before; attributes alone and closings do not.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use relaunch_buildpack::core::{
    Action, Change, Core, Event, FileEvent, Generation, Judgement, Policy, Probe, Surroundings,
    What, WriterState, settle,
};
use relaunch_buildpack::settings::OnExit;

use super::trace::{Recorded, Trace};

/// How a trace went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Starts that the trace caused.
    pub(super) starts: usize,
    /// From the trace's last event to the last start; negative when the start came before it.
    pub(super) latency_us: Option<i128>,
}

impl Outcome {
    /// The latency in milliseconds.
    pub(super) fn latency_ms(&self) -> Option<f64> {
        let us = i32::try_from(self.latency_us?).unwrap_or(i32::MAX);
        Some(f64::from(us) / 1000.0)
    }
}

/// Replays one trace to a core whose app has run for a while.
pub(super) fn replay(trace: &Trace) -> Outcome {
    let mut world = World::new();
    world.feed(Event::Began);
    world.run_until(WARM_UP);
    world.starts.clear();
    for recorded in &trace.events {
        world.run_until(WARM_UP + recorded.at);
        world.take(recorded);
    }
    let end = WARM_UP + trace.end();
    world.run_until(end + AFTERWARDS);
    let signed = |time: Duration| i128::try_from(time.as_micros()).unwrap_or(i128::MAX);
    Outcome {
        starts: world.starts.len(),
        latency_us: world.starts.last().map(|&start| signed(start) - signed(end)),
    }
}

struct World {
    core: Core,
    now: Duration,
    open: BTreeSet<Arc<Path>>,
    altered: BTreeSet<Arc<Path>>,
    starts: Vec<Duration>,
}

impl World {
    fn new() -> Self {
        let policy = Policy {
            pid1: false,
            job_control: false,
            on_exit: OnExit::Hold,
            stop_signal: 15,
            stop_timeout: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(8),
        };
        Self {
            core: Core::new(policy, None, Duration::from_secs(10)),
            now: Duration::ZERO,
            open: BTreeSet::new(),
            altered: BTreeSet::new(),
            starts: Vec::new(),
        }
    }

    /// Lets the deadlines before `until` pass. What is queued at a deadline is read before it.
    fn run_until(&mut self, until: Duration) {
        while let Some(deadline) = self.core.deadline().filter(|&it| it < until) {
            self.now = self.now.max(deadline);
            self.feed(Event::Woke);
        }
        self.now = until;
    }

    fn take(&mut self, recorded: &Recorded) {
        let Some(what) = recorded.what.clone() else { return };
        match &what {
            What::Created | What::Modified => {
                self.open.insert(Arc::clone(&recorded.path));
            }
            What::MovedWithin { from } if self.open.remove(from) => {
                self.open.insert(Arc::clone(&recorded.path));
            }
            What::Closed | What::Deleted | What::MovedAway | What::MovedIn => {
                self.open.remove(&recorded.path);
            }
            _ => {}
        }
        if recorded.alters {
            self.altered.insert(Arc::clone(&recorded.path));
        }
        self.feed(Event::File(FileEvent { path: Arc::clone(&recorded.path), what }));
    }

    /// Feeds an event, performs what follows and feeds the answers, until nothing is left to say.
    fn feed(&mut self, event: Event) {
        let mut queue = VecDeque::from([event]);
        while let Some(event) = queue.pop_front() {
            for action in self.core.handle(event, self.now) {
                queue.extend(self.perform(action));
            }
        }
    }

    fn perform(&mut self, action: Action) -> Vec<Event> {
        match action {
            Action::LookAround => {
                vec![Event::LookedAround(Surroundings { stretch: 1, ..Surroundings::default() })]
            }
            Action::Probe(paths) => {
                let probes = paths.into_iter().map(|path| {
                    let open = self.open.contains(&path);
                    let writer = if open { WriterState::Foreign } else { WriterState::Nobody };
                    Probe { vital: is_vital(&path), writer, path }
                });
                vec![Event::Probed(probes.collect())]
            }
            Action::Judge(asked) => {
                let judgement = self.judge(&asked.paths);
                vec![Event::Judged { forced: asked.forced, judgement }]
            }
            Action::Start { generation, .. } => {
                self.altered.clear();
                self.starts.push(self.now);
                vec![Event::Started { generation, pid: pid(generation), spared: Vec::new() }]
            }
            Action::Signal { generation, signal: 15, .. } => vec![
                Event::Exited { generation, ending: relaunch_buildpack::core::Ending::Signal(15) },
                Event::Emptied { generation },
            ],
            _ => Vec::new(),
        }
    }

    fn judge(&self, paths: &[Arc<Path>]) -> Judgement {
        if let Some(path) = paths.iter().find(|it| is_vital(it) && self.open.contains(*it)) {
            return Judgement::Busy { path: Arc::clone(path) };
        }
        let counts =
            |path: &&Arc<Path>| self.altered.contains(*path) && !settle::is_temporary(path);
        let paths: Vec<_> = paths.iter().filter(counts).cloned().collect();
        if paths.is_empty() {
            Judgement::Unchanged
        } else {
            Judgement::Changed(Change { paths, bytes: 1, beyond_budget: false, executable: true })
        }
    }
}

/// What a start might exec: a name without an extension.
fn is_vital(path: &Path) -> bool {
    path.extension().is_none() && !settle::is_temporary(path)
}

fn pid(generation: Generation) -> i32 {
    i32::try_from(generation.0).unwrap_or(i32::MAX)
}

/// The app has run this long before the trace begins, so that nothing looks like its own write at
/// start.
const WARM_UP: Duration = Duration::from_mins(1);
/// So long nothing happens after the trace.
const AFTERWARDS: Duration = Duration::from_mins(1);
