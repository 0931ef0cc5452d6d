//! Where things lie in the workspace.

use std::path::{Path, PathBuf};

/// The folder of the root package.
#[must_use]
pub fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Cargo's build folder.
#[must_use]
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => std::env::current_dir().unwrap_or_default().join(folder),
        None => root().join("target"),
    }
}

/// The target of the packaged binaries. Releases use `ARCH-unknown-linux-musl`, libcnb's default;
/// here the host's own glibc target is linked statically, so that a machine with nothing but Rust
/// can build it.
#[must_use]
pub fn triple() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}
