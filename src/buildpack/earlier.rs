//! Process types that earlier buildpacks declared, from their `launch.toml`. Text in, processes
//! out; only [`read`] looks at the disk.
//!
//! The types are tolerant ones of our own: libcnb's refuse files of API 0.8 and older, in which
//! `command` is a string and `direct` may be false.

use super::lifecycle_file::{self, LifecycleFileError};
use super::order;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A process as an earlier buildpack declared it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierProcess {
    /// Id of the buildpack.
    pub buildpack: String,
    /// Its type.
    pub process_type: String,
    /// How it is executed; see [`Form`].
    pub form: Form,
    /// Whether it was declared as the image's default.
    pub default: bool,
    /// Its folder, where it is not the app folder.
    pub working_directory: Option<PathBuf>,
    /// Restricted to some execution environments (API 0.12), which our own API cannot say again.
    pub restricted: bool,
}

/// The meanings that a declared command has had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// API 0.9 and later: the user's arguments replace `args`.
    Current {
        /// Always run.
        command: Vec<String>,
        /// Run unless the user gives arguments.
        args: Vec<String>,
    },
    /// API 0.8 and older, `direct = true`: the user's arguments append to everything.
    Direct(Vec<String>),
    /// API 0.8 and older, `direct = false`: run by bash after the profile scripts. With `args`
    /// each word is expanded by the shell; without, `command` is a line of its own.
    Shell {
        /// The line, or the first word.
        command: String,
        /// The other words.
        args: Vec<String>,
    },
}

/// Everything earlier buildpacks declared, in the order of the group; a type may occur twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Earlier {
    /// The processes.
    pub processes: Vec<EarlierProcess>,
}

impl Earlier {
    /// The processes as the image would have them: of two of one type the later one.
    #[must_use]
    pub fn effective(&self) -> Vec<&EarlierProcess> {
        let mut effective: Vec<&EarlierProcess> = Vec::new();
        for process in &self.processes {
            match effective.iter_mut().find(|known| known.process_type == process.process_type) {
                Some(known) => *known = process,
                None => effective.push(process),
            }
        }
        effective
    }

    /// The type that the image would have as its default, by the rule of the lifecycle: the last
    /// one declared as default, unless it was declared again without the flag.
    #[must_use]
    pub fn default_type(&self) -> Option<&str> {
        self.processes.iter().fold(None, |default, process| {
            let process_type = process.process_type.as_str();
            if process.default {
                Some(process_type)
            } else {
                default.filter(|default| *default != process_type)
            }
        })
    }

    /// What a Procfile buildpack declared for this type; bindings may have changed the Procfile.
    #[must_use]
    pub fn of_procfile_buildpack(&self, process_type: &str) -> Option<&EarlierProcess> {
        self.processes
            .iter()
            .rev()
            .find(|process| process.process_type == process_type && process.is_from_procfile())
    }
}

impl EarlierProcess {
    /// Whether its buildpack is one that turns a Procfile into processes.
    #[must_use]
    pub fn is_from_procfile(&self) -> bool {
        self.buildpack.ends_with("/procfile")
    }
}

/// Reads the `launch.toml` of each of `buildpacks` (ids, in their order) below `layers_root`.
///
/// # Errors
///
/// A file that cannot be read or is no launch.toml. The lifecycle has taken all of them already.
pub fn read(layers_root: &Path, buildpacks: &[String]) -> Result<Earlier, LifecycleFileError> {
    let mut processes = Vec::new();
    for buildpack in buildpacks {
        let path = layers_root.join(order::folder(buildpack)).join("launch.toml");
        if let Some(launch) = lifecycle_file::read::<RawLaunch>(path)? {
            processes.extend(launch.declared_by(buildpack));
        }
    }
    Ok(Earlier { processes })
}

/// The processes that this text of a `launch.toml` declares for `buildpack`.
///
/// # Errors
///
/// It is no launch.toml of any API.
pub fn parse(text: &str, buildpack: &str) -> Result<Vec<EarlierProcess>, toml::de::Error> {
    toml::from_str::<RawLaunch>(text).map(|launch| launch.declared_by(buildpack).collect())
}

#[derive(Deserialize)]
struct RawLaunch {
    #[serde(default)]
    processes: Vec<RawProcess>,
}

impl RawLaunch {
    fn declared_by(self, buildpack: &str) -> impl Iterator<Item = EarlierProcess> {
        self.processes.into_iter().map(move |process| process.into_process(buildpack))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawProcess {
    r#type: String,
    command: RawCommand,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    direct: bool,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    working_dir: String,
    #[serde(default)]
    exec_env: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawCommand {
    Words(Vec<String>),
    String(String),
}

impl RawProcess {
    fn into_process(self, buildpack: &str) -> EarlierProcess {
        let args = self.args;
        let form = match self.command {
            RawCommand::Words(command) => Form::Current { command, args },
            RawCommand::String(command) if self.direct => {
                Form::Direct([command].into_iter().chain(args).collect())
            }
            RawCommand::String(command) => Form::Shell { command, args },
        };
        EarlierProcess {
            buildpack: buildpack.to_owned(),
            process_type: self.r#type,
            form,
            default: self.default,
            working_directory: Some(self.working_dir)
                .filter(|folder| !folder.is_empty() && folder != ".")
                .map(PathBuf::from),
            restricted: !self.exec_env.is_empty() && !self.exec_env.iter().any(|env| env == "*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn process(process_type: &str, default: bool) -> EarlierProcess {
        EarlierProcess {
            buildpack: "acme/x".to_owned(),
            process_type: process_type.to_owned(),
            form: Form::Direct(owned(&["app"])),
            default,
            working_directory: None,
            restricted: false,
        }
    }

    #[test]
    fn every_form_of_a_command_is_taken() {
        let text = "
            [[bom]]
            name = \"x\"
            [[processes]]
            type = \"web\"
            command = [\"node\", \"server.js\"]
            args = [\"-v\"]
            default = true
            working-dir = \"/workspace/sub\"
            [[processes]]
            type = \"mod\"
            command = \"/layers/go/bin/mod\"
            args = [\"a\"]
            direct = true
            working-dir = \".\"
            [[processes]]
            type = \"line\"
            command = \"A=1 app $PORT\"
            [[processes]]
            type = \"only-test\"
            command = [\"x\"]
            exec-env = [\"test\"]
        ";
        let expected = vec![
            EarlierProcess {
                form: Form::Current {
                    command: owned(&["node", "server.js"]),
                    args: owned(&["-v"]),
                },
                working_directory: Some(PathBuf::from("/workspace/sub")),
                ..process("web", true)
            },
            EarlierProcess {
                form: Form::Direct(owned(&["/layers/go/bin/mod", "a"])),
                ..process("mod", false)
            },
            EarlierProcess {
                form: Form::Shell { command: "A=1 app $PORT".to_owned(), args: vec![] },
                ..process("line", false)
            },
            EarlierProcess {
                form: Form::Current { command: owned(&["x"]), args: vec![] },
                restricted: true,
                ..process("only-test", false)
            },
        ];
        assert_eq!(parse(text, "acme/x").unwrap(), expected);
    }

    #[test]
    fn of_two_processes_of_a_type_the_later_one_counts() {
        let earlier = Earlier {
            processes: vec![process("web", true), process("task", false), process("web", false)],
        };
        assert_eq!(earlier.effective(), [&process("web", false), &process("task", false)]);
        assert_eq!(earlier.default_type(), None);
    }

    #[test]
    fn the_last_default_is_the_default() {
        let earlier = Earlier {
            processes: vec![process("mod", true), process("reload-mod", true), process("x", false)],
        };
        assert_eq!(earlier.default_type(), Some("reload-mod"));
    }

    #[test]
    fn files_are_found_by_the_escaped_id() {
        let layers = tempfile::tempdir().unwrap();
        fs::create_dir(layers.path().join("acme_x")).unwrap();
        let path = layers.path().join("acme_x/launch.toml");
        let buildpacks = owned(&["acme/none", "acme/x"]);

        fs::write(&path, "[[processes]]\ntype='web'\ncommand='app'\ndirect=true").unwrap();
        let expected = Earlier { processes: vec![process("web", false)] };
        assert_eq!(read(layers.path(), &buildpacks).unwrap(), expected);

        fs::write(&path, "processes = 1").unwrap();
        let error = read(layers.path(), &buildpacks).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
    }
}
