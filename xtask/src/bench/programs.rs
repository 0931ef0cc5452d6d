//! The programs of the benchmark: the app that every tool restarts and the floor, both in C and
//! static, compiled here; and other builds of the app, made by its version marker.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::failure::Failure;

use super::folder;

const APP: &str = include_str!("programs/app.c");
const FLOOR: &str = include_str!("programs/floor.c");

/// The compiled programs.
pub(super) struct Programs {
    app: PathBuf,
    floor: PathBuf,
    bytes: Vec<u8>,
}

impl Programs {
    /// Compiles both; half a second.
    pub(super) fn compile() -> Result<Self, Failure> {
        let [app, floor] = [("app", APP), ("floor", FLOOR)].map(|(name, text)| compile(name, text));
        let (app, floor) = (app?, floor?);
        let bytes = std::fs::read(&app).map_err(Failure::file(&app))?;
        Ok(Self { app, floor, bytes })
    }

    /// The floor.
    pub(super) fn floor(&self) -> &Path {
        &self.floor
    }

    /// Another build of the app; `extra` bytes longer.
    pub(super) fn build(&self, version: &str, extra: usize) -> Result<Vec<u8>, Failure> {
        test_app::version::stamped_longer(&self.bytes, version, extra)
            .map_err(|error| Failure::Package(error.to_string()))
    }

    /// A script of 64 kB whose interpreter is the app: it can be written in place while it runs.
    pub(super) fn script(&self, version: &str, pipe: &Path) -> Vec<u8> {
        let first = format!("#!{} ={}\n# {version:.<16}\n", self.app.display(), pipe.display());
        let rest = format!("# {}\n", "x".repeat(61)).repeat(1024);
        (first + &rest).into_bytes()
    }
}

fn compile(name: &str, text: &str) -> Result<PathBuf, Failure> {
    let folder = folder().join("programs");
    std::fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let (source, output) = (folder.join(format!("{name}.c")), folder.join(name));
    std::fs::write(&source, text).map_err(Failure::file(&source))?;
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Werror", "-static", "-s", "-o"]).arg(&output).arg(&source);
    command::capture(&mut cc).map_err(|failure| match failure {
        Failure::Start { .. } => Failure::Missing {
            what: "The measured app is a small C program, and there is no C compiler.".to_owned(),
            advice: "apt-get install gcc libc6-dev".to_owned(),
        },
        other => other,
    })?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_has_one_marker_and_the_script_its_version_in_the_second_line() {
        let programs = Programs::compile().unwrap();
        let other = programs.build("v2", 3).unwrap();
        assert_eq!(other.len(), programs.bytes.len() + 3);
        let script = String::from_utf8(programs.script("v2", Path::new("/p"))).unwrap();
        assert_eq!(script.lines().nth(1), Some("# v2.............."));
    }
}
