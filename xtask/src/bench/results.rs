//! What was measured: raw samples, kept as JSON in the build folder. Reports are made from this
//! alone.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

use super::folder;
use super::machine::Machine;
use super::peers::Tool;

/// One run of the benchmark.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Results {
    pub(super) machine: Machine,
    pub(super) quick: bool,
    /// Runs that these samples come from: more than one with `--keep`.
    #[serde(default = "one")]
    pub(super) parts: usize,
    /// How long the run took.
    pub(super) seconds: f64,
    pub(super) tools: Vec<Telling>,
    pub(super) series: Vec<Series>,
    pub(super) cells: Vec<Cell>,
}

/// A tool, or why it is not there.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Telling {
    pub(super) name: String,
    pub(super) title: String,
    /// Its command line in a general form.
    pub(super) form: String,
    pub(super) version: String,
    /// Program files on disk, in bytes.
    pub(super) size: u64,
    pub(super) missing: Option<String>,
}

/// The samples of one tool in one workload.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub(super) struct Series {
    pub(super) section: String,
    pub(super) workload: String,
    pub(super) tool: String,
    pub(super) unit: Unit,
    /// In the order in which they were taken.
    pub(super) values: Vec<f64>,
    /// Rounds in which what was waited for did not come.
    pub(super) misses: usize,
    /// Why there is no sample, or what was odd.
    pub(super) note: Option<String>,
}

/// What a value counts.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    Bytes,
    Count,
}

/// One tool in one correctness workload.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) workload: String,
    pub(super) tool: String,
    /// The fewest and the most starts that are right.
    pub(super) ideal: (u32, u32),
    pub(super) outcomes: Vec<Outcome>,
}

/// How a change set ended.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Starts after the first.
    pub(super) starts: u32,
    /// An app runs.
    pub(super) alive: bool,
    /// Its bytes are those on disk.
    pub(super) right: bool,
    /// The tool's last words, where something was not ideal.
    pub(super) told: String,
}

impl Cell {
    /// Whether this outcome is the ideal one.
    pub(super) fn is_ideal(&self, outcome: &Outcome) -> bool {
        let (fewest, most) = self.ideal;
        (fewest..=most).contains(&outcome.starts) && outcome.alive && outcome.right
    }

    /// Whether each outcome is.
    pub(super) fn holds(&self) -> bool {
        !self.outcomes.is_empty() && self.outcomes.iter().all(|it| self.is_ideal(it))
    }
}

fn one() -> usize {
    1
}

/// Where a sample belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'a> {
    pub(super) section: &'a str,
    pub(super) workload: &'a str,
    pub(super) tool: Tool,
    pub(super) unit: Unit,
}

impl Results {
    /// Nothing yet.
    pub(super) fn begin(quick: bool, tools: Vec<Telling>) -> Result<Self, Failure> {
        let machine = Machine::look()?;
        let (series, cells) = (Vec::new(), Vec::new());
        Ok(Self { machine, quick, parts: 1, seconds: 0.0, tools, series, cells })
    }

    /// Takes over the samples of the last run but for these sections.
    pub(super) fn keep(&mut self, last: Self, again: &[&str]) {
        let stays = |it: &Series| !again.contains(&it.section.as_str());
        self.series.extend(last.series.into_iter().filter(stays));
        if !again.contains(&"correctness") {
            self.cells = last.cells;
        }
        self.seconds = last.seconds;
        self.parts = last.parts + 1;
        self.quick |= last.quick;
    }

    /// Whether docs may be made of them: a full run with all of these sections.
    pub(super) fn suit_docs(&self, sections: &[&str]) -> Result<(), Failure> {
        let measured = |section: &&&str| {
            let in_series = self.series.iter().any(|it| it.section == **section);
            in_series || **section == "correctness" && !self.cells.is_empty()
        };
        let missing: Vec<&str> = sections.iter().filter(|it| !measured(it)).copied().collect();
        let what = if self.quick {
            "The last run was a quick one.".to_owned()
        } else if missing.is_empty() {
            return Ok(());
        } else {
            format!("The last run lacks {}.", missing.join(", "))
        };
        let advice = "run cargo xtask bench, or what is missing with --only NAME --keep".to_owned();
        Err(Failure::Missing { what, advice })
    }

    /// Those of the last run.
    pub(super) fn read() -> Result<Self, Failure> {
        let path = path();
        let text = std::fs::read_to_string(&path).map_err(|_| Failure::Missing {
            what: format!("There are no results in {}.", path.display()),
            advice: "run cargo xtask bench first".to_owned(),
        })?;
        serde_json::from_str(&text)
            .map_err(|error| Failure::Format { path, reason: error.to_string() })
    }

    /// Keeps everything so far.
    pub(super) fn write(&self) -> Result<(), Failure> {
        let path = path();
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Failure::Format { path: path.clone(), reason: error.to_string() })?;
        std::fs::create_dir_all(folder()).map_err(Failure::file(folder()))?;
        std::fs::write(&path, text).map_err(Failure::file(&path))
    }

    /// Adds a sample.
    pub(super) fn sample(&mut self, key: Key, value: f64) {
        self.series_of(key).values.push(value);
    }

    /// Adds a round in which nothing came, with the reason.
    pub(super) fn miss(&mut self, key: Key, note: impl Into<String>) {
        let series = self.series_of(key);
        series.misses += 1;
        series.note = Some(note.into());
    }

    fn series_of(&mut self, key: Key) -> &mut Series {
        let tool = key.tool.name();
        let found = self.series.iter().position(|it| {
            it.section == key.section && it.workload == key.workload && it.tool == tool
        });
        let place = found.unwrap_or_else(|| {
            self.series.push(Series {
                section: key.section.to_owned(),
                workload: key.workload.to_owned(),
                tool: tool.to_owned(),
                unit: key.unit,
                values: Vec::new(),
                misses: 0,
                note: None,
            });
            self.series.len() - 1
        });
        &mut self.series[place]
    }

    /// The samples of a tool, if it has any.
    pub(super) fn find(&self, section: &str, workload: &str, tool: &str) -> Option<&Series> {
        let fits =
            |it: &&Series| it.section == section && it.workload == workload && it.tool == tool;
        self.series.iter().find(fits)
    }

    /// The workloads of a section in the order in which they ran.
    pub(super) fn workloads(&self, section: &str) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for series in self.series.iter().filter(|it| it.section == section) {
            if !names.contains(&series.workload.as_str()) {
                names.push(&series.workload);
            }
        }
        names
    }
}

/// Where the raw samples go.
pub(super) fn path() -> PathBuf {
    folder().join("results.json")
}

#[cfg(test)]
pub(super) mod examples {
    use super::*;

    /// Two tools, one of which cannot be had, and three samples.
    pub(in crate::bench) fn results() -> Results {
        let telling = |tool: Tool, missing: Option<&str>| Telling {
            name: tool.name().to_owned(),
            title: tool.title().to_owned(),
            form: tool.form().to_owned(),
            version: "1.0".to_owned(),
            size: 1_500_000,
            missing: missing.map(ToOwned::to_owned),
        };
        let tools = vec![
            telling(Tool::Relaunch, None),
            telling(Tool::Watchexec, None),
            telling(Tool::Air, Some("there is no Go")),
        ];
        let machine = Machine::example();
        let (series, cells) = (Vec::new(), Vec::new());
        let mut results =
            Results { machine, quick: true, parts: 1, seconds: 60.0, tools, series, cells };
        let key = |tool| Key {
            section: "latency",
            workload: "rename over",
            tool,
            unit: Unit::Milliseconds,
        };
        for value in [10.0, 12.0, 14.0] {
            results.sample(key(Tool::Relaunch), value);
            results.sample(key(Tool::Watchexec), value * 5.0);
        }
        results
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_when_every_outcome_is_ideal() {
        let good = Outcome { starts: 1, alive: true, right: true, told: String::new() };
        let mut cell = Cell {
            workload: "mv".to_owned(),
            tool: "relaunch".to_owned(),
            ideal: (1, 1),
            outcomes: vec![good.clone(), good.clone()],
        };
        assert!(cell.holds());
        cell.outcomes.push(Outcome { starts: 2, ..good });
        assert!(!cell.holds());
        cell.outcomes.clear();
        assert!(!cell.holds());
    }

    #[test]
    fn kept_are_the_sections_that_are_not_measured_again() {
        let last = examples::results();
        let mut now = examples::results();
        now.series.clear();
        now.keep(last.clone(), &["latency"]);
        assert!(now.series.is_empty());
        now.keep(last, &["load"]);
        assert_eq!(now.series.len(), 2);
    }

    #[test]
    fn samples_find_their_series_and_survive_json() {
        let results = examples::results();
        assert_eq!(results.workloads("latency"), ["rename over"]);
        let text = serde_json::to_string(&results).unwrap();
        let back: Results = serde_json::from_str(&text).unwrap();
        let series = back.find("latency", "rename over", "relaunch").unwrap();
        assert_eq!(series.values, [10.0, 12.0, 14.0]);
    }
}
