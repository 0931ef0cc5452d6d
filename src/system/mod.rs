//! What several rooms ask of the kernel and nobody else has in this form. What comes in: a path, an
//! open file, a process id, a set of signals. No decision, no state.

pub(crate) mod mask;
pub mod mounts;
pub(crate) mod pidfd;
pub mod stat;
