//! The Procfile, and its way through the build plan.

use relaunch_buildpack::buildpack::plan::{offer, request};
use relaunch_buildpack::buildpack::procfile::{Found, Procfile, ProcfileError, parse};

use super::super::target::Target;
use super::{holds, same};

pub(crate) const TARGET: Target = Target {
    words: &[
        "web: ", "worker:", "# ", "\r\n", "\n", "\t", ":", "\u{feff}", "\u{85}", "\u{2028}",
        "we.b: x",
    ],
    short: 8_000,
    ..Target::new(
        "procfile",
        "every line with a type and a command is taken, the last of each type wins, the first line that is wrong is the one that is named, and the plan carries the text unchanged",
        check,
    )
};

fn check(input: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(input) else { return Ok(()) };
    let found = Found::Text(text.to_owned());
    let parsed = parse(&found);
    same(&parsed.as_ref().map(processes).map_err(line_of), &expected(text), "types and commands")?;
    if let Ok(procfile) = &parsed {
        let mut printed = String::new();
        for (process_type, command) in &procfile.processes {
            printed.extend([process_type, ": ", command, "\n"]);
        }
        let again = parse(&Found::Text(printed)).map_err(|error| format!("{error:?}"))?;
        same(&again.processes, &procfile.processes, "printed and read again")?;
        let quiet = again.warnings.is_empty() || procfile.processes.is_empty();
        holds(quiet, "what it means has a warning, printed plainly")?;
    }
    same(&there_and_back(&found)?, &Some(found), "through the build plan")
}

fn processes(procfile: &Procfile) -> Vec<(String, String)> {
    procfile.processes.clone()
}

fn line_of(error: &ProcfileError) -> usize {
    match error {
        ProcfileError::NotUtf8 { line }
        | ProcfileError::InvalidType { line, .. }
        | ProcfileError::NoCommand { line, .. }
        | ProcfileError::NoType { line, .. } => *line,
        ProcfileError::Unreadable { .. } => 0,
    }
}

/// The grammar once more, byte by byte; the error is the number of the first line that is wrong.
fn expected(text: &str) -> Result<Vec<(String, String)>, usize> {
    let mut processes: Vec<(String, String)> = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.split('\n').enumerate() {
        let line = line.trim_matches(char::is_whitespace);
        if line.is_empty() || line.as_bytes()[0] == b'#' {
            continue;
        }
        let letters =
            line.bytes().take_while(|it| it.is_ascii_alphanumeric() || b"-_".contains(it));
        let end = letters.count();
        let command = line[end..].strip_prefix(':').map_or("", str::trim);
        if end == 0 || command.is_empty() {
            return Err(index + 1);
        }
        processes.retain_mut(|(known, earlier)| {
            if *known == line[..end] {
                command.clone_into(earlier);
            }
            true
        });
        if !processes.iter().any(|(known, _)| *known == line[..end]) {
            processes.push((line[..end].to_owned(), command.to_owned()));
        }
    }
    Ok(processes)
}

/// What build finds of what detect found: the lifecycle reads the plan and writes it anew.
fn there_and_back(found: &Found) -> Result<Option<Found>, String> {
    let plan = offer(Some(found.clone())).map_err(|error| error.to_string())?;
    let text = toml::to_string(&plan).map_err(|error| error.to_string())?;
    let mut detected: toml::Table = toml::from_str(&text).map_err(|error| error.to_string())?;
    let requires = detected.remove("requires").ok_or("the plan requires nothing")?;
    let entries = toml::Table::from_iter([("entries".to_owned(), requires)]);
    let text = toml::to_string(&entries).map_err(|error| error.to_string())?;
    let plan = toml::from_str(&text).map_err(|error| error.to_string())?;
    Ok(request(&plan).procfile)
}
