//! Settings: one name, three places. Values only; both halves read this room.
//!
//! The setting `settle-max` is the flag `--settle-max` of `relaunch run`, the run variable
//! `RELAUNCH_SETTLE_MAX`, and the build variable of the same name, which the buildpack bakes into
//! the supervisor layer as a `.default`. A flag overrides a run variable, a run variable overrides
//! what was baked in. [`ALL`] is the only list of them: help, parsing, baking and the README's
//! table follow it.

mod duration;
mod signal;
mod switch;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

pub use duration::{format_duration, parse_duration};
pub use signal::{SignalNumber, parse_signal, signal_name};
pub use switch::parse_switch;

/// The on/off switch at build time; Go `strconv.ParseBool` spellings, unset and empty mean off.
pub const ENABLED_VARIABLE: &str = "BP_LIVE_RELOAD_ENABLED";
/// Build variable: comma-separated process types that are wrapped instead of all of them.
pub const PROCESSES_VARIABLE: &str = "RELAUNCH_PROCESSES";
/// Where synced files go: the folder whose `bin/` stands in for executables by name.
pub const TARGET_VARIABLE: &str = "RELAUNCH_TARGET";
/// The app folder of the image, set by the buildpack, since the launcher strips `CNB_APP_DIR`.
pub const APP_DIR_VARIABLE: &str = "RELAUNCH_APP_DIR";
/// The layers folder of the image, set by the buildpack, since the launcher strips
/// `CNB_LAYERS_DIR`.
pub const LAYERS_DIR_VARIABLE: &str = "RELAUNCH_LAYERS_DIR";
/// Set for the app: the number of its start, from 1.
pub const GENERATION_VARIABLE: &str = "RELAUNCH_GENERATION";
/// What every variable of ours begins with.
pub const PREFIX: &str = "RELAUNCH_";

/// One setting, as help, README and error messages show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The flag without its dashes.
    pub name: &'static str,
    /// What stands for the value in help; empty for a switch.
    pub value: &'static str,
    /// The default, in words.
    pub default: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
}

impl Setting {
    /// The variable of this setting, at build and at run time.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_uppercase().replace('-', "_"))
    }
}

const fn setting(
    name: &'static str,
    value: &'static str,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting { name, value, default, help }
}

/// Every setting of `relaunch run`, in the order of its help.
pub const ALL: [Setting; 12] = [
    setting(
        "watch",
        "PATH",
        "$RELAUNCH_TARGET; the executable's folder; the app folder of an interpreted app",
        "File or folder to watch, recursively; may not exist yet. Repeatable; colon-separated in the variable",
    ),
    setting(
        "ignore",
        "GLOB",
        "editors' temporary files, .git, __pycache__, *.pyc",
        "Paths that never cause a restart, in addition to the default. Repeatable; colon-separated in the variable",
    ),
    setting("shell", "", "off", "Run COMMAND as one line of bash or sh"),
    setting(
        "settle",
        "DUR",
        "adaptive, 10ms to 300ms",
        "Smallest quiet time that ends a change set",
    ),
    setting(
        "settle-max",
        "DUR",
        "10s",
        "On a tree that never goes quiet, restart at most this often",
    ),
    setting("stop-signal", "SIG", "TERM", "Signal that asks the app to stop"),
    setting("stop-timeout", "DUR", "10s", "Time the app has to stop before it is killed"),
    setting(
        "shutdown-timeout",
        "DUR",
        "8s",
        "The same when the container ends; docker gives 10s in all",
    ),
    setting(
        "on-exit",
        "auto|hold|exit",
        "auto",
        "After the app ended by itself: hold = wait for the next change, exit = end with its code, auto = hold, but as PID 1 exit before the first healthy second",
    ),
    setting(
        "restart-on",
        "any|used",
        "used",
        "used = leave out changes of files that the app provably never opened",
    ),
    setting(
        "poll",
        "[DUR]",
        "off; by itself where events cannot be trusted",
        "Watch by polling as well, every DUR (2s)",
    ),
    setting("log", "text|json", "text", "Form of the lifecycle log on stderr"),
];

/// `--state` is no part of [`ALL`]: a folder that exists at build time means nothing at run time,
/// so it is never baked in.
pub const STATE: Setting = setting(
    "state",
    "DIR",
    "a private folder found by rule",
    "Folder of the file manifest.json, which tells what runs",
);

/// What happens after the app ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnExit {
    /// Hold, except as PID 1 before the first healthy second.
    #[default]
    Auto,
    /// Wait for the next change.
    Hold,
    /// End with the app's code.
    Exit,
}

/// Which changes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RestartOn {
    /// Every change of content.
    Any,
    /// Changes of files that the running generation may have used.
    #[default]
    Used,
}

/// Form of the lifecycle log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogForm {
    /// One line in words.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The settings of one `relaunch run`, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Watched paths as given; empty = by the rule of [`ALL`].
    pub watch: Vec<PathBuf>,
    /// Globs in addition to the built-in ones.
    pub ignore: Vec<String>,
    /// Globs of the only files that count; empty = all. Set under the name `watchexec` alone.
    pub only: Vec<String>,
    /// Run the command as one line of a shell.
    pub shell: bool,
    /// Smallest quiet time; `None` = adaptive.
    pub settle: Option<Duration>,
    /// Longest time that a busy tree may put off a restart.
    pub settle_max: Duration,
    /// Signal that asks the app to stop.
    pub stop_signal: SignalNumber,
    /// Time to stop before a restart.
    pub stop_timeout: Duration,
    /// Time to stop before the supervisor ends.
    pub shutdown_timeout: Duration,
    /// After the app ended by itself.
    pub on_exit: OnExit,
    /// Which changes count.
    pub restart_on: RestartOn,
    /// Polling period; `None` = only where events cannot be trusted.
    pub poll: Option<Duration>,
    /// Form of the log.
    pub log: LogForm,
    /// Folder of the manifest's file; `None` = by rule.
    pub state: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            watch: Vec::new(),
            ignore: Vec::new(),
            only: Vec::new(),
            shell: false,
            settle: None,
            settle_max: Duration::from_secs(10),
            stop_signal: SignalNumber::TERM,
            stop_timeout: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(8),
            on_exit: OnExit::default(),
            restart_on: RestartOn::default(),
            poll: None,
            log: LogForm::default(),
            state: None,
        }
    }
}

/// The polling period of a bare `--poll`: slow enough to cost nothing, fast enough for a person.
pub const DEFAULT_POLL: Duration = Duration::from_secs(2);

/// Why a value was not taken; shown after the name of its variable or flag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}: {reason}")]
pub struct InvalidSetting {
    /// The flag or variable, as the user wrote it.
    pub source_name: String,
    /// What is wrong with the value and what would be right.
    pub reason: String,
}

impl Settings {
    /// The settings that the variables say: those of the run, or those of the build to check them
    /// before they are baked in. An empty variable counts as unset, as `.default` files do.
    ///
    /// # Errors
    ///
    /// The first variable whose value cannot be taken, by name.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, InvalidSetting> {
        let mut settings = Self::default();
        for setting in ALL.iter().chain([&STATE]) {
            let name = setting.variable();
            let Some(value) = variable(&name).filter(|value| !value.is_empty()) else {
                continue;
            };
            settings
                .set(setting.name, &value, Place::Variable)
                .map_err(|reason| InvalidSetting { source_name: name, reason })?;
        }
        Ok(settings)
    }

    /// Lays flags over what the variables said. A repeatable flag replaces the variable's list.
    ///
    /// # Errors
    ///
    /// The first flag whose value cannot be taken, by name.
    pub fn override_by_flags(
        &mut self,
        flags: &[(&'static str, OsString)],
    ) -> Result<(), InvalidSetting> {
        if flags.iter().any(|(name, _)| *name == "watch") {
            self.watch.clear();
        }
        if flags.iter().any(|(name, _)| *name == "ignore") {
            self.ignore.clear();
        }
        for (name, value) in flags {
            self.set(name, value, Place::Flag)
                .map_err(|reason| InvalidSetting { source_name: format!("--{name}"), reason })?;
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &OsStr, place: Place) -> Result<(), String> {
        match name {
            "watch" => self.watch.extend(list(value, place).into_iter().map(PathBuf::from)),
            "ignore" => {
                for glob in list(value, place) {
                    self.ignore.push(text(&glob)?.to_owned());
                }
            }
            "shell" => self.shell = parse_switch(text(value)?)?,
            "settle" => self.settle = Some(parse_duration(text(value)?)?),
            "settle-max" => self.settle_max = parse_duration(text(value)?)?,
            "stop-signal" => self.stop_signal = parse_signal(text(value)?)?,
            "stop-timeout" => self.stop_timeout = parse_duration(text(value)?)?,
            "shutdown-timeout" => self.shutdown_timeout = parse_duration(text(value)?)?,
            "on-exit" => {
                self.on_exit = choice(
                    text(value)?,
                    &[("auto", OnExit::Auto), ("hold", OnExit::Hold), ("exit", OnExit::Exit)],
                )?;
            }
            "restart-on" => {
                self.restart_on =
                    choice(text(value)?, &[("any", RestartOn::Any), ("used", RestartOn::Used)])?;
            }
            "poll" => self.poll = parse_poll(text(value)?)?,
            "log" => {
                self.log =
                    choice(text(value)?, &[("text", LogForm::Text), ("json", LogForm::Json)])?;
            }
            "state" => self.state = Some(PathBuf::from(value)),
            _ => return Err("there is no such setting".to_owned()),
        }
        Ok(())
    }
}

/// Where a value stood: a variable holds a colon-separated list, a flag one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Variable,
    Flag,
}

fn list(value: &OsStr, place: Place) -> Vec<OsString> {
    match place {
        Place::Flag => vec![value.to_owned()],
        Place::Variable => value
            .as_bytes()
            .split(|byte| *byte == b':')
            .filter(|item| !item.is_empty())
            .map(|item| OsStr::from_bytes(item).to_owned())
            .collect(),
    }
}

fn text(value: &OsStr) -> Result<&str, String> {
    value.to_str().ok_or_else(|| format!("{} is not UTF-8", value.display()))
}

fn choice<T: Copy>(value: &str, choices: &[(&str, T)]) -> Result<T, String> {
    choices.iter().find(|(name, _)| *name == value).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        format!("\"{value}\" is not one of {}", names.join(", "))
    })
}

/// A polling period, or a switch spelling: `true` polls at [`DEFAULT_POLL`].
fn parse_poll(value: &str) -> Result<Option<Duration>, String> {
    match parse_switch(value) {
        Ok(true) => Ok(Some(DEFAULT_POLL)),
        Ok(false) => Ok(None),
        Err(_) => match parse_duration(value)? {
            Duration::ZERO => Err("a polling period must be longer than zero".to_owned()),
            period => Ok(Some(period)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
    }

    #[test]
    fn every_setting_can_be_set_by_its_variable() {
        for setting in ALL {
            let value = match setting.value {
                "PATH" | "GLOB" => "x",
                "" => "true",
                "SIG" => "INT",
                choices if choices.contains('|') => choices.split('|').next().unwrap(),
                _ => "1s",
            };
            Settings::default().set(setting.name, value.as_ref(), Place::Variable).unwrap();
        }
    }

    #[test]
    fn variables_hold_lists_and_flags_replace_them() {
        let mut settings = Settings::from_variables(variables(&[
            ("RELAUNCH_WATCH", "a:/b"),
            ("RELAUNCH_IGNORE", "*.log"),
            ("RELAUNCH_SETTLE", ""),
        ]))
        .unwrap();
        settings.override_by_flags(&[("watch", "c:d".into())]).unwrap();
        let expected = Settings {
            watch: vec!["c:d".into()],
            ignore: vec!["*.log".to_owned()],
            ..Settings::default()
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn an_invalid_value_names_its_place_and_the_right_form() {
        let by_variable =
            Settings::from_variables(variables(&[("RELAUNCH_ON_EXIT", "die")])).unwrap_err();
        assert_eq!(
            by_variable.to_string(),
            "RELAUNCH_ON_EXIT: \"die\" is not one of auto, hold, exit"
        );
        let by_flag = Settings::default().override_by_flags(&[("poll", "0s".into())]).unwrap_err();
        assert_eq!(by_flag.to_string(), "--poll: a polling period must be longer than zero");
    }
}
