//! The builder: base images, the real lifecycle and the fixture buildpacks.
//!
//! Its order is a small one; a test that wants another names the buildpacks by their ids.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::base::Images;
use super::engine::Engine;
use super::tools::Tools;
use super::{digest, environment, folder, slow};
use crate::command;
use crate::failure::Failure;
use crate::workspace;

/// The builder's own order, by folder: what an app needs that is compiled, and the buildpack that
/// stands for another `watchexec`. Each is optional, so each app is built by those that fit.
const ORDER: [&str; 3] = ["watchexec", "distributions", "go-build"];

/// Creates the builder unless the engine has the very same one. Its name.
pub(super) fn create(engine: &Engine, tools: &Tools, images: &Images) -> Result<String, Failure> {
    let buildpacks = fixture_buildpacks()?;
    let descriptor = descriptor(&buildpacks, images, tools)?;
    let contents = contents(&buildpacks)?;
    let name = format!("relaunch-test/builder:{}", digest(&[&descriptor, &contents]));
    if command::succeeds(&mut engine.docker(&["image", "inspect", &name])) {
        return Ok(name);
    }
    let path = folder().join("builder.toml");
    std::fs::write(&path, descriptor).map_err(Failure::file(&path))?;
    let mut pack = std::process::Command::new(tools.program("pack"));
    pack.args(["builder", "create", &name, "--pull-policy", "never", "--config"]).arg(&path);
    slow(&format!("creating {name}"), pack.envs(environment(engine)))?;
    Ok(name)
}

/// `fixtures/buildpacks/*`, by name.
fn fixture_buildpacks() -> Result<Vec<PathBuf>, Failure> {
    let folder = workspace::root().join("fixtures/buildpacks");
    let mut buildpacks = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(Failure::file(&folder))? {
        buildpacks.push(entry.map_err(Failure::file(&folder))?.path());
    }
    buildpacks.retain(|path| path.join("buildpack.toml").exists());
    buildpacks.sort();
    Ok(buildpacks)
}

/// `builder.toml`.
fn descriptor(buildpacks: &[PathBuf], images: &Images, tools: &Tools) -> Result<String, Failure> {
    let mut text = String::new();
    for buildpack in buildpacks {
        let _ = writeln!(text, "[[buildpacks]]\nuri = \"{}\"\n", buildpack.display());
    }
    text.push_str("[[order]]\n");
    for name in ORDER {
        let id = id(&workspace::root().join("fixtures/buildpacks").join(name))?;
        let _ = writeln!(text, "[[order.group]]\nid = \"{id}\"\noptional = true\n");
    }
    let archive = tools.lifecycle_archive();
    let _ = writeln!(text, "[lifecycle]\nuri = \"{}\"\n", archive.display());
    let _ = writeln!(text, "[build]\nimage = \"{}\"\n", images.build);
    let _ = writeln!(text, "[run]\n[[run.images]]\nimage = \"{}\"", images.run);
    Ok(text)
}

/// The id in a buildpack's descriptor.
fn id(buildpack: &Path) -> Result<String, Failure> {
    let text = read(&buildpack.join("buildpack.toml"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"'));
    line.map(str::to_owned).ok_or_else(|| Failure::Unexpected {
        expected: format!("{} has no id", buildpack.display()),
        seen: text.clone(),
    })
}

/// Everything in the fixture buildpacks, so that a change makes another builder.
fn contents(buildpacks: &[PathBuf]) -> Result<String, Failure> {
    let mut text = String::new();
    for buildpack in buildpacks {
        for file in ["buildpack.toml", "bin/detect", "bin/build"] {
            text += &read(&buildpack.join(file))?;
        }
    }
    Ok(text)
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(Failure::file(path))
}
