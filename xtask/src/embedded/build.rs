//! The builder: `bin/build` of each buildpack of the group, in order, with the variables of the
//! build layers before it.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;

use super::buildpack::write_toml;
use super::detect::Group;
use super::plan::Entry;
use super::{Buildpack, Environment, Folders, environment};
use crate::failure::Failure;

#[derive(Serialize)]
struct BuildpackPlan<'a> {
    entries: &'a [Entry],
}

/// Runs every build; what they printed comes back as one text.
pub(super) fn build(
    group: &Group,
    folders: &Folders,
    mut environment: Environment,
) -> Result<String, Failure> {
    let mut output = String::new();
    for (buildpack, entries) in group {
        let layers = folders.layers.join(buildpack.folder_name());
        std::fs::create_dir_all(&layers).map_err(Failure::file(&layers))?;
        let plan = folders.plans.join(buildpack.folder_name() + ".plan.toml");
        write_toml(&plan, &BuildpackPlan { entries })?;
        output += &run(buildpack, folders, &layers, &plan, &environment)?;
        environment::add_build_layers(&mut environment, &layers)?;
    }
    Ok(output)
}

fn run(
    buildpack: &Buildpack,
    folders: &Folders,
    layers: &Path,
    plan: &Path,
    environment: &Environment,
) -> Result<String, Failure> {
    let program = buildpack.folder.join("bin/build");
    let output = Command::new(&program)
        .args([layers, &folders.platform, plan])
        .current_dir(&folders.app)
        .env_clear()
        .envs(environment)
        .env("CNB_BUILDPACK_DIR", &buildpack.folder)
        .env("CNB_PLATFORM_DIR", &folders.platform)
        .env("CNB_BP_PLAN_PATH", plan)
        .env("CNB_LAYERS_DIR", layers)
        .stdin(Stdio::null())
        .output()
        .map_err(Failure::file(&program))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Ok(text);
    }
    Err(Failure::Command {
        line: format!("bin/build of {}", buildpack.id),
        status: output.status.to_string(),
        output: text,
    })
}
