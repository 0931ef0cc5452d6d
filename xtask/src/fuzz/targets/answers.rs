//! The asking side: what a supervisor, or whoever has taken its name, sends back.

use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use relaunch_buildpack::control::client::{AskError, Conversation, LONGEST_LINE};
use relaunch_buildpack::control::screen::{printable, screen};

use super::super::target::Target;
use super::{holds, is_plain_line};

pub(crate) const TARGET: Target = Target {
    words: &[
        "{\"schema\":1,\"state\":\"running\"",
        "\"generation\":{\"number\":",
        "\"started\":",
        "\"reason\":{\"kind\":\"changed\",\"path\":",
        "\"executable\":{\"path\":",
        "\"sha256\":\"",
        "\"watch\":{\"roots\":[",
        "\"warnings\":[",
        "\"last_exit\":{",
        "\"after_ms\":",
        "\"signal\":",
        "{\"error\":\"",
        "\"event\":\"",
        "null",
        "\u{1b}[2J",
        "\\u001b",
        "\n",
        "1e308",
        "-1",
    ],
    longest: 4_096,
    short: 8_000,
    ..Target::new(
        "answers",
        "every line comes out as it was sent or is refused, nothing is made up, and what is shown cannot move the cursor",
        check,
    )
};

fn check(input: &[u8]) -> Result<(), String> {
    let (mut theirs, ours) = UnixStream::pair().map_err(|error| error.to_string())?;
    theirs.write_all(input).map_err(|error| error.to_string())?;
    theirs.shutdown(Shutdown::Write).map_err(|error| error.to_string())?;
    let mut conversation = Conversation::over(ours);
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut sent = input.split_inclusive(|byte| *byte == b'\n');
    loop {
        let line = match conversation.line(Some(deadline)) {
            Ok(Some(line)) => line,
            Ok(None) => return holds(sent.next().is_none(), "lines were swallowed"),
            Err(AskError::Refused(why)) => {
                let line = String::from_utf8_lossy(sent.next().unwrap_or_default()).into_owned();
                let value: Option<serde_json::Value> = serde_json::from_str(&line).ok();
                let told = value.as_ref().and_then(|value| value["error"].as_str());
                return holds(told == Some(&why), format_args!("{line:?} refuses nothing"));
            }
            Err(AskError::Broken(why)) => {
                let line = sent.next().unwrap_or_default();
                let half = !line.ends_with(b"\n") || line.len() > LONGEST_LINE;
                return holds(half, format_args!("a whole line broke it: {why}"));
            }
            Err(error) => return Err(error.to_string()),
        };
        let expected = sent.next().ok_or("a line that nobody sent")?;
        let expected = String::from_utf8_lossy(expected).trim_end().to_owned();
        holds(line == expected, format_args!("{line:?} instead of {expected:?}"))?;
        holds(is_plain_line(&printable(&line)), "a line moves the cursor")?;
        if let Ok(manifest) = serde_json::from_str::<serde_json::Value>(&line) {
            let screen = screen(&manifest, 1 << 41);
            holds(screen.lines().all(is_plain_line), "the screen moves the cursor")?;
            holds(screen.starts_with("state     "), format_args!("an odd screen: {screen:?}"))?;
        }
    }
}
