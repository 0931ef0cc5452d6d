//! The command lines of `status`, `events`, `reload` and `wait`.

use std::ffi::OsString;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use super::help::ASK_HELP;
use super::{Command, UsageError};
use crate::control::asking::{Ask, Until, What};
use crate::settings::parse_duration;

/// Which of the four commands it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Status,
    Events,
    Reload,
    Wait,
}

/// What the flags of all four say; each command takes its own.
#[derive(Debug, Default)]
struct Flags {
    pid: Option<u32>,
    json: bool,
    follow: bool,
    last: Option<usize>,
    until: Option<Until>,
    timeout: Option<Duration>,
}

pub(super) fn parse(question: Question, parser: &mut Parser) -> Result<Command, UsageError> {
    let mut flags = Flags::default();
    while let Some(arg) = parser.next()? {
        match (arg, question) {
            (Arg::Short('h') | Arg::Long("help"), _) => {
                return Ok(Command::Print(ASK_HELP.to_owned()));
            }
            (Arg::Long("pid"), _) => flags.pid = Some(parser.value()?.parse()?),
            (Arg::Long("json"), Question::Status | Question::Events) => flags.json = true,
            (Arg::Short('f') | Arg::Long("follow"), Question::Events) => flags.follow = true,
            (Arg::Short('n') | Arg::Long("last"), Question::Events) => {
                flags.last = Some(parser.value()?.parse()?);
            }
            (Arg::Long("timeout"), Question::Reload | Question::Wait) => {
                flags.timeout = Some(duration(&parser.value()?)?);
            }
            (Arg::Long("generation"), Question::Wait) => {
                flags.until = Some(Until::Generation(parser.value()?.parse()?));
            }
            (Arg::Long("digest"), Question::Wait) => {
                flags.until = Some(Until::Digest(digest(&parser.value()?)?));
            }
            (Arg::Long("change"), Question::Wait) => flags.until = Some(Until::Change),
            (arg, _) => return Err(arg.unexpected().into()),
        }
    }
    let timeout = flags.timeout.unwrap_or(PATIENCE);
    let what = match question {
        Question::Status => What::Status { json: flags.json },
        Question::Events => {
            let last = flags.last.unwrap_or(EVENTS);
            What::Events { last, follow: flags.follow, json: flags.json }
        }
        Question::Reload => What::Reload { timeout },
        Question::Wait => {
            let Some(until) = flags.until else {
                let text = "wait for what? write --change, --generation N or --digest SHA256";
                return Err(UsageError::Form(text.to_owned()));
            };
            What::Wait { until, timeout }
        }
    };
    Ok(Command::Ask(Ask { pid: flags.pid, what }))
}

fn duration(value: &OsString) -> Result<Duration, UsageError> {
    parse_duration(&value.to_string_lossy()).map_err(UsageError::Form)
}

/// The beginning of a SHA-256, `sha256:` before it or not.
fn digest(value: &OsString) -> Result<String, UsageError> {
    let text = value.to_string_lossy().to_lowercase();
    let digits = text.strip_prefix("sha256:").unwrap_or(&text);
    let right = (8..=64).contains(&digits.len()) && digits.chars().all(|it| it.is_ascii_hexdigit());
    right.then(|| digits.to_owned()).ok_or_else(|| {
        UsageError::Form(format!("\"{text}\" is no SHA-256; write at least 8 of its digits"))
    })
}

/// Lines that `events` shows unless told.
const EVENTS: usize = 20;
/// The longest wait unless told: an app has 10 s to stop.
const PATIENCE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Ask, String> {
        let words = line.split(' ').map(OsString::from);
        match crate::cli::parse(words, |_| None) {
            Ok(Command::Ask(ask)) => Ok(ask),
            Ok(other) => Err(format!("{other:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn each_command_takes_its_own_flags() {
        let ask = |pid, what| Ok(Ask { pid, what });
        let seconds = Duration::from_secs;
        assert_eq!(parsed("status"), ask(None, What::Status { json: false }));
        assert_eq!(parsed("status --json --pid 7"), ask(Some(7), What::Status { json: true }));
        let events = What::Events { last: 3, follow: true, json: true };
        assert_eq!(parsed("events -n 3 --follow --json"), ask(None, events));
        let reload = What::Reload { timeout: seconds(2) };
        assert_eq!(parsed("reload --timeout 2s"), ask(None, reload));
        for (line, until) in [
            ("wait --change", Until::Change),
            ("wait --generation 4", Until::Generation(4)),
            ("wait --digest sha256:0123456789AB", Until::Digest("0123456789ab".to_owned())),
        ] {
            let what = What::Wait { until, timeout: PATIENCE };
            assert_eq!(parsed(line), ask(None, what), "{line}");
        }
    }

    #[test]
    fn what_cannot_be_taken_is_named_with_what_would_be_right() {
        for (line, error) in [
            ("wait", "wait for what? write --change, --generation N or --digest SHA256"),
            ("wait --digest 12", "\"12\" is no SHA-256; write at least 8 of its digits"),
            ("reload --timeout 5", "\"5\" is not a duration; write it as 20ms, 2s or 1m"),
            ("status --follow", "invalid option '--follow'"),
        ] {
            assert_eq!(parsed(line), Err(format!("{error}; see `relaunch --help`")), "{line}");
        }
    }
}
