//! A platform small enough to live in this folder: no container, no engine, no root.
//!
//! It does what the lifecycle does, with the same files and variables, to real buildpacks: runs
//! `bin/detect` of each, finds plans that fit together, writes `group.toml`, runs `bin/build` of
//! each on a copy of the app, and launches a process type with the environment that the layers
//! ask for. What it leaves out: caches, images, `exec.d`, `direct = false`, other users.
//!
//! | file | the lifecycle's part |
//! | --- | --- |
//! | `buildpack` | what a buildpack's folder says about it |
//! | `detect` | the detector |
//! | `plan` | the resolution of build plans |
//! | `build` | the builder |
//! | `environment` | layers' variables, at build and at launch |
//! | `launch` | the processes of an image, and the launcher |

mod build;
mod buildpack;
mod detect;
mod environment;
mod launch;
mod plan;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use buildpack::Buildpack;
pub use launch::{Image, Process};

use crate::command;
use crate::failure::Failure;

/// What `pack build` would be told.
#[derive(Debug)]
pub struct Request<'a> {
    /// The app's folder; it is copied, never written.
    pub app: &'a Path,
    /// Folders of packaged buildpacks, in their order.
    pub buildpacks: &'a [PathBuf],
    /// Build variables, as `--env NAME=VALUE`.
    pub variables: &'a [(&'a str, &'a str)],
    /// An empty folder for the copy, the layers and the platform's files.
    pub work: &'a Path,
}

/// Folders of one build, as the lifecycle lays them out.
struct Folders {
    app: PathBuf,
    layers: PathBuf,
    platform: PathBuf,
    plans: PathBuf,
}

/// Detects and builds.
///
/// # Errors
/// No group fits, a buildpack's build failed (its output stands in the error), or a file could
/// not be written.
pub fn build(request: &Request) -> Result<Image, Failure> {
    let folders = lay_out(request)?;
    let mut buildpacks = Vec::new();
    for folder in request.buildpacks {
        buildpacks.push(Buildpack::read(folder)?);
    }
    let environment = environment::of_build(request.variables);
    let group = detect::detect(buildpacks, &folders, &environment)?;
    let output = build::build(&group, &folders, environment)?;
    Image::read(&group, folders.app, folders.layers, output)
}

/// Builds `app` with live reload on and shows the build's output below our own headings.
///
/// # Errors
/// As [`build`].
pub fn build_reloading(app: &Path, buildpack: PathBuf, work: &Path) -> Result<Image, Failure> {
    let image = build(&Request {
        app,
        buildpacks: &[buildpack],
        variables: &[("BP_LIVE_RELOAD_ENABLED", "true")],
        work,
    })?;
    for line in image.output.lines() {
        println!("    {line}");
    }
    Ok(image)
}

/// Copies the app and writes the platform folder with the user's variables.
fn lay_out(request: &Request) -> Result<Folders, Failure> {
    let folders = Folders {
        app: request.work.join("workspace"),
        layers: request.work.join("layers"),
        platform: request.work.join("platform"),
        plans: request.work.join("plans"),
    };
    let variables = folders.platform.join("env");
    for folder in [&folders.layers, &folders.plans, &variables] {
        std::fs::create_dir_all(folder).map_err(Failure::file(folder))?;
    }
    command::capture(Command::new("cp").arg("-a").arg(request.app).arg(&folders.app))?;
    for (name, value) in request.variables {
        let path = variables.join(name);
        std::fs::write(&path, value).map_err(Failure::file(&path))?;
    }
    Ok(folders)
}

/// Variables by name.
type Environment = BTreeMap<String, String>;
