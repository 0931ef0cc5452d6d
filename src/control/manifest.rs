//! The manifest: what runs, why, and what came before it. Lines of the log in, one JSON object out;
//! no I/O. docs/manifest.md lists the fields.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::core::{Note, RestartTimes, Standing};
use crate::log::{Line, ending_fields, milliseconds, path_text, reason_fields, since_1970};

/// The version of the schema: a field is only added within it, never changed.
pub const SCHEMA: u32 = 1;

/// What the lines told so far.
#[derive(Debug, Default)]
pub struct Manifest {
    command: Vec<String>,
    since: u64,
    roots: Vec<PathBuf>,
    current: Option<Start>,
    previous: Option<Start>,
    refusal: Option<Value>,
    exit: Option<Value>,
    warnings: VecDeque<String>,
}

/// A generation that was started.
#[derive(Debug, Clone)]
struct Start {
    generation: u64,
    pid: i32,
    time: u64,
    reason: Value,
    times: RestartTimes,
}

/// What only a look at the running supervisor tells.
#[derive(Debug)]
pub struct Look<'a> {
    /// Where the app is in its life.
    pub standing: Standing,
    /// What was exec'ed last: its path, its bytes, its SHA-256 when it is made.
    pub executable: Option<(PathBuf, u64, Option<&'a str>)>,
    /// Watched folders and files.
    pub folders: usize,
    /// See `folders`.
    pub files: usize,
    /// Each file when they are few; `None` = a large tree.
    pub listed: Option<Vec<Listed>>,
    /// How changes come to be known.
    pub watching: Watching,
}

/// How changes come to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    /// By events of the kernel alone.
    Events,
    /// By events, and some roots by polling as well.
    Both,
    /// By polling alone.
    Polling,
}

/// A watched file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its absolute path.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// XXH3 (64 bits) of its bytes in hexadecimal, as `xxhsum -H3` prints it; `None` = not made.
    pub xxh3: Option<String>,
}

impl Manifest {
    /// Of a supervisor that begins at `now` to run this command.
    #[must_use]
    pub fn new(command: Vec<String>, now: SystemTime) -> Self {
        Self { command: bounded(command), since: since_1970(now), ..Self::default() }
    }

    /// Takes a line of the log in.
    pub fn told(&mut self, line: &Line, now: SystemTime) {
        let time = since_1970(now);
        match line {
            Line::Watching { roots } => self.roots.clone_from(roots),
            Line::Warning { text } => {
                if self.warnings.len() == KEPT_WARNINGS {
                    self.warnings.pop_front();
                }
                self.warnings.push_back(text.clone());
            }
            Line::Core(note) => self.noted(note, time),
            Line::StandIn { .. } | Line::StandInGone { .. } | Line::LinesLost { .. } => {}
        }
    }

    fn noted(&mut self, note: &Note, time: u64) {
        match note {
            Note::Started { generation, pid, reason, times } => {
                let start = Start {
                    generation: generation.0,
                    pid: *pid,
                    time,
                    reason: reason_fields(reason),
                    times: *times,
                };
                self.previous = self.current.replace(start);
            }
            Note::Exited { generation, ending, after, .. } => {
                let mut exit = ending_fields(*ending);
                exit["generation"] = json!(generation.0);
                exit["time"] = json!(time);
                exit["after_ms"] = json!(milliseconds(*after));
                self.exit = Some(exit);
            }
            Note::Refused { why, .. } | Note::StartFailed { why, .. } | Note::FellBack { why } => {
                self.refusal = Some(json!({ "time": time, "why": why }));
            }
            Note::Unchanged { .. }
            | Note::NotUsed { .. }
            | Note::Stopping { .. }
            | Note::Killing { .. }
            | Note::Unkillable { .. }
            | Note::WaitingForWriter { .. }
            | Note::OwnWrites { .. }
            | Note::StartDelayed { .. }
            | Note::StartRecovered { .. }
            | Note::SignalDropped { .. }
            | Note::ShuttingDown { .. } => {}
        }
    }

    /// The manifest as one line of JSON, without a newline.
    #[must_use]
    pub fn to_json(&self, look: &Look<'_>) -> String {
        let roots: Vec<String> = self.roots.iter().map(|root| path_text(root)).collect();
        let listed = look.listed.as_ref().map(|files| {
            let file = |file: &Listed| {
                json!({ "path": path_text(&file.path), "bytes": file.bytes, "xxh3": file.xxh3 })
            };
            files.iter().map(file).collect::<Vec<_>>()
        });
        let executable = look.executable.as_ref().map(|(path, bytes, sha256)| {
            json!({ "path": path_text(path), "bytes": bytes, "sha256": sha256 })
        });
        let watching = match look.watching {
            Watching::Events => "inotify",
            Watching::Both => "inotify and polling",
            Watching::Polling => "polling",
        };
        json!({
            "schema": SCHEMA,
            "supervisor": {
                "version": env!("CARGO_PKG_VERSION"),
                "pid": std::process::id(),
                "since": self.since,
            },
            "command": self.command,
            "state": state_name(look.standing),
            "generation": self.current.as_ref().map(Start::fields),
            "executable": executable,
            "previous": self.previous.as_ref().map(Start::fields),
            "last_refusal": self.refusal,
            "last_exit": self.exit,
            "watch": {
                "kind": watching,
                "roots": roots,
                "folders": look.folders,
                "files": look.files,
                "listed": listed,
                "warnings": self.warnings,
            },
        })
        .to_string()
    }
}

impl Start {
    fn fields(&self) -> Value {
        json!({
            "number": self.generation,
            "pid": self.pid,
            "started": self.time,
            "reason": self.reason,
            "settle_ms": milliseconds(self.times.settle),
            "stop_ms": milliseconds(self.times.stop),
            "start_ms": milliseconds(self.times.start),
        })
    }
}

/// The word for a state, in the manifest and on the screen.
#[must_use]
pub fn state_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Starting => "starting",
        Standing::Running => "running",
        Standing::Restarting => "restarting",
        Standing::Held => "held",
        Standing::Ending => "ending",
    }
}

/// A command line may have megabytes; the manifest must fit into an answer.
fn bounded(command: Vec<String>) -> Vec<String> {
    let (mut left, mut kept) = (LONGEST_COMMAND, Vec::new());
    for word in command {
        let Some(rest) = left.checked_sub(word.len()) else {
            kept.push("…".to_owned());
            break;
        };
        left = rest;
        kept.push(word);
    }
    kept
}

/// Bytes of the command that are told.
const LONGEST_COMMAND: usize = 32 * 1_024;
/// Warnings that are kept.
const KEPT_WARNINGS: usize = 16;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::core::{Ending, Generation, Reason};

    fn look() -> Look<'static> {
        Look {
            standing: Standing::Running,
            executable: Some(("/w/app".into(), 3, Some("ba78"))),
            folders: 1,
            files: 1,
            listed: Some(vec![Listed { path: "/w/app".into(), bytes: 3, xxh3: None }]),
            watching: Watching::Events,
        }
    }

    fn at(ms: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(ms)
    }

    #[test]
    fn it_tells_what_runs_why_and_what_came_before() {
        let mut manifest = Manifest::new(vec!["app".to_owned()], at(1));
        manifest.told(&Line::Watching { roots: vec!["/w".into()] }, at(2));
        for number in [1, 2] {
            let note = Note::Started {
                generation: Generation(number),
                pid: 40,
                reason: if number == 1 { Reason::First } else { Reason::Requested },
                times: RestartTimes::default(),
            };
            manifest.told(&Line::Core(note), at(number + 2));
        }
        let why = "no exec bit".to_owned();
        manifest.told(&Line::Core(Note::Refused { why, running: Some(Generation(2)) }), at(5));
        let told: Value = serde_json::from_str(&manifest.to_json(&look())).unwrap();
        let start = |number: u64, kind: &str| {
            json!({
                "number": number, "pid": 40, "started": number + 2, "reason": { "kind": kind },
                "settle_ms": 0.0, "stop_ms": 0.0, "start_ms": 0.0,
            })
        };
        let expected = json!({
            "schema": 1,
            "supervisor": {
                "version": env!("CARGO_PKG_VERSION"), "pid": std::process::id(), "since": 1,
            },
            "command": ["app"],
            "state": "running",
            "generation": start(2, "requested"),
            "executable": { "path": "/w/app", "bytes": 3, "sha256": "ba78" },
            "previous": start(1, "first"),
            "last_refusal": { "time": 5, "why": "no exec bit" },
            "last_exit": null,
            "watch": {
                "kind": "inotify", "roots": ["/w"], "folders": 1, "files": 1,
                "listed": [{ "path": "/w/app", "bytes": 3, "xxh3": null }], "warnings": [],
            },
        });
        assert_eq!(told, expected);
    }

    /// docs/manifest.md lists each field in a row of its own or, one level down, in its object's row.
    #[test]
    fn every_field_is_documented_and_no_other() {
        let mut manifest = Manifest::new(vec!["app".to_owned()], at(1));
        let (generation, reason) = (Generation(1), Reason::Requested);
        for _ in 0..2 {
            let (reason, times) = (reason.clone(), RestartTimes::default());
            let note = Note::Started { generation, pid: 40, reason, times };
            manifest.told(&Line::Core(note), at(2));
        }
        let ended =
            Note::Exited { generation, ending: Ending::Code(1), after: Duration::ZERO, held: true };
        manifest.told(&Line::Core(ended), at(2));
        manifest.told(&Line::Core(Note::FellBack { why: "odd".to_owned() }), at(2));
        let told: Value = serde_json::from_str(&manifest.to_json(&look())).unwrap();
        let document = include_str!("../../docs/manifest.md");
        let table = document.split("| field | type | meaning |").nth(1).unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let documented: BTreeMap<String, BTreeSet<String>> = rows
            .map(|row| {
                let mut names = row.split('`').skip(1).step_by(2).map(str::to_owned);
                (names.next().unwrap(), names.collect())
            })
            .collect();
        let keys = |value: &Value| -> BTreeSet<String> {
            value.as_object().into_iter().flat_map(|it| it.keys().cloned()).collect()
        };
        for (name, value) in told.as_object().unwrap() {
            let row = documented.get(name).unwrap_or_else(|| panic!("{name} has no row"));
            assert!(row.is_superset(&keys(value)), "{name}: {:?} lacks {row:?}", keys(value));
        }
        let listed = keys(&told["watch"]["listed"][0]);
        assert_eq!(documented["watch.listed"], listed);
        let inner = documented.keys().filter(|name| !name.contains('.')).cloned().collect();
        assert_eq!(keys(&told), inner);
    }

    #[test]
    fn a_command_of_megabytes_is_cut() {
        let words = ["app".to_owned(), "x".repeat(1 << 20), "y".to_owned()];
        let told = Manifest::new(words.to_vec(), at(1)).to_json(&look());
        assert!(told.contains("\"command\":[\"app\",\"…\"]"), "{told}");
    }

    #[test]
    fn an_end_is_kept_and_warnings_are_bounded() {
        let mut manifest = Manifest::new(Vec::new(), at(1));
        let note = Note::Exited {
            generation: Generation(1),
            ending: Ending::Signal(9),
            after: Duration::from_millis(7),
            held: true,
        };
        manifest.told(&Line::Core(note), at(2));
        for number in 0..100 {
            manifest.told(&Line::Warning { text: number.to_string() }, at(3));
        }
        let told: Value = serde_json::from_str(&manifest.to_json(&look())).unwrap();
        let exit = json!({
            "generation": 1, "code": null, "signal": 9, "time": 2, "after_ms": 7.0,
        });
        assert_eq!(told["last_exit"], exit);
        assert_eq!(told["watch"]["warnings"].as_array().unwrap().len(), KEPT_WARNINGS);
    }
}
