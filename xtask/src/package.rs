//! `cargo xtask package`: the buildpack as a folder that `pack build --buildpack` takes.
//!
//! The work is libcnb-package's. Two things differ from `cargo libcnb package`: the binaries are
//! linked statically against glibc, because the musl target is not on every machine, and there is
//! no cross-compile assistance, because the target is the host's own. A release is packaged by
//! `cargo libcnb package --release` for musl.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use libcnb_package::CargoProfile;
use libcnb_package::package::package_buildpack;

use crate::failure::Failure;
use crate::{progress, workspace};

/// The flags that make the binaries static.
pub const STATIC: &str = "-C target-feature=+crt-static";

/// The packaged buildpack.
#[derive(Debug, Clone)]
pub struct Package {
    /// The folder with `buildpack.toml`, `package.toml` and `bin/`.
    pub folder: PathBuf,
}

impl Package {
    /// The supervisor inside it.
    #[must_use]
    pub fn supervisor(&self) -> PathBuf {
        self.folder.join(".libcnb-cargo/additional-bin/relaunch")
    }
}

/// The command: packages and says where.
///
/// # Errors
/// As [`package`].
pub fn run() -> Result<(), Failure> {
    let package = package()?;
    println!("\npack build IMAGE --env BP_LIVE_RELOAD_ENABLED=true \\");
    println!("    --post-buildpack {}", package.folder.display());
    Ok(())
}

/// Compiles and packages.
///
/// # Errors
/// The compiler's, or the file system's.
pub fn package() -> Result<Package, Failure> {
    let folder = folder();
    let environment = [(OsString::from("RUSTFLAGS"), OsString::from(STATIC))];
    progress::step("packaging the buildpack (static, release)", || {
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(Failure::file(&folder))?;
        }
        package_buildpack(
            workspace::root(),
            CargoProfile::Release,
            &workspace::triple(),
            &environment,
            &folder,
            &BTreeMap::new(),
        )
        .map_err(|error| Failure::Package(error.to_string()))
    })?;
    Ok(Package { folder })
}

/// The package that was made before, in this run or an earlier one.
#[must_use]
pub fn current() -> Package {
    Package { folder: folder() }
}

/// Where the package goes; libcnb's own layout.
fn folder() -> PathBuf {
    let triple = workspace::triple();
    workspace::target().join("packaged").join(triple).join("release/relaunch_live-reload")
}
