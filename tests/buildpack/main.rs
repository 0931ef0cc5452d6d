//! The real detect and build binaries, run as the lifecycle runs them: by their names, in the app
//! folder, with a poisoned environment and a hostile umask. Whole files and whole outputs are
//! compared; the temporary root reads `ROOT` in them.

#![allow(clippy::unwrap_used)] // A test program from end to end.

mod bad_input;
mod contribution;
mod detect;
mod world;
