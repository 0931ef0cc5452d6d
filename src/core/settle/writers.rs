//! The answer of the writer test: who may put a set off, and for how long.

use std::sync::Arc;
use std::time::Duration;

use super::pending::{Phase, Writers};
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
        let Phase::Collecting(pending) = &mut self.phase else {
            return Vec::new();
        };
        let Writers::Asked { at, pause } = pending.writers else {
            return Vec::new();
        };
        let in_session = !self.clients.is_empty();
        let hurried = latest.is_some_and(|latest| now >= latest);
        let overdue = hurried || now >= pending.longest(in_session, self.settle_max);
        let log_patience =
            pending.set.last_sure().map(|sure| sure + FOREIGN_WRITER).filter(|_| !in_session);
        let mut told = Vec::new();
        for Probe { path, writer, vital } in probes {
            let Some(since) = pending.set.open_since(path) else {
                continue;
            };
            let silent = now >= since + FOREIGN_WRITER;
            let only_a_log =
                pending.set.may_be_log(path) && log_patience.is_some_and(|until| now >= until);
            match (writer, vital) {
                // Written meanwhile: the answer may be older.
                (WriterState::Nobody, _) if since > at && !overdue => {}
                (WriterState::Nobody, _) => {
                    self.own.remove(path);
                    pending.set.presume_closed(path, now);
                }
                (WriterState::OwnGeneration, false) => {
                    pending.set.forget(path);
                    let new = self.own.insert(Arc::clone(path));
                    if new && self.named.insert(Arc::clone(path)) {
                        told.push(Told::OwnFile(Arc::clone(path)));
                    }
                }
                (WriterState::OwnGeneration | WriterState::Foreign, true) => {
                    pending.held_up = now;
                    let new = silent && pending.told.replace(Arc::clone(path)).is_none();
                    if new || hurried {
                        told.push(Told::Waiting(Arc::clone(path)));
                    }
                }
                (WriterState::Foreign, false) | (WriterState::Unknown, _) => {
                    if silent || only_a_log || overdue {
                        pending.set.presume_closed(path, now);
                    }
                }
            }
        }
        pending.writers = Writers::Askable { from: now + pause, pause: (pause * 2).min(PROBE_MAX) };
        if pending.set.is_empty() {
            self.phase = Phase::Quiet;
        }
        told
    }
}

/// Longest pause between two writer tests.
const PROBE_MAX: Duration = Duration::from_millis(160);
