//! The order of a stop: ask the app's group, when the app is gone ask whatever else descends from
//! it, at the deadline kill all of it.

use std::time::Duration;

use super::state::{Asked, Due, Next, State, StopPhase, Waiting};
use super::{GRACE, Life};
use crate::core::{Action, Generation, Moment, Note, Recipient, Stop};

impl Life {
    /// The supervisor is asked to end.
    pub(in crate::core) fn shutdown(&mut self, stop: Stop, now: Moment, out: &mut Vec<Action>) {
        match &mut self.state {
            State::Waiting(_) => {
                let code = self.last_ending.map_or_else(
                    || u8::try_from(128 + stop.signal).unwrap_or(u8::MAX),
                    crate::core::Ending::exit_code,
                );
                out.push(Action::Note(Note::ShuttingDown { signal: stop.signal }));
                self.end(code, out);
            }
            State::Starting { due, then_stop, .. } => match then_stop {
                None => *then_stop = Some(Asked { stop, since: now }),
                Some(asked) if stop.signal == libc::SIGINT => {
                    let (generation, since) = (due.generation, asked.since);
                    self.give_up_start(generation, Asked { stop, since }, now, out);
                }
                Some(_) => {}
            },
            State::Running { generation, .. } => {
                let generation = *generation;
                out.push(Action::Note(Note::ShuttingDown { signal: stop.signal }));
                self.stop(generation, self.signal_for(stop), Self::exit_by(stop), now, out);
            }
            State::Left { generation, .. } => {
                let generation = *generation;
                let code = self.last_ending.map_or(0, crate::core::Ending::exit_code);
                out.push(Action::Note(Note::ShuttingDown { signal: stop.signal }));
                self.stop_rest(generation, Next::Exit { code }, now, out);
            }
            State::Stopping { generation, phase, next } => match next {
                Next::Start { .. } => {
                    out.push(Action::Note(Note::ShuttingDown { signal: stop.signal }));
                    *next = match (&*phase, self.last_ending) {
                        // It has ended already, and no other word of it follows.
                        (StopPhase::Rest { .. }, Some(ending)) => {
                            Next::Exit { code: ending.exit_code() }
                        }
                        _ => Self::exit_by(stop),
                    };
                    let latest = now + self.policy.shutdown_timeout;
                    match phase {
                        StopPhase::Asked { deadline, .. } | StopPhase::Rest { deadline, .. } => {
                            *deadline = (*deadline).min(latest);
                        }
                        StopPhase::Killing { .. } => {}
                    }
                }
                // A person who presses Ctrl-C twice has no patience left.
                Next::Exit { .. } if stop.signal == libc::SIGINT => {
                    let (generation, begun) = (*generation, phase.begun());
                    self.kill(generation, begun, now, out);
                }
                Next::Exit { .. } => {}
            },
            State::Ended => {}
        }
    }

    /// Asks the app's group to stop.
    pub(super) fn stop(
        &mut self,
        generation: Generation,
        signal: i32,
        next: Next,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        if matches!(self.state, State::Left { .. }) {
            self.stop_rest(generation, next, now, out);
            return;
        }
        let patience = match next {
            Next::Start { .. } => self.policy.stop_timeout,
            Next::Exit { .. } => self.policy.shutdown_timeout,
        };
        out.extend(ask(generation, Recipient::Group, signal));
        let phase = StopPhase::Asked { deadline: now + patience, begun: now };
        self.state = State::Stopping { generation, phase, next };
    }

    /// Asks what is left of a generation whose app has ended.
    pub(super) fn stop_rest(
        &mut self,
        generation: Generation,
        next: Next,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        out.extend(ask(generation, Recipient::Rest, libc::SIGTERM));
        let phase = StopPhase::Rest { deadline: now + GRACE, begun: now };
        self.state = State::Stopping { generation, phase, next };
    }

    /// Nothing of the generation is left.
    pub(super) fn stopped(
        &mut self,
        phase: StopPhase,
        next: Next,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        match next {
            Next::Start { reason, mut times, kept } => {
                times.stop = now.saturating_sub(phase.begun());
                let due = Due { kept, ..Due::new(self.last.next(), reason, times, now) };
                self.state = State::Waiting(Waiting::ToStart(due));
            }
            Next::Exit { code } => self.end(code, out),
        }
    }

    /// The deadline of a stop has passed, or a round of killing was not enough.
    pub(super) fn lose_patience(&mut self, now: Moment, out: &mut Vec<Action>) {
        let State::Stopping { generation, phase, next } = &mut self.state else {
            return;
        };
        let generation = *generation;
        match *phase {
            StopPhase::Asked { begun, .. } | StopPhase::Rest { begun, .. } => {
                self.kill(generation, begun, now, out);
            }
            StopPhase::Killing { since, begun, .. } if now < since + UNKILLABLE => {
                out.push(Action::KillAll { generation });
                *phase = StopPhase::Killing { next_round: now + ROUND, since, begun };
            }
            StopPhase::Killing { .. } => {
                let (phase, next) = (*phase, next.clone());
                out.push(Action::Note(Note::Unkillable { generation }));
                self.stopped(phase, next, now, out);
            }
        }
    }

    fn kill(&mut self, generation: Generation, begun: Moment, now: Moment, out: &mut Vec<Action>) {
        let State::Stopping { phase, .. } = &mut self.state else {
            return;
        };
        if matches!(phase, StopPhase::Killing { .. }) {
            return;
        }
        *phase = StopPhase::Killing { next_round: now + ROUND, since: now, begun };
        out.push(Action::Note(Note::Killing { generation, after: now.saturating_sub(begun) }));
        out.push(Action::KillAll { generation });
    }

    /// The supervisor was asked to end, and still nobody knows whether the app was started.
    pub(super) fn give_up_start(
        &mut self,
        generation: Generation,
        Asked { stop, since }: Asked,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        out.push(Action::Note(Note::ShuttingDown { signal: stop.signal }));
        let phase = StopPhase::Asked { deadline: now, begun: since };
        self.state = State::Stopping { generation, phase, next: Self::exit_by(stop) };
        self.kill(generation, since, now, out);
    }

    /// TERM means the app's own stop signal; any other goes on as it is.
    fn signal_for(&self, stop: Stop) -> i32 {
        if stop.signal == libc::SIGTERM { self.policy.stop_signal } else { stop.signal }
    }

    /// The code is replaced by the app's own when it ends.
    fn exit_by(stop: Stop) -> Next {
        Next::Exit { code: u8::try_from(128 + stop.signal).unwrap_or(u8::MAX) }
    }
}

/// The signal, and CONT, without which a stopped process never acts on it.
pub(super) fn ask(generation: Generation, to: Recipient, signal: i32) -> [Action; 2] {
    [
        Action::Signal { generation, to, signal },
        Action::Signal { generation, to, signal: libc::SIGCONT },
    ]
}

/// Pause between two rounds of STOP all, KILL all: a hostile 1 kHz double-forker died in 373 ms.
const ROUND: Duration = Duration::from_millis(5);
/// What does not die of KILL in this time is in an uninterruptible wait in the kernel.
const UNKILLABLE: Duration = Duration::from_secs(3);
