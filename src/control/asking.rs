//! What a person or a script asks: `status`, `events`, `reload`, `wait`. Prints answers on stdout,
//! reasons on stderr, and ends with an exit code that means something.

use std::io::{self, Write};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::client::{AskError, Conversation, find};
use super::message::{Form, Request};
use super::screen::{printable, screen};
use crate::log::since_1970;

/// A question, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The supervisor's process id; `None` = the only one.
    pub pid: Option<u32>,
    /// What is asked.
    pub what: What,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// What runs?
    Status {
        /// The manifest as it is.
        json: bool,
    },
    /// What happened?
    Events {
        /// So many of the last lines.
        last: usize,
        /// Go on with every new line.
        follow: bool,
        /// As JSON.
        json: bool,
    },
    /// Restart now.
    Reload {
        /// The longest wait for what comes of it.
        timeout: Duration,
    },
    /// Wait for this to be so.
    Wait {
        /// For what.
        until: Until,
        /// The longest wait.
        timeout: Duration,
    },
}

/// What is waited for; the app is up as well then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// This generation or a later one runs.
    Generation(u64),
    /// The executable that runs has a SHA-256 that begins so.
    Digest(String),
    /// A generation later than that of this moment runs.
    Change,
}

/// Exit codes of `status`, and of the others where they cannot do what was asked.
pub mod exit {
    /// The app is up; what was asked has happened.
    pub const UP: u8 = 0;
    /// The app is held or was refused; it is not what was asked for.
    pub const DOWN: u8 = 1;
    /// No supervisor runs here, or the named one does not.
    pub const NONE: u8 = 3;
    /// The app is being started, restarted or ended.
    pub const BETWEEN: u8 = 4;
    /// Several supervisors run here and none was named.
    pub const SEVERAL: u8 = 5;
    /// It is another user's.
    pub const REFUSED: u8 = 6;
    /// What was waited for did not happen in time; as timeout(1).
    pub const TIMED_OUT: u8 = 124;
}

/// Asks, prints, and says how it went.
#[must_use]
pub fn run(ask: &Ask) -> u8 {
    let answered = find(ask.pid).and_then(|pid| match &ask.what {
        What::Status { json } => status(pid, *json),
        What::Events { last, follow, json } => events(pid, *last, *follow, *json),
        What::Reload { timeout } => reload(pid, *timeout),
        What::Wait { until, timeout } => wait(pid, until, *timeout),
    });
    answered.unwrap_or_else(|error| {
        complain(&error.to_string());
        match error {
            AskError::None | AskError::NotThis(_) | AskError::Hidden(_) => exit::NONE,
            AskError::Several(_) => exit::SEVERAL,
            AskError::Refused(_) => exit::REFUSED,
            AskError::TimedOut(_) => exit::TIMED_OUT,
            AskError::Broken(_) => exit::DOWN,
        }
    })
}

fn status(pid: u32, json: bool) -> Result<u8, AskError> {
    let manifest = manifest(pid, PROMPT)?;
    let text =
        if json { manifest.to_string() } else { screen(&manifest, since_1970(SystemTime::now())) };
    say(&text);
    Ok(match manifest["state"].as_str() {
        Some("running") => exit::UP,
        Some("held") => exit::DOWN,
        _ => exit::BETWEEN,
    })
}

fn events(pid: u32, last: usize, follow: bool, json: bool) -> Result<u8, AskError> {
    let form = if json { Form::Json } else { Form::Text };
    let mut answer = Conversation::begin(pid, Request::Events { last, follow, form })?;
    while let Some(line) = answer.line(None)? {
        if !say(&line) {
            break;
        }
    }
    Ok(exit::UP)
}

/// Follows what comes of the wish: a start that stays up, or the reason why there is none.
fn reload(pid: u32, timeout: Duration) -> Result<u8, AskError> {
    let until = Instant::now() + timeout;
    let mut answer = Conversation::begin(pid, Request::Reload {})?;
    let mut fell_back = false;
    while let Some(event) = answer.value(until)? {
        match event["event"].as_str().unwrap_or_default() {
            "started" => {
                let (generation, pid) = (&event["generation"], &event["pid"]);
                if let Some(end) = early_end(&mut answer, generation)? {
                    complain(&format!("generation {generation} started and ended at once: {end}"));
                    return Ok(exit::DOWN);
                }
                say(&format!("generation {generation} is up (pid {pid})"));
                return Ok(if fell_back { exit::DOWN } else { exit::UP });
            }
            "refused" | "start_failed" => {
                complain(event["why"].as_str().unwrap_or("refused"));
                return Ok(exit::DOWN);
            }
            "fell_back" => {
                complain(event["why"].as_str().unwrap_or("the last good executable runs again"));
                fell_back = true;
            }
            "shutting_down" => {
                complain("the supervisor is asked to end");
                return Ok(exit::DOWN);
            }
            _ => {}
        }
    }
    Err(AskError::TimedOut(timeout))
}

/// How the generation ended, if it did so within the first moment.
fn early_end(answer: &mut Conversation, generation: &Value) -> Result<Option<String>, AskError> {
    let until = Instant::now() + FIRST_MOMENT;
    while let Some(event) = answer.value(until)? {
        if event["event"] == "exited" && event["generation"] == *generation {
            return Ok(Some(match event["code"].as_u64() {
                Some(code) => format!("code {code}"),
                None => format!("signal {}", event["signal"]),
            }));
        }
    }
    Ok(None)
}

fn wait(pid: u32, wanted: &Until, timeout: Duration) -> Result<u8, AskError> {
    let until = Instant::now() + timeout;
    // Before the first look, so that nothing happens between a look and the next line.
    let follow = Request::Events { last: 0, follow: true, form: Form::Json };
    let mut news = Conversation::begin(pid, follow)?;
    let mut base = None;
    loop {
        let manifest = manifest(pid, until.saturating_duration_since(Instant::now()))?;
        let number = manifest["generation"]["number"].as_u64().unwrap_or(0);
        let base = *base.get_or_insert(number);
        let holds = match wanted {
            Until::Generation(wanted) => number >= *wanted,
            Until::Change => number > base,
            Until::Digest(digest) => {
                manifest["executable"]["sha256"].as_str().is_some_and(|it| it.starts_with(digest))
            }
        };
        if holds && manifest["state"] == "running" {
            say(&format!("generation {number} is up (pid {})", manifest["generation"]["pid"]));
            return Ok(exit::UP);
        }
        // A digest is made aside and raises no line.
        let again = match wanted {
            Until::Digest(_) => until.min(Instant::now() + LOOK_AGAIN),
            Until::Generation(_) | Until::Change => until,
        };
        match news.value(again)? {
            // A later change may still be what is waited for; the person sees why it takes so long.
            Some(event) => event["why"].as_str().into_iter().for_each(complain),
            None if Instant::now() >= until => return Err(AskError::TimedOut(timeout)),
            None => {}
        }
    }
}

fn manifest(pid: u32, timeout: Duration) -> Result<Value, AskError> {
    let until = Instant::now() + timeout;
    let answer = Conversation::begin(pid, Request::Status {})?.value(until)?;
    answer.ok_or(AskError::TimedOut(timeout))
}

/// Prints lines; false = nobody reads any more. Whoever answers runs as the app does and may not be
/// a supervisor at all: nothing it says moves the cursor of root's terminal.
fn say(text: &str) -> bool {
    text.lines().all(|line| writeln!(io::stdout(), "{}", printable(line)).is_ok())
}

fn complain(text: &str) {
    let lines: Vec<_> = text.lines().map(printable).collect();
    let _ = writeln!(io::stderr(), "relaunch: {}", lines.join("\n"));
}

/// A supervisor answers within a millisecond; one that does not in this time is stopped or starved.
const PROMPT: Duration = Duration::from_secs(5);
/// An app whose configuration is wrong ends within its first tenths of a second.
const FIRST_MOMENT: Duration = Duration::from_millis(300);
/// Between two looks for a digest.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
