//! A builder that has Relaunch as an optional member of its order.

use std::fmt::Write as _;
use std::process::Command;

use super::host;

/// The builder's name; it is removed with its value.
pub(crate) struct Builder {
    /// Its image.
    pub(crate) name: String,
}

impl Builder {
    /// What a Go app needs and the other watchexec, then Relaunch, all optional.
    pub(crate) fn with_relaunch_optional() -> Self {
        let theirs = ["paketo-buildpacks/watchexec", "fixture/distributions"];
        Self::of_order(&[&theirs[..], &["paketo-buildpacks/go-build", RELAUNCH]].concat())
    }

    /// Relaunch, then what a Go app needs, all optional.
    pub(crate) fn with_relaunch_first() -> Self {
        Self::of_order(&[RELAUNCH, "fixture/distributions", "paketo-buildpacks/go-build"])
    }

    /// What a Go app needs, then Relaunch, all optional.
    pub(crate) fn with_relaunch_last_alone() -> Self {
        Self::of_order(&["fixture/distributions", "paketo-buildpacks/go-build", RELAUNCH])
    }

    fn of_order(ids: &[&str]) -> Self {
        let name = host::unique("builder");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("builder.toml");
        std::fs::write(&path, descriptor(ids)).unwrap();
        let mut pack = Command::new("pack");
        pack.args(["builder", "create", &name, "--pull-policy", "never", "--config"]).arg(&path);
        host::run(&mut pack);
        Self { name }
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        host::attempt(&mut host::docker(&["image", "rm", "--force", &self.name]));
    }
}

const RELAUNCH: &str = "relaunch/live-reload";

fn descriptor(ids: &[&str]) -> String {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/buildpacks");
    let mut text = String::new();
    for id in ids {
        let folder = match *id {
            RELAUNCH => host::buildpack(),
            fixture => format!("{fixtures}/{}", fixture.rsplit('/').next().unwrap()),
        };
        let _ = writeln!(text, "[[buildpacks]]\nuri = \"{folder}\"");
    }
    text.push_str("[[order]]\n");
    for id in ids {
        let _ = writeln!(text, "[[order.group]]\nid = \"{id}\"\noptional = true");
    }
    let images = [host::prepared("XTASK_BUILD_IMAGE"), host::prepared("XTASK_RUN_IMAGE")];
    let [build, run] = images;
    let lifecycle = host::prepared("XTASK_LIFECYCLE");
    let _ = writeln!(text, "[lifecycle]\nuri = \"{lifecycle}\"\n[build]\nimage = \"{build}\"");
    let _ = writeln!(text, "[run]\n[[run.images]]\nimage = \"{run}\"");
    text
}
