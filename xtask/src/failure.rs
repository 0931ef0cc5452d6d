//! What can go wrong in our own commands, with what to do about it. Prose is made here only.

use std::io;
use std::path::{Path, PathBuf};

/// A command of ours that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file or folder could not be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// A program could not be started.
    #[error("{program} cannot be started. Is it installed and on PATH?\n{cause}")]
    Start {
        /// Its name or path.
        program: String,
        /// The system's reason.
        cause: io::Error,
    },
    /// A program ended with another code than 0.
    #[error("this command failed ({status}):\n    {line}\n{output}")]
    Command {
        /// The command line as a person would type it.
        line: String,
        /// How it ended.
        status: String,
        /// What it printed, where that was captured.
        output: String,
    },
    /// A TOML file has another form than expected.
    #[error("{} is not understood: {reason}", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The buildpack could not be packaged.
    #[error("the buildpack cannot be packaged: {0}")]
    Package(String),
    /// No group of buildpacks accepts the app.
    #[error("no combination of the buildpacks' plans fits this app:\n{0}")]
    Detect(String),
    /// Something that the machine lacks, and how to get it.
    #[error("{what}\nWhat to do: {advice}")]
    Missing {
        /// What is missing.
        what: String,
        /// How to get it.
        advice: String,
    },
    /// The running app did something else than what the command shows.
    #[error("{expected}\nSeen so far:\n{seen}")]
    Unexpected {
        /// What should have happened.
        expected: String,
        /// Every line that was seen.
        seen: String,
    },
}

impl Failure {
    /// Names the file in an I/O error: `.map_err(Failure::file(&path))`.
    pub fn file(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |cause| Self::File { path, cause }
    }
}
