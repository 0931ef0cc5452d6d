//! In which roots is a file that nobody opened provably not in use? Values only.

use std::path::{Path, PathBuf};

/// What the rule looks at; all paths are absolute.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The watched folders.
    pub roots: &'a [PathBuf],
    /// Those of them that the user or the target named.
    pub named: &'a [PathBuf],
    /// `$RELAUNCH_TARGET`: executables are synced into it before anybody opens them.
    pub target: Option<&'a Path>,
    /// The executable, as the command leads to it and with all links resolved.
    pub executable: [&'a Path; 2],
    /// Paths that the arguments of the command name.
    pub arguments: &'a [PathBuf],
}

/// The spared roots: for a native executable in a root that somebody named, every other root, but
/// none at all when an argument names a path in one of them, or above. An interpreter must not be
/// asked about: with a bytecode cache it only looks at the times of the sources that it runs
/// (measured).
#[must_use]
pub fn spared(scope: &Scope) -> Vec<PathBuf> {
    let holds = |root: &PathBuf| scope.executable.iter().any(|path| path.starts_with(root));
    let argument = |root: &PathBuf| {
        scope.arguments.iter().any(|path| path.starts_with(root) || root.starts_with(path))
    };
    if !scope.named.iter().any(holds) || scope.roots.iter().any(argument) {
        return Vec::new();
    }
    let in_target = |root: &PathBuf| scope.target.is_some_and(|target| root.starts_with(target));
    // Below a root that holds the executable everything is of its kind, in a nested root too.
    let apart = |root: &&PathBuf| {
        let nested =
            |other: &PathBuf| root.starts_with(other) && (holds(other) || in_target(other));
        let holds_another = |other: &PathBuf| other.starts_with(root) && holds(other);
        !scope.roots.iter().any(|other| nested(other) || holds_another(other))
    };
    scope.roots.iter().filter(apart).filter(|root| !in_target(root)).cloned().collect()
}
