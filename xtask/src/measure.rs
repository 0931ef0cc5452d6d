//! Size on disk and idle memory of the supervisor, for the summary of `cargo xtask test`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::failure::Failure;
use crate::running::Running;

/// The promise: at most 2 MB on disk.
pub const SIZE_LIMIT: u64 = 2_000_000;
/// The promise: less than 3 MB resident while idle.
pub const MEMORY_LIMIT: u64 = 3_000_000;

/// What was measured, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// The stripped static binary.
    pub size: u64,
    /// `VmRSS` after the app's start.
    pub memory: u64,
}

impl Measured {
    /// Whether both promises hold.
    #[must_use]
    pub fn holds(self) -> bool {
        self.size <= SIZE_LIMIT && self.memory < MEMORY_LIMIT
    }
}

impl std::fmt::Display for Measured {
    #[allow(clippy::cast_precision_loss)] // Megabytes with two decimals.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [size, memory] = [self.size, self.memory].map(|bytes| bytes as f64 / 1e6);
        write!(f, "supervisor binary {size:.2} MB, idle RSS {memory:.2} MB")
    }
}

/// Runs the app under the supervisor, without a change, and reads its resident memory.
///
/// # Errors
/// The app does not start, or `/proc` says nothing.
pub fn measure(supervisor: &Path, app: &Path) -> Result<Measured, Failure> {
    let size = std::fs::metadata(supervisor).map_err(Failure::file(supervisor))?.len();
    let folder = tempfile::tempdir().map_err(Failure::file("the temporary folder"))?;
    let mut command = Command::new(supervisor);
    command.args(["run", "--watch"]).arg(folder.path()).arg("--").arg(app).arg("--port=0");
    command.current_dir(folder.path());
    let mut running = Running::start(&mut command, false)?;
    let patience = Duration::from_secs(10);
    running.wait_for("the app's start", patience, |line| line.starts_with("started version="))?;
    let path = format!("/proc/{}/status", running.pid());
    let status = std::fs::read_to_string(&path).map_err(Failure::file(&path))?;
    let memory = resident(&status)
        .ok_or_else(|| Failure::Format { path: path.into(), reason: "no VmRSS".into() })?;
    Ok(Measured { size, memory })
}

/// `VmRSS` in bytes; the kernel writes kB and means 1024.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(resident("Name:\trelaunch\nVmRSS:\t    1080 kB\n"), Some(1_105_920));
    }

    #[test]
    fn a_promise_that_does_not_hold_is_seen() {
        let measured = Measured { size: 1, memory: MEMORY_LIMIT };
        assert!(!measured.holds());
        assert_eq!(measured.to_string(), "supervisor binary 0.00 MB, idle RSS 3.00 MB");
    }
}
