//! Signals that are the app's own business, and what stops it.

use super::Life;
use super::kept::keep;
use super::state::{Next, State, StopPhase, Waiting};
use crate::core::{Action, Generation, Recipient, Stopper};

impl Life {
    /// A signal that is the app's own business.
    pub(in crate::core) fn signal(&mut self, signal: i32, out: &mut Vec<Action>) {
        let to = match signal {
            // What stops and continues a job is for all of it.
            libc::SIGCONT | libc::SIGTSTP => Recipient::Group,
            _ => Recipient::Leader,
        };
        match &mut self.state {
            // It is to end, and a stopped process acts on no signal.
            State::Stopping { .. } if signal == libc::SIGTSTP => {}
            // The old app is gone or is being killed: it is for the next one.
            State::Stopping {
                phase: StopPhase::Rest { .. } | StopPhase::Killing { .. },
                next: Next::Start { kept, .. },
                ..
            } if to == Recipient::Leader => keep(kept, signal),
            // An equal one that was kept stays: nobody knows whether this one still finds the old app.
            State::Stopping { generation, .. } => out.push(to_app(*generation, to, signal)),
            // At once, as any init would. An equal one that was kept merges with it.
            State::Running { generation, kept, .. } => {
                out.push(to_app(*generation, to, signal));
                if let Some(kept) = kept {
                    kept.signals.retain(|it| *it != signal);
                }
                kept.take_if(|kept| kept.signals.is_empty());
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
                keep(&mut due.kept, signal);
            }
            // Nobody is there to take it.
            State::Waiting(Waiting::Idle) | State::Left { .. } | State::Ended => {}
        }
    }

    /// The app was stopped.
    pub(in crate::core) fn suspended(
        &self,
        generation: Generation,
        by: Stopper,
        out: &mut Vec<Action>,
    ) {
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
}

pub(super) const fn to_app(generation: Generation, to: Recipient, signal: i32) -> Action {
    Action::Signal { generation, to, signal }
}
