//! Which file a command's first word means: the search of execvp(3), and the rule that a synced
//! file stands in by name. Reads the file system, decides nothing else.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

/// The search path of a process that has no `PATH`; see execvp(3).
pub(super) const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The file that a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The executable. A stand-in may still lack its exec bit: whether it is fit is judged later.
    pub path: PathBuf,
    /// It is the synced file of the command's name, not what the command alone would run.
    pub stand_in: bool,
}

/// Why a command cannot run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRunnable {
    /// No such file.
    #[error("{} not found", name.display())]
    NotFound {
        /// The word as the user wrote it.
        name: OsString,
    },
    /// There is one, but it is a folder or has no exec bit for this user.
    #[error("{} is not executable", path.display())]
    NotExecutable {
        /// The first such file.
        path: PathBuf,
    },
}

impl NotRunnable {
    /// 127 for not found, 126 for not executable, as shells say it (POSIX XCU 2.8.2).
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound { .. } => 127,
            Self::NotExecutable { .. } => 126,
        }
    }
}

/// Finds the executable of `name`. Where `TARGET/bin/NAME` is a file, it stands in for a bare name
/// and for every path with that last component. Else a name with a slash is taken as it is,
/// and a bare name is looked up in `search` (the value of `PATH`; `None` = unset).
///
/// # Errors
///
/// See [`NotRunnable`].
pub fn resolve(
    name: &OsStr,
    target: Option<&Path>,
    search: Option<&OsStr>,
) -> Result<Resolved, NotRunnable> {
    let path = Path::new(name);
    let bare = !name.as_bytes().contains(&b'/');
    if let Some(path) = stand_in(path, target).filter(|path| path.is_file()) {
        return Ok(Resolved { path, stand_in: true });
    }
    let mut refused = None;
    for candidate in places(path, bare, search) {
        if is_executable(&candidate) {
            return Ok(Resolved { path: candidate, stand_in: false });
        }
        if refused.is_none() && candidate.exists() {
            refused = Some(candidate);
        }
    }
    Err(match refused {
        Some(path) => NotRunnable::NotExecutable { path },
        None => NotRunnable::NotFound { name: name.to_owned() },
    })
}

fn stand_in(path: &Path, target: Option<&Path>) -> Option<PathBuf> {
    Some(target?.join("bin").join(path.file_name()?))
}

/// Where execvp(3) looks. An empty entry of `PATH` means the current folder.
fn places(path: &Path, bare: bool, search: Option<&OsStr>) -> Vec<PathBuf> {
    if path.as_os_str().is_empty() {
        return Vec::new();
    }
    if !bare {
        return vec![path.to_owned()];
    }
    let folders = search.unwrap_or(OsStr::new(DEFAULT_PATH)).as_bytes();
    folders
        .split(|byte| *byte == b':')
        .map(|folder| match folder {
            [] => Path::new(".").join(path),
            folder => Path::new(OsStr::from_bytes(folder)).join(path),
        })
        .collect()
}

pub(super) fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, AccessFlags::X_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    struct Place(tempfile::TempDir);

    impl Place {
        fn new(files: &[(&str, u32)]) -> Self {
            let place = Self(tempfile::tempdir().unwrap());
            for (name, mode) in files {
                let path = place.path(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, "").unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
            }
            place
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn resolve(&self, name: &str) -> Result<Resolved, NotRunnable> {
            let search = std::env::join_paths([self.path("one"), self.path("two")]).unwrap();
            resolve(name.as_ref(), Some(&self.path("target")), Some(&search))
        }
    }

    #[test]
    fn the_search_passes_over_files_without_exec_bit() {
        let place = Place::new(&[("one/app", 0o644), ("two/app", 0o755)]);
        let expected = Resolved { path: place.path("two/app"), stand_in: false };
        assert_eq!(place.resolve("app"), Ok(expected));
    }

    #[test]
    fn a_synced_file_stands_in_for_every_form_of_its_name() {
        let place = Place::new(&[("one/app", 0o755), ("target/bin/app", 0o644)]);
        let expected = Resolved { path: place.path("target/bin/app"), stand_in: true };
        assert_eq!(place.resolve("app"), Ok(expected.clone()));
        let absolute = place.path("one/app");
        assert_eq!(place.resolve(absolute.to_str().unwrap()), Ok(expected.clone()));
        assert_eq!(place.resolve("build/app"), Ok(expected));
    }

    #[test]
    fn a_relative_path_is_not_searched_for() {
        let place = Place::new(&[("one/build/app", 0o755)]);
        let error = place.resolve("build/app").unwrap_err();
        let expected = NotRunnable::NotFound { name: "build/app".into() };
        assert_eq!((error.exit_code(), error), (127, expected));
    }

    #[test]
    fn a_file_that_may_not_be_executed_and_a_folder_are_126() {
        let place = Place::new(&[("one/app", 0o644), ("two/tool/x", 0o755)]);
        for (name, found) in [("app", "one/app"), ("tool", "two/tool")] {
            let error = place.resolve(name).unwrap_err();
            let text = format!("{} is not executable", place.path(found).display());
            assert_eq!((error.exit_code(), error.to_string()), (126, text));
        }
    }

    #[test]
    fn nothing_found_is_127() {
        let place = Place::new(&[]);
        let error = place.resolve("app").unwrap_err();
        assert_eq!((error.exit_code(), error.to_string()), (127, "app not found".into()));
        assert_eq!(error, NotRunnable::NotFound { name: OsString::from("app") });
    }

    #[test]
    fn an_unset_path_means_the_default_one_and_an_empty_entry_the_current_folder() {
        let sh = resolve("sh".as_ref(), None, None).unwrap();
        assert_eq!(sh.path, Path::new("/bin/sh"));
        let places = places(Path::new("app"), true, Some(OsStr::new(":/bin")));
        assert_eq!(places, [Path::new("./app"), Path::new("/bin/app")]);
    }
}
