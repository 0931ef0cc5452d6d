//! The life of the app: starting, running, stopping, holding.
//!
//! | state | restart | Started | `StartFailed` | Exited | Emptied | shutdown | deadline |
//! | --- | --- | --- | --- | --- | --- | --- | --- |
//! | Waiting | → Starting | – | – | – | – | exit | retry → start due |
//! | Starting | – (judged later) | → Running; → Stopping if asked | retry, last good, hold or exit | – | retry | noted; INT twice: → Stopping, kill | asked to end: → Stopping, kill |
//! | Running | → Stopping | – | – | → Left, or → Stopping to exit | as Exited | → Stopping to exit | recheck, pass on what was kept |
//! | Left | → Stopping | – | – | – | → Waiting | → Stopping to exit | – |
//! | Stopping | – (judged later) | – | as Emptied | ask the rest | → Waiting to start, or exit | then exit; twice: kill | kill, again |
//! | Ended | – | – | – | – | – | – | – |
//!
//! Every event names its generation; one of another generation is old news and changes nothing.
//! While the state is `Waiting`, [`Core`](super::Core) starts what is due as soon as no change set is pending,
//! and after two seconds in any case.

mod kept;
mod policy;
mod signals;
mod starting;
mod state;
mod stopping;

#[cfg(test)]
mod tests;

use std::time::Duration;

use self::kept::{Kept, LOOK};
use self::policy::HEALTHY;
pub use self::policy::Policy;
pub use self::state::Standing;
pub(super) use self::state::State;
use self::state::{Due, Next, StopPhase, Waiting};
use super::{
    Action, Ending, Generation, Moment, Note, Obstacle, Reason, Recipient, RestartTimes,
    StartProblem,
};

/// The machine: one state, what never changes, and what outlives a generation.
#[derive(Debug)]
pub(super) struct Life {
    state: State,
    policy: Policy,
    /// The number of the last start that was ordered.
    last: Generation,
    /// When it was ordered.
    ordered: Moment,
    /// How the app ended last, for the exit code of a shutdown while holding.
    last_ending: Option<Ending>,
    /// A generation lived long enough to show that the image works.
    was_healthy: bool,
    /// A generation ran, so that its executable can be started again.
    has_last_good: bool,
}

impl Life {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            state: State::Waiting(Waiting::Idle),
            policy,
            last: Generation(0),
            ordered: Moment::ZERO,
            last_ending: None,
            was_healthy: false,
            has_last_good: false,
        }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn generation(&self) -> Generation {
        self.last
    }

    /// Whether a judgement could be acted on now.
    pub(super) fn can_act(&self) -> bool {
        match self.state {
            State::Waiting(_) | State::Running { .. } | State::Left { .. } => true,
            State::Starting { .. } | State::Stopping { .. } | State::Ended => false,
        }
    }

    /// Whether nothing runs although something should: a start is due as soon as nothing is
    /// pending.
    pub(super) fn is_start_due(&self) -> bool {
        matches!(self.state, State::Waiting(Waiting::ToStart(_)))
    }

    /// Until when a start that is due waits for a change set; then nothing runs for too long.
    pub(super) fn start_by(&self) -> Option<Moment> {
        match &self.state {
            State::Waiting(Waiting::ToStart(due)) => Some(due.since + LONGEST_DOWN),
            _ => None,
        }
    }

    /// Whether there is an executable to fall back to.
    pub(super) fn has_last_good(&self) -> bool {
        self.has_last_good
    }

    /// When the last start was ordered, of an app that runs or has ended by itself since. It may
    /// write a file before the keeper's word of its exec comes, and be gone when the file is judged.
    pub(super) fn last_start(&self) -> Option<Moment> {
        match self.state {
            State::Running { .. } | State::Left { .. } | State::Waiting(Waiting::Idle) => {
                Some(self.ordered)
            }
            State::Waiting(_) | State::Starting { .. } | State::Stopping { .. } | State::Ended => {
                None
            }
        }
    }

    /// Whether nothing runs because the app has failed: it may have read its files while they were
    /// being changed, so whoever does something to them wants it started, whatever they hold now.
    pub(super) fn has_failed(&self) -> bool {
        match self.state {
            State::Left { .. } | State::Waiting(Waiting::Idle) => {
                self.last_ending.is_some_and(|ending| ending.exit_code() != 0)
            }
            State::Waiting(_)
            | State::Starting { .. }
            | State::Running { .. }
            | State::Stopping { .. }
            | State::Ended => false,
        }
    }

    /// The generation that is up.
    pub(super) fn running(&self) -> Option<Generation> {
        match self.state {
            State::Running { generation, .. } => Some(generation),
            State::Waiting(_)
            | State::Starting { .. }
            | State::Left { .. }
            | State::Stopping { .. }
            | State::Ended => None,
        }
    }

    /// Where the app is, as a person asks for it.
    pub(super) fn standing(&self) -> Standing {
        match &self.state {
            State::Waiting(Waiting::Idle) | State::Left { .. } => Standing::Held,
            State::Waiting(Waiting::ToStart(_) | Waiting::ToRetry { .. })
            | State::Starting { .. } => Standing::Starting,
            State::Running { .. } => Standing::Running,
            State::Stopping { next: Next::Start { .. }, .. } => Standing::Restarting,
            State::Stopping { next: Next::Exit { .. }, .. } | State::Ended => Standing::Ending,
        }
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        match &self.state {
            State::Waiting(Waiting::ToRetry { at, .. }) => Some(*at),
            State::Running { recheck, kept, .. } => {
                let look = kept.as_ref().map(|kept| kept.look);
                [*recheck, look].into_iter().flatten().min()
            }
            State::Stopping { phase, .. } => Some(phase.deadline()),
            // An exec may hang in the kernel, on a mount that does not answer.
            State::Starting { then_stop, .. } => {
                then_stop.map(|asked| asked.since + self.policy.shutdown_timeout)
            }
            State::Waiting(_) | State::Left { .. } | State::Ended => None,
        }
    }

    /// A restart for this reason; `settle` = how long its change set took to settle.
    pub(super) fn restart(
        &mut self,
        reason: Reason,
        settle: Duration,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let times = RestartTimes { settle, ..RestartTimes::default() };
        match self.state {
            State::Waiting(_) => {
                let mut due = Due::new(self.last.next(), reason, times, now);
                if let State::Waiting(
                    Waiting::ToStart(put_off) | Waiting::ToRetry { due: put_off, .. },
                ) = &self.state
                {
                    // As long as nothing runs, the last good one is not put off by further changes.
                    due.since = put_off.since;
                    due.delay = put_off.delay;
                    due.kept.clone_from(&put_off.kept);
                }
                self.order_start(due, now, out);
            }
            State::Running { generation, .. } | State::Left { generation, .. } => {
                out.push(Action::Note(Note::Stopping { generation, reason: reason.clone() }));
                let kept = match &self.state {
                    State::Running { kept, .. } => Kept::unheard(kept.as_ref()),
                    _ => Vec::new(),
                };
                let next = Next::Start { reason, times, kept };
                self.stop(generation, self.policy.stop_signal, next, now, out);
            }
            // Not judged in these states: the set waits until the state can act on it.
            State::Starting { .. } | State::Stopping { .. } | State::Ended => {}
        }
    }

    pub(super) fn exited(
        &mut self,
        generation: Generation,
        ending: Ending,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        match &mut self.state {
            State::Running { generation: current, since, .. } if *current == generation => {
                let since = *since;
                let after = now.saturating_sub(since);
                self.was_healthy |= after >= HEALTHY;
                let exits = self.policy.exits_after(self.was_healthy);
                self.last_ending = Some(ending);
                out.push(Action::Note(Note::Exited { generation, ending, after, held: !exits }));
                self.state = State::Left { generation, since };
                if exits {
                    let next = Next::Exit { code: ending.exit_code() };
                    self.stop_rest(generation, next, now, out);
                }
            }
            State::Stopping { generation: current, phase, next } if *current == generation => {
                self.last_ending = Some(ending);
                if let Next::Exit { code } = next {
                    *code = ending.exit_code();
                }
                if let StopPhase::Asked { deadline, begun } = *phase {
                    let deadline = deadline.min(now + GRACE);
                    *phase = StopPhase::Rest { deadline, begun };
                    out.extend(stopping::ask(generation, Recipient::Rest, libc::SIGTERM));
                }
            }
            // Old news of a generation that is gone, or news that the state already knows.
            State::Waiting(_)
            | State::Starting { .. }
            | State::Running { .. }
            | State::Left { .. }
            | State::Stopping { .. }
            | State::Ended => {}
        }
    }

    pub(super) fn emptied(&mut self, generation: Generation, now: Moment, out: &mut Vec<Action>) {
        match &self.state {
            State::Running { generation: current, .. } if *current == generation => {
                self.exited(generation, Ending::Unknown, now, out);
                self.emptied(generation, now, out);
            }
            State::Left { generation: current, .. } if *current == generation => {
                self.state = State::Waiting(Waiting::Idle);
            }
            // Its keeper was killed between the order and the fork.
            State::Starting { due, .. } if due.generation == generation => {
                let why = "the keeper of the app was killed before it could start it".to_owned();
                let obstacle = Obstacle::Shortage;
                let problem = StartProblem { why, exit_code: 126, obstacle };
                self.start_failed(generation, &problem, now, out);
            }
            State::Stopping { generation: current, phase, next } if *current == generation => {
                let (phase, next) = (*phase, next.clone());
                self.stopped(phase, next, now, out);
            }
            State::Waiting(_)
            | State::Starting { .. }
            | State::Running { .. }
            | State::Left { .. }
            | State::Stopping { .. }
            | State::Ended => {}
        }
    }

    pub(super) fn woke(&mut self, now: Moment, out: &mut Vec<Action>) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match &mut self.state {
            State::Waiting(Waiting::ToRetry { due, .. }) => {
                self.state = State::Waiting(Waiting::ToStart(due.clone()));
            }
            State::Running { generation, recheck, kept, .. } => {
                if recheck.take_if(|at| now >= *at).is_some() {
                    out.push(Action::Recheck);
                }
                if let Some(kept) = kept.as_mut().filter(|kept| now >= kept.look) {
                    kept.look = now + LOOK;
                    let (generation, signals) = (*generation, kept.signals.clone());
                    out.push(Action::AskReady { generation, signals });
                }
            }
            State::Stopping { .. } => self.lose_patience(now, out),
            State::Starting { due, then_stop: Some(asked), .. } => {
                let (generation, asked) = (due.generation, *asked);
                self.give_up_start(generation, asked, now, out);
            }
            // These have no deadline.
            State::Waiting(_) | State::Starting { .. } | State::Left { .. } | State::Ended => {}
        }
    }

    fn end(&mut self, code: u8, out: &mut Vec<Action>) {
        self.state = State::Ended;
        out.push(Action::Exit { code });
    }
}

/// So long nothing may run for a change set that does not settle, an executable that is being
/// written or a failure that passes by itself; then what can be started is started.
const LONGEST_DOWN: Duration = Duration::from_secs(2);
/// Time that helpers have to end after the app itself has: they got their own TERM.
const GRACE: Duration = Duration::from_secs(2);
