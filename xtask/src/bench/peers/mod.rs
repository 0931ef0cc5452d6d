//! The tools: Relaunch, the floor and the peers, each in the form that its documentation recommends
//! for "restart this executable when it changes".
//!
//! | file | concept |
//! | --- | --- |
//! | `installing` | how each is got |
//! | `command` | its command line |

mod command;
mod installing;

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::progress;

use super::programs::Programs;
use super::results::Telling;

pub(super) use command::Target;

/// What restarts the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tool {
    Relaunch,
    Floor,
    Watchexec,
    /// As Paketo's buildpacks declare it.
    WatchexecPaketo,
    Entr,
    Reflex,
    Inotifywait,
    Nodemon,
    Air,
}

impl Tool {
    pub(super) const ALL: [Self; 9] = [
        Self::Relaunch,
        Self::Floor,
        Self::Watchexec,
        Self::WatchexecPaketo,
        Self::Entr,
        Self::Reflex,
        Self::Inotifywait,
        Self::Nodemon,
        Self::Air,
    ];

    /// On the command line and in the raw samples.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Relaunch => "relaunch",
            Self::Floor => "floor",
            Self::Watchexec => "watchexec",
            Self::WatchexecPaketo => "watchexec-paketo",
            Self::Entr => "entr",
            Self::Reflex => "reflex",
            Self::Inotifywait => "inotifywait",
            Self::Nodemon => "nodemon",
            Self::Air => "air",
        }
    }

    /// In tables.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Relaunch => "**Relaunch**",
            Self::Floor => "*floor*",
            Self::Watchexec => "watchexec",
            Self::WatchexecPaketo => "watchexec (Paketo)",
            Self::Entr => "entr",
            Self::Reflex => "reflex",
            Self::Inotifywait => "inotifywait loop",
            Self::Nodemon => "nodemon",
            Self::Air => "air",
        }
    }

    /// Its command line in a general form.
    pub(super) fn form(self) -> &'static str {
        match self {
            Self::Relaunch => "relaunch run --watch TREE -- TREE/app",
            Self::Floor => "floor TREE app",
            Self::Watchexec => "watchexec --restart --watch TREE -- TREE/app",
            Self::WatchexecPaketo => {
                "watchexec --restart --watch APP-FOLDER --watch TREE --shell none -- TREE/app"
            }
            Self::Entr => "while sleep 0.1; do find TREE -type f | entr -n -d -r TREE/app; done",
            Self::Reflex => "cd TREE; reflex -d none -s -- TREE/app",
            Self::Inotifywait => {
                "while :; do TREE/app & inotifywait -qq -r -e close_write,moved_to,create,delete \
                 TREE; kill $!; wait $!; done"
            }
            Self::Nodemon => "nodemon --watch TREE --ext '*' --exec TREE/app",
            Self::Air => {
                "air, .air.toml: root = TREE, cmd = \"true\", bin = TREE/app, \
                 include_file = [\"app\"], the rest as by default"
            }
        }
    }

    /// The program that it is.
    fn program(self) -> &'static str {
        match self {
            Self::WatchexecPaketo => "watchexec",
            other => other.name(),
        }
    }
}

/// A tool that is there.
#[derive(Debug, Clone)]
pub(super) struct Installed {
    pub(super) tool: Tool,
    program: PathBuf,
    version: String,
    /// Program files on disk, in bytes; of nodemon without Node.js itself.
    size: u64,
}

impl Installed {
    /// The program's file.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }
}

/// Gets these tools; those that are there, and what the table says of each.
pub(super) fn provide(
    tools: &[Tool],
    installs: bool,
    programs: &Programs,
) -> Result<(Vec<Installed>, Vec<Telling>), Failure> {
    let mut installed = Vec::new();
    let mut tellings = Vec::new();
    for tool in tools {
        let found = progress::step(&format!("looking for {}", tool.name()), || {
            installing::provide(*tool, installs, programs)
        })?;
        let (version, size, missing) = match found {
            Ok(it) => {
                let facts = (it.version.clone(), it.size, None);
                installed.push(it);
                facts
            }
            Err(reason) => {
                println!("        not there: {reason}");
                (String::new(), 0, Some(reason))
            }
        };
        tellings.push(Telling {
            name: tool.name().to_owned(),
            title: tool.title().to_owned(),
            form: tool.form().to_owned(),
            version,
            size,
            missing,
        });
    }
    Ok((installed, tellings))
}
