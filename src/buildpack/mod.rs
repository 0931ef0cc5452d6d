//! The buildpack half: what detect and build decide and write.
//!
//! `src/main.rs` is its table of contents. Decisions are functions from values to values, each in
//! a file of its own; effects are in [`layers`], in [`rights`] and in the small readers beside
//! what they read. Errors are data until [`errors`] turns them into prose.

pub mod baking;
pub mod command;
pub mod earlier;
pub mod errors;
pub mod layers;
pub mod lifecycle_file;
pub mod order;
pub mod plan;
pub mod platform;
pub mod processes;
pub mod procfile;
pub mod profile;
pub mod report;
pub mod rights;

use crate::settings::InvalidSetting;
use std::io;
use std::path::PathBuf;

/// Everything that can stop the build.
#[derive(Debug)]
pub enum BuildpackError {
    /// A build variable whose value cannot be taken.
    Setting(InvalidSetting),
    /// The Procfile.
    Procfile(procfile::ProcfileError),
    /// The choice of process types.
    Processes(processes::ProcessesError),
    /// The lifecycle's group.toml.
    Order(lifecycle_file::LifecycleFileError),
    /// An earlier buildpack's launch.toml.
    Earlier(lifecycle_file::LifecycleFileError),
    /// The build plan could not be written as TOML.
    Plan(toml::ser::Error),
    /// The supervisor could not be copied into its layer.
    Supervisor {
        /// Where the buildpack has it.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// The target layer could not be made.
    Target {
        /// Its `bin`.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// The app folder or an executable's folder could not be made writable for the group.
    Rights(rights::RightsError),
}

impl From<BuildpackError> for libcnb::Error<BuildpackError> {
    fn from(error: BuildpackError) -> Self {
        Self::BuildpackError(error)
    }
}
