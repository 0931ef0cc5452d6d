//! What the app is told. Every option is a variable `TEST_APP_NAME` and a flag `--name=VALUE`;
//! the flag counts more. Unknown flags are kept: tests read them on the page.

use std::path::PathBuf;
use std::time::Duration;

/// A child that is hard to get rid of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Helper {
    /// In a session of its own.
    Session,
    /// A double-forked daemon, in a session of its own.
    DoubleFork,
}

/// The app's habits.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `port`, then `PORT`, then 8080; 0 lets the kernel choose; `none` serves nothing.
    pub port: Option<u16>,
    /// `ignore-term=1`: TERM is ignored.
    pub ignore_term: bool,
    /// `helper=session` or `helper=double`: a child that outlives its parent.
    pub helper: Option<Helper>,
    /// `helper-ignore-term=1`: helpers ignore TERM as well.
    pub helper_ignores_term: bool,
    /// `exit=CODE@MILLISECONDS`: ends by itself.
    pub exit: Option<(i32, Duration)>,
    /// `signal=NUMBER@MILLISECONDS`: kills itself.
    pub signal: Option<(i32, Duration)>,
    /// `log=PATH`: keeps a file open and appends a line every 10 ms.
    pub log: Option<PathBuf>,
    /// `database=PATH`: keeps a file open and rewrites its first block every 10 ms.
    pub database: Option<PathBuf>,
    /// `open=PATH`: opens and reads that file up to 10,000 times a second.
    pub open: Option<PathBuf>,
    /// `read=PATH:PATH`: reads these files, or lists these folders, once, before its first line.
    pub read: Vec<PathBuf>,
    /// Arguments that are no option, in their order.
    pub rest: Vec<String>,
}

impl Options {
    /// Reads variables first, then arguments.
    ///
    /// # Errors
    /// A text that names the option whose value makes no sense.
    pub fn read(
        variable: impl Fn(&str) -> Option<String>,
        arguments: impl IntoIterator<Item = String>,
    ) -> Result<Self, String> {
        let mut options = Self { port: Some(8080), ..Self::default() };
        if let Some(port) = variable("PORT") {
            options.set("port", &port)?;
        }
        for name in NAMES {
            let key = format!("TEST_APP_{}", name.to_uppercase().replace('-', "_"));
            if let Some(value) = variable(&key) {
                options.set(name, &value)?;
            }
        }
        for argument in arguments {
            let option = argument
                .strip_prefix("--")
                .and_then(|flag| flag.split_once('='))
                .filter(|(name, _)| NAMES.contains(name));
            match option {
                Some((name, value)) => options.set(name, value)?,
                None => options.rest.push(argument),
            }
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong = || format!("option {name}: {value:?} makes no sense");
        match name {
            "port" if value == "none" => self.port = None,
            "port" => self.port = Some(value.parse().map_err(|_| wrong())?),
            "ignore-term" => self.ignore_term = value == "1",
            "helper-ignore-term" => self.helper_ignores_term = value == "1",
            "helper" if value == "session" => self.helper = Some(Helper::Session),
            "helper" if value == "double" => self.helper = Some(Helper::DoubleFork),
            "exit" => self.exit = Some(number_at_time(value).ok_or_else(wrong)?),
            "signal" => self.signal = Some(number_at_time(value).ok_or_else(wrong)?),
            "log" => self.log = Some(value.into()),
            "database" => self.database = Some(value.into()),
            "open" => self.open = Some(value.into()),
            "read" => self.read = value.split(':').map(PathBuf::from).collect(),
            _ => return Err(wrong()),
        }
        Ok(())
    }
}

/// Every option by name.
const NAMES: [&str; 10] = [
    "port",
    "ignore-term",
    "helper-ignore-term",
    "helper",
    "exit",
    "signal",
    "log",
    "database",
    "open",
    "read",
];

/// `3@500` is the number 3 after 500 ms.
fn number_at_time(value: &str) -> Option<(i32, Duration)> {
    let (number, time) = value.split_once('@')?;
    let time = time.parse().ok()?;
    Some((number.parse().ok()?, Duration::from_millis(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)], arguments: &[&str]) -> Result<Options, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Options::read(variable, arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn a_flag_counts_more_than_a_variable() {
        let options =
            read(&[("PORT", "1"), ("TEST_APP_EXIT", "3@500")], &["--port=9", "serve", "--loud"]);
        let expected = Options {
            port: Some(9),
            exit: Some((3, Duration::from_millis(500))),
            rest: vec!["serve".into(), "--loud".into()],
            ..Options::default()
        };
        assert_eq!(options, Ok(expected));
    }

    #[test]
    fn a_value_that_makes_no_sense_is_named() {
        assert_eq!(
            read(&[], &["--exit=soon"]),
            Err("option exit: \"soon\" makes no sense".to_owned())
        );
    }
}
