//! Profile scripts. Processes of older buildpacks with `direct = false` are started by the
//! launcher after sourcing the layers' `profile.d` and the app's `.profile`. Our own API knows
//! direct processes only, so a wrapped one brings the launcher's steps along in its line
//! (lifecycle, `launch/bash.go` and `launch/shell.go`).
//!
//! They then run at every restart, so that a changed `.profile` counts.

use super::order::{self, Order};
use std::fs;
use std::path::{Path, PathBuf};

/// The folders in which the launcher looks for profile scripts, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The app folder, for `.profile`.
    pub app_dir: PathBuf,
    /// Each buildpack's folder of layers.
    pub buildpacks: Vec<PathBuf>,
}

impl Profile {
    /// For an app, and for all buildpacks of the group: those after us may bring scripts as well.
    #[must_use]
    pub fn of(app_dir: &Path, layers_root: &Path, order: &Order) -> Self {
        let group = order.earlier.iter().chain(&order.later);
        Self {
            app_dir: app_dir.to_owned(),
            buildpacks: group.map(|id| layers_root.join(order::folder(id))).collect(),
        }
    }

    /// Whether there is any script now. Without one a line needs no shell for their sake.
    #[must_use]
    pub fn has_scripts(&self) -> bool {
        let layers = |folder: &PathBuf| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path())
        };
        self.app_dir.join(".profile").is_file()
            || self.buildpacks.iter().flat_map(layers).any(|layer| layer.join("profile.d").is_dir())
    }

    /// `line` after the scripts for `process_type`, in `working_directory` or the app folder.
    #[must_use]
    pub fn before(
        &self,
        process_type: &str,
        working_directory: Option<&Path>,
        line: &str,
    ) -> String {
        let app = quoted(&self.app_dir);
        let buildpacks: Vec<String> = self.buildpacks.iter().map(|path| quoted(path)).collect();
        let working = working_directory.map_or_else(|| app.clone(), quoted);
        format!(
            "cd {app}\n\
             for relaunch_buildpack in {buildpacks}; do \
             for relaunch_layer in \"$relaunch_buildpack\"/*; do \
             for relaunch_script in \"$relaunch_layer\"/profile.d/* \
             \"$relaunch_layer\"/profile.d/{process_type}/*; do \
             if [ -f \"$relaunch_script\" ]; then . \"$relaunch_script\"; fi; \
             done; done; done\n\
             if [ -f {app}/.profile ]; then . {app}/.profile; fi\n\
             unset relaunch_buildpack relaunch_layer relaunch_script\n\
             cd {working}\n\
             {line}",
            buildpacks = buildpacks.join(" "),
        )
    }
}

/// For the shell. A path with a NUL byte does not exist.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    shlex::try_quote(&text).map_or_else(|_| String::new(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn scripts_are_sourced_in_the_order_of_the_launcher() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let profile = Profile {
            app_dir: root.path().join("app dir"),
            buildpacks: vec![root.path().join("b"), root.path().join("a")],
        };
        fs::create_dir_all(root.path().join("app dir/sub")).unwrap();
        assert!(!profile.has_scripts());

        write("a/layer/profile.d/x.sh", "export SEEN=\"$SEEN a\"; cd /");
        write("b/layer/profile.d/2.sh", "export SEEN=\"$SEEN b2\"");
        write("b/layer/profile.d/1.sh", "export SEEN=\"$SEEN b1\"");
        write("b/layer/profile.d/web/x.sh", "export SEEN=\"$SEEN web\"");
        write("b/layer/profile.d/worker/x.sh", "export SEEN=worker");
        write("app dir/.profile", "export SEEN=\"$SEEN app\"");
        assert!(profile.has_scripts());

        let sub = root.path().join("app dir/sub");
        for shell in ["bash", "sh"] {
            let line = profile.before("web", Some(&sub), "echo $SEEN; pwd");
            let output = Command::new(shell).args(["-c", &line]).output().unwrap();
            let expected = format!("b1 b2 web a app\n{}\n", sub.display());
            assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
        }
    }
}
