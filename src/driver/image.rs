//! What runs: the executable of the running generation, as it was when it was exec'ed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::candidate::{
    Comparison, Held, Identity, compare, identity, identity_of_process, open_running,
};
use crate::system::mounts::shared_mount;

/// The executable of the last start that succeeded. Kept when its process has ended: the next start
/// may have to fall back to it.
#[derive(Debug)]
pub(super) struct Image {
    /// Where it lay.
    pub(super) path: PathBuf,
    /// Held open since before the exec; none when it may be run but not read.
    pub(super) held: Option<Held>,
    /// What it was just before the exec.
    baseline: Identity,
    /// The process that runs it, while it lives.
    pub(super) pid: Option<i32>,
}

impl Image {
    /// Takes the baseline. Called before the exec: what changes after it is seen as a difference.
    ///
    /// # Errors
    ///
    /// The error of stat(2).
    pub(super) fn before_exec(path: &Path) -> io::Result<Self> {
        let baseline = identity(path)?;
        let held = Held::open(path).ok().filter(|held| held.identity().same_file(&baseline));
        Ok(Self { path: path.to_owned(), held, baseline, pid: None })
    }

    /// Whether the process execs another inode than the baseline's: the name changed hands between
    /// the look and the exec. A script's process runs its interpreter and tells nothing; neither
    /// does one that has exec'ed another program meanwhile, as a shell does, while the name leads
    /// where it led.
    pub(super) fn is_another(&self, pid: i32, is_script: bool) -> bool {
        let running = u32::try_from(pid).ok().and_then(|pid| identity_of_process(pid).ok());
        !is_script
            && running.is_some_and(|running| !running.same_file(&self.baseline))
            && identity(&self.path).map_or(true, |now| !now.same_file(&self.baseline))
    }

    /// Whether a start from `path` now would run other bytes or have other rights.
    pub(super) fn differs_from(&self, path: &Path) -> bool {
        let Ok(now) = identity(path) else { return true };
        if !now.same_rights(&self.baseline) {
            return true;
        }
        if now == self.baseline {
            return false;
        }
        if now.same_file(&self.baseline) {
            // The kernel lets nobody write a program while it runs (ETXTBSY); the other side of a
            // shared mount does not ask it.
            if self.runs() && shared_mount(path).is_none() {
                return false;
            }
            return !self.held.as_ref().is_some_and(|held| held.is_intact().unwrap_or(false));
        }
        let Ok(candidate) = File::open(path) else { return true };
        !self.has_bytes_of(&candidate)
    }

    /// Whether a process runs this very inode; the process of a script runs its interpreter.
    fn runs(&self) -> bool {
        let process = self.process().and_then(|pid| identity_of_process(pid).ok());
        process.is_some_and(|running| running.same_file(&self.baseline))
    }

    /// Whether the kernel keeps from us what the process runs: it has more rights, by file
    /// capabilities or a setuid bit (`PTRACE_MODE_READ`, ptrace(2)).
    pub(super) fn is_hidden(&self) -> bool {
        let look = self.process().map(identity_of_process);
        matches!(look, Some(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied)
    }

    fn process(&self) -> Option<u32> {
        self.pid.and_then(|pid| u32::try_from(pid).ok())
    }

    fn has_bytes_of(&self, candidate: &File) -> bool {
        let running = self.process().filter(|_| self.runs());
        if let Some(running) = running.and_then(|pid| open_running(pid).ok()) {
            return matches!(compare(candidate, &running), Comparison::Same);
        }
        let Some(held) = &self.held else { return false };
        held.is_intact().unwrap_or(false)
            && matches!(compare(candidate, held.file()), Comparison::Same)
    }

    /// Notes the digest, so that later a touch can be told from a write. For a quiet moment.
    pub(super) fn note_bytes(&mut self) {
        if let Some(held) = &mut self.held {
            // Without a digest, size and modification time decide.
            let _ = held.note_bytes(&mut DIGEST_BUDGET.clone());
        }
    }
}

/// Larger executables are not digested: 64 MB take about 10 ms.
const DIGEST_BUDGET: u64 = 64 << 20;
