//! The life of the app: starting, running, stopping, holding.
//!
//! | state | restart | Started | `StartFailed` | Exited | Emptied | shutdown | deadline |
//! | --- | --- | --- | --- | --- | --- | --- | --- |
//! | Waiting | → Starting | – | – | – | – | exit | retry → start due |
//! | Starting | – (judged later) | → Running; → Stopping if asked | retry, last good, hold or exit | – | – | noted | – |
//! | Running | → Stopping | – | – | → Left, or → Stopping to exit | as Exited | → Stopping to exit | recheck |
//! | Left | → Stopping | – | – | – | → Waiting | → Stopping to exit | – |
//! | Stopping | – (judged later) | – | – | ask the rest | → Waiting to start, or exit | then exit; twice: kill | kill, again |
//! | Ended | – | – | – | – | – | – | – |
//!
//! Every event names its generation; one of another generation is old news and changes nothing.
//! While the state is `Waiting`, [`Core`](super::Core) starts what is due as soon as no change set is pending,
//! and after two seconds in any case.

mod policy;
mod state;
mod stopping;

#[cfg(test)]
mod tests;

use std::time::Duration;

use self::policy::HEALTHY;
pub use self::policy::Policy;
pub use self::state::Standing;
pub(super) use self::state::State;
use self::state::{Due, Next, StopPhase, Waiting};
use super::{
    Action, Ending, Generation, Moment, Note, Program, Reason, Recipient, RestartTimes,
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
            State::Running { recheck, .. } => *recheck,
            State::Stopping { phase, .. } => Some(phase.deadline()),
            State::Waiting(_) | State::Starting { .. } | State::Left { .. } | State::Ended => None,
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
                let due = Due { generation: self.last.next(), reason, times, since: now };
                self.order_start(due, Program::Current, now, out);
            }
            State::Running { generation, .. } | State::Left { generation, .. } => {
                out.push(Action::Note(Note::Stopping { generation, reason: reason.clone() }));
                let next = Next::Start { reason, times };
                self.stop(generation, self.policy.stop_signal, next, now, out);
            }
            // Not judged in these states: the set waits until the state can act on it.
            State::Starting { .. } | State::Stopping { .. } | State::Ended => {}
        }
    }

    /// The start that was put off until nothing was pending.
    pub(super) fn start_due(&mut self, program: Program, now: Moment, out: &mut Vec<Action>) {
        if let State::Waiting(Waiting::ToStart(due)) = &self.state {
            self.order_start(due.clone(), program, now, out);
        }
    }

    pub(super) fn started(
        &mut self,
        generation: Generation,
        pid: i32,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let State::Starting { due, ordered, then_stop, .. } = &self.state else {
            return;
        };
        if generation != due.generation {
            return;
        }
        let times = RestartTimes { start: now.saturating_sub(*ordered), ..due.times };
        let reason = due.reason.clone();
        out.push(Action::Note(Note::Started { generation, pid, reason, times }));
        self.has_last_good = true;
        let then_stop = *then_stop;
        self.state = State::Running { generation, since: now, recheck: Some(now + RECHECK) };
        if let Some(stop) = then_stop {
            self.shutdown(stop, now, out);
        }
    }

    pub(super) fn start_failed(
        &mut self,
        generation: Generation,
        problem: &StartProblem,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let State::Starting { due, program, then_stop, .. } = &self.state else {
            return;
        };
        if generation != due.generation {
            return;
        }
        let (due, program, then_stop) = (due.clone(), *program, *then_stop);
        let patient = problem.temporary && now < due.since + LONGEST_DOWN;
        if then_stop.is_some() {
            self.end(problem.exit_code, out);
        } else if program == Program::Current && self.has_last_good && !patient {
            out.push(Action::Note(Note::FellBack { why: problem.why.clone() }));
            self.order_start(due, Program::LastGood, now, out);
        } else if problem.temporary {
            self.state = State::Waiting(Waiting::ToRetry { at: now + RETRY, due });
        } else {
            self.give_up(generation, problem, out);
        }
    }

    /// There is nothing that could be started.
    fn give_up(&mut self, generation: Generation, problem: &StartProblem, out: &mut Vec<Action>) {
        out.push(Action::Note(Note::StartFailed { generation, why: problem.why.clone() }));
        if self.policy.exits_after(self.was_healthy) {
            self.end(problem.exit_code, out);
        } else {
            self.state = State::Waiting(Waiting::Idle);
        }
    }

    /// The executable was judged unfit when a start was due: what ran last runs again, if anything
    /// did.
    pub(super) fn refused(&mut self, why: String, now: Moment, out: &mut Vec<Action>) {
        let State::Waiting(Waiting::ToStart(due)) = &self.state else {
            return;
        };
        let due = due.clone();
        if self.has_last_good {
            out.push(Action::Note(Note::FellBack { why }));
            self.order_start(due, Program::LastGood, now, out);
        } else {
            let problem = StartProblem { why, exit_code: 126, temporary: false };
            self.last = due.generation;
            self.ordered = now;
            self.give_up(due.generation, &problem, out);
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
                let problem = StartProblem { why, exit_code: 126, temporary: true };
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

    /// A signal that is the app's own business.
    pub(super) fn signal(&self, signal: i32, out: &mut Vec<Action>) {
        match self.state {
            State::Running { generation, .. } | State::Stopping { generation, .. } => {
                out.push(Action::Signal { generation, to: Recipient::Leader, signal });
            }
            // Nobody is there to take it.
            State::Waiting(_) | State::Starting { .. } | State::Left { .. } | State::Ended => {}
        }
    }

    /// The app was stopped by Ctrl-Z or its like.
    pub(super) fn suspended(&self, generation: Generation, out: &mut Vec<Action>) {
        let go_on = Action::Signal { generation, to: Recipient::Group, signal: libc::SIGCONT };
        match self.state {
            State::Running { generation: current, .. } if current == generation => {
                out.push(if self.policy.job_control { Action::Suspend } else { go_on });
            }
            // It is to end, and a stopped process acts on no signal.
            State::Stopping { generation: current, .. } if current == generation => {
                out.push(go_on);
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
            State::Running { recheck, .. } => {
                *recheck = None;
                out.push(Action::Recheck);
            }
            State::Stopping { .. } => self.lose_patience(now, out),
            // These have no deadline.
            State::Waiting(_) | State::Starting { .. } | State::Left { .. } | State::Ended => {}
        }
    }

    fn order_start(&mut self, due: Due, program: Program, now: Moment, out: &mut Vec<Action>) {
        self.last = due.generation;
        self.ordered = now;
        out.push(Action::Start { generation: due.generation, program });
        self.state = State::Starting { due, program, ordered: now, then_stop: None };
    }

    fn end(&mut self, code: u8, out: &mut Vec<Action>) {
        self.state = State::Ended;
        out.push(Action::Exit { code });
    }
}

/// Stores through a mapping raise no event (measured); half a second later the file tells.
const RECHECK: Duration = Duration::from_millis(500);
/// So long nothing may run for a change set that does not settle, an executable that is being
/// written or a failure that passes by itself; then what can be started is started.
const LONGEST_DOWN: Duration = Duration::from_secs(2);
/// Pause before a start that failed for a passing reason is tried again.
const RETRY: Duration = Duration::from_millis(20);
/// Time that helpers have to end after the app itself has: they got their own TERM.
const GRACE: Duration = Duration::from_secs(2);
