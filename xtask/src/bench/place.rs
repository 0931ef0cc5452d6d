//! A tool's folder: the tree that it watches, and beside it what it must not see.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::failure::Failure;

/// `tree/` with the app, `out/` for what is prepared, `pipe` for the app's word, `log`.
pub(super) struct Place {
    folder: PathBuf,
    tree: PathBuf,
}

impl Place {
    /// A fresh one with an empty tree.
    pub(super) fn new() -> Result<Self, Failure> {
        let folder = fresh();
        for path in [folder.join("tree"), folder.join("out"), folder.join("empty")] {
            fs::create_dir_all(&path).map_err(Failure::file(&path))?;
        }
        Ok(Self { tree: folder.join("tree"), folder })
    }

    /// A fresh one that uses a tree made before, which stays when the place goes.
    pub(super) fn around(tree: &Path) -> Result<Self, Failure> {
        let mut place = Self::new()?;
        place.tree = tree.to_path_buf();
        Ok(place)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the tool watches.
    pub(super) fn tree(&self) -> &Path {
        &self.tree
    }

    /// The executable that it runs.
    pub(super) fn app(&self) -> PathBuf {
        self.tree.join("app")
    }

    /// The app's word comes through here.
    pub(super) fn pipe(&self) -> PathBuf {
        self.folder.join("pipe")
    }

    /// A path beside the tree, on the same file system.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.join("out").join(name)
    }

    /// An empty folder, for a tool that is told of an app folder besides.
    pub(super) fn empty(&self) -> PathBuf {
        self.folder.join("empty")
    }

    /// What the tool and the app print.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A folder for a tree that several places use, one after the other.
pub(super) fn fresh() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Not below the build folder: peers honour the ignore files of the repository around it.
    std::env::temp_dir().join(format!("relaunch-bench-{}-{number}", std::process::id()))
}

/// Writes an executable in one go, with its mode from the beginning.
pub(super) fn write_executable(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(true).mode(0o755).open(path);
    let mut file = opened.map_err(Failure::file(path))?;
    file.write_all(bytes).map_err(Failure::file(path))?;
    // Whatever the umask is.
    file.set_permissions(fs::Permissions::from_mode(0o755)).map_err(Failure::file(path))
}
