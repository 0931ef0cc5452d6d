//! The way to a watched path: which links and folders lie on it, so that a swapped link or a
//! folder that is made later is noticed. Asks the file system, changes nothing.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing yet, or nothing any more.
    Missing,
    /// A file; its bytes are told apart by the tables.
    File,
    /// A folder, by device and inode.
    Folder(u64, u64),
}

/// The way to a path, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Approach {
    /// Where it ends.
    pub(super) end: End,
    /// The path without links, as far as it exists.
    pub(super) real: PathBuf,
    /// Names that decide where it leads, each in its real folder: links, the last name, the first
    /// missing one.
    pub(super) steps: Vec<(PathBuf, OsString)>,
    /// Folders above, which could be renamed as a whole; without `/`.
    pub(super) above: Vec<PathBuf>,
}

/// As many links as the kernel follows (`MAXSYMLINKS`).
const MOST_LINKS: usize = 40;

impl Approach {
    /// Walks an absolute path name by name.
    pub(super) fn find(path: &Path) -> Self {
        let mut left: Vec<OsString> = names(path).rev().collect();
        let mut found = Self {
            end: End::Missing,
            real: PathBuf::from("/"),
            steps: Vec::new(),
            above: Vec::new(),
        };
        let mut links = 0;
        while let Some(name) = left.pop() {
            if name == ".." {
                found.real.pop();
                continue;
            }
            let at = found.real.join(&name);
            let Ok(meta) = fs::symlink_metadata(&at) else {
                found.steps.push((found.real.clone(), name));
                return found;
            };
            if meta.is_symlink() {
                links += 1;
                found.steps.push((found.real.clone(), name));
                let Some(target) = fs::read_link(&at).ok().filter(|_| links <= MOST_LINKS) else {
                    return found;
                };
                if target.is_absolute() {
                    found.real = PathBuf::from("/");
                }
                left.extend(names(&target).rev());
                continue;
            }
            if left.is_empty() || !meta.is_dir() {
                found.steps.push((found.real.clone(), name));
                if left.is_empty() && meta.is_dir() {
                    found.end = End::Folder(meta.dev(), meta.ino());
                } else if left.is_empty() {
                    found.end = End::File;
                }
                found.real = at;
                return found;
            }
            found.above.push(at.clone());
            found.real = at;
        }
        // The path is `/`, or its last name was `..`.
        if let Ok(meta) = fs::metadata(&found.real) {
            found.end = End::Folder(meta.dev(), meta.ino());
        }
        found
    }
}

/// The names of a path, `..` kept: behind a link it means the parent of the link's target.
fn names(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsStr::new("..").to_owned()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        (folder, path)
    }

    #[test]
    fn a_path_through_links_names_every_link_and_its_own_end() {
        let (_keep, top) = folder();
        fs::create_dir(top.join("..v1")).unwrap();
        fs::write(top.join("..v1/app.yaml"), "1").unwrap();
        symlink("..v1", top.join("..data")).unwrap();
        symlink("..data/app.yaml", top.join("app.yaml")).unwrap();
        let found = Approach::find(&top.join("app.yaml"));
        let steps = vec![
            (top.clone(), OsString::from("app.yaml")),
            (top.clone(), OsString::from("..data")),
            (top.join("..v1"), OsString::from("app.yaml")),
        ];
        assert_eq!((found.end, found.steps), (End::File, steps));
        assert_eq!(found.real, top.join("..v1/app.yaml"));
    }

    #[test]
    fn a_missing_path_ends_at_the_nearest_existing_folder() {
        let (_keep, top) = folder();
        let found = Approach::find(&top.join("build/out/app"));
        let steps = vec![(top.clone(), OsString::from("build"))];
        assert_eq!((found.end, found.steps, found.real), (End::Missing, steps, top));
    }

    #[test]
    fn links_that_go_in_circles_lead_nowhere() {
        let (_keep, top) = folder();
        symlink("b", top.join("a")).unwrap();
        symlink("a", top.join("b")).unwrap();
        assert_eq!(Approach::find(&top.join("a")).end, End::Missing);
    }
}
