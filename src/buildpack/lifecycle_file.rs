//! TOML files that the lifecycle or an earlier buildpack wrote: read when they are there, and an
//! error that names the file when they are not what they should be.

use serde::de::DeserializeOwned;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A file that is there and cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleFileError {
    /// It is not readable.
    #[error("{path}: {cause}")]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// It is not TOML, or not of the form that its specification gives.
    #[error("{path}: {cause}")]
    Invalid {
        /// Its path.
        path: PathBuf,
        /// The parser's words.
        cause: Box<toml::de::Error>,
    },
}

/// Reads the file at `path`; `None` = there is no such file.
///
/// # Errors
///
/// See [`LifecycleFileError`].
pub(super) fn read<T: DeserializeOwned>(path: PathBuf) -> Result<Option<T>, LifecycleFileError> {
    match fs::read_to_string(&path) {
        Ok(text) => parse(&path, &text).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(LifecycleFileError::Unreadable { path, cause }),
    }
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, LifecycleFileError> {
    toml::from_str(text).map_err(|cause| LifecycleFileError::Invalid {
        path: path.to_owned(),
        cause: Box::new(cause),
    })
}
