//! What is watched when nobody said it. Values only: every path is an argument.

use std::path::{Component, Path, PathBuf};

/// What the rule looks at. Paths are absolute, except those of `watch`.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The setting `watch`; relative paths are below the current folder.
    pub watch: &'a [PathBuf],
    /// `$RELAUNCH_TARGET`, when set.
    pub target: Option<&'a Path>,
    /// The executable that the command leads to, when it was found.
    pub executable: Option<&'a Path>,
    /// The same with all links resolved.
    pub real: Option<&'a Path>,
    /// The command is an interpreter or a script: its sources are what changes.
    pub interpreted: bool,
    /// The app folder of the image.
    pub app_dir: Option<&'a Path>,
    /// The layers folder of the image.
    pub layers_dir: Option<&'a Path>,
    /// The current folder.
    pub current_dir: &'a Path,
}

/// The watched paths: what the user said and nothing else, or by this rule: the
/// target; the executable's folder when it lies in the app folder, a layer or below the current
/// folder; the executable alone, along its links, when it leads out of that folder; the app folder of an interpreted app (the current folder where there is none). Never a
/// system folder, but where the user says so. Absolute, without `.` and `..`, without repetition;
/// empty when the rule finds nothing.
#[must_use]
pub fn choose(inputs: &Inputs) -> Vec<PathBuf> {
    let absolute = |path: &Path| normal(&inputs.current_dir.join(path));
    if !inputs.watch.is_empty() {
        return merge(inputs.watch.iter().map(|path| absolute(path)).collect());
    }
    let mut roots: Vec<PathBuf> = inputs.target.map(absolute).into_iter().collect();
    let current = Some(inputs.current_dir).filter(|current| !is_system(current));
    let homes = [inputs.app_dir, inputs.layers_dir, current].map(|home| home.map(absolute));
    let is_ours = |folder: &Path| homes.iter().flatten().any(|home| folder.starts_with(home));
    let folder = inputs.executable.and_then(Path::parent).map(absolute);
    let real_folder = inputs.real.and_then(Path::parent).map(absolute);
    roots.extend(folder.clone().filter(|folder| is_ours(folder)));
    if let (Some(executable), Some(real_folder)) = (inputs.executable, real_folder)
        && is_ours(&real_folder)
        && folder.is_none_or(|folder| !real_folder.starts_with(folder))
    {
        roots.push(absolute(executable));
    }
    if inputs.interpreted {
        roots.push(absolute(inputs.app_dir.unwrap_or(inputs.current_dir)));
    }
    roots.retain(|root| !is_system(root));
    merge(roots)
}

/// Folders that hold the system or everybody's things: not watched by themselves.
const SYSTEM: [&str; 20] = [
    "/",
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/root",
    "/srv",
    "/tmp",
    "/usr",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/sbin",
    "/usr/share",
    "/usr/src",
    "/var",
    "/var/lib",
    "/var/tmp",
    "/layers",
    "/cnb",
];

/// Folders that are the system's with all that is below them.
const SYSTEM_TREES: [&str; 14] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/usr/bin",
    "/usr/lib",
    "/usr/sbin",
];

/// Whether a folder is the system's.
#[must_use]
pub fn is_system(folder: &Path) -> bool {
    SYSTEM.iter().any(|system| folder == Path::new(system))
        || SYSTEM_TREES.iter().any(|tree| folder.starts_with(tree))
}

/// Paths in their order, each once. Whether one lies in another is for the watch to see: links
/// decide it, and they may change.
fn merge(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut kept: Vec<PathBuf> = Vec::new();
    for path in paths {
        if !kept.contains(&path) {
            kept.push(path);
        }
    }
    kept
}

/// Without `.`, `..` and repeated slashes, by name only.
fn normal(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(executable: Option<&str>, interpreted: bool) -> Inputs<'_> {
        Inputs {
            watch: &[],
            target: None,
            executable: executable.map(Path::new),
            real: executable.map(Path::new),
            interpreted,
            app_dir: Some(Path::new("/workspace")),
            layers_dir: Some(Path::new("/layers")),
            current_dir: Path::new("/workspace"),
        }
    }

    fn chosen(inputs: &Inputs) -> Vec<String> {
        let roots = choose(inputs);
        roots.iter().map(|root| root.display().to_string()).collect()
    }

    #[test]
    fn the_users_paths_are_the_only_ones_and_repetitions_are_dropped() {
        let watch = ["build", "/data", "./x/../build", "/etc/app.yaml"].map(PathBuf::from);
        let inputs = Inputs {
            watch: &watch,
            target: Some(Path::new("/layers/relaunch_live-reload/target")),
            ..image(Some("/workspace/app"), true)
        };
        assert_eq!(chosen(&inputs), ["/workspace/build", "/data", "/etc/app.yaml"]);
    }

    #[test]
    fn the_target_comes_first_and_the_executables_folder_beside_it() {
        let inputs = Inputs {
            target: Some(Path::new("/layers/relaunch_live-reload/target")),
            ..image(Some("/layers/paketo-buildpacks_go-build/targets/bin/mod"), false)
        };
        let expected = [
            "/layers/relaunch_live-reload/target",
            "/layers/paketo-buildpacks_go-build/targets/bin",
        ];
        assert_eq!(chosen(&inputs), expected);
    }

    #[test]
    fn an_executable_counts_in_the_app_folder_a_layer_and_below_the_current_folder() {
        let alone = Inputs {
            app_dir: None,
            layers_dir: None,
            current_dir: Path::new("/home/me/project"),
            ..image(Some("/home/me/project/build/app"), false)
        };
        assert_eq!(chosen(&alone), ["/home/me/project/build"]);
        assert_eq!(chosen(&image(Some("/workspace/app"), false)), ["/workspace"]);
        assert!(chosen(&image(Some("/home/other/bin/app"), false)).is_empty());
    }

    #[test]
    fn an_executable_that_is_a_link_out_of_its_folder_is_watched_along_the_link() {
        let linked = |executable, real| Inputs {
            real: Some(Path::new(real)),
            ..image(Some(executable), false)
        };
        let inside = linked("/workspace/bin/app", "/workspace/bin/v2/app");
        assert_eq!(chosen(&inside), ["/workspace/bin"]);
        let beside = linked("/workspace/bin/app", "/workspace/real/app");
        assert_eq!(chosen(&beside), ["/workspace/bin", "/workspace/bin/app"]);
        let outside = linked("/usr/local/bin/app", "/layers/acme_x/real/app");
        assert_eq!(chosen(&outside), ["/usr/local/bin/app"]);
        let system = linked("/layers/acme_x/venv/bin/python", "/usr/bin/python3.11");
        assert_eq!(chosen(&system), ["/layers/acme_x/venv/bin"]);
    }

    #[test]
    fn an_interpreted_app_is_watched_as_a_whole() {
        assert_eq!(chosen(&image(Some("/usr/bin/python3"), true)), ["/workspace"]);
        let alone =
            Inputs { app_dir: None, current_dir: Path::new("/usr/src/app"), ..image(None, true) };
        assert_eq!(chosen(&alone), ["/usr/src/app"]);
    }

    #[test]
    fn a_system_folder_is_never_watched_by_itself() {
        for current in ["/", "/usr", "/home", "/etc", "/tmp"] {
            let inputs = Inputs {
                app_dir: None,
                layers_dir: None,
                current_dir: Path::new(current),
                ..image(Some("/usr/bin/app"), true)
            };
            assert!(chosen(&inputs).is_empty(), "{current}");
        }
    }
}
