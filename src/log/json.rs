//! A line as one JSON object, for tools. Values in, a string out.
//!
//! Schema 1: every object has `schema` (1), `time` (milliseconds since 1970, whole), `level`
//! (`info`, `warning`, `error`), `event` and that event's fields; durations end in `_ms` and are
//! fractional, paths are absolute. A field is only added within a schema, never changed; an event
//! may be added. docs/log.md lists them.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::{Level, Line};
use crate::core::{Ending, Note, Reason, RestartTimes};

/// The version of the schema.
pub const SCHEMA: u32 = 1;

/// The line as JSON, without a newline.
#[must_use]
pub fn to_json(line: &Line, time: SystemTime) -> String {
    let (event, fields) = fields(line);
    let mut object = Map::new();
    object.insert("schema".to_owned(), json!(SCHEMA));
    object.insert("time".to_owned(), json!(since_1970(time)));
    let level = match line.level() {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    object.insert("level".to_owned(), json!(level));
    object.insert("event".to_owned(), json!(event));
    if let Value::Object(fields) = fields {
        object.extend(fields);
    }
    Value::Object(object).to_string()
}

fn fields(line: &Line) -> (&'static str, Value) {
    match line {
        Line::Core(note) => note_fields(note),
        Line::Watching { roots } => {
            let roots: Vec<_> = roots.iter().map(|root| path_text(root)).collect();
            ("watching", json!({ "roots": roots }))
        }
        Line::StandIn { path, instead_of } => {
            ("stand_in", json!({ "path": path_text(path), "instead_of": instead_of }))
        }
        Line::StandInGone { back_to } => ("stand_in_gone", json!({ "back_to": back_to })),
        Line::Warning { text } => ("warning", json!({ "text": text })),
        Line::LinesLost { count } => ("lines_lost", json!({ "count": count })),
    }
}

fn note_fields(note: &Note) -> (&'static str, Value) {
    match note {
        Note::Started { generation, pid, reason, times } => {
            let RestartTimes { settle, stop, start } = times;
            let fields = json!({
                "generation": generation.0,
                "pid": pid,
                "reason": reason_fields(reason),
                "settle_ms": milliseconds(*settle),
                "stop_ms": milliseconds(*stop),
                "start_ms": milliseconds(*start),
            });
            ("started", fields)
        }
        Note::StartFailed { generation, why, held } => {
            ("start_failed", json!({ "generation": generation.0, "why": why, "held": held }))
        }
        Note::StartDelayed { generation, why, pause, at_most } => {
            let fields = json!({
                "generation": generation.0,
                "why": why,
                "pause_ms": milliseconds(*pause),
                "at_most_ms": milliseconds(*at_most),
            });
            ("start_delayed", fields)
        }
        Note::StartRecovered { generation, after, tries } => {
            let fields = json!({
                "generation": generation.0,
                "after_ms": milliseconds(*after),
                "tries": tries,
            });
            ("start_recovered", fields)
        }
        Note::Unchanged { path, files } => {
            ("unchanged", json!({ "path": path_text(path), "files": files }))
        }
        Note::NotUsed { path, files } => {
            ("not_used", json!({ "path": path_text(path), "files": files }))
        }
        Note::Refused { why, running } => {
            ("refused", json!({ "why": why, "running": running.map(|it| it.0) }))
        }
        Note::FellBack { why } => ("fell_back", json!({ "why": why })),
        Note::Exited { generation, ending, after, held } => {
            let mut fields = ending_fields(*ending);
            fields["generation"] = json!(generation.0);
            fields["after_ms"] = json!(milliseconds(*after));
            fields["held"] = json!(held);
            ("exited", fields)
        }
        Note::Stopping { generation, reason } => {
            let fields = json!({ "generation": generation.0, "reason": reason_fields(reason) });
            ("stopping", fields)
        }
        Note::Killing { generation, after } => {
            ("killing", json!({ "generation": generation.0, "after_ms": milliseconds(*after) }))
        }
        Note::Unkillable { generation } => ("unkillable", json!({ "generation": generation.0 })),
        Note::WaitingForWriter { path } => {
            ("waiting_for_writer", json!({ "path": path_text(path) }))
        }
        Note::OwnWrites { path } => ("own_writes", json!({ "path": path_text(path) })),
        Note::SignalDropped { generation, signal } => {
            ("signal_dropped", json!({ "generation": generation.0, "signal": signal }))
        }
        Note::ShuttingDown { signal } => ("shutting_down", json!({ "signal": signal })),
    }
}

/// `code` and `signal`, one of them null.
pub(crate) fn ending_fields(ending: Ending) -> Value {
    let (code, signal) = match ending {
        Ending::Code(code) => (Some(code), None),
        Ending::Signal(signal) => (None, Some(signal)),
        Ending::Unknown => (None, None),
    };
    json!({ "code": code, "signal": signal })
}

/// Why a generation was started.
pub(crate) fn reason_fields(reason: &Reason) -> Value {
    match reason {
        Reason::First => json!({ "kind": "first" }),
        Reason::Changed { path, files, bytes } => {
            let path = path_text(path);
            json!({ "kind": "changed", "path": path, "files": files, "bytes": bytes })
        }
        Reason::Requested => json!({ "kind": "requested" }),
    }
}

/// Fractional milliseconds, to the microsecond.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Whole milliseconds since 1970.
pub(crate) fn since_1970(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(0)
}

/// A path as JSON has it: bytes that are no UTF-8 are replaced.
pub(crate) fn path_text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::core::Generation;

    #[test]
    fn a_line_is_one_object_with_schema_time_level_and_event() {
        let path = Path::new("/workspace/build/app").into();
        let note = Note::Stopping {
            generation: Generation(3),
            reason: Reason::Changed { path, files: 1, bytes: 42 },
        };
        let json = to_json(&Line::Core(note), UNIX_EPOCH + Duration::from_millis(1_234));
        let expected = json!({
            "schema": 1,
            "time": 1_234,
            "level": "info",
            "event": "stopping",
            "generation": 3,
            "reason": { "kind": "changed", "path": "/workspace/build/app", "files": 1, "bytes": 42 },
        });
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), expected);
    }

    #[test]
    fn durations_are_fractional_milliseconds() {
        assert_eq!(json!(milliseconds(Duration::from_nanos(1_234_567))).to_string(), "1.235");
    }
}
