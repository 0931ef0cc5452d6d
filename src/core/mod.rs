//! The pure core: decides when the app is started, stopped and left alone. Values come in, values
//! go out: no file, no process, no clock, no thread. `now` is an argument.
//!
//! # Theory of operation
//!
//! Two questions are kept apart. *When is a change set complete?* is the business of the
//! [settler](settle): it collects file events, weighs the evidence that somebody is still at
//! work (open writers, temporary files, sync sessions) and, where there is none, waits for a quiet
//! time fitted to the set. *What follows from it?* is the business of the [life] of the app:
//! one state machine over starting, running, stopping and holding, in which every process event
//! names its generation.
//!
//! Between the two stands the [evidence of use](usage): in which files of a settled set can the
//! running generation be stale at all?
//!
//! [`Core`] joins them: a set is judged only while the life can act on it, so whatever changes
//! during a stop or a start waits for its own judgement and no update is lost.
//!
//! # Call order for the driver
//!
//! 1. [`Core::handle`] with each event, in the order in which it happened; perform the returned
//!    actions in order, feeding back their answers as each [`Action`] says.
//! 2. When there is nothing left to feed: wait until [`Core::deadline`] or the next event.
//! 3. At the deadline: `handle(Event::Woke)`. Waking too early is harmless.

mod action;
mod change;
mod event;
mod generation;
pub mod life;
mod machine;
mod note;
mod own_writes;
mod refused;
pub mod settle;
pub mod usage;

#[cfg(test)]
mod tests;

pub use action::{Action, Judge, Program, Recipient};
pub use change::{FileEvent, Moment, What};
pub use event::{
    Change, Event, Judgement, Obstacle, Probe, Session, StartProblem, Stop, Stopper, Surroundings,
    WriterState,
};
pub use generation::{Ending, Generation};
pub use life::{Policy, Standing};
pub use machine::Core;
pub use note::{Note, Reason, RestartTimes};
pub use usage::{Sign, UseEvent};
