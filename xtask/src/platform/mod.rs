//! The real platform: engine, base images, pack, lifecycle, builder, compose – prepared here, in
//! the build folder, and used by `tests/platform`.
//!
//! | file | concept |
//! | --- | --- |
//! | `engine` | a container engine: one that runs, or our own |
//! | `tools` | pack, lifecycle and compose, compiled from pinned modules |
//! | `base` | build and run image: two uids, one group, as in real builders |
//! | `builder` | the builder with the real lifecycle and the fixture buildpacks |
//! | `leftovers` | what the tests left behind |
//!
//! Tests get everything through the variables of [`run_tests`]; none of them prepares anything.

mod base;
mod builder;
mod engine;
mod leftovers;
mod tools;

use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;
use crate::tier::{self, Count, Tier};
use crate::{package, progress, workspace};

pub(crate) use engine::Engine;
use engine::Found;

/// How the tier went.
#[derive(Debug)]
pub enum Result {
    /// It ran.
    Ran(Count),
    /// There is no engine; the text says how to get one.
    LeftOut(String),
}

/// The prepared platform.
pub(crate) struct Platform {
    engine: Engine,
    tools: tools::Tools,
    images: base::Images,
    /// The builder's name.
    pub(crate) builder: String,
    /// The packaged buildpack's folder.
    pub(crate) buildpack: PathBuf,
    /// For `PATH`.
    bin: PathBuf,
}

impl Platform {
    /// The engine's client.
    pub(crate) fn docker(&self, arguments: &[&str]) -> Command {
        self.engine.docker(arguments)
    }

    /// One of our own tools, connected to the engine.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.envs(environment(&self.engine));
        command
    }
}

/// Prepares the platform; without an engine the inner error says how to get one.
pub(crate) fn prepare() -> std::result::Result<std::result::Result<Platform, String>, Failure> {
    let engine = match engine::find_or_start()? {
        Found::Engine(engine) => engine,
        Found::Nothing(advice) => return Ok(Err(advice)),
    };
    let buildpack = package::package()?.folder;
    let tools = tools::build()?;
    let images = base::import(&engine)?;
    let builder = builder::create(&engine, &tools, &images)?;
    let bin = tools.bin(&engine)?;
    Ok(Ok(Platform { engine, tools, images, builder, buildpack, bin }))
}

/// Prepares the platform and runs its tests.
///
/// # Errors
/// A part of the platform cannot be prepared; the text says what to do.
pub fn run_tests(filters: &[String]) -> std::result::Result<Result, Failure> {
    let platform = match prepare()? {
        Ok(platform) => platform,
        Err(advice) => return Ok(Result::LeftOut(advice)),
    };
    let Platform { engine, tools, images, builder, buildpack, bin } = platform;
    let test_app = test_app::binary::path().map_err(Failure::Package)?;
    let path = std::env::var("PATH").unwrap_or_default();
    let variables = [
        ("XTASK_BUILDPACK", buildpack.display().to_string()),
        ("XTASK_BUILDER", builder),
        ("XTASK_BUILD_IMAGE", images.build.clone()),
        ("XTASK_RUN_IMAGE", images.run.clone()),
        ("XTASK_LIFECYCLE", tools.lifecycle_archive().display().to_string()),
        ("XTASK_GOROOT", tools.goroot.clone()),
        ("XTASK_WORK", folder().display().to_string()),
        (test_app::binary::PATH_VARIABLE, test_app.display().to_string()),
        ("PATH", format!("{}:{path}", bin.display())),
    ];
    let mut variables: Vec<(String, String)> =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    variables.extend(environment(&engine));

    let before = leftovers::Inventory::take(&engine)?;
    let count = tier::run(Tier::Platform, filters, &variables)?;
    let clean = leftovers::check(&before, &leftovers::Inventory::take(&engine)?);
    Ok(Result::Ran(count.plus(Count::check(clean))))
}

/// Where the platform's files are kept between runs.
fn folder() -> PathBuf {
    workspace::target().join("platform")
}

/// What pack, docker and compose need in their environment, whoever calls them.
fn environment(engine: &Engine) -> Vec<(String, String)> {
    let pairs = [
        ("DOCKER_HOST", engine.host.clone()),
        ("DOCKER_CONFIG", folder().join("docker-config").display().to_string()),
        ("PACK_HOME", folder().join("pack-home").display().to_string()),
        // Without a key pack makes one of its own at each first run and says so.
        ("PACK_VOLUME_KEY", "relaunch-test".to_owned()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A name for a cached thing: changes whenever one of its inputs does.
fn digest(inputs: &[&str]) -> String {
    use std::hash::{Hash, Hasher};
    let mut hasher = std::hash::DefaultHasher::new();
    inputs.hash(&mut hasher);
    format!("{:012x}", hasher.finish() >> 16)
}

/// Runs something that takes long, quietly; its output stands in the error.
fn slow(what: &str, command: &mut Command) -> std::result::Result<String, Failure> {
    progress::step(what, || crate::command::capture(command))
}
