//! The watch: what changed on the disk, and against what the app runs with.
//!
//! Events of the kernel (inotify) are hints; the tables are the truth. Every folder of the watched
//! roots has a watch and a packed list of its files as the disk showed them last. An event names a
//! path and says what it proves; where events are missing – the queue overflowed, a folder is new,
//! a root came back, a mount is silent – the folder is listed and compared, in slices of a few
//! milliseconds, and differences come out as [`crate::core::What::Found`], in the first sweep those
//! that are younger than the start as `Modified`. The *baseline* is what
//! the disk showed when the app was started; [`Watch::differs`] compares with it.
//!
//! May come in: the file system, `/proc`, descriptors for poll(2). No thread, no process.

mod approach;
mod baseline;
mod compare;
mod digests;
mod hearing;
mod ignore;
mod inotify;
mod listing;
mod load;
mod merge;
mod observation;
mod only;
mod packed;
mod polling;
mod record;
mod rooting;
mod roots;
mod scan;
mod sessions;
mod stamp;
mod table;
mod translate;
mod watcher;

#[cfg(test)]
mod tests;

pub use compare::Difference;
pub use ignore::{BUILT_IN, Ignore};
pub use listing::KnownFile;
pub use load::{Load, factor_of};
pub use observation::{Observation, Warning};
pub use only::Only;
pub use record::{RecordError, Recorder};
pub use roots::{Inputs, choose, is_system};
pub use sessions::{Session, scan as sessions};
pub use watcher::Watch;
