//! What a buildpack's folder says about it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Failure;

/// A packaged buildpack.
#[derive(Debug, Clone)]
pub struct Buildpack {
    /// Its folder.
    pub folder: PathBuf,
    /// Its id, for example `relaunch/live-reload`.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its buildpack API.
    pub api: String,
}

#[derive(Deserialize)]
struct Descriptor {
    api: String,
    buildpack: Identity,
}

#[derive(Deserialize)]
struct Identity {
    id: String,
    version: String,
}

impl Buildpack {
    /// Reads `buildpack.toml`.
    ///
    /// # Errors
    /// The file is missing or has another form.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let descriptor: Descriptor = read_toml(&folder.join("buildpack.toml"))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            id: descriptor.buildpack.id,
            version: descriptor.buildpack.version,
            api: descriptor.api,
        })
    }

    /// The name of its folder among the layers: slashes become underscores.
    pub(super) fn folder_name(&self) -> String {
        self.id.replace('/', "_")
    }
}

/// Reads a TOML file of a known form.
pub(super) fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = std::fs::read_to_string(path).map_err(Failure::file(path))?;
    toml::from_str(&text)
        .map_err(|error| Failure::Format { path: path.to_path_buf(), reason: error.to_string() })
}

/// Writes a TOML file.
pub(super) fn write_toml<T: serde::Serialize>(path: &Path, value: &T) -> Result<(), Failure> {
    let text = toml::to_string(value)
        .map_err(|error| Failure::Format { path: path.to_path_buf(), reason: error.to_string() })?;
    std::fs::write(path, text).map_err(Failure::file(path))
}
