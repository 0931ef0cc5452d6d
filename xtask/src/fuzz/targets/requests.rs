//! The server's side of the control socket: one line of a client.

use relaunch_buildpack::control::Request;
use relaunch_buildpack::control::message::{LONGEST_REQUEST, refusal};

use super::super::target::Target;
use super::{holds, is_plain_line, same};

pub(crate) const TARGET: Target = Target {
    words: &[
        "{\"ask\":",
        "\"status\"",
        "\"events\"",
        "\"reload\"",
        "\"last\":",
        "\"follow\":",
        "true",
        "false",
        "\"form\":",
        "\"json\"",
        "\"text\"",
        "}",
        ",",
        "1e999",
        "18446744073709551616",
        "\\u0000",
        "[[[[[[[[",
    ],
    longest: LONGEST_REQUEST,
    short: 50_000,
    ..Target::new(
        "requests",
        "a request that is taken is written as one line that is read as the same request; what is not is refused in one line",
        check,
    )
};

fn check(input: &[u8]) -> Result<(), String> {
    match Request::parse(input) {
        Ok(request) => {
            let line = request.to_line();
            holds(line.len() <= LONGEST_REQUEST, "its own line is longer than a request may be")?;
            let text = line.strip_suffix('\n').ok_or("its line does not end")?;
            holds(is_plain_line(text), "its line is several")?;
            same(&Request::parse(text.as_bytes()), &Ok(request), "read again")
        }
        Err(why) => {
            let line = refusal(&why);
            holds(!line.contains(|c| c < ' '), "the refusal is several lines")?;
            holds(line.len() <= LONGEST_REFUSAL, format_args!("{} bytes of refusal", line.len()))?;
            let answer: serde_json::Value =
                serde_json::from_str(&line).map_err(|error| error.to_string())?;
            same(&answer["error"].as_str(), &Some(why.as_str()), "the refusal")
        }
    }
}

/// The reason may repeat a word of the request, each byte as `\u0000`.
const LONGEST_REFUSAL: usize = 6 * LONGEST_REQUEST + 1_024;
