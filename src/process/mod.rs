//! Processes at the edge: starting, signalling, reaping, terminal. Orders come in and facts go out;
//! when to do what is decided in the core.
//!
//! ```text
//! supervisor ── keeper ── leader ── …        one generation
//!     │            └── orphans of it
//!     ├── keeper (prepared, waits)
//!     └── orphans of exec'ed sessions: reaped, never signalled
//! ```
//!
//! The driver's loop, on one thread:
//! 1. at start [`Signals::install`], [`become_subreaper`], [`Terminal::find`],
//!    [`Keeper::prepare`];
//! 2. poll(2) over [`Signals::fd`] and each [`Generation::fd`]; a keeper that dies while it waits
//!    is noticed when it is to start something;
//! 3. after each wake-up [`Signals::read`]; on SIGCHLD [`reap_children`]; then
//!    [`Generation::reports`] with those children;
//! 4. a start is [`resolve`] and [`Keeper::start`]; a stop is [`Generation::signal_group`], then
//!    [`Generation::signal_others`], then rounds of [`Generation::stop_and_kill`] until
//!    [`Report::Empty`]; the generation is dropped after that.

mod command;
mod environment;
mod footprint;
mod generation;
mod keeper;
mod launch;
mod message;
mod order;
mod procfs;
mod reaper;
mod resolve;
mod signals;
mod status;
mod sys;
mod terminal;
mod tree;

pub use command::{Shell, is_shell_word, shell_command};
pub use environment::child_environment;
pub use footprint::give_back_code;
pub use generation::{Generation, Keeper, Report, become_subreaper};
pub use order::{Order, Place};
pub use procfs::is_visible as shows_processes;
pub use reaper::reap_children;
pub use resolve::{NotRunnable, Resolved, resolve};
pub use signals::{Received, Sender, Signals};
pub use status::{Child, Status};
pub use terminal::Terminal;

/// What comes in as bytes, from a keeper or for one: for those who try these parsers with bytes of
/// their own.
pub mod bytes {
    pub use super::message::{Message, SIZE};
    pub use super::order::{HEAD, Pointers, Received as ReceivedOrder};
}
