//! Every line that there can be, against docs/log.md: a new one does not compile here until it has a
//! sample, and its sample fails until event and fields are documented.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::{Line, Style, to_json, to_text};
use crate::core::{Ending, Generation, Note, Reason, RestartTimes};

const DOCUMENT: &str = include_str!("../../docs/log.md");

/// One of each, and of each reason and end. The arms of the `match` keep the list whole: every arm
/// must be reached.
fn samples() -> Vec<Line> {
    let (generation, path) = (Generation(3), Arc::<Path>::from(Path::new("/w/app")));
    let (why, after) = ("it is odd".to_owned(), Duration::from_millis(2));
    let changed = Reason::Changed { path: Arc::clone(&path), files: 2, bytes: 9 };
    let started =
        |reason| Note::Started { generation, pid: 40, reason, times: RestartTimes::default() };
    let exited = |ending| Note::Exited { generation, ending, after, held: true };
    let notes = [
        started(Reason::First),
        started(changed.clone()),
        started(Reason::Requested),
        Note::StartFailed { generation, why: why.clone(), held: true },
        Note::StartDelayed { generation, why: why.clone(), pause: after, at_most: after },
        Note::StartRecovered { generation, after, tries: 2 },
        Note::Unchanged { path: Arc::clone(&path), files: 1 },
        Note::NotUsed { path: Arc::clone(&path), files: 1 },
        Note::Refused { why: why.clone(), running: Some(generation) },
        Note::Refused { why: why.clone(), running: None },
        Note::FellBack { why: why.clone() },
        exited(Ending::Code(1)),
        exited(Ending::Signal(9)),
        exited(Ending::Unknown),
        Note::Stopping { generation, reason: changed },
        Note::Killing { generation, after },
        Note::Unkillable { generation },
        Note::WaitingForWriter { path: Arc::clone(&path) },
        Note::OwnWrites { path: Arc::clone(&path) },
        Note::SignalDropped { generation, signal: 1 },
        Note::ShuttingDown { signal: 15 },
    ];
    let others = [
        Line::Watching { roots: vec!["/w".into()] },
        Line::StandIn { path: "/t/bin/app".into(), instead_of: "app".to_owned() },
        Line::StandInGone { back_to: "app".to_owned() },
        Line::Warning { text: why },
        Line::LinesLost { count: 3 },
    ];
    notes.into_iter().map(Line::Core).chain(others).collect()
}

/// The place of a line in the list of all; no arm for the rest, so that a new one must be added.
fn number(line: &Line) -> usize {
    match line {
        Line::Core(note) => match note {
            Note::Started { .. } => 0,
            Note::StartFailed { .. } => 1,
            Note::StartDelayed { .. } => 2,
            Note::StartRecovered { .. } => 3,
            Note::Unchanged { .. } => 4,
            Note::NotUsed { .. } => 5,
            Note::Refused { .. } => 6,
            Note::FellBack { .. } => 7,
            Note::Exited { .. } => 8,
            Note::Stopping { .. } => 9,
            Note::Killing { .. } => 10,
            Note::Unkillable { .. } => 11,
            Note::WaitingForWriter { .. } => 12,
            Note::OwnWrites { .. } => 13,
            Note::SignalDropped { .. } => 14,
            Note::ShuttingDown { .. } => 15,
        },
        Line::Watching { .. } => 16,
        Line::StandIn { .. } => 17,
        Line::StandInGone { .. } => 18,
        Line::Warning { .. } => 19,
        Line::LinesLost { .. } => 20,
    }
}

/// As many events as docs/log.md has rows.
const EVENTS: usize = 21;

fn object(line: &Line) -> Map<String, Value> {
    serde_json::from_str(&to_json(line, SystemTime::now())).unwrap()
}

/// The rows of the table with this head, as lists of cells.
fn table(head: &str) -> Vec<Vec<String>> {
    let lines = DOCUMENT.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|it| it.trim().to_owned()).collect())
        .collect()
}

fn code(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn there_is_a_sample_of_every_line() {
    let found: BTreeSet<usize> = samples().iter().map(number).collect();
    assert_eq!(found, (0..EVENTS).collect());
}

#[test]
fn every_event_is_documented_with_its_level_and_all_its_fields_and_no_other() {
    let mut emitted: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    for line in samples() {
        let mut object = object(&line);
        assert_eq!(object.remove("schema"), Some(Value::from(super::SCHEMA)));
        assert!(object.remove("time").unwrap().is_u64());
        let [event, level] =
            ["event", "level"].map(|it| object.remove(it).unwrap().as_str().unwrap().to_owned());
        let fields: BTreeSet<String> = object.keys().cloned().collect();
        let known = emitted.insert(event.clone(), (level.clone(), fields.clone()));
        // The fields of an event are always the same.
        assert!(known.is_none_or(|known| known == (level, fields)), "{event}");
    }
    let documented = table("| event | level |")
        .into_iter()
        .map(|row| (code(&row[0]).pop_first().unwrap(), (row[1].clone(), code(&row[3]))));
    assert_eq!(emitted, documented.collect());
}

#[test]
fn every_field_is_documented_with_its_type() {
    // Those of every object, and those of the events.
    let tables = DOCUMENT.split("| field | type | meaning |").skip(1);
    let rows =
        tables.flat_map(|rest| rest.lines().skip(2).take_while(|line| line.starts_with('|')));
    let fields: BTreeMap<String, String> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (cells[1].trim_matches('`').to_owned(), cells[2].to_owned())
        })
        .collect();
    let mut seen = BTreeSet::new();
    for line in samples() {
        let mut all = vec![object(&line)];
        while let Some(object) = all.pop() {
            for (name, value) in object {
                let expected = fields.get(&name).unwrap_or_else(|| panic!("{name}"));
                let found = match &value {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(_) => "number",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                };
                assert!(expected.contains(found), "{name} is {found}, not {expected}");
                seen.insert(name);
                if let Value::Object(inner) = value {
                    all.push(inner);
                }
            }
        }
    }
    assert_eq!(seen, fields.into_keys().collect());
}

#[test]
fn every_line_has_words() {
    for line in samples() {
        let text = to_text(&line, &Style::default());
        assert!(text.len() > "relaunch: ".len() + 8, "{text}");
    }
}
