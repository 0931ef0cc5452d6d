//! The command line of each tool for one place.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;

use super::super::place::Place;
use super::{Installed, Tool};

/// What a tool is to watch and to run.
pub(in super::super) struct Target<'a> {
    pub(in super::super) place: &'a Place,
    /// The executable and its arguments.
    pub(in super::super) words: &'a [PathBuf],
}

/// Runs `$@` under entr, the way of its manual page for trees in which files appear. `$0` is the
/// tree.
const ENTR: &str = "while sleep 0.1; do find \"$0\" -type f | entr -n -d -r \"$@\"; done";

/// The loop that questions about "restart on change" are answered with. `$0` is the tree.
const INOTIFYWAIT: &str = "while :; do \"$@\" & \
    inotifywait -qq -r -e close_write,moved_to,create,delete \"$0\"; kill $!; wait $!; done";

impl Installed {
    /// Ready to be started.
    pub(in super::super) fn command(&self, target: &Target) -> Result<Command, Failure> {
        let Target { place, words } = target;
        let tree = place.tree();
        let mut command = Command::new(&self.program);
        command.current_dir(place.folder());
        match self.tool {
            Tool::Relaunch => {
                command.args(["run", "--watch"]).arg(tree).arg("--").args(*words);
            }
            Tool::Floor => {
                command.arg(tree).arg("app").args(&words[1..]);
            }
            Tool::Watchexec => {
                command.args(["--restart", "--watch"]).arg(tree).arg("--").args(*words);
            }
            Tool::WatchexecPaketo => {
                command.args(["--restart", "--watch"]).arg(place.empty());
                command.arg("--watch").arg(tree).args(["--shell", "none", "--"]).args(*words);
            }
            Tool::Entr => shell(&mut command, ENTR, target),
            Tool::Inotifywait => shell(&mut command, INOTIFYWAIT, target),
            Tool::Reflex => {
                command.args(["-d", "none", "-s", "--"]).args(*words);
                command.current_dir(tree);
            }
            Tool::Nodemon => {
                command = Command::new("node");
                command.arg(&self.program).arg("--watch").arg(tree).args(["--ext", "*", "--exec"]);
                command.arg(line(words)).current_dir(place.folder());
            }
            Tool::Air => {
                let path = place.folder().join("air.toml");
                std::fs::write(&path, air(target)).map_err(Failure::file(&path))?;
                command.arg("-c").arg(path).current_dir(tree);
            }
        }
        Ok(command)
    }
}

fn shell(command: &mut Command, script: &str, target: &Target) {
    let folder = target.place.folder();
    *command = Command::new("sh");
    command.args(["-c", script]).arg(target.place.tree()).args(target.words).current_dir(folder);
}

/// For tools that take one string. Nothing here needs quoting: paths are ours.
fn line(words: &[PathBuf]) -> String {
    words.iter().map(|word| word.display().to_string()).collect::<Vec<_>>().join(" ")
}

/// air looks at files by their ending, or by their name.
fn air(target: &Target) -> String {
    let tree = target.place.tree().display();
    let arguments: Vec<String> =
        target.words[1..].iter().map(|word| format!("{:?}", word.display().to_string())).collect();
    format!(
        "root = \"{tree}\"\n[build]\ncmd = \"true\"\nbin = \"{}\"\nargs_bin = [{}]\n\
         include_file = [\"app\"]\n",
        target.words[0].display(),
        arguments.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_runs_the_app_with_its_pipe() {
        let place = Place::new().unwrap();
        let words = [place.app(), place.pipe()];
        for tool in Tool::ALL {
            let installed =
                Installed { tool, program: "tool".into(), version: String::new(), size: 0 };
            let target = Target { place: &place, words: &words };
            let mut text = crate::command::line(&installed.command(&target).unwrap());
            if tool == Tool::Air {
                text = air(&target);
            }
            assert!(text.contains(&place.pipe().display().to_string()), "{text}");
            assert!(text.contains(&place.tree().display().to_string()), "{text}");
        }
    }
}
