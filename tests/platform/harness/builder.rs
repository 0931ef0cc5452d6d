//! A builder that has Relaunch as an optional last member of its order.

use std::process::Command;

use super::host;

/// The builder's name; it is removed with its value.
pub(crate) struct Builder {
    /// Its image.
    pub(crate) name: String,
}

impl Builder {
    /// The Go fixture, then Relaunch, both optional.
    pub(crate) fn with_relaunch_optional() -> Self {
        let name = host::unique("builder");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("builder.toml");
        std::fs::write(&path, descriptor()).unwrap();
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

fn descriptor() -> String {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/buildpacks");
    format!(
        "[[buildpacks]]
uri = \"{fixtures}/file-watcher\"
[[buildpacks]]
uri = \"{fixtures}/go-build\"
[[buildpacks]]
uri = \"{}\"

[[order]]
[[order.group]]
id = \"fixture/file-watcher\"
optional = true
[[order.group]]
id = \"fixture/go-build\"
optional = true
[[order.group]]
id = \"relaunch/live-reload\"
optional = true

[lifecycle]
uri = \"{}\"
[build]
image = \"{}\"
[run]
[[run.images]]
image = \"{}\"
",
        host::buildpack(),
        host::prepared("XTASK_LIFECYCLE"),
        host::prepared("XTASK_BUILD_IMAGE"),
        host::prepared("XTASK_RUN_IMAGE"),
    )
}
