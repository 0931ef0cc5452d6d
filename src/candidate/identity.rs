//! Which file is it, and with which rights would it run? What comes in: a path, an open file, a
//! process; what goes out: a value to be kept and compared.

use std::ffi::CString;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::sys;

/// A file at a moment. Equal values mean: the same inode, and nothing known to have happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The device.
    pub dev: u64,
    /// The inode.
    pub ino: u64,
    /// Bytes.
    pub size: u64,
    /// Modification time in nanoseconds since 1970; tools set it at will.
    pub mtime_ns: i128,
    /// Change time in nanoseconds since 1970; moves with every write, chmod, link, rename, unlink,
    /// and cannot be set.
    pub ctime_ns: i128,
    /// Type and permission bits (`st_mode`).
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The file capabilities (`security.capability`) as stored, where there are any. setcap(8)
    /// leaves size, mtime and mode alone.
    pub capabilities: Option<Vec<u8>>,
}

impl Identity {
    /// Whether both are one inode, whatever happened to it in between.
    #[must_use]
    pub fn same_file(&self, other: &Self) -> bool {
        (self.dev, self.ino) == (other.dev, other.ino)
    }

    /// Whether a process started from either has the same rights: mode, owner, group, capabilities.
    #[must_use]
    pub fn same_rights(&self, other: &Self) -> bool {
        (self.mode, self.uid, self.gid, &self.capabilities)
            == (other.mode, other.uid, other.gid, &other.capabilities)
    }

    /// Whether size and modification time agree: the quick check of rsync and make, good where only
    /// the link count or the rights may have changed.
    #[must_use]
    pub fn same_stamp(&self, other: &Self) -> bool {
        (self.size, self.mtime_ns) == (other.size, other.mtime_ns)
    }

    fn new(metadata: &Metadata, capabilities: Option<Vec<u8>>) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            dev: metadata.dev(),
            ino: metadata.ino(),
            size: metadata.size(),
            mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            mode: metadata.mode(),
            uid: metadata.uid(),
            gid: metadata.gid(),
            capabilities,
        }
    }
}

/// The identity of the file at `path`, links followed. Opens nothing.
///
/// # Errors
///
/// The error of stat(2).
pub fn identity(path: &Path) -> io::Result<Identity> {
    let metadata = std::fs::metadata(path)?;
    let name = CString::new(path.as_os_str().as_bytes())?;
    Ok(Identity::new(&metadata, sys::capabilities(&name)))
}

/// The identity of an open file.
///
/// # Errors
///
/// The error of fstat(2).
pub fn identity_of_file(file: &File) -> io::Result<Identity> {
    Ok(Identity::new(&file.metadata()?, sys::capabilities_of_file(file)))
}

/// The identity of the executable that process `pid` runs (for a script: its interpreter).
///
/// # Errors
///
/// `NotFound` where the process is gone, `PermissionDenied` where it has file capabilities and we
/// have none: compare with what was held open before the exec then.
pub fn identity_of_process(pid: u32) -> io::Result<Identity> {
    identity(Path::new(&format!("/proc/{pid}/exe")))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    use super::super::testing::{file, folder, is_root, program};
    use super::*;

    #[test]
    fn path_open_file_and_process_give_one_identity() {
        let folder = folder();
        let sleep = fs::read("/bin/sleep").unwrap();
        let path = file(&folder, "app", &sleep, 0o755);
        let mut child = Command::new(&path).arg("1000").spawn().unwrap();
        let expected = identity(&path).unwrap();
        assert_eq!(expected.size, sleep.len() as u64);
        assert_eq!(identity_of_file(&File::open(&path).unwrap()).unwrap(), expected);
        assert_eq!(identity_of_process(child.id()).unwrap(), expected);

        // Another file takes the path; the process still runs the first one.
        let next = file(&folder, "next", &sleep, 0o755);
        fs::rename(&next, &path).unwrap();
        let running = identity_of_process(child.id()).unwrap();
        assert!(running.same_file(&expected));
        assert!(!running.same_file(&identity(&path).unwrap()));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_mode_is_a_right_and_no_stamp() {
        let folder = folder();
        let path = file(&folder, "app", &program(), 0o755);
        let before = identity(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let after = identity(&path).unwrap();
        assert!(after.same_file(&before) && after.same_stamp(&before));
        assert!(!after.same_rights(&before));
    }

    #[test]
    fn file_capabilities_are_a_right() {
        if !is_root() || !Path::new("/usr/sbin/setcap").exists() {
            return; // Only root may set capabilities.
        }
        let folder = folder();
        let path = file(&folder, "app", &program(), 0o755);
        let before = identity(&path).unwrap();
        assert_eq!(before.capabilities, None);
        let mut setcap = Command::new("/usr/sbin/setcap");
        setcap.arg("cap_net_bind_service=ep").arg(&path);
        assert!(setcap.status().unwrap().success());
        let after = identity(&path).unwrap();
        assert_eq!(after.capabilities.as_ref().map(Vec::len), Some(20));
        assert!(after.same_stamp(&before) && after.mode == before.mode);
        assert!(!after.same_rights(&before));
        assert_eq!(identity_of_file(&File::open(&path).unwrap()).unwrap(), after);
    }
}
