//! Walks through the rules of settling: events in, the moment of the settlement out. Moments are
//! milliseconds since the first event.

mod paths;
mod sessions;
mod windows;
mod writers;

use std::collections::BTreeMap;

use super::*;
use crate::core::{Probe, Session, WriterState};

/// A settler, its clock and the world that answers it.
struct Walk {
    settler: Settler,
    now: Moment,
    /// Each with the moment when it was that old.
    sessions: Vec<(Session, Moment)>,
    stretch: u32,
    /// Who has which file open, and whether the next start would exec it; nobody else does.
    open: BTreeMap<Arc<Path>, (WriterState, bool)>,
    told: Vec<Told>,
}

const BEGIN: Moment = Duration::from_secs(1000);

fn path(name: &str) -> Arc<Path> {
    Path::new("/w").join(name).into()
}

fn within(from: &str) -> What {
    What::MovedWithin { from: path(from) }
}

impl Walk {
    fn new() -> Self {
        Self {
            settler: Settler::new(None, Duration::from_secs(10)),
            now: BEGIN,
            sessions: Vec::new(),
            stretch: 1,
            open: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    fn at(&mut self, ms: u64) -> &mut Self {
        let until = BEGIN + Duration::from_millis(ms);
        assert_eq!(self.settle_before(Some(until)), None, "settled before {ms} ms");
        self.now = until;
        self
    }

    fn file(&mut self, name: &str, what: What) -> &mut Self {
        self.settler.file(&FileEvent { path: path(name), what }, self.now);
        assert_eq!(self.answer(), None);
        self
    }

    fn opened(&mut self, name: &str, writer: WriterState, vital: bool) -> &mut Self {
        self.open.insert(path(name), (writer, vital));
        self
    }

    fn session(&mut self, pid: i32, terminal: bool, age_ms: u64) -> &mut Self {
        self.sessions.push((Session { pid, age_ms, terminal }, self.now));
        self
    }

    fn session_ends(&mut self, pid: i32) -> &mut Self {
        self.sessions.retain(|(it, _)| it.pid != pid);
        self.settler.session_ended(pid);
        self
    }

    /// Answers questions until there is none; the settled set if there is one.
    fn answer(&mut self) -> Option<Settled> {
        loop {
            match self.settler.poll(None, self.now)? {
                Step::LookAround => {
                    let age = |(session, then): &(Session, Moment)| {
                        let since =
                            u64::try_from(self.now.saturating_sub(*then).as_millis()).unwrap();
                        Session { age_ms: session.age_ms + since, ..session.clone() }
                    };
                    let seen = Surroundings {
                        at: self.now,
                        sessions: self.sessions.iter().map(age).collect(),
                        stretch: self.stretch,
                        written: None,
                    };
                    self.settler.looked_around(&seen, self.now);
                }
                Step::Probe(paths) => {
                    let probe = |path: Arc<Path>| {
                        let nobody = (WriterState::Nobody, false);
                        let (writer, vital) = self.open.get(&path).copied().unwrap_or(nobody);
                        Probe { path, writer, vital }
                    };
                    let probes: Vec<_> = paths.into_iter().map(probe).collect();
                    let told = self.settler.probed(&probes, None, self.now);
                    self.told.extend(told);
                }
                Step::Settled(settled) => return Some(settled),
            }
        }
    }

    fn settle_before(&mut self, until: Option<Moment>) -> Option<Settled> {
        loop {
            if let Some(settled) = self.answer() {
                return Some(settled);
            }
            let next = self.settler.deadline(None)?;
            if until.is_some_and(|until| next >= until) {
                return None;
            }
            self.now = self.now.max(next);
        }
    }

    /// When the set settles, in milliseconds, and its names; `None` = never.
    fn settles(&mut self) -> Option<(u64, Vec<String>)> {
        let settled = self.settle_before(None)?;
        let name = |path: &Arc<Path>| {
            path.strip_prefix("/w").unwrap_or(path).to_string_lossy().into_owned()
        };
        Some((self.ms(), settled.paths.iter().map(name).collect()))
    }

    fn ms(&self) -> u64 {
        u64::try_from(self.now.saturating_sub(BEGIN).as_millis()).unwrap()
    }

    /// The set was judged to have changed something, or not.
    fn close(&mut self, real: bool) -> &mut Self {
        self.settler.close(real, self.now);
        self
    }
}

#[allow(clippy::unnecessary_wraps, reason = "compared with what may be None")]
fn settled(ms: u64, names: &[&str]) -> Option<(u64, Vec<String>)> {
    Some((ms, names.iter().map(|&name| name.to_owned()).collect()))
}
