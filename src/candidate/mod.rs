//! Is this file fit to be exec'ed, and is it the one that runs? What comes in: a path or an open
//! file. What goes out: a value. Nothing here waits, retries or decides what follows.
//!
//! A broken program must never replace a running one, so a candidate is asked from the outside in,
//! the cheap questions first, and what the kernel says beats what the header says:
//!
//! | question | file | edge or pure |
//! | --- | --- | --- |
//! | is somebody writing it? | `writer` | edge: a read lease |
//! | is all of it there, for which machine, with which interpreter? | `elf`, `script` | pure |
//! | would the kernel exec it? | `kernel`, `dry` | edge: `AT_EXECVE_CHECK`, a dry exec |
//! | the answers in one value, the refusal in one clause | `check`, `refusal` | edge |
//! | which file is it, with which rights? | `identity` | edge |
//! | are these the bytes that run? | `compare`, `held` | edge |
//!
//! Every question that opens a file is seen by inotify (OPEN, ACCESS, `CLOSE_NOWRITE`) and for its
//! duration some writers are delayed or turned away, so a caller asks only about files that count
//! already, and about each as rarely as it can.

mod check;
mod compare;
mod dry;
mod elf;
mod held;
mod identity;
mod kernel;
mod machine;
mod refusal;
mod script;
mod sys;
mod writer;

#[cfg(test)]
mod testing;

pub use check::{Fit, Format, check, check_last};
pub use compare::{Comparison, compare, digest, open_running};
pub use dry::dry_exec;
pub use elf::{Elf, ElfFault, Kind, ReadAt, inspect};
pub use held::Held;
pub use identity::{Identity, identity, identity_of_file, identity_of_process};
pub use kernel::{Answer, execve_check};
pub use machine::{Class, Machine, Order};
pub use refusal::{Fault, Refusal};
pub use script::{Shebang, is_interpreter};
pub use writer::{Writer, writer, writer_of_file};
