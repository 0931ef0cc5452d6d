//! The real supervisor on real files: promises 1 to 6 and 9. Each case starts `relaunch run` on a
//! folder of its own, writes as some tool writes, and compares the whole lifecycle that followed.
//!
//! The cases mostly wait, so eight run at a time whatever the number of cores.
//! `cargo test --test supervisor -- FILTER` chooses; `RELAUNCH_REPEAT=100` runs each so often, and
//! `RELAUNCH_SIDE_BY_SIDE=16` so many at a time.
#![allow(unsafe_code)] // Signals and limits of other processes have no safe form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Every function here is a test.

mod apps;
mod building;
mod copying;
mod editing;
mod heard;
mod in_use;
mod interpreted;
mod keepers;
mod odd;
mod own_files;
mod refusing;
mod rights;
mod runner;
mod sessions;
mod shortage;
mod signals;
mod soak;
mod states;
mod surviving;
mod traced;
mod unchanged;
mod world;
mod writing;

use std::process::ExitCode;

use nix::sys::signal::{SigHandler, Signal};

fn main() -> ExitCode {
    // A shell without job control has its background jobs ignore both, and so would our supervisors.
    for signal in [Signal::SIGINT, Signal::SIGQUIT] {
        // SAFETY: the default disposition runs no code of ours.
        unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) }.unwrap();
    }
    let cases = [
        copying::CASES,
        building::CASES,
        editing::CASES,
        writing::CASES,
        unchanged::CASES,
        refusing::CASES,
        surviving::CASES,
        own_files::CASES,
        in_use::CASES,
        interpreted::CASES,
        keepers::CASES,
        odd::CASES,
        rights::CASES,
        sessions::CASES,
        shortage::CASES,
        signals::CASES,
        states::CASES,
        traced::CASES,
        soak::CASES,
    ]
    .concat();
    runner::run(&cases)
}
