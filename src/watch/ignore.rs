//! Which paths never count: editors' temporary files, version control, bytecode caches, notes of
//! build tools, and the user's globs. Values only. Temporary files of sync clients (`.name.XXXXXX`
//! and kin) are *not* among them: they are evidence that a writer is at work.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Built-in patterns; each is a name that an editor, a version control system, an interpreter or a
/// build tool makes beside the files that a person means.
#[rustfmt::skip] // It moves a comment behind the entry before it.
pub const BUILT_IN: [&str; 23] = [
    // vim: swap files, the backup and the probe for a writable folder.
    "*.swp", "*.swo", "*.swx", "*~", "4913",
    // emacs: auto-save file and lock link.
    "#*#", ".#*",
    // JetBrains' safe write, kate's swap file, GLib's replace.
    "*___jb_tmp___", "*___jb_old___", "*.kate-swp", ".goutputstream-*",
    // Version control: a commit is no change of the app.
    ".git", ".hg", ".svn", ".jj",
    // Bytecode caches: written by the app itself.
    "__pycache__", "*.pyc",
    // What cargo notes for itself, while its lock is not open yet and rustc may take its time.
    ".rustc_info.json", "CACHEDIR.TAG",
    // What file systems and desktops leave behind.
    ".DS_Store", ".nfs*", ".fuse_hidden*", ".directory",
];

/// The rules of one watch.
///
/// - A pattern without a slash matches a name at any depth.
/// - A pattern with a slash inside is matched against the path relative to the watched root.
/// - An absolute pattern is matched against the absolute path.
/// - Whatever matches covers everything below it.
#[derive(Debug, Clone)]
pub struct Ignore {
    names: HashSet<Vec<u8>>,
    ends: Vec<Vec<u8>>,
    starts: Vec<Vec<u8>>,
    globs: Vec<String>,
    relative: Vec<String>,
    absolute: Vec<String>,
}

impl Ignore {
    /// The built-in patterns and the user's. Wildcards are those of `fast-glob`: `*`, `**`, `?`,
    /// `[...]`, `{a,b}`. A pattern that is no valid glob never matches.
    #[must_use]
    pub fn new(user: &[String]) -> Self {
        let mut ignore = Self::nothing();
        for pattern in BUILT_IN {
            ignore.add(pattern);
        }
        ignore.with(user)
    }

    /// The same rules and these.
    #[must_use]
    pub fn with(mut self, patterns: &[String]) -> Self {
        for pattern in patterns {
            self.add(pattern);
        }
        self
    }

    /// No rule at all.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            names: HashSet::new(),
            ends: Vec::new(),
            starts: Vec::new(),
            globs: Vec::new(),
            relative: Vec::new(),
            absolute: Vec::new(),
        }
    }

    /// Sorts a pattern into the cheapest list that can hold it: the test runs for every file.
    fn add(&mut self, pattern: &str) {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        let pattern = pattern.strip_suffix("/**").unwrap_or(pattern);
        if pattern.starts_with('/') {
            self.absolute.push(pattern.trim_end_matches('/').to_owned());
            return;
        }
        let pattern = pattern.trim_end_matches('/');
        // `**/x` says what a bare `x` says anyway.
        let pattern = pattern.strip_prefix("**/").unwrap_or(pattern);
        if pattern.is_empty() {
            return;
        }
        if pattern.contains('/') {
            self.relative.push(pattern.to_owned());
        } else if is_plain(pattern) {
            self.names.insert(pattern.as_bytes().to_vec());
        } else if let Some(end) = pattern.strip_prefix('*').filter(|end| is_plain(end)) {
            self.ends.push(end.as_bytes().to_vec());
        } else if let Some(start) = pattern.strip_suffix('*').filter(|start| is_plain(start)) {
            self.starts.push(start.as_bytes().to_vec());
        } else {
            self.globs.push(pattern.to_owned());
        }
    }

    /// Whether a name is covered at any depth, whatever its path.
    #[must_use]
    pub fn covers_name(&self, name: &[u8]) -> bool {
        self.names.contains(name)
            || self.ends.iter().any(|end| name.ends_with(end))
            || self.starts.iter().any(|start| name.starts_with(start))
            || self.globs.iter().any(|glob| fast_glob::glob_match(glob, name))
    }

    /// Whether some rule looks at whole paths, so that [`Ignore::covers_path`] must be asked.
    #[must_use]
    pub fn looks_at_paths(&self) -> bool {
        !(self.relative.is_empty() && self.absolute.is_empty())
    }

    /// Whether a rule with a slash matches this very path; its parents were asked before.
    #[must_use]
    pub fn covers_path(&self, root: &Path, path: &Path) -> bool {
        let whole = path.as_os_str().as_bytes();
        self.absolute
            .iter()
            .any(|glob| glob.as_bytes() == whole || fast_glob::glob_match(glob, whole))
            || path.strip_prefix(root).is_ok_and(|below| {
                let below = below.as_os_str().as_bytes();
                self.relative.iter().any(|glob| fast_glob::glob_match(glob, below))
            })
    }

    /// Whether a path below `root`, or one of its folders below `root`, is covered.
    #[must_use]
    pub fn covers(&self, root: &Path, path: &Path) -> bool {
        path.ancestors().take_while(|prefix| *prefix != root && prefix.starts_with(root)).any(
            |prefix| {
                prefix.file_name().is_some_and(|name| self.covers_name(name.as_bytes()))
                    || self.covers_path(root, prefix)
            },
        )
    }
}

fn is_plain(pattern: &str) -> bool {
    !pattern.contains(['*', '?', '[', ']', '{', '}', '\\', '!'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(ignore: &Ignore, paths: &[&str]) -> Vec<bool> {
        paths.iter().map(|path| ignore.covers(Path::new("/app"), Path::new(path))).collect()
    }

    #[test]
    fn editors_version_control_and_bytecode_never_count() {
        let paths = [
            "/app/main.go~",
            "/app/a/.main.go.swp",
            "/app/4913",
            "/app/#main.go#",
            "/app/.#main.go",
            "/app/x.py___jb_tmp___",
            "/app/.goutputstream-1A2B3C",
            "/app/.git/objects/12/34",
            "/app/lib/__pycache__/lib.cpython-311.pyc",
            "/app/old.pyc",
            "/app/.DS_Store",
            "/app/target/.rustc_info.json",
        ];
        assert_eq!(covered(&Ignore::new(&[]), &paths), [true; 12]);
    }

    #[test]
    fn temporary_files_of_sync_clients_and_ordinary_names_count() {
        let paths = [
            "/app/.server.Ab3dEf",
            "/app/.unison.server.tmp",
            "/app/.mutagen-temporary-x",
            "/app/server.tmp",
            "/app/a#b",
            "/app/.github/x",
            "/app/.env",
            "/app/49130",
        ];
        assert_eq!(covered(&Ignore::new(&[]), &paths), [false; 8]);
    }

    #[test]
    fn a_bare_glob_matches_at_any_depth_and_one_with_a_slash_from_the_root() {
        let user = ["*.log", "data/", "web/*.css", "./one/two", "c?t", "**/deep"].map(String::from);
        let paths = [
            "/app/x.log",
            "/app/a/b/x.log",
            "/app/a/data/x",
            "/app/web/a.css",
            "/app/sub/web/a.css",
            "/app/one/two/three",
            "/app/cat",
            "/app/a/deep/x",
            "/app/a/x.logs",
        ];
        assert_eq!(
            covered(&Ignore::new(&user), &paths),
            [true, true, true, true, false, true, true, true, false]
        );
    }

    #[test]
    fn an_absolute_pattern_covers_that_path_and_everything_below() {
        let user = ["/app/var".to_owned(), "/app/*/tmp".to_owned()];
        let paths = ["/app/var", "/app/var/a/b", "/app/x/tmp/y", "/app/x/y/tmp", "/app/variable"];
        assert_eq!(covered(&Ignore::new(&user), &paths), [true, true, true, false, false]);
    }

    #[test]
    fn a_root_that_itself_has_an_ignored_name_counts() {
        let ignore = Ignore::new(&[]);
        let root = Path::new("/app/.git");
        assert!(!ignore.covers(root, Path::new("/app/.git/hooks/run")));
    }
}
