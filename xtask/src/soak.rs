//! `cargo xtask soak [RELOADS]`: one supervisor through many reloads, in release form.

use std::process::Command;

use crate::command;
use crate::failure::Failure;
use crate::workspace;

/// Runs the soak case of the supervisor's tests with this many reloads.
///
/// # Errors
/// Something was not flat, or cargo failed; it has said what.
pub fn run(reloads: &str) -> Result<(), Failure> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["test", "--release", "--test", "supervisor", "--", "reloads leave"])
        .env("RELAUNCH_SOAK", reloads);
    command::run(cargo.current_dir(workspace::root()))
}
