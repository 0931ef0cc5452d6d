//! The detector: `bin/detect` of each buildpack, then plans that fit together, then `group.toml`.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;

use super::buildpack::{read_toml, write_toml};
use super::plan::{self, BuildPlan, Entry};
use super::{Buildpack, Environment, Folders};
use crate::failure::Failure;

/// The buildpacks that take part, each with the entries that it has to provide.
pub(super) type Group = Vec<(Buildpack, Vec<Entry>)>;

#[derive(Serialize)]
struct GroupFile<'a> {
    group: Vec<Member<'a>>,
}

#[derive(Serialize)]
struct Member<'a> {
    id: &'a str,
    version: &'a str,
    api: &'a str,
}

/// Runs every detect; each has to pass, as in a group without optional members.
pub(super) fn detect(
    buildpacks: Vec<Buildpack>,
    folders: &Folders,
    environment: &Environment,
) -> Result<Group, Failure> {
    let mut plans = Vec::new();
    for buildpack in &buildpacks {
        let path = folders.plans.join(buildpack.folder_name() + ".toml");
        std::fs::write(&path, "").map_err(Failure::file(&path))?;
        run(buildpack, folders, &path, environment)?;
        plans.push(read_toml::<BuildPlan>(&path)?);
    }
    let entries = plan::resolve(&plans).map_err(Failure::Detect)?;
    let group: Group = buildpacks.into_iter().zip(entries).collect();
    write_group(&group, &folders.layers.join("group.toml"))?;
    Ok(group)
}

fn run(
    buildpack: &Buildpack,
    folders: &Folders,
    plan: &Path,
    environment: &Environment,
) -> Result<(), Failure> {
    let output = Command::new(buildpack.folder.join("bin/detect"))
        .args([&folders.platform, plan])
        .current_dir(&folders.app)
        .env_clear()
        .envs(environment)
        .env("CNB_BUILDPACK_DIR", &buildpack.folder)
        .env("CNB_PLATFORM_DIR", &folders.platform)
        .env("CNB_BUILD_PLAN_PATH", plan)
        .stdin(Stdio::null())
        .output()
        .map_err(Failure::file(buildpack.folder.join("bin/detect")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::Detect(format!(
        "detect of {} ended with {}\n{}{}",
        buildpack.id,
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    )))
}

fn write_group(group: &Group, path: &Path) -> Result<(), Failure> {
    let members = group.iter().map(|(buildpack, _)| Member {
        id: &buildpack.id,
        version: &buildpack.version,
        api: &buildpack.api,
    });
    let file = GroupFile { group: members.collect() };
    write_toml(path, &file)
}
