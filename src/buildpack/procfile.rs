//! The Procfile: its grammar, and where its text comes from. Text in, types and warnings out; only
//! [`read`] looks at the disk.
//!
//! The grammar is Heroku's classic one, strict where a typing error would be lost in silence: types
//! `[A-Za-z0-9_-]+` as written, comments and blank lines, CRLF and a byte order mark are fine.

use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Name of the file in the app folder.
pub const FILE_NAME: &str = "Procfile";

/// What a Procfile says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Procfile {
    /// Process types and their lines, in order of their first mention; no type occurs twice.
    pub processes: Vec<(String, String)>,
    /// What was taken though it is probably not what its author meant.
    pub warnings: Vec<ProcfileWarning>,
}

/// An oddity of a Procfile that does not stop the build. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcfileWarning {
    /// Blanks in front of a type; they are dropped.
    LeadingBlanks {
        /// Line of the type.
        line: usize,
        /// The type without them.
        process_type: String,
    },
    /// A type declared before; the later line wins.
    Duplicate {
        /// The later line.
        line: usize,
        /// The type.
        process_type: String,
    },
    /// No process type at all.
    Empty,
}

/// Why a Procfile cannot be taken. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcfileError {
    /// The file is there but was not readable at detect or build.
    Unreadable {
        /// The system's words.
        cause: String,
    },
    /// Bytes that are not UTF-8.
    NotUtf8 {
        /// Line of the first such byte.
        line: usize,
    },
    /// A type with other characters than letters, digits, `-` and `_`.
    InvalidType {
        /// Its line.
        line: usize,
        /// What stands before the colon.
        process_type: String,
    },
    /// A type without a command.
    NoCommand {
        /// Its line.
        line: usize,
        /// The type.
        process_type: String,
    },
    /// A line that is neither comment, blank nor `TYPE: COMMAND`.
    NoType {
        /// Its number.
        line: usize,
        /// Its text.
        text: String,
    },
}

/// A Procfile's text as detect found it, in the form in which the build plan carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// Its whole text.
    Text(String),
    /// Not UTF-8 from this line on.
    NotUtf8Line(usize),
    /// Not readable, in the system's words.
    Unreadable(String),
}

/// The Procfile of an app folder; `None` when there is none. Every failure is data: detect must
/// pass, and build is the one to raise it.
#[must_use]
pub fn read(app_dir: &Path) -> Option<Found> {
    let path = app_dir.join(FILE_NAME);
    match fs::read(&path) {
        Ok(bytes) => Some(match String::from_utf8(bytes) {
            Ok(text) => Found::Text(text),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let newlines = error.as_bytes().iter().take(valid);
                Found::NotUtf8Line(1 + newlines.filter(|byte| **byte == b'\n').count())
            }
        }),
        // A dangling symbolic link is a mistake, not the absence of a Procfile.
        Err(error) if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() => {
            None
        }
        Err(error) => Some(Found::Unreadable(error.to_string())),
    }
}

/// The processes of what was found.
///
/// # Errors
///
/// What was found unfit already, and the first line that is out of the grammar.
pub fn parse(found: &Found) -> Result<Procfile, ProcfileError> {
    match found {
        Found::Text(text) => parse_text(text),
        Found::NotUtf8Line(line) => Err(ProcfileError::NotUtf8 { line: *line }),
        Found::Unreadable(cause) => Err(ProcfileError::Unreadable { cause: cause.clone() }),
    }
}

fn parse_text(text: &str) -> Result<Procfile, ProcfileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut procfile = Procfile::default();
    for (number, text) in (1..).zip(text.lines()) {
        let Some(entry) = parse_line(number, text)? else {
            continue;
        };
        let process_type = entry.process_type.to_owned();
        if entry.leading_blanks {
            procfile.warnings.push(ProcfileWarning::LeadingBlanks {
                line: number,
                process_type: process_type.clone(),
            });
        }
        let command = entry.command.to_owned();
        match procfile.processes.iter_mut().find(|(known, _)| *known == process_type) {
            Some((_, earlier)) => {
                *earlier = command;
                procfile.warnings.push(ProcfileWarning::Duplicate { line: number, process_type });
            }
            None => procfile.processes.push((process_type, command)),
        }
    }
    if procfile.processes.is_empty() {
        procfile.warnings.push(ProcfileWarning::Empty);
    }
    Ok(procfile)
}

struct Entry<'a> {
    leading_blanks: bool,
    process_type: &'a str,
    command: &'a str,
}

fn parse_line(line: usize, text: &str) -> Result<Option<Entry<'_>>, ProcfileError> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.starts_with('#') {
        return Ok(None);
    }
    let Some((process_type, command)) = trimmed.split_once(':') else {
        return Err(ProcfileError::NoType { line, text: trimmed.to_owned() });
    };
    if process_type.is_empty() || !process_type.chars().all(is_type_character) {
        return Err(ProcfileError::InvalidType { line, process_type: process_type.to_owned() });
    }
    if command.trim().is_empty() {
        return Err(ProcfileError::NoCommand { line, process_type: process_type.to_owned() });
    }
    Ok(Some(Entry {
        leading_blanks: text.starts_with(char::is_whitespace),
        process_type,
        command: command.trim(),
    }))
}

fn is_type_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn parsed(text: &str) -> Result<Procfile, ProcfileError> {
        parse(&Found::Text(text.to_owned()))
    }

    fn processes(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, line)| ((*name).to_owned(), (*line).to_owned())).collect()
    }

    #[test]
    fn types_and_commands_are_taken_as_written() {
        let text = "\u{feff}# all of it\r\n\r\nWeb_1: a  'b c' : d \r\n  \t\nworker:run\n";
        let expected = Procfile {
            processes: processes(&[("Web_1", "a  'b c' : d"), ("worker", "run")]),
            warnings: vec![],
        };
        assert_eq!(parsed(text), Ok(expected));
    }

    #[test]
    fn leading_blanks_and_duplicates_are_resolved_with_a_warning_each() {
        let expected = Procfile {
            processes: processes(&[("web", "c"), ("worker", "b")]),
            warnings: vec![
                ProcfileWarning::LeadingBlanks { line: 2, process_type: "worker".to_owned() },
                ProcfileWarning::Duplicate { line: 3, process_type: "web".to_owned() },
            ],
        };
        assert_eq!(parsed("web: a\n\tworker: b\nweb: c"), Ok(expected));
    }

    #[test]
    fn a_procfile_without_types_is_a_warning() {
        let expected = Procfile { processes: vec![], warnings: vec![ProcfileWarning::Empty] };
        assert_eq!(parsed(""), Ok(expected.clone()));
        assert_eq!(parsed("# later\n"), Ok(expected));
    }

    #[test]
    fn anything_else_is_an_error_with_its_line() {
        let invalid = |line, process_type: &str| ProcfileError::InvalidType {
            line,
            process_type: process_type.to_owned(),
        };
        assert_eq!(parsed("we.b: a"), Err(invalid(1, "we.b")));
        assert_eq!(parsed("# x\nweb : a"), Err(invalid(2, "web ")));
        assert_eq!(parsed(": a"), Err(invalid(1, "")));
        assert_eq!(parsed("w\0e\0b\0:\0 \0a\0"), Err(invalid(1, "w\0e\0b\0")));
        assert_eq!(
            parsed("web: a\nworker: \r\n"),
            Err(ProcfileError::NoCommand { line: 2, process_type: "worker".to_owned() })
        );
        assert_eq!(
            parsed("web a\n"),
            Err(ProcfileError::NoType { line: 1, text: "web a".to_owned() })
        );
    }

    #[test]
    fn failures_of_reading_become_data_that_parsing_raises() {
        let app = tempfile::tempdir().unwrap();
        assert_eq!(read(app.path()), None);

        let path = app.path().join(FILE_NAME);
        fs::write(&path, b"web: a\nworker: \xff\n").unwrap();
        let found = read(app.path()).unwrap();
        assert_eq!(parse(&found), Err(ProcfileError::NotUtf8 { line: 2 }));

        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let cause = "Is a directory (os error 21)".to_owned();
        let found = read(app.path()).unwrap();
        assert_eq!(parse(&found), Err(ProcfileError::Unreadable { cause }));

        fs::remove_dir(&path).unwrap();
        symlink("nowhere", &path).unwrap();
        let cause = "No such file or directory (os error 2)".to_owned();
        assert_eq!(read(app.path()), Some(Found::Unreadable(cause)));
    }
}
