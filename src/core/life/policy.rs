//! How the life of the app is to be led: the settings that concern it, and what we are.

use std::time::Duration;

use crate::settings::{OnExit, Settings};

/// What never changes during a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// We are PID 1: the orchestrator sees our end.
    pub pid1: bool,
    /// A shell looks after us: when the app is stopped from the keyboard, we stop with it.
    pub job_control: bool,
    /// After the app ended by itself.
    pub on_exit: OnExit,
    /// Signal that asks the app to stop, by its number.
    pub stop_signal: i32,
    /// Time to stop before a restart.
    pub stop_timeout: Duration,
    /// Time to stop before the supervisor ends.
    pub shutdown_timeout: Duration,
}

impl Policy {
    /// The policy that the settings say.
    #[must_use]
    pub fn new(settings: &Settings, pid1: bool, job_control: bool) -> Self {
        Self {
            pid1,
            job_control,
            on_exit: settings.on_exit,
            stop_signal: settings.stop_signal.get(),
            stop_timeout: settings.stop_timeout,
            shutdown_timeout: settings.shutdown_timeout,
        }
    }

    /// Whether the supervisor ends with the app. `healthy` = some generation lived for [`HEALTHY`]:
    /// the image works, so a bad edit is no reason to end the container.
    pub(super) fn exits_after(&self, healthy: bool) -> bool {
        match self.on_exit {
            OnExit::Exit => true,
            OnExit::Hold => false,
            OnExit::Auto => self.pid1 && !healthy,
        }
    }
}

/// An app that lived this long works in principle; before that, the orchestrator should see that
/// the image does not.
pub(super) const HEALTHY: Duration = Duration::from_secs(1);
