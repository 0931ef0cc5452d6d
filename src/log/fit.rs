//! A line in one write that cannot block: at most `PIPE_BUF` bytes, its newline included. What is
//! longer (a path may have 4,096 bytes alone) is cut, and remains a line, or an object. Values only.

use serde_json::{Value, json};

use crate::settings::LogForm;

/// `PIPE_BUF` of Linux: a pipe is ready when so many bytes fit, see pipe(7).
pub const LONGEST: usize = 4_096;

/// The line with its newline; what had to be cut ends with `…`, and an object that was cut has the
/// field `cut`.
#[must_use]
pub fn fit(mut line: String, form: LogForm) -> String {
    if line.len() >= LONGEST {
        line = match form {
            LogForm::Text => cut(&line, LONGEST - 1),
            LogForm::Json => cut_object(&line),
        };
    }
    line.push('\n');
    line
}

/// At most so many bytes of it.
fn cut(text: &str, most: usize) -> String {
    let end = text.floor_char_boundary(most - MARK.len_utf8());
    format!("{}{MARK}", &text[..end])
}

fn cut_object(line: &str) -> String {
    let mut object: Value = serde_json::from_str(line).unwrap_or_else(|_| json!({}));
    object["cut"] = json!(true);
    loop {
        let line = object.to_string();
        if line.len() < LONGEST || !shrink(&mut object) {
            return line;
        }
    }
}

/// Halves the longest string, or the longest list where the strings are short; false = nothing is
/// left to halve.
fn shrink(object: &mut Value) -> bool {
    let mut parts = Vec::new();
    collect(object, &mut parts);
    let length = |part: &Part<'_>| match part {
        Part::Text(text) => text.len(),
        // Each item costs some bytes of its own.
        Part::List(items) => items.len() * 4,
    };
    match parts.into_iter().max_by_key(length) {
        Some(Part::Text(text)) if text.len() > SHORT => {
            *text = cut(text, text.len() / 2);
            true
        }
        Some(Part::List(items)) if items.len() > 1 => {
            items.truncate(items.len() / 2);
            true
        }
        _ => false,
    }
}

enum Part<'a> {
    Text(&'a mut String),
    List(&'a mut Vec<Value>),
}

/// Strings, and lists as a whole when no string in them is long.
fn collect<'a>(value: &'a mut Value, parts: &mut Vec<Part<'a>>) {
    match value {
        Value::String(text) => parts.push(Part::Text(text)),
        Value::Array(items) => {
            let long = |item: &Value| item.as_str().is_some_and(|text| text.len() > SHORT);
            if items.iter().any(long) {
                for item in items {
                    collect(item, parts);
                }
            } else {
                parts.push(Part::List(items));
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(|field| collect(field, parts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

const MARK: char = '…';
/// Names of events and the like are shorter, so they are never cut.
const SHORT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_fits_is_not_touched() {
        let line = "x".repeat(LONGEST - 1);
        assert_eq!(fit(line.clone(), LogForm::Text), format!("{line}\n"));
    }

    #[test]
    fn a_long_line_of_text_still_ends() {
        // It lost its newline once, and the next line began in its middle.
        let line = fit("ü".repeat(LONGEST), LogForm::Text);
        assert!(line.len() <= LONGEST && line.ends_with("ü…\n"), "{line}");
    }

    #[test]
    fn a_long_object_is_still_one_with_its_event() {
        let path = "\u{1}".repeat(3_000);
        let roots = vec!["/short"; 3_000];
        for fields in
            [json!({ "path": path }), json!({ "roots": roots }), json!({ "roots": [path] })]
        {
            let mut object = json!({ "schema": 1, "event": "unchanged" });
            object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            let line = fit(object.to_string(), LogForm::Json);
            let told: Value = serde_json::from_str(&line).unwrap();
            assert!(line.len() <= LONGEST && line.ends_with("}\n"), "{line}");
            assert_eq!((&told["event"], &told["cut"]), (&json!("unchanged"), &json!(true)));
        }
    }
}
