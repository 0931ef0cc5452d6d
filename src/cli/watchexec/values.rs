//! Values of watchexec's options: time spans, patterns, and the command with its shell.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use crate::buildpack::command::Command as Line;

/// A time span of watchexec: a bare number in `unit`, or `humantime`'s sequence of numbers with
/// units (`5sec 20ms`, `1m30s`).
pub(super) fn span(value: &str, unit: Duration) -> Result<Duration, String> {
    let form = || format!("\"{value}\" is not a time span; write it as 50ms, 2s or \"1min 30s\"");
    if let Ok(number) = value.parse::<u32>() {
        return Ok(unit * number);
    }
    let mut rest = value.trim();
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(form)?;
        let number: u32 = rest[..digits].parse().map_err(|_| form())?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "nsec" | "ns" => Duration::from_nanos(1),
            "usec" | "us" => Duration::from_micros(1),
            "msec" | "ms" | "millis" => Duration::from_millis(1),
            "seconds" | "second" | "secs" | "sec" | "s" => Duration::from_secs(1),
            "minutes" | "minute" | "mins" | "min" | "m" => Duration::from_mins(1),
            "hours" | "hour" | "hrs" | "hr" | "h" => Duration::from_hours(1),
            _ => return Err(form()),
        };
        sum = unit.checked_mul(number).and_then(|it| sum.checked_add(it)).ok_or_else(form)?;
        rest = rest[letters..].trim_start();
    }
    if value.trim().is_empty() { Err(form()) } else { Ok(sum) }
}

/// A pattern of watchexec as one of ours: with a slash inside, it begins at the current folder,
/// whatever is watched.
pub(super) fn pattern(pattern: &str, current_dir: &Path) -> String {
    if pattern.starts_with('/') {
        return pattern.to_owned();
    }
    let bare = pattern.strip_prefix("./").unwrap_or(pattern);
    let end = bare.trim_end_matches('/');
    match end.strip_prefix("**/") {
        Some(below) if below.contains('/') => format!("/{bare}"),
        None if end.contains('/') => format!("{}{bare}", prefix(current_dir)),
        None | Some(_) => bare.to_owned(),
    }
}

/// The pattern of everything below the folders of a folder.
pub(super) fn below_folders_of(folder: &Path) -> String {
    format!("{}*/*", prefix(folder))
}

/// A folder as the beginning of a pattern: its own wildcards mean themselves.
fn prefix(folder: &Path) -> String {
    let mut text = String::new();
    for c in folder.to_string_lossy().trim_end_matches('/').chars() {
        if "*?[]{}\\!".contains(c) {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('/');
    text
}

/// The command as Relaunch runs it, and whether by a shell of the image.
pub(super) fn command(words: Vec<OsString>, shell: Option<&str>) -> (Vec<OsString>, bool) {
    if shell == Some("none") {
        return (words, false);
    }
    let line = words.join(OsStr::new(" "));
    if let Some(shell) = shell.filter(|shell| !matches!(*shell, "bash" | "sh")) {
        let shell = shell.split_ascii_whitespace().map(OsString::from);
        return (shell.chain(["-c".into(), line]).collect(), false);
    }
    match line.to_str().map(Line::from_line) {
        Some(Line::Words(words)) => (words.into_iter().map(OsString::from).collect(), false),
        Some(Line::Shell(_)) | None => (vec![line], true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_those_of_watchexec() {
        let milliseconds = |value| span(value, Duration::from_millis(1)).map(|it| it.as_millis());
        for (value, expected) in
            [("50", 50), ("0", 0), ("2s", 2_000), ("5sec 20ms", 5_020), ("1m30s", 90_000)]
        {
            assert_eq!(milliseconds(value), Ok(expected), "{value}");
        }
        assert_eq!(span("3", Duration::from_secs(1)), Ok(Duration::from_secs(3)));
        for value in ["", "x", "5 apples", "-1", "1.5s"] {
            let text = "is not a time span; write it as 50ms, 2s or \"1min 30s\"";
            assert_eq!(milliseconds(value), Err(format!("\"{value}\" {text}")));
        }
    }

    #[test]
    fn a_pattern_with_a_slash_inside_begins_at_the_current_folder() {
        let pairs = [
            ("*.log", "*.log"),
            ("tmp/", "tmp/"),
            ("tmp/**", "/w\\[1\\]/tmp/**"),
            ("**/x", "**/x"),
            ("**/a/b", "/**/a/b"),
            ("src/gen/**", "/w\\[1\\]/src/gen/**"),
            ("./a/b", "/w\\[1\\]/a/b"),
            ("/var/x", "/var/x"),
        ];
        for (from, to) in pairs {
            assert_eq!(pattern(from, Path::new("/w[1]")), to, "{from}");
        }
    }
}
