//! Signals for the app: somebody sends HUP at any moment. An app that does not handle it, yet or
//! ever, ends of it.

use std::time::Duration;

use relaunch_buildpack::core::{Event, Generation, Note, Standing};

use super::fault::Fault;
use super::world::World;

/// What is known of the hang-ups so far.
#[derive(Debug, Default)]
pub(super) struct Hangups {
    /// When the core heard of the last one.
    last: Option<Duration>,
    /// It came while no app was there and one was due, and has not reached an app since.
    unheard: bool,
    /// The core knows that the leader of the last generation has ended or is being killed.
    gone: bool,
}

impl World {
    /// Before the core gets the event.
    pub(super) fn note_hangup(&mut self, event: &Event) {
        match event {
            Event::SignalArrived { .. } => {
                self.hangups.last = Some(self.now);
                self.hangups.unheard |= match self.core.standing() {
                    Standing::Starting => true,
                    Standing::Restarting => self.hangups.gone,
                    Standing::Running | Standing::Held | Standing::Ending => false,
                };
            }
            Event::Started { .. } => self.hangups.gone = false,
            Event::Exited { .. } | Event::Emptied { .. } => self.hangups.gone = true,
            _ => {}
        }
    }

    /// The generation is being killed.
    pub(super) fn note_kill(&mut self) {
        self.hangups.gone = true;
    }

    /// After the core has handled an event: while it holds, nobody is there to take a signal.
    pub(super) fn forget_hangup(&mut self) {
        self.hangups.unheard &= self.core.standing() != Standing::Held;
    }

    /// The app gets HUP.
    pub(super) fn hang_up(&mut self, generation: Generation) {
        let Some(index) = self.living(generation).filter(|at| self.processes[*at].leader) else {
            return;
        };
        let begin = self.processes[index].begin;
        self.hangups.unheard = false;
        if self.handles(index) {
            return;
        }
        if self.hangups.last.is_some_and(|last| last < begin) {
            self.breaks("a fresh app was ended by a signal that came before it".into());
        }
        self.leader_ends(generation, Some(relaunch_buildpack::core::Ending::Signal(1)));
    }

    /// What was kept comes right after the exec.
    pub(super) fn hang_up_at_exec(&mut self, generation: Generation) {
        if self.fault == Some(Fault::KeptAtExec) && self.hangups.unheard {
            self.hang_up(generation);
        }
    }

    /// For which of these signals the app is ready.
    pub(super) fn ready(&self, generation: Generation, signals: Vec<i32>) -> Event {
        let index = self.living(generation).filter(|index| self.processes[*index].leader);
        let handles = match self.fault {
            Some(Fault::ReadyAssumed) => true,
            Some(Fault::NeverReady) => false,
            _ => index.is_some_and(|index| self.handles(index)),
        };
        Event::Ready { generation, signals: if handles { signals } else { Vec::new() } }
    }

    /// A signal is dropped only when the app would end of it.
    pub(super) fn note_dropped(&mut self, note: &Note) {
        let Note::SignalDropped { generation, .. } = note else { return };
        self.hangups.unheard = false;
        if self.living(*generation).is_some_and(|index| self.handles(index)) {
            self.breaks("a signal was dropped that the app handles".into());
        }
    }

    /// In the end.
    pub(super) fn lost_hangup(&self) -> Option<String> {
        let running = self.processes.iter().any(|it| it.leader);
        let lost = running && self.hangups.unheard;
        lost.then(|| "a signal that came between two apps was lost".into())
    }

    fn handles(&self, index: usize) -> bool {
        self.processes[index].handles_from.is_some_and(|from| from <= self.now)
    }
}
