//! The order of a start: exec what is due, try again what fails by itself, fall back to what ran
//! last, or give up.

use std::time::Duration;

use super::kept::Kept;
use super::state::{Asked, Delay, Due, State, Waiting};
use super::{LONGEST_DOWN, Life};
use crate::core::{
    Action, Generation, Moment, Note, Obstacle, Program, RestartTimes, StartProblem,
};

impl Life {
    /// The start that was put off until nothing was pending.
    pub(in crate::core) fn start_due(&mut self, now: Moment, out: &mut Vec<Action>) {
        if let State::Waiting(Waiting::ToStart(due)) = &self.state {
            self.order_start(due.clone(), now, out);
        }
    }

    /// The same after a change set came meanwhile and was found fit: whatever failed before, what
    /// is on the disk now is tried.
    pub(in crate::core) fn start_changed(&mut self, now: Moment, out: &mut Vec<Action>) {
        if let State::Waiting(Waiting::ToStart(due)) = &mut self.state {
            due.program = Program::Current;
        }
        self.start_due(now, out);
    }

    pub(in crate::core) fn started(
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
        let kept = Kept::new(&due.kept, now);
        self.has_last_good = true;
        let then_stop = *then_stop;
        self.state = State::Running { generation, since: now, recheck: Some(now + RECHECK), kept };
        if let Some(Asked { stop, .. }) = then_stop {
            self.shutdown(stop, now, out);
        }
    }

    pub(in crate::core) fn start_failed(
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
    pub(in crate::core) fn refused(&mut self, why: String, now: Moment, out: &mut Vec<Action>) {
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

    pub(super) fn order_start(&mut self, due: Due, now: Moment, out: &mut Vec<Action>) {
        self.last = due.generation;
        self.ordered = now;
        out.push(Action::Start { generation: due.generation, program: due.program });
        self.state = State::Starting { due, ordered: now, then_stop: None };
    }
}

/// Stores through a mapping raise no event (measured); half a second later the file tells.
const RECHECK: Duration = Duration::from_millis(500);
/// Pause before a start that failed for a passing reason is tried again; about the time in which a
/// sync client closes a file.
const RETRY: Duration = Duration::from_millis(20);
/// The longest such pause: short for a person who freed memory, and no load while nobody does.
const LONGEST_RETRY: Duration = Duration::from_secs(1);
