//! Signals that came while no app was there to take them.
//!
//! A fresh process has no handlers yet, and the default effect of most signals is its end: what
//! was meant for the old process must not kill the new one. So they wait until it is ready for
//! them: it is [`READY`] old, since the runtimes of Go and Java handle HUP from their first moment
//! on and end of it until the program asks for it (measured); and it handles, ignores or blocks the
//! signal. One that an app is not ready for in [`PATIENCE`] is dropped, and that is said: as a wish
//! to reload something it was granted by the start. They are gone unsaid with an app that ends before
//! that: its end is said.

use std::time::Duration;

use super::Life;
use super::signals::to_app;
use super::state::State;
use crate::core::{Action, Generation, Moment, Note, Recipient};

/// Signals that wait until the app that runs is ready for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) struct Kept {
    /// In the order in which they came.
    pub(super) signals: Vec<i32>,
    /// When it is asked next whether it is.
    pub(super) look: Moment,
}

impl Kept {
    /// For an app that was exec'ed just now; `None` = there are none.
    pub(super) fn new(signals: &[i32], now: Moment) -> Option<Self> {
        let signals = signals.to_vec();
        (!signals.is_empty()).then(|| Self { signals, look: now + READY })
    }

    /// Signals that still wait when the app is restarted.
    pub(super) fn unheard(kept: Option<&Self>) -> Vec<i32> {
        kept.map(|kept| kept.signals.clone()).unwrap_or_default()
    }
}

impl Life {
    /// The app is ready for these of the signals that were asked about.
    pub(in crate::core) fn ready(
        &mut self,
        generation: Generation,
        ready: &[i32],
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let State::Running { generation: current, since, kept: slot, .. } = &mut self.state else {
            return;
        };
        let Some(kept) = slot.as_mut().filter(|_| *current == generation) else {
            return;
        };
        let is_ready = |signal: &i32| ready.contains(signal) || HARMLESS.contains(signal);
        let (ready, rest): (Vec<_>, Vec<_>) = kept.signals.drain(..).partition(is_ready);
        out.extend(ready.into_iter().map(|it| to_app(generation, Recipient::Leader, it)));
        if now < *since + PATIENCE {
            kept.signals = rest;
        } else {
            let dropped = |signal| Action::Note(Note::SignalDropped { generation, signal });
            out.extend(rest.into_iter().map(dropped));
        }
        slot.take_if(|kept| kept.signals.is_empty());
    }
}

/// Keeps a signal until the app is there. Equal ones merge, as a process's pending standard signals
/// do; so that a flood costs nothing, realtime ones merge too.
pub(super) fn keep(kept: &mut Vec<i32>, signal: i32) {
    if !kept.contains(&signal) {
        kept.push(signal);
    }
}

/// Without a handler these have no effect; see signal(7).
const HARMLESS: [i32; 2] = [libc::SIGURG, libc::SIGWINCH];
/// So old is an app at least before it gets what was kept.
const READY: Duration = Duration::from_millis(500);
/// Pause between two looks at what it handles.
pub(super) const LOOK: Duration = Duration::from_millis(500);
/// An app that does not handle a signal at this age never will: interpreters with many modules take
/// a few seconds.
const PATIENCE: Duration = Duration::from_secs(10);
