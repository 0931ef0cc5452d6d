//! What the tests of this room share: candidates made of real programs, and another uid.
#![allow(unsafe_code)] // Credentials of one thread have no safe form.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::kernel::{Answer, execve_check};
use super::writer::{Writer, writer};

/// A folder that every uid may enter.
pub(super) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A small dynamically linked program of this machine.
pub(super) fn program() -> Vec<u8> {
    fs::read("/bin/true").unwrap()
}

/// Writes a file and waits until no process has it open for writing: a test that forks in another
/// thread hands our descriptor to its child until that execs.
pub(super) fn file(folder: &TempDir, name: &str, bytes: &[u8], mode: u32) -> PathBuf {
    let path = folder.path().join(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path).unwrap();
    file.write_all(bytes).unwrap();
    drop(file);
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    closed(&path);
    path
}

/// Waits until nobody has `path` open for writing.
pub(super) fn closed(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while writer(path) == Writer::Somebody || execve_check(path) == Answer::TextBusy {
        assert!(Instant::now() < deadline, "{} stays open for writing", path.display());
        std::thread::yield_now();
    }
}

pub(super) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Runs `act` in a thread of its own with the uid and gid of nobody, without capabilities: the raw
/// system calls change one thread only. The thread's forks keep that identity.
pub(super) fn as_nobody<T: Send>(act: impl Fn() -> T + Sync) -> T {
    const NOBODY: libc::c_long = 65_534;
    let become_nobody = || {
        // SAFETY: integers only; setgroups reads none of the zero groups.
        unsafe {
            assert_eq!(libc::syscall(libc::SYS_setgroups, 0, std::ptr::null::<libc::gid_t>()), 0);
            assert_eq!(libc::syscall(libc::SYS_setresgid, NOBODY, NOBODY, NOBODY), 0);
            assert_eq!(libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY), 0);
        }
        act()
    };
    // Other tests fork as well: for a moment the machine may have no thread to give (EAGAIN).
    let deadline = Instant::now() + Duration::from_secs(10);
    std::thread::scope(|scope| {
        loop {
            match std::thread::Builder::new().spawn_scoped(scope, become_nobody) {
                Ok(thread) => return thread.join().unwrap(),
                Err(cause) => assert!(Instant::now() < deadline, "no thread: {cause}"),
            }
            std::thread::yield_now();
        }
    })
}
