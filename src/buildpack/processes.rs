//! The process types of the image: which ones we declare, which we leave alone, which is the
//! default. Values only; the table in the user's guide is this file in words.
//!
//! A Procfile's types are ours to declare. A process of an earlier buildpack is declared again
//! under the same type, wrapped, with its own meaning of the user's arguments.

use super::command::Command;
use super::earlier::{Earlier, EarlierProcess, Form};
use super::profile::Profile;
use libcnb::data::launch::{Process, ProcessType, WorkingDirectory};

/// The unwrapped default process.
pub const NO_RELOAD: &str = "no-reload";
/// Types of earlier buildpacks that run once and end: holding them for a change would hang a job.
const ONE_SHOT: [&str; 3] = [NO_RELOAD, "release", "task"];

/// All that the choice depends on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Types and lines of the Procfile.
    pub procfile: &'a [(String, String)],
    /// What earlier buildpacks declared.
    pub earlier: &'a Earlier,
    /// The types to wrap, where the user chose them.
    pub wanted: Option<&'a [String]>,
    /// Other buildpacks come after us.
    pub followed: bool,
    /// The plan asks us for `watchexec`: somebody has processes that call it.
    pub watchexec: bool,
    /// The supervisor in the image.
    pub relaunch: &'a str,
    /// The profile scripts, where there are any.
    pub profile: Option<&'a Profile>,
}

/// The choice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Processes {
    /// What we declare, the no-reload process last.
    pub declared: Vec<Declared>,
    /// The type that runs by default, declared by us or by an earlier buildpack.
    pub default: Option<String>,
    /// Types of earlier buildpacks that stay as they are.
    pub left_alone: Vec<String>,
    /// Every word of every process of the image: whose files the rights are about.
    pub words: Vec<String>,
}

/// A process that we declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// As launch.toml has it.
    pub process: Process,
    /// Its command as a person would write it.
    pub shown: String,
    /// Whether it runs under the supervisor.
    pub reloads: bool,
}

/// Why there is no choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessesError {
    /// Nothing to run, and nobody left who could declare something.
    Nothing,
    /// `RELAUNCH_PROCESSES` names a type that nobody declared.
    UnknownType {
        /// The name.
        process_type: String,
        /// The types that there are.
        known: Vec<String>,
    },
}

/// Decides; see the table in the user's guide.
///
/// # Errors
///
/// See [`ProcessesError`].
pub fn decide(situation: &Situation) -> Result<Processes, ProcessesError> {
    let candidates = candidates(situation);
    let known = || candidates.iter().map(|known| known.process_type.to_string());
    if candidates.is_empty() && !situation.followed && !situation.watchexec {
        return Err(ProcessesError::Nothing);
    }
    if let Some(unknown) = situation
        .wanted
        .unwrap_or_default()
        .iter()
        .find(|wanted| !known().any(|known| known == **wanted))
    {
        return Err(ProcessesError::UnknownType {
            process_type: unknown.clone(),
            known: known().collect(),
        });
    }

    let default = default_type(situation);
    let supervised = candidates.iter().any(Candidate::runs_supervisor);
    let mut processes = Processes {
        default: default.clone(),
        words: candidates.iter().flat_map(Candidate::words).collect(),
        ..Processes::default()
    };
    for candidate in &candidates {
        let is_default = default.as_deref() == Some(candidate.process_type.as_str());
        let reloads = candidate.is_wrapped(situation.wanted, supervised);
        if reloads || candidate.origin == Origin::Procfile {
            let declared = candidate.declare(reloads, is_default, situation.relaunch);
            processes.declared.push(declared);
        } else {
            processes.left_alone.push(candidate.process_type.to_string());
        }
    }
    processes.declared.extend(no_reload(&candidates, default));
    Ok(processes)
}

/// A process that can be declared.
struct Candidate {
    process_type: ProcessType,
    command: Command,
    /// What the user's arguments replace.
    args: Vec<String>,
    working_directory: WorkingDirectory,
    origin: Origin,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A Procfile that no buildpack but us has declared.
    Procfile,
    /// A Procfile that an earlier buildpack has declared as well.
    ProcfileBuildpack,
    /// Another earlier buildpack.
    Earlier,
    /// An earlier buildpack, for some execution environments only.
    Restricted,
}

fn candidates(situation: &Situation) -> Vec<Candidate> {
    let from_procfile = situation.procfile.iter().filter_map(|(name, line)| {
        match situation.earlier.of_procfile_buildpack(name) {
            Some(process) => Candidate::of_earlier(process, situation.profile)
                .map(|candidate| Candidate { origin: Origin::ProcfileBuildpack, ..candidate }),
            None => Some(Candidate {
                process_type: name.parse().ok()?,
                command: Command::from_line(line),
                args: Vec::new(),
                working_directory: WorkingDirectory::App,
                origin: Origin::Procfile,
            }),
        }
    });
    let in_procfile = |name: &str| situation.procfile.iter().any(|(known, _)| known == name);
    let effective = situation.earlier.effective();
    let from_earlier = effective
        .into_iter()
        .filter(|process| !in_procfile(&process.process_type))
        .filter_map(|process| Candidate::of_earlier(process, situation.profile));
    from_procfile.chain(from_earlier).collect()
}

impl Candidate {
    /// `None` for what the lifecycle would refuse at export anyway.
    fn of_earlier(process: &EarlierProcess, profile: Option<&Profile>) -> Option<Self> {
        let (command, args) = match &process.form {
            Form::Current { command, args } => match (&**command, &**args) {
                // The form in which a Procfile buildpack of a newer API writes a line.
                ([bash, c], [line])
                    if process.is_from_procfile() && bash == "bash" && c == "-c" =>
                {
                    (Command::from_line(line), Vec::new())
                }
                ([], _) => return None,
                _ => (Command::Words(command.clone()), args.clone()),
            },
            Form::Direct(words) => (Command::Words(words.clone()), Vec::new()),
            Form::Shell { command, args } => {
                let command = shell_form(command, args);
                let command = match profile {
                    Some(profile) => Command::Shell(profile.before(
                        &process.process_type,
                        process.working_directory.as_deref(),
                        &command.line(),
                    )),
                    None => command,
                };
                (command, Vec::new())
            }
        };
        Some(Self {
            process_type: process.process_type.parse().ok()?,
            command,
            args,
            working_directory: process
                .working_directory
                .clone()
                .map_or(WorkingDirectory::App, WorkingDirectory::Directory),
            origin: if process.restricted { Origin::Restricted } else { Origin::Earlier },
        })
    }

    fn words(&self) -> impl Iterator<Item = String> {
        let args = Command::Words(self.args.clone());
        [self.command.tokens(), args.tokens()].into_iter().flatten()
    }

    fn runs_supervisor(&self) -> bool {
        Command::Words(self.words().collect()).runs_supervisor()
    }

    /// `supervised`: one of the image's processes runs a supervisor of its own.
    fn is_wrapped(&self, wanted: Option<&[String]>, supervised: bool) -> bool {
        if self.runs_supervisor() || self.origin == Origin::Restricted {
            return false;
        }
        if let Some(wanted) = wanted {
            return wanted.iter().any(|wanted| *wanted == *self.process_type.as_str());
        }
        match self.origin {
            Origin::Procfile | Origin::ProcfileBuildpack => self.process_type.as_str() != NO_RELOAD,
            Origin::Earlier | Origin::Restricted => {
                !supervised && !ONE_SHOT.contains(&self.process_type.as_str())
            }
        }
    }

    fn declare(&self, reloads: bool, default: bool, relaunch: &str) -> Declared {
        Declared {
            process: Process {
                r#type: self.process_type.clone(),
                command: if reloads {
                    self.command.supervised(relaunch)
                } else {
                    self.command.unsupervised()
                },
                args: self.args.clone(),
                default,
                working_directory: self.working_directory.clone(),
            },
            shown: self.shown(),
            reloads,
        }
    }

    fn shown(&self) -> String {
        match &self.command {
            Command::Words(words) => {
                Command::Words(words.iter().chain(&self.args).cloned().collect()).line()
            }
            // The last line is the app's own; before it stand the profile scripts.
            Command::Shell(line) => line.lines().last().unwrap_or_default().to_owned(),
        }
    }
}

/// A command of API 0.8 and older with `direct = false`. With arguments the launcher expands each
/// word as a string in double quotes (lifecycle, `bashCommandWithTokens`).
fn shell_form(command: &str, args: &[String]) -> Command {
    if args.is_empty() {
        return Command::from_line(command);
    }
    let words: Vec<String> = [command.to_owned()].into_iter().chain(args.to_vec()).collect();
    if words.iter().any(|word| word.contains(['$', '`', '"', '\\'])) {
        let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        Command::Shell(quoted.join(" "))
    } else {
        Command::Words(words)
    }
}

fn default_type(situation: &Situation) -> Option<String> {
    let in_procfile = |name: &str| situation.procfile.iter().any(|(known, _)| known == name);
    if in_procfile("web") {
        return Some("web".to_owned());
    }
    if let Some(earlier) = situation.earlier.default_type() {
        return Some(earlier.to_owned());
    }
    match situation.procfile {
        _ if in_procfile("worker") => Some("worker".to_owned()),
        [(only, _)] => Some(only.clone()),
        _ => None,
    }
}

/// The default process as it is without us; not where its own command supervises, and not where
/// somebody declared the type already.
fn no_reload(candidates: &[Candidate], default: Option<String>) -> Option<Declared> {
    let default = default?;
    let declared = |name: &str| candidates.iter().find(|known| known.process_type.as_str() == name);
    if declared(NO_RELOAD).is_some() {
        return None;
    }
    let candidate = declared(&default).filter(|default| !default.runs_supervisor())?;
    let mut unwrapped = candidate.declare(false, false, "");
    unwrapped.process.r#type = NO_RELOAD.parse().ok()?;
    Some(unwrapped)
}

#[cfg(test)]
#[path = "processes_tests.rs"]
mod tests;
