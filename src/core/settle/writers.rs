//! The answer of the writer test: who may put a set off, and for how long.

use std::sync::Arc;
use std::time::Duration;

use super::pending::Phase;
use super::{FOREIGN_WRITER, Settler, Told};
use crate::core::{Moment, Probe, WriterState};

impl Settler {
    /// Takes the writer test's answer in; `latest` as for [`poll`](Self::poll).
    pub(in crate::core) fn probed(
        &mut self,
        probes: &[Probe],
        latest: Option<Moment>,
        now: Moment,
    ) -> Vec<Told> {
        let asked = self.asked.take();
        let in_session = self.is_in_session();
        let (Phase::Collecting(pending), Some(asked)) = (&mut self.phase, asked) else {
            return Vec::new();
        };
        let hurried = latest.is_some_and(|latest| now >= latest);
        let overdue = now >= pending.latest(in_session, self.settle_max, latest);
        let log_patience =
            pending.set.last_sure().map(|sure| sure + FOREIGN_WRITER).filter(|_| !in_session);
        let mut told = Vec::new();
        let mut waits = Vec::new();
        for Probe { path, writer, vital } in probes {
            let is_own = *writer == WriterState::OwnGeneration && !vital;
            // Though it may have closed it since.
            if is_own && pending.set.is_still(path, asked) {
                let is_open = pending.set.open_since(path).is_some();
                pending.set.forget(path);
                if !is_open || self.own.insert(Arc::clone(path)) {
                    told.push(Told::OwnFile(Arc::clone(path)));
                }
            }
            let Some(since) = pending.set.open_since(path) else {
                continue;
            };
            let silent = now >= since + FOREIGN_WRITER;
            let only_a_log =
                pending.set.may_be_log(path) && log_patience.is_some_and(|until| now >= until);
            match (writer, vital) {
                // The answer may be older than what happened meanwhile.
                (WriterState::Nobody, _) if since > asked => {}
                (WriterState::OwnGeneration, false) => {}
                (WriterState::Nobody, _) => {
                    self.own.remove(path);
                    pending.set.presume_closed(path, now);
                }
                (WriterState::OwnGeneration | WriterState::Foreign, true) => {
                    pending.held_up = now;
                    waits.push(path);
                    let new = silent && pending.told.replace(Arc::clone(path)).is_none();
                    if new || hurried {
                        told.push(Told::Waiting(Arc::clone(path)));
                    }
                }
                (WriterState::Foreign, false) | (WriterState::Unknown, _) => {
                    if silent || only_a_log {
                        pending.set.presume_closed(path, now);
                    }
                }
            }
        }
        if overdue {
            // What was opened since it was asked, too: with several writers something always is.
            for path in pending.set.open().iter().filter(|path| !waits.contains(path)) {
                pending.set.presume_closed(path, now);
            }
        }
        pending.probe_from = now + pending.probe_pause;
        pending.probe_pause = (pending.probe_pause * 2).min(PROBE_MAX);
        if pending.set.is_empty() {
            self.phase = Phase::Quiet;
        }
        told
    }
}

/// Longest pause between two writer tests.
const PROBE_MAX: Duration = Duration::from_millis(160);
