//! How each tool is got: by its own ecosystem's client, into the build folder, at a pinned version;
//! by the system's packages where there is no other way.

use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::geteuid;

use crate::command;
use crate::failure::Failure;
use crate::{package, progress, workspace};

use super::super::folder;
use super::super::programs::Programs;
use super::{Installed, Tool};

/// The newest that Rust 1.95 compiles.
const WATCHEXEC: &str = "2.8.0";
const NODEMON: &str = "3.1.14";
/// As `xtask/bench-tools/air/go.mod` has it; the program says "(devel)" of itself.
const AIR: &str = "1.62.0";

/// The tool, or the reason why it is not there. An error is one of our own.
pub(super) fn provide(
    tool: Tool,
    installs: bool,
    programs: &Programs,
) -> Result<Result<Installed, String>, Failure> {
    match tool {
        Tool::Relaunch => relaunch().map(Ok),
        Tool::Floor => {
            let program = programs.floor().to_path_buf();
            installed(tool, program, "1".to_owned()).map(Ok)
        }
        _ => {
            let found = find(tool);
            let found = match (found, installs) {
                (Some(program), _) => Ok(program),
                (None, false) => Err("not installed; a quick run installs nothing".to_owned()),
                (None, true) => {
                    let said = install(tool).map_err(|failure| short(&failure.to_string()));
                    said.and_then(|()| find(tool).ok_or_else(|| "not there after all".to_owned()))
                }
            };
            match found {
                Ok(program) => {
                    let version = version(tool, &program);
                    installed(tool, program, version).map(Ok)
                }
                Err(reason) => Ok(Err(reason)),
            }
        }
    }
}

/// The supervisor as it is shipped: static, stripped, from the packaged buildpack.
fn relaunch() -> Result<Installed, Failure> {
    let program = package::package()?.supervisor();
    installed(Tool::Relaunch, program, env!("CARGO_PKG_VERSION").to_owned())
}

fn installed(tool: Tool, program: PathBuf, version: String) -> Result<Installed, Failure> {
    let measured =
        if tool == Tool::Nodemon { own(tool).join("node_modules") } else { program.clone() };
    let size = size(&measured).map_err(Failure::file(&measured))?;
    Ok(Installed { tool, program, version, size })
}

/// A tool's folder; both forms of watchexec share one.
fn own(tool: Tool) -> PathBuf {
    folder().join("peers").join(tool.program())
}

/// In our own folder, or for the system's packages on `PATH`.
fn find(tool: Tool) -> Option<PathBuf> {
    let path = match tool {
        Tool::Watchexec | Tool::WatchexecPaketo => own(tool).join("bin/watchexec"),
        Tool::Air => own(tool).join("air"),
        Tool::Nodemon => own(tool).join("node_modules/nodemon/bin/nodemon.js"),
        _ => return on_path(tool.program()),
    };
    path.exists().then_some(path)
}

fn on_path(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn install(tool: Tool) -> Result<(), Failure> {
    let own = own(tool);
    match tool {
        Tool::Watchexec | Tool::WatchexecPaketo => {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let mut install = Command::new(cargo);
            install.args(["install", "watchexec-cli", "--version", WATCHEXEC, "--locked"]);
            // Beside the workspace's own build, whose files it would replace.
            install.arg("--root").arg(&own).arg("--target-dir").arg(own.join("build"));
            slow("compiling watchexec (once; several minutes)", &mut install)
        }
        Tool::Nodemon => {
            let mut install = Command::new("npm");
            let package = format!("nodemon@{NODEMON}");
            install.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&own).arg(package);
            slow("installing nodemon", &mut install)
        }
        Tool::Air => {
            let mut build = Command::new("go");
            build.args(["build", "-trimpath", "-mod=readonly", "-o"]).arg(own.join("air"));
            build
                .arg("github.com/air-verse/air")
                .env("CGO_ENABLED", "0")
                .env("GOTOOLCHAIN", "local");
            build.current_dir(workspace::root().join("xtask/bench-tools/air"));
            slow("compiling air (once; minutes with cold caches)", &mut build)
        }
        Tool::Entr => apt("entr"),
        Tool::Reflex => apt("reflex"),
        Tool::Inotifywait => apt("inotify-tools"),
        Tool::Relaunch | Tool::Floor => Ok(()),
    }
}

fn apt(package: &str) -> Result<(), Failure> {
    if on_path("apt-get").is_none() || !geteuid().is_root() {
        return Err(Failure::Missing {
            what: format!("{package} is not installed"),
            advice: "install it with the system's package manager".to_owned(),
        });
    }
    let get = |words: &[&str]| {
        let mut get = Command::new("apt-get");
        get.args(words).arg("--quiet=2").env("DEBIAN_FRONTEND", "noninteractive");
        get
    };
    let mut install = get(&["install", "--yes", "--no-install-recommends", package]);
    let what = format!("installing {package}");
    // A machine that is new, or has not asked for long, knows no packages or only old ones.
    slow(&what, &mut install).or_else(|_| {
        slow("asking for the list of packages", &mut get(&["update"]))?;
        slow(&what, &mut install)
    })
}

fn slow(what: &str, command: &mut Command) -> Result<(), Failure> {
    progress::step(what, || command::capture(command)).map(drop)
}

/// The program's own word, or what we pinned where it has none.
fn version(tool: Tool, program: &Path) -> String {
    let dpkg = |package: &str| {
        let mut query = Command::new("dpkg-query");
        query.args(["--show", "--showformat=${Version}", package]);
        command::capture(&mut query).unwrap_or_else(|_| "unknown".to_owned())
    };
    match tool {
        Tool::Watchexec | Tool::WatchexecPaketo => {
            let said = command::capture(Command::new(program).arg("--version")).unwrap_or_default();
            said.split_whitespace().nth(1).unwrap_or("unknown").to_owned()
        }
        Tool::Nodemon => {
            let node = command::capture(Command::new("node").arg("--version")).unwrap_or_default();
            format!("{NODEMON}, Node.js {}", node.trim().trim_start_matches('v'))
        }
        Tool::Air => AIR.to_owned(),
        Tool::Entr => dpkg("entr"),
        Tool::Reflex => dpkg("reflex"),
        Tool::Inotifywait => dpkg("inotify-tools"),
        Tool::Relaunch | Tool::Floor => String::new(),
    }
}

/// Of a file, or of every file below a folder.
fn size(path: &Path) -> std::io::Result<u64> {
    let metadata = std::fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        let followed = std::fs::metadata(path).map_or(metadata.len(), |it| it.len());
        return Ok(followed);
    }
    std::fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}

/// The first line that says something, for a cell of a table.
fn short(reason: &str) -> String {
    let lines = reason.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.clone().find(|line| line.contains("error")).or(lines.clone().next());
    line.unwrap_or("failed without a word").chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_the_line_that_names_the_error() {
        assert_eq!(
            short("this command failed:\n   x\nerror: no such crate\n"),
            "error: no such crate"
        );
        assert_eq!(short(""), "failed without a word");
    }

    #[test]
    fn the_pinned_version_of_air_is_that_of_its_module() {
        let path = workspace::root().join("xtask/bench-tools/air/go.mod");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(&format!("github.com/air-verse/air v{AIR} ")), "{text}");
    }
}
