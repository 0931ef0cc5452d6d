//! Where the compiled app lies. Compiled once per test process, statically, so that the same file
//! runs on the host and in every image.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Names a compiled app; a test run that prepared one sets it, so that nothing is compiled twice.
pub const PATH_VARIABLE: &str = "XTASK_TEST_APP";

/// The compiled app, version `v1`.
///
/// # Errors
/// A text with cargo's own output when the app does not compile.
pub fn path() -> Result<PathBuf, String> {
    static COMPILED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    COMPILED
        .get_or_init(|| match std::env::var_os(PATH_VARIABLE) {
            Some(path) => Ok(PathBuf::from(path)),
            None => compile(),
        })
        .clone()
}

/// Compiles the app for the machine's own target, statically linked against glibc.
///
/// # Errors
/// As [`path`].
pub fn compile() -> Result<PathBuf, String> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the app's folder has no parent")?;
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--package", "test-app"])
        .args(["--target", &target])
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "test-app does not compile:\n{}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |folder| root.join(folder));
    Ok(folder.join(target).join("release/test-app"))
}
