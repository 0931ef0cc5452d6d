//! The messages: one line of JSON each way. Bytes in, values out; no I/O.
//!
//! | request | answer |
//! | --- | --- |
//! | `{"ask":"status"}` | the manifest, one object |
//! | `{"ask":"events","last":N,"follow":false,"form":"json"}` | the last N lines of the log |
//! | `{"ask":"reload"}` | `{"accepted":true}`, then every line of the log as it happens |
//!
//! A request that cannot be taken is answered by `{"error":TEXT}`.

use serde::{Deserialize, Serialize};
use serde_json::json;

/// A request has at most so many bytes, newline included.
pub const LONGEST_REQUEST: usize = 1_024;

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What runs?
    Status {},
    /// What happened?
    Events {
        /// So many of the last lines.
        last: usize,
        /// And every line from now on.
        follow: bool,
        /// As which the lines are wanted.
        form: Form,
    },
    /// Restart now, and say what comes of it.
    Reload {},
}

/// The forms of a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As `--log json` writes it.
    Json,
    /// As `--log text` writes it, with the time of day (UTC) before it.
    Text,
}

impl Request {
    /// Reads one line, without its newline.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with it.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(line).map_err(|error| format!("not a request: {error}"))
    }

    /// The line, newline included.
    #[must_use]
    pub fn to_line(&self) -> String {
        // A value without maps and floats always has a JSON form.
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

/// The answer to what cannot be answered.
#[must_use]
pub fn refusal(why: &str) -> String {
    json!({ "error": why }).to_string()
}

/// The first answer to [`Request::Reload`].
pub const ACCEPTED: &str = r#"{"accepted":true}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_read_as_it_was_written() {
        let events = Request::Events { last: 20, follow: true, form: Form::Text };
        let requests = [Request::Status {}, events, Request::Reload {}];
        let lines = requests.map(|request| request.to_line());
        let expected = [
            "{\"ask\":\"status\"}\n",
            "{\"ask\":\"events\",\"last\":20,\"follow\":true,\"form\":\"text\"}\n",
            "{\"ask\":\"reload\"}\n",
        ];
        assert_eq!(lines, expected);
        let read = lines.map(|line| Request::parse(line.trim_end().as_bytes()));
        assert_eq!(read, requests.map(Ok));
    }

    #[test]
    fn what_is_no_request_is_refused_with_the_reason() {
        for line in
            ["", "{", "[]", "{\"ask\":\"stop\"}", "{\"ask\":\"status\",\"x\":1}", "\u{fffd}"]
        {
            let error = Request::parse(line.as_bytes()).unwrap_err();
            assert!(error.starts_with("not a request: "), "{error}");
        }
    }
}
