//! Rights: what the build made becomes writable for the group, so that a run user who shares the
//! group with the build user can overwrite it. Other rights stay as they are, symbolic links are
//! not followed.
//!
//! [`plan`] looks and refuses, [`apply`] changes: a build that fails leaves the app folder alone.

use nix::unistd::geteuid;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

/// One change of mode bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// A file or folder, no symbolic link.
    pub path: PathBuf,
    /// Its new mode, permission bits only.
    pub mode: u32,
}

/// A path whose rights could not be looked up or changed.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {cause}")]
pub struct RightsError {
    /// The path.
    pub path: PathBuf,
    /// The system's words.
    pub cause: io::Error,
}

const GROUP_WRITE: u32 = 0o020;

/// The changes that make `app_dir` writable for the group, and the places in `layers_root` that
/// `words` of the processes name.
///
/// # Errors
///
/// A folder that cannot be read, or a file of another owner, whose mode we may not change.
pub fn plan(
    app_dir: &Path,
    layers_root: &Path,
    words: &[String],
) -> Result<Vec<Change>, RightsError> {
    let mut changes = Vec::new();
    collect(app_dir, true, &mut changes)?;
    let mut places: Vec<Place> =
        words.iter().filter_map(|word| named_place(layers_root, word)).collect();
    places.sort();
    places.dedup();
    for place in places {
        collect(&place.path, place.recursive, &mut changes)?;
    }
    changes.sort_by(|left, right| left.path.cmp(&right.path));
    changes.dedup();
    Ok(changes)
}

/// Makes the changes.
///
/// # Errors
///
/// The first path whose mode could not be changed.
pub fn apply(changes: &[Change]) -> Result<(), RightsError> {
    for change in changes {
        fs::set_permissions(&change.path, Permissions::from_mode(change.mode))
            .map_err(|cause| error(&change.path, cause))?;
    }
    Ok(())
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    path: PathBuf,
    recursive: bool,
}

/// The folder of a file that a word names below a layer, or the folder that it names. Never the
/// root of a layer: who may write there could bring an `env` or `exec.d` into the next start.
fn named_place(layers_root: &Path, word: &str) -> Option<Place> {
    let path = Path::new(word);
    let below = path.strip_prefix(layers_root).ok()?;
    let depth = below
        .components()
        .map(|part| matches!(part, Component::Normal(_)).then_some(()))
        .collect::<Option<Vec<()>>>()?
        .len();
    let metadata = path.symlink_metadata().ok()?;
    // BUILDPACK/LAYER/... is where a layer's content begins.
    match (metadata.is_dir(), depth) {
        (_, ..3) => None,
        (true, _) => Some(Place { path: path.to_owned(), recursive: true }),
        (false, 3) => Some(Place { path: path.to_owned(), recursive: false }),
        (false, _) => Some(Place { path: path.parent()?.to_owned(), recursive: true }),
    }
}

fn collect(path: &Path, recursive: bool, changes: &mut Vec<Change>) -> Result<(), RightsError> {
    let at = |cause| error(path, cause);
    let metadata = path.symlink_metadata().map_err(at)?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let mode = metadata.mode() & 0o7777;
    if mode & GROUP_WRITE == 0 {
        let us = geteuid();
        if !us.is_root() && us.as_raw() != metadata.uid() {
            return Err(at(io::Error::from_raw_os_error(libc::EPERM)));
        }
        changes.push(Change { path: path.to_owned(), mode: mode | GROUP_WRITE });
    }
    if recursive && metadata.is_dir() {
        for entry in fs::read_dir(path).map_err(at)? {
            collect(&entry.map_err(at)?.path(), true, changes)?;
        }
    }
    Ok(())
}

fn error(path: &Path, cause: io::Error) -> RightsError {
    RightsError { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn file(path: &Path, mode: u32) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn change(path: PathBuf, mode: u32) -> Change {
        Change { path, mode }
    }

    fn mode(path: &Path) -> u32 {
        path.symlink_metadata().unwrap().mode() & 0o7777
    }

    #[test]
    fn the_app_folder_becomes_writable_for_the_group_and_links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let (app, layers) = (root.path().join("app"), root.path().join("layers"));
        let outside = root.path().join("outside");
        file(&outside, 0o644);
        file(&app.join("sub/bin"), 0o755);
        file(&app.join("shared"), 0o664);
        file(&app.join("private"), 0o600);
        symlink(&outside, app.join("link")).unwrap();
        for (folder, bits) in [(&app, 0o777), (&app.join("sub"), 0o2755)] {
            fs::set_permissions(folder, Permissions::from_mode(bits)).unwrap();
        }

        let changes = plan(&app, &layers, &[]).unwrap();
        let expected = [
            change(app.join("private"), 0o620),
            change(app.join("sub"), 0o2775),
            change(app.join("sub/bin"), 0o775),
        ];
        assert_eq!(changes, expected);
        assert_eq!(mode(&app.join("sub/bin")), 0o755);

        apply(&changes).unwrap();
        assert_eq!(mode(&app.join("sub/bin")), 0o775);
        assert_eq!(mode(&outside), 0o644);
        assert_eq!(plan(&app, &layers, &[]).unwrap(), []);
    }

    #[test]
    fn folders_of_named_executables_become_writable_but_never_the_root_of_a_layer() {
        let root = tempfile::tempdir().unwrap();
        let (app, layers) = (root.path().join("app"), root.path().join("layers"));
        fs::create_dir(&app).unwrap();
        fs::set_permissions(&app, Permissions::from_mode(0o777)).unwrap();
        let (deep, flat) = (layers.join("go/targets/bin/mod"), layers.join("x/layer/app"));
        file(&deep, 0o755);
        file(&deep.with_file_name("other"), 0o644);
        file(&flat, 0o755);

        let word = |path: &Path| path.display().to_string();
        let words = [
            word(&deep),
            word(&flat),
            word(deep.parent().unwrap()),
            word(&layers.join("x/layer")),
            word(&layers.join("go/targets/bin/../../env")),
            word(&layers.join("x/layer/missing/app")),
            "/bin/sh".to_owned(),
            "mod".to_owned(),
        ];
        let expected = [
            change(layers.join("go/targets/bin"), 0o775),
            change(deep.clone(), 0o775),
            change(deep.with_file_name("other"), 0o664),
            change(flat, 0o775),
        ];
        assert_eq!(plan(&app, &layers, &words).unwrap(), expected);
    }

    #[test]
    fn a_missing_app_folder_is_named() {
        let error = plan(Path::new("/nowhere/app"), Path::new("/layers"), &[]).unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/app: No such file or directory (os error 2)");
    }
}
