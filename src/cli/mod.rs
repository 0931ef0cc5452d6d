//! The command line of `relaunch`: words in, a [`Command`] or an error out.

mod asking;
mod help;
mod watchexec;

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser};

use self::asking::Question;

pub use help::{ASK_HELP, RUN_HELP, TRACE_HELP, run_help, top_help};
pub use watchexec::parse as parse_watchexec;

use crate::control::asking::Ask;
use crate::settings::{ALL, InvalidSetting, STATE, Settings};

/// Exit code for a command line or a setting that cannot be taken; the `EX_USAGE` of shells'
/// own builtins.
pub const USAGE: u8 = 2;

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Supervise a command.
    Run(Box<Run>),
    /// Ask a running supervisor.
    Ask(Ask),
    /// Write down what the kernel says of these folders.
    Trace(Vec<PathBuf>),
    /// Print this and end.
    Print(String),
}

/// `relaunch run`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The settings, variables and flags together.
    pub settings: Settings,
    /// The command and its arguments; with `--shell` the line and its arguments.
    pub command: Vec<OsString>,
    /// What the user should know about the words: logged as warnings.
    pub remarks: Vec<String>,
}

/// Why a command line was not taken.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// The words are not of the form that help shows.
    #[error("{0}; see `relaunch --help`")]
    Form(String),
    /// The same under the name `watchexec`.
    #[error("{0}; see `watchexec --help`")]
    Watchexec(String),
    /// A setting has a value that cannot be taken.
    #[error("invalid setting {0}; see `relaunch run --help`")]
    Setting(#[from] InvalidSetting),
}

impl From<lexopt::Error> for UsageError {
    fn from(error: lexopt::Error) -> Self {
        Self::Form(error.to_string())
    }
}

/// Reads the command line (without the program's name) and the settings' variables.
///
/// # Errors
///
/// A sentence that names the word, flag or variable and what would be right.
pub fn parse(
    words: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, UsageError> {
    let mut parser = Parser::from_args(words);
    match parser.next()? {
        None | Some(Arg::Short('h') | Arg::Long("help")) => Ok(Command::Print(top_help())),
        Some(Arg::Short('V') | Arg::Long("version")) => {
            Ok(Command::Print(format!("relaunch {}", env!("CARGO_PKG_VERSION"))))
        }
        Some(Arg::Value(word)) => match word.to_str() {
            Some("run") => run(&mut parser, variable),
            Some("status") => asking::parse(Question::Status, &mut parser),
            Some("events") => asking::parse(Question::Events, &mut parser),
            Some("reload") => asking::parse(Question::Reload, &mut parser),
            Some("wait") => asking::parse(Question::Wait, &mut parser),
            Some("trace") => trace(&mut parser),
            Some("help") => Ok(Command::Print(top_help())),
            _ => Err(UsageError::Form(format!("there is no command {}", word.display()))),
        },
        Some(arg) => Err(arg.unexpected().into()),
    }
}

fn run(
    parser: &mut Parser,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, UsageError> {
    let mut flags = Vec::new();
    let mut command = Vec::new();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Print(run_help())),
            Arg::Long(name) => {
                let known = ALL.iter().chain([&STATE]).find(|setting| setting.name == name);
                let Some(setting) = known else { return Err(arg.unexpected().into()) };
                let value = match setting.value {
                    "" => parser.optional_value().unwrap_or_else(|| "true".into()),
                    value if value.starts_with('[') => {
                        parser.optional_value().unwrap_or_else(|| "true".into())
                    }
                    _ => parser.value()?,
                };
                flags.push((setting.name, value));
            }
            // The first word that is no flag begins the command, which keeps its own flags.
            Arg::Value(word) => {
                command.push(word);
                command.extend(parser.raw_args()?);
            }
            Arg::Short(_) => return Err(arg.unexpected().into()),
        }
    }
    if command.is_empty() {
        return Err(UsageError::Form("there is no command to run; write it after --".to_owned()));
    }
    let mut settings = Settings::from_variables(variable)?;
    settings.override_by_flags(&flags)?;
    Ok(Command::Run(Box::new(Run { settings, command, remarks: Vec::new() })))
}

fn trace(parser: &mut Parser) -> Result<Command, UsageError> {
    let mut roots = Vec::new();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => {
                return Ok(Command::Print(TRACE_HELP.to_owned()));
            }
            Arg::Long("watch") => roots.push(parser.value()?.into()),
            _ => return Err(arg.unexpected().into()),
        }
    }
    if roots.is_empty() {
        let text = "there is no folder to record; write --watch PATH".to_owned();
        return Err(UsageError::Form(text));
    }
    Ok(Command::Trace(roots))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn parsed(words: &[&str]) -> Result<Command, String> {
        parse(words.iter().map(OsString::from), |name| {
            (name == "RELAUNCH_SETTLE").then(|| "30ms".into())
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn flags_lie_over_variables_and_the_command_keeps_its_own() {
        let command = parsed(&[
            "run",
            "--watch",
            "a",
            "--watch=b",
            "--shell",
            "--poll",
            "--",
            "app",
            "--shell",
        ]);
        let settings = Settings {
            watch: vec!["a".into(), "b".into()],
            shell: true,
            settle: Some(Duration::from_millis(30)),
            poll: Some(Duration::from_secs(2)),
            ..Settings::default()
        };
        let run =
            Run { settings, command: vec!["app".into(), "--shell".into()], remarks: Vec::new() };
        assert_eq!(command, Ok(Command::Run(Box::new(run))));
    }

    #[test]
    fn what_cannot_be_taken_is_named_with_what_would_be_right() {
        let errors = [
            parsed(&["start"]),
            parsed(&["run"]),
            parsed(&["run", "--wach", "x", "--", "app"]),
            parsed(&["run", "--settle", "5", "--", "app"]),
            parsed(&["run", "--watch"]),
            parsed(&["trace"]),
        ]
        .map(Result::unwrap_err);
        let expected = [
            "there is no command start; see `relaunch --help`",
            "there is no command to run; write it after --; see `relaunch --help`",
            "invalid option '--wach'; see `relaunch --help`",
            "invalid setting --settle: \"5\" is not a duration; write it as 20ms, 2s or 1m; see `relaunch run --help`",
            "missing argument for option '--watch'; see `relaunch --help`",
            "there is no folder to record; write --watch PATH; see `relaunch --help`",
        ];
        assert_eq!(errors, expected);
    }
}
