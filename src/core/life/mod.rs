//! The life of the app: starting, running, stopping, holding.
//!
//! | state | restart | Started | `StartFailed` | Exited | Emptied | shutdown | deadline |
//! | --- | --- | --- | --- | --- | --- | --- | --- |
//! | Waiting | → Starting | – | – | – | – | exit | retry → start due |
//! | Starting | – (judged later) | → Running; → Stopping if asked | retry, last good, hold or exit | – | retry | noted; INT twice: → Stopping, kill | asked to end: → Stopping, kill |
//! | Running | → Stopping | – | – | → Left, or → Stopping to exit | as Exited | → Stopping to exit | recheck |
//! | Left | → Stopping | – | – | – | → Waiting | → Stopping to exit | – |
//! | Stopping | – (judged later) | – | as Emptied | ask the rest | → Waiting to start, or exit | then exit; twice: kill | kill, again |
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
use self::state::{Asked, Delay, Due, Next, StopPhase, Waiting};
use super::{
    Action, Ending, Generation, Moment, Note, Obstacle, Program, Reason, Recipient, RestartTimes,
    StartProblem, Stopper,
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
                    due.delay = put_off.delay;
                    due.kept.clone_from(&put_off.kept);
                }
                self.order_start(due, now, out);
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
    pub(super) fn start_due(&mut self, now: Moment, out: &mut Vec<Action>) {
        if let State::Waiting(Waiting::ToStart(due)) = &self.state {
            self.order_start(due.clone(), now, out);
        }
    }

    /// The same after a change set came meanwhile and was found fit: whatever failed before, what
    /// is on the disk now is tried.
    pub(super) fn start_changed(&mut self, now: Moment, out: &mut Vec<Action>) {
        if let State::Waiting(Waiting::ToStart(due)) = &mut self.state {
            due.program = Program::Current;
        }
        self.start_due(now, out);
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
        if let Some(Delay { since, tries, .. }) = due.delay {
            let after = now.saturating_sub(since);
            out.push(Action::Note(Note::StartRecovered { generation, after, tries }));
        }
        out.push(Action::Note(Note::Started { generation, pid, reason, times }));
        let kept = due.kept.iter();
        out.extend(kept.map(|signal| to_app(generation, Recipient::Leader, *signal)));
        self.has_last_good = true;
        let then_stop = *then_stop;
        self.state = State::Running { generation, since: now, recheck: Some(now + RECHECK) };
        if let Some(Asked { stop, .. }) = then_stop {
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
        let (due, then_stop) = match &self.state {
            State::Starting { due, then_stop, .. } if due.generation == generation => {
                (due.clone(), *then_stop)
            }
            // It was given up before this came.
            State::Stopping { .. } => return self.emptied(generation, now, out),
            State::Waiting(_)
            | State::Starting { .. }
            | State::Running { .. }
            | State::Left { .. }
            | State::Ended => return,
        };
        if then_stop.is_some() {
            let why = problem.why.clone();
            out.push(Action::Note(Note::StartFailed { generation, why, held: false }));
            self.end(problem.exit_code, out);
            return;
        }
        let can_fall_back = due.program == Program::Current && self.has_last_good;
        match problem.obstacle {
            Obstacle::Writer if now < due.since + LONGEST_DOWN => {
                self.state = State::Waiting(Waiting::ToRetry { at: now + RETRY, due });
            }
            Obstacle::Candidate | Obstacle::Writer if can_fall_back => {
                out.push(Action::Note(Note::FellBack { why: problem.why.clone() }));
                self.order_start(Due { program: Program::LastGood, ..due }, now, out);
            }
            Obstacle::Candidate => self.give_up(generation, problem, out),
            Obstacle::Writer | Obstacle::Shortage => self.delay(due, &problem.why, now, out),
        }
    }

    /// Tries again later, each time twice as late; said once.
    fn delay(&mut self, mut due: Due, why: &str, now: Moment, out: &mut Vec<Action>) {
        let delay = match due.delay {
            None => {
                let (generation, why) = (due.generation, why.to_owned());
                let (pause, at_most) = (RETRY, LONGEST_RETRY);
                out.push(Action::Note(Note::StartDelayed { generation, why, pause, at_most }));
                Delay { since: now, tries: 1, pause }
            }
            Some(Delay { since, tries, pause }) => {
                let pause = (pause * 2).min(LONGEST_RETRY);
                Delay { since, tries: tries.saturating_add(1), pause }
            }
        };
        due.delay = Some(delay);
        self.state = State::Waiting(Waiting::ToRetry { at: now + delay.pause, due });
    }

    /// There is nothing that could be started.
    fn give_up(&mut self, generation: Generation, problem: &StartProblem, out: &mut Vec<Action>) {
        let exits = self.policy.exits_after(self.was_healthy);
        let why = problem.why.clone();
        out.push(Action::Note(Note::StartFailed { generation, why, held: !exits }));
        if exits {
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
            self.order_start(Due { program: Program::LastGood, ..due }, now, out);
        } else {
            let obstacle = Obstacle::Candidate;
            let problem = StartProblem { why, exit_code: 126, obstacle };
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

    /// A signal that is the app's own business.
    pub(super) fn signal(&mut self, signal: i32, out: &mut Vec<Action>) {
        let to = match signal {
            // What stops and continues a job is for all of it.
            libc::SIGCONT | libc::SIGTSTP => Recipient::Group,
            _ => Recipient::Leader,
        };
        match &mut self.state {
            // It is to end, and a stopped process acts on no signal.
            State::Stopping { .. } if signal == libc::SIGTSTP => {}
            State::Running { generation, .. } | State::Stopping { generation, .. } => {
                out.push(to_app(*generation, to, signal));
            }
            // Nothing runs that would be stopped, so the supervisor stops alone, if a shell
            // continues it again.
            State::Waiting(Waiting::Idle) | State::Left { .. } if signal == libc::SIGTSTP => {
                out.extend(self.policy.job_control.then_some(Action::Suspend));
            }
            // An app that begins stopped or is continued at once helps nobody.
            State::Starting { .. } | State::Waiting(_)
                if [libc::SIGTSTP, libc::SIGCONT].contains(&signal) => {}
            State::Starting { due, .. }
            | State::Waiting(Waiting::ToStart(due) | Waiting::ToRetry { due, .. }) => {
                due.keep(signal);
            }
            // Nobody is there to take it.
            State::Waiting(Waiting::Idle) | State::Left { .. } | State::Ended => {}
        }
    }

    /// The app was stopped.
    pub(super) fn suspended(&self, generation: Generation, by: Stopper, out: &mut Vec<Action>) {
        let go_on = to_app(generation, Recipient::Group, libc::SIGCONT);
        match &self.state {
            State::Running { generation: current, .. } if *current == generation => match by {
                Stopper::Terminal if self.policy.job_control => out.push(Action::Suspend),
                // Nobody else would ever continue it.
                Stopper::Terminal => out.push(go_on),
                Stopper::Somebody => {}
            },
            // It was asked to end, and a stopped process acts on no signal.
            State::Stopping {
                generation: current,
                phase: StopPhase::Asked { .. } | StopPhase::Rest { .. },
                ..
            } if *current == generation => out.push(go_on),
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
            State::Starting { due, then_stop: Some(asked), .. } => {
                let (generation, asked) = (due.generation, *asked);
                self.give_up_start(generation, asked, now, out);
            }
            // These have no deadline.
            State::Waiting(_) | State::Starting { .. } | State::Left { .. } | State::Ended => {}
        }
    }

    fn order_start(&mut self, due: Due, now: Moment, out: &mut Vec<Action>) {
        self.last = due.generation;
        self.ordered = now;
        out.push(Action::Start { generation: due.generation, program: due.program });
        self.state = State::Starting { due, ordered: now, then_stop: None };
    }

    fn end(&mut self, code: u8, out: &mut Vec<Action>) {
        self.state = State::Ended;
        out.push(Action::Exit { code });
    }
}

const fn to_app(generation: Generation, to: Recipient, signal: i32) -> Action {
    Action::Signal { generation, to, signal }
}

/// Stores through a mapping raise no event (measured); half a second later the file tells.
const RECHECK: Duration = Duration::from_millis(500);
/// So long nothing may run for a change set that does not settle, an executable that is being
/// written or a failure that passes by itself; then what can be started is started.
const LONGEST_DOWN: Duration = Duration::from_secs(2);
/// Pause before a start that failed for a passing reason is tried again; about the time in which a
/// sync client closes a file.
const RETRY: Duration = Duration::from_millis(20);
/// The longest such pause: short for a person who freed memory, and no load while nobody does.
const LONGEST_RETRY: Duration = Duration::from_secs(1);
/// Time that helpers have to end after the app itself has: they got their own TERM.
const GRACE: Duration = Duration::from_secs(2);
