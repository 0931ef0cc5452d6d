//! The control room: what a person or a tool may ask a running supervisor, and how it answers.
//!
//! Both sides live here. The *asked* side belongs to the supervisor's one loop: a listening socket,
//! a bounded [`History`] of what happened, and the [`Manifest`] of what runs. The *asking* side
//! ([`asking`]) finds supervisors and speaks to one.
//!
//! The socket is an abstract one, `relaunch/<pid namespace>/<pid>`: it needs no folder, so it works
//! with a read-only root, without `/tmp` and for a user without a name, it is gone when its
//! supervisor is, and `docker exec` finds it without any variable. Abstract names belong to the
//! network namespace, which containers may share; hence the process namespace in the name. Only the
//! same user and root are answered (`SO_PEERCRED`, unix(7)).
//!
//! A message is one line of JSON; see [`message`]. Nothing a client does costs more than a bounded
//! amount of memory and time: see the limits in [`server`].
//!
//! May come in: sockets, the state folder, `/proc/net/unix`; values of the core and lines of the log.

pub mod asking;
pub mod client;
mod executable;
mod history;
pub mod manifest;
pub mod message;
pub mod place;
pub mod screen;
mod server;
mod state_folder;

pub use executable::Fingerprint;
pub use history::{History, Told};
pub use manifest::Manifest;
pub use message::Request;
pub use server::{ConnectionId, Server};
pub use state_folder::{StateFile, StateFolderError};
