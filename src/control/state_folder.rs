//! The state folder: where the manifest lies as a file, for tools that read files. Writes there and
//! nowhere else; a folder that cannot be had costs the file, never the app.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

/// The manifest as a file.
#[derive(Debug)]
pub struct StateFile {
    folder: PathBuf,
    /// We made the folder, so it goes with us; locked by us meanwhile.
    ours: Option<File>,
}

/// Why there is no manifest file.
#[derive(Debug, thiserror::Error)]
pub enum StateFolderError {
    /// `--state` names a folder that cannot be used.
    #[error(
        "the manifest cannot be written to {path}: {cause}; name another folder with --state, or do without: `relaunch status` works all the same"
    )]
    Named {
        /// The folder.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// None of the usual places can be used.
    #[error(
        "there is no place for the manifest ({0}); name a folder with --state, or do without: `relaunch status` works all the same"
    )]
    Nowhere(String),
}

impl StateFile {
    /// The folder that the setting names, made when it is missing; else a private folder of this
    /// supervisor: below `$XDG_RUNTIME_DIR`, `/run`, `/tmp` or `/dev/shm`, the first that works.
    ///
    /// # Errors
    ///
    /// No folder can be had.
    pub fn open(
        setting: Option<&Path>,
        runtime_dir: Option<&Path>,
    ) -> Result<Self, StateFolderError> {
        if let Some(path) = setting {
            let named = |cause| StateFolderError::Named { path: path.to_owned(), cause };
            fs::create_dir_all(path).map_err(named)?;
            let file = Self { folder: path.to_owned(), ours: None };
            file.write("{}").map_err(named)?;
            return Ok(file);
        }
        let mut refused = Vec::new();
        for parent in places(runtime_dir) {
            match private(&parent).and_then(|()| own(&parent)) {
                Ok((folder, lock)) => return Ok(Self { folder, ours: Some(lock) }),
                Err(cause) => refused.push(format!("{}: {cause}", parent.display())),
            }
        }
        Err(StateFolderError::Nowhere(refused.join("; ")))
    }

    /// The folder; what happens in it is our own doing.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Replaces the file in one step, so that a reader sees the old or the new text.
    ///
    /// # Errors
    ///
    /// The folder is gone, full or read-only.
    pub fn write(&self, text: &str) -> io::Result<()> {
        let new = self.folder.join(NEW);
        // In a folder that others may write, a link of this name may lead anywhere: a file that is
        // created anew is never one that a link leads to.
        let mut file = match File::create_new(&new) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_file(&new)?;
                File::create_new(&new)?
            }
            made => made?,
        };
        file.write_all(text.as_bytes())?;
        fs::rename(&new, self.folder.join(MANIFEST))
    }
}

impl Drop for StateFile {
    /// A manifest of a supervisor that has ended would tell of a process that does not run.
    fn drop(&mut self) {
        let _ = fs::remove_file(self.folder.join(MANIFEST));
        // Of a write that a full disk ended.
        let _ = fs::remove_file(self.folder.join(NEW));
        if self.ours.is_some() {
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

/// What group and others may do, see inode(7).
const OTHERS: u32 = 0o077;
/// Supervisors of one process id below one parent.
const MOST_SHARING: u32 = 1_000;
/// The file's name.
const MANIFEST: &str = "manifest.json";
/// What becomes it.
const NEW: &str = ".manifest.json.new";

fn places(runtime_dir: Option<&Path>) -> Vec<PathBuf> {
    let uid = geteuid();
    let runtime = runtime_dir.filter(|path| path.is_absolute()).map(|path| path.join("relaunch"));
    let shared = ["/tmp", "/dev/shm"].map(|path| Path::new(path).join(format!("relaunch-{uid}")));
    runtime.into_iter().chain([PathBuf::from("/run/relaunch")]).chain(shared).collect()
}

/// Makes a folder of this process, named by its id. Containers that share the parent have a process 1
/// each, so whoever lives holds a lock of its folder (flock(2)), and the next one adds a number. What
/// a killed one has left behind is free again.
fn own(parent: &Path) -> io::Result<(PathBuf, File)> {
    let pid = std::process::id();
    for number in 1..=MOST_SHARING {
        let name = if number == 1 { pid.to_string() } else { format!("{pid}.{number}") };
        let folder = parent.join(name);
        private(&folder)?;
        let lock = match File::open(&folder) {
            // Its owner has just ended and took it along.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened?,
        };
        // A file system without locks is shared with nobody, as far as can be known.
        let taken = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
        // Whoever ended between these two lines took the folder along.
        let there = fs::symlink_metadata(&folder).is_ok_and(|now| {
            lock.metadata().is_ok_and(|held| (held.dev(), held.ino()) == (now.dev(), now.ino()))
        });
        if !taken && there {
            // What a killed one wrote is no longer true.
            let _ = fs::remove_file(folder.join(MANIFEST));
            return Ok((folder, lock));
        }
    }
    Err(io::Error::new(io::ErrorKind::ResourceBusy, "too many supervisors share it"))
}

/// Makes a folder that only we can use, or finds it so: in `/tmp` anybody may have made it before.
fn private(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let found = fs::symlink_metadata(folder)?;
    if found.is_dir() && found.uid() == geteuid().as_raw() && found.mode() & OTHERS == 0 {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is there and not private to us"))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_manifest_is_replaced_and_goes_with_its_supervisor() {
        let top = tempfile::tempdir().unwrap();
        let file = StateFile::open(Some(&top.path().join("a/b")), None).unwrap();
        file.write("{\"schema\":1}").unwrap();
        let path = top.path().join("a/b/manifest.json");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"schema\":1}");
        drop(file);
        assert!(!path.exists() && path.parent().unwrap().exists());
    }

    #[test]
    fn nothing_is_written_through_a_link_of_somebody_else() {
        let top = tempfile::tempdir().unwrap();
        let (precious, folder) = (top.path().join("precious"), top.path().join("state"));
        fs::write(&precious, "mine").unwrap();
        fs::create_dir(&folder).unwrap();
        for name in [NEW, MANIFEST] {
            std::os::unix::fs::symlink(&precious, folder.join(name)).unwrap();
        }
        let file = StateFile::open(Some(&folder), None).unwrap();
        file.write("{\"schema\":1}").unwrap();
        assert_eq!(fs::read_to_string(folder.join(MANIFEST)).unwrap(), "{\"schema\":1}");
        assert_eq!(fs::read_to_string(precious).unwrap(), "mine");
    }

    #[test]
    fn without_a_setting_a_private_folder_is_made_and_removed() {
        let top = tempfile::tempdir().unwrap();
        let file = StateFile::open(None, Some(top.path())).unwrap();
        let folder = file.folder().to_owned();
        assert!(folder.starts_with(top.path().join("relaunch")));
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        drop(file);
        assert!(!folder.exists());
    }

    #[test]
    fn one_of_the_same_process_id_in_another_namespace_has_a_folder_of_its_own() {
        let top = tempfile::tempdir().unwrap();
        let open = || StateFile::open(None, Some(top.path())).unwrap();
        let (one, other) = (open(), open());
        one.write("one").unwrap();
        other.write("other").unwrap();
        let read = |file: &StateFile| fs::read_to_string(file.folder().join(MANIFEST)).unwrap();
        assert_eq!([read(&one), read(&other)], ["one", "other"]);
        let first = one.folder().to_owned();
        drop(one);
        assert_eq!(read(&other), "other");
        // What a killed one left behind is taken over.
        fs::create_dir(&first).unwrap();
        fs::set_permissions(&first, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(first.join(MANIFEST), "old").unwrap();
        let next = open();
        assert_eq!(next.folder(), first);
        assert!(!first.join(MANIFEST).exists(), "it told of a process that does not run");
    }

    #[test]
    fn a_folder_that_others_may_write_is_not_ours() {
        let top = tempfile::tempdir().unwrap();
        let open = top.path().join("relaunch");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(private(&open).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        std::os::unix::fs::symlink("/tmp", top.path().join("link")).unwrap();
        assert!(private(&top.path().join("link")).is_err());
    }
}
