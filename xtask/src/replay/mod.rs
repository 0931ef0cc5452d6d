//! `cargo xtask replay FILE|FOLDER... [--json]`: recorded traces through the core in virtual time.
//!
//! A trace is one change set, so the ideal is one start, soon after its last event. May come in:
//! the core and the files of the traces; no process, no clock.

pub(crate) mod trace;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::trace::{Trace, TraceError};
use self::world::Outcome;

/// Replays the traces named by `args` and prints a table, or JSON with `--json`. Exit code 1: a
/// trace had more than one start; 2: wrong usage or an unreadable trace.
pub fn run(args: impl Iterator<Item = String>) -> ExitCode {
    let (flags, paths): (Vec<_>, Vec<_>) = args.partition(|arg| arg.starts_with("--"));
    if paths.is_empty() || flags.iter().any(|flag| flag != "--json") {
        eprintln!("usage: cargo xtask replay FILE|FOLDER... [--json]");
        return ExitCode::from(2);
    }
    let rows = match rows(paths.iter().map(Path::new)) {
        Ok(rows) => rows,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    println!("{}", if flags.is_empty() { table(&rows) } else { json(&rows) });
    ExitCode::from(u8::from(rows.iter().any(|row| row.outcome.starts > 1)))
}

/// The name and the number of starts of each trace in these files and folders.
///
/// # Errors
/// A sentence that names the file, and the line that is none.
pub fn starts(paths: &[&Path]) -> Result<Vec<(String, usize)>, String> {
    let rows = rows(paths.iter().copied()).map_err(|error| error.to_string())?;
    Ok(rows.into_iter().map(|row| (row.name, row.outcome.starts)).collect())
}

/// One line of the table.
#[derive(Debug)]
struct Row {
    name: String,
    outcome: Outcome,
}

fn rows<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<Vec<Row>, TraceError> {
    let mut rows = Vec::new();
    for path in paths {
        for file in files(path)? {
            let trace = Trace::read(&file)?;
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            rows.push(Row { name, outcome: world::replay(&trace) });
        }
    }
    Ok(rows)
}

/// A folder stands for all traces in it, in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, TraceError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |cause| TraceError::Read { path: path.to_owned(), cause };
    let mut files = Vec::new();
    for entry in path.read_dir().map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "tsv") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max("trace".len());
    let line = |name: &str, starts: &str, latency: Option<f64>| {
        let latency = latency.map_or("-".into(), |ms| format!("{ms:.1} ms"));
        format!("{name:width$}  {starts:>6}  {latency:>19}")
    };
    let mut lines = vec![format!("{:width$}  starts  last event to start", "trace")];
    for Row { name, outcome } in rows {
        lines.push(line(name, &outcome.starts.to_string(), outcome.latency_ms()));
    }
    lines.push(line("median", "", median(rows)));
    lines.join("\n")
}

/// The median latency in milliseconds; `None` when nothing was started.
fn median(rows: &[Row]) -> Option<f64> {
    let mut all: Vec<f64> = rows.iter().filter_map(|row| row.outcome.latency_ms()).collect();
    all.sort_by(f64::total_cmp);
    let (low, high) = (all.get(all.len().checked_sub(1)? / 2)?, all.get(all.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}

fn json(rows: &[Row]) -> String {
    let objects = rows.iter().map(|Row { name, outcome }| {
        serde_json::json!({
            "trace": name,
            "starts": outcome.starts,
            "latency_ms": outcome.latency_ms(),
        })
    });
    serde_json::Value::Array(objects.collect()).to_string()
}

#[cfg(test)]
mod tests;
