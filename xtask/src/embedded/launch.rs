//! The processes of an image, and the launcher: a process type becomes a command.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::buildpack::read_toml;
use super::detect::Group;
use super::environment::{add_launch_layers, of_container};
use crate::failure::Failure;

/// A process type of an image. API 0.9 and later: `command` and `args` are executed directly.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Process {
    /// Its type, for example `web`.
    #[serde(rename = "type")]
    pub process_type: String,
    /// What always runs.
    pub command: Vec<String>,
    /// What a user's arguments replace.
    #[serde(default)]
    pub args: Vec<String>,
    /// Whether it is the one that runs when no type is named.
    #[serde(default)]
    pub default: bool,
    /// Where it runs; the app folder when unset.
    #[serde(rename = "working-dir")]
    pub working_directory: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
struct LaunchFile {
    #[serde(default)]
    processes: Vec<Process>,
}

/// What a build left: the app folder, the layers, the processes.
#[derive(Debug)]
pub struct Image {
    /// The app folder after the build.
    pub app: PathBuf,
    /// The layers folder.
    pub layers: PathBuf,
    /// Every process type, in the order of declaration.
    pub processes: Vec<Process>,
    /// What the builds printed.
    pub output: String,
    /// Each buildpack's folder of layers, in the group's order.
    members: Vec<PathBuf>,
}

impl Image {
    pub(super) fn read(
        group: &Group,
        app: PathBuf,
        layers: PathBuf,
        output: String,
    ) -> Result<Self, Failure> {
        let members: Vec<PathBuf> =
            group.iter().map(|(buildpack, _)| layers.join(buildpack.folder_name())).collect();
        let mut processes = Vec::new();
        for member in &members {
            let path = member.join("launch.toml");
            if path.exists() {
                merge(&mut processes, read_toml::<LaunchFile>(&path)?.processes);
            }
        }
        Ok(Self { app, layers, processes, output, members })
    }

    /// The process of this type, or the default one.
    #[must_use]
    pub fn process(&self, process_type: Option<&str>) -> Option<&Process> {
        self.processes.iter().find(|process| match process_type {
            Some(wanted) => process.process_type == wanted,
            None => process.default,
        })
    }

    /// The command that the launcher would exec for `process`. A user's `arguments` replace its
    /// `args`; `variables` are those of `docker run --env`.
    ///
    /// # Errors
    /// A layer's environment cannot be read.
    pub fn command(
        &self,
        process: &Process,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Command, Failure> {
        let mut environment = of_container();
        for (name, value) in variables {
            environment.insert((*name).into(), (*value).into());
        }
        for member in &self.members {
            add_launch_layers(&mut environment, member, &process.process_type)?;
        }
        let path = environment.get("PATH").cloned().unwrap_or_default();
        let name = process.command.first().cloned().unwrap_or_default();
        let mut command = Command::new(look_up(&name, &path));
        command.args(process.command.iter().skip(1));
        match arguments {
            [] => command.args(&process.args),
            _ => command.args(arguments),
        };
        command.env_clear().envs(&environment);
        let folder = process.working_directory.as_deref().unwrap_or(&self.app);
        command.current_dir(self.app.join(folder));
        Ok(command)
    }
}

/// Later declarations win; the default flag moves with them (and is lost without them).
fn merge(all: &mut Vec<Process>, later: Vec<Process>) {
    for process in later {
        if process.default {
            for earlier in all.iter_mut() {
                earlier.default = false;
            }
        }
        match all.iter_mut().find(|p| p.process_type == process.process_type) {
            Some(earlier) => *earlier = process,
            None => all.push(process),
        }
    }
}

/// A bare name is looked up on the launch environment's `PATH`, not on ours.
fn look_up(name: &str, path: &str) -> PathBuf {
    if name.contains('/') {
        return PathBuf::from(name);
    }
    path.split(':')
        .map(|folder| Path::new(folder).join(name))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| PathBuf::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(process_type: &str, default: bool) -> Process {
        Process {
            process_type: process_type.into(),
            command: vec!["app".into()],
            args: Vec::new(),
            default,
            working_directory: None,
        }
    }

    #[test]
    fn a_type_declared_again_without_its_flag_leaves_no_default() {
        let mut all = vec![process("web", true)];
        merge(&mut all, vec![process("web", false), process("no-reload", false)]);
        assert_eq!(all, [process("web", false), process("no-reload", false)]);
    }

    #[test]
    fn the_last_default_wins() {
        let mut all = vec![process("web", true)];
        merge(&mut all, vec![process("worker", true)]);
        assert_eq!(all, [process("web", false), process("worker", true)]);
    }
}
