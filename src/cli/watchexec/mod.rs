//! The command line of `watchexec`, which callers in images know: the words of that program with
//! its meanings, as far as they name something that Relaunch has. [`options::OPTIONS`] lists all
//! of them; the rest is one remark each, or an error for what watchexec does not know either.

mod options;
#[cfg(test)]
mod tests;
mod values;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lexopt::{Arg, Parser};

use options::{Answer, OPTIONS, Opt, Takes};

use super::{Command, Run, UsageError};
use crate::settings::{OnExit, Settings, TARGET_VARIABLE, parse_signal};
use crate::watch::is_system;

/// What the words said, before they become settings.
struct Called<'a> {
    settings: Settings,
    remarks: Vec<String>,
    watch: Vec<PathBuf>,
    shallow: Vec<PathBuf>,
    shell: Option<String>,
    restart: bool,
    signal: Option<String>,
    current_dir: &'a Path,
}

/// Reads the command line (without the program's name) and the settings' variables. The app's end
/// is always held, as watchexec does; `$RELAUNCH_TARGET` is watched in addition, since these
/// callers know nothing of it.
///
/// # Errors
///
/// A sentence that names the word or variable and what would be right.
pub fn parse(
    words: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
    current_dir: &Path,
) -> Result<Command, UsageError> {
    let words: Vec<OsString> = words.into_iter().collect();
    let mut parser = Parser::from_args(words.clone());
    let mut called = Called {
        settings: Settings::from_variables(&variable)?,
        remarks: Vec::new(),
        watch: Vec::new(),
        shallow: Vec::new(),
        shell: None,
        restart: false,
        signal: None,
        current_dir,
    };
    let mut command = Vec::new();
    while let Some(arg) = parser.next().map_err(|error| form(&error))? {
        let option = match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Print(help())),
            Arg::Short('V') | Arg::Long("version") => {
                let version = env!("CARGO_PKG_VERSION");
                return Ok(Command::Print(format!("watchexec (relaunch {version})")));
            }
            // The first word that is no option begins the command, which keeps its own.
            Arg::Value(word) => {
                if word.as_encoded_bytes().starts_with(b"@") && before_dashes(&words, &word) {
                    let text = format!("arguments are not read from a file ({})", word.display());
                    return Err(UsageError::Watchexec(text));
                }
                command.push(word);
                command.extend(parser.raw_args().map_err(|error| form(&error))?);
                break;
            }
            Arg::Long(name) => {
                OPTIONS.iter().find(|it| it.long == name || !name.is_empty() && it.alias == name)
            }
            Arg::Short(name) => OPTIONS.iter().find(|it| it.short == Some(name)),
        };
        let Some(option) = option else { return Err(form(&arg.unexpected())) };
        let value = value_of(option, &mut parser)?;
        called.take(option, value)?;
    }
    if command.is_empty() {
        let text = "there is no command to run; write it after --";
        return Err(UsageError::Watchexec(text.to_owned()));
    }
    called.finish(command, variable(TARGET_VARIABLE).filter(|target| !target.is_empty()))
}

/// After `--` even a word with an `@` is the command's.
fn before_dashes(words: &[OsString], word: &OsStr) -> bool {
    words.iter().take_while(|it| *it != "--").any(|it| it == word)
}

fn form(error: &lexopt::Error) -> UsageError {
    UsageError::Watchexec(error.to_string())
}

fn value_of(option: &Opt, parser: &mut Parser) -> Result<Option<OsString>, UsageError> {
    match option.takes {
        Takes::Nothing => Ok(None),
        Takes::Value => parser.value().map(Some).map_err(|error| form(&error)),
        Takes::Perhaps => Ok(parser.optional_value().or_else(|| {
            let is_value = |word: &OsStr| !word.as_encoded_bytes().starts_with(b"-");
            parser.try_raw_args()?.next_if(is_value)
        })),
    }
}

impl Called<'_> {
    fn take(&mut self, option: &Opt, value: Option<OsString>) -> Result<(), UsageError> {
        let written = option.written();
        if option.long == "emit-events-to" && value.as_deref() == Some(OsStr::new("none")) {
            return Ok(());
        }
        if option.answer == Answer::Named {
            self.remark(format!("{written} is not honoured: {}", option.words));
            return Ok(());
        }
        match option.long {
            "watch" => self.watch.extend(value.map(PathBuf::from)),
            "watch-non-recursive" => self.shallow.extend(value.map(PathBuf::from)),
            "restart" => self.restart = true,
            "kill" => self.signal = Some("KILL".to_owned()),
            "no-shell" => self.shell = Some("none".to_owned()),
            _ if option.answer == Answer::Honoured => {
                let given = value.as_ref().map(|value| value.to_str().ok_or(value)).transpose();
                given
                    .map_err(|value| format!("{} is not UTF-8", value.display()))
                    .and_then(|value| self.set(option.long, value))
                    .map_err(|why| UsageError::Watchexec(format!("{written}: {why}")))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Options whose value is text.
    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let text = value.unwrap_or_default();
        match name {
            "exts" => {
                let endings = text.split(',').map(|it| it.strip_prefix('.').unwrap_or(it));
                let endings = endings.filter(|it| !it.is_empty()).map(|it| format!("*.{it}"));
                self.settings.only.extend(endings);
            }
            "filter" => self.settings.only.push(values::pattern(text, self.current_dir)),
            "ignore" if text.starts_with('!') => {
                self.remark(format!("--ignore {text} is not honoured: nothing is taken back"));
            }
            "ignore" => self.settings.ignore.push(values::pattern(text, self.current_dir)),
            "shell" if text.trim().is_empty() => return Err("the shell has no name".to_owned()),
            "shell" => self.shell = Some(text.trim().to_owned()),
            "poll" => {
                let period = values::span(value.unwrap_or("30s"), Duration::from_millis(1))?;
                if period.is_zero() {
                    return Err("a polling period must be longer than zero".to_owned());
                }
                self.settings.poll = Some(period);
            }
            "debounce" => {
                self.settings.settle = Some(values::span(text, Duration::from_millis(1))?);
            }
            "stop-timeout" => {
                self.settings.stop_timeout = values::span(text, Duration::from_secs(1))?;
            }
            "stop-signal" => self.settings.stop_signal = parse_signal(text)?,
            "signal" => self.signal = Some(text.to_owned()),
            "on-busy-update" => match text {
                "restart" => self.restart = true,
                "do-nothing" | "queue" | "signal" => self.remark(format!(
                    "--on-busy-update {text} is not honoured: a change restarts the app"
                )),
                _ => {
                    let modes = "do-nothing, queue, restart, signal";
                    return Err(format!("\"{text}\" is not one of {modes}"));
                }
            },
            _ => {}
        }
        Ok(())
    }

    fn remark(&mut self, remark: String) {
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    fn finish(
        mut self,
        words: Vec<OsString>,
        target: Option<OsString>,
    ) -> Result<Command, UsageError> {
        if let Some(signal) = self.signal.take() {
            let number = parse_signal(&signal)
                .map_err(|why| UsageError::Watchexec(format!("--signal: {why}")))?;
            if self.restart {
                self.settings.stop_signal = number;
            } else {
                let why = "a change restarts the app";
                self.remark(format!("--signal {signal} is not honoured: {why}"));
            }
        }
        self.choose_paths();
        if let Some(target) = target.map(PathBuf::from)
            && !self.settings.watch.is_empty()
            && !self.settings.watch.contains(&target)
        {
            self.settings.watch.push(target);
        }
        let (command, by_shell) = values::command(words, self.shell.as_deref());
        let settings = Settings { shell: by_shell, on_exit: OnExit::Hold, ..self.settings };
        Ok(Command::Run(Box::new(Run { settings, command, remarks: self.remarks })))
    }

    /// Without any path, the current folder, but for a system folder: then Relaunch's own rule.
    fn choose_paths(&mut self) {
        for folder in &self.shallow {
            let folder = self.current_dir.join(folder);
            let folder: PathBuf = folder.components().collect();
            let below = |path: &PathBuf| self.current_dir.join(path).starts_with(&folder);
            // A path below is watched with all that is in it, and ignoring comes before watching.
            if !self.watch.iter().any(below) {
                self.settings.ignore.push(values::below_folders_of(&folder));
            }
        }
        self.watch.append(&mut self.shallow);
        if !self.watch.is_empty() {
            self.settings.watch = std::mem::take(&mut self.watch);
        } else if self.settings.watch.is_empty() && !is_system(self.current_dir) {
            self.settings.watch.push(self.current_dir.to_owned());
        }
    }
}

fn help() -> String {
    "\
Usage: watchexec [OPTIONS] [--] COMMAND [ARG]...

This is Relaunch under the name watchexec: it takes watchexec's options, runs COMMAND and restarts
it once after each settled set of changed files. The options that matter:

  -w, --watch PATH         file or folder to watch; without any, the current folder
  -e, --exts EXTS          only files with these endings count: py,html
  -f, --filter PATTERN     only files that match count
  -i, --ignore PATTERN     files that never count
  -r, --restart            restart the app on a change, which always holds
      --shell none, -n     run COMMAND without a shell
      --stop-signal SIG    signal that asks the app to stop
      --stop-timeout SPAN  time it has for that
  -d, --debounce SPAN      least quiet time that ends a change set

An option of watchexec that is not honoured is named in one line. See `relaunch run --help` for
Relaunch's own options; their variables work under this name too."
        .to_owned()
}
