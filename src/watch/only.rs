//! Which changes count when only some are asked for. Values only.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::ignore::Ignore;

/// An allow-list. It hides nothing from the tables: folders are watched and compared as ever, and
/// what it leaves out causes no restart.
#[derive(Debug, Clone)]
pub struct Only {
    patterns: Option<Ignore>,
    roots: Vec<PathBuf>,
}

impl Only {
    /// Globs like those of [`Ignore`], none with a slash inside that is not absolute; without any,
    /// everything counts. A watched single file (`roots`) always counts.
    #[must_use]
    pub fn new(patterns: &[String], roots: &[PathBuf]) -> Self {
        if patterns.is_empty() {
            return Self { patterns: None, roots: Vec::new() };
        }
        let patterns = Some(Ignore::nothing().with(patterns));
        Self { patterns, roots: roots.to_vec() }
    }

    /// Whether a change of this file counts.
    #[must_use]
    pub fn counts(&self, path: &Path) -> bool {
        let Some(patterns) = &self.patterns else { return true };
        path.file_name().is_some_and(|name| patterns.covers_name(name.as_bytes()))
            || patterns.looks_at_paths()
                && path.ancestors().any(|prefix| patterns.covers_path(Path::new("/"), prefix))
            || self.roots.iter().any(|root| root == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(patterns: &[&str]) -> Vec<bool> {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let only = Only::new(&patterns, &["/etc/app.yaml".into(), "/w".into()]);
        let paths = ["/w/a.py", "/w/x/b.html", "/w/c.css", "/w/x.py/d", "/etc/app.yaml"];
        paths.map(|path| only.counts(Path::new(path))).to_vec()
    }

    #[test]
    fn without_patterns_everything_counts() {
        assert_eq!(counted(&[]), [true; 5]);
    }

    #[test]
    fn a_bare_pattern_matches_the_name_of_the_file_and_a_watched_file_always_counts() {
        assert_eq!(counted(&["*.py", "*.html"]), [true, true, false, false, true]);
    }

    #[test]
    fn an_absolute_pattern_covers_everything_below() {
        assert_eq!(counted(&["/w/x/**"]), [false, true, false, false, true]);
    }
}
