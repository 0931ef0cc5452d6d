//! The command line of `cargo xtask bench`.

use super::Section;
use super::peers::Tool;

pub(super) const HELP: &str = "\
cargo xtask bench [OPTIONS]

Measures Relaunch and its peers side by side in one run and writes docs/benchmark.md, its plots and
the table in the README. Raw samples go to target/bench/results.json.

A full run installs the peers into target/bench (watchexec by cargo, air by go, nodemon by npm,
entr, reflex and inotify-tools by apt when it may) and takes about an hour; leave the machine alone
meanwhile. A peer that cannot be had is named in the table with the reason.

  --quick           under three minutes: Relaunch, the floor, and entr and an inotifywait loop when
                    they are installed; fewer rounds, correctness and stopping of Relaunch alone
                    (of peers, too, when --peers names them), no scale, no image; writes no docs
  --only NAME       one section: latency load correctness stopping cost scale reloads image
                    (repeatable; writes no docs)
  --peers A,B       only these beside Relaunch: floor watchexec watchexec-paketo entr reflex
                    inotifywait nodemon air (writes no docs)
  --keep            keep what the last run measured in other sections: a full run in parts, each of
                    which compares all tools; ends with --report
  --report          write docs again from the raw samples of the last run; measures nothing
  --help            this text

The exit code is 1 when Relaunch is not ideal in a correctness cell, whatever the times are.

    cargo xtask bench --quick                                  what CI runs
    cargo xtask bench --only latency --peers floor,watchexec   one question
";

/// What is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// A measurement or a report.
    Run(Options),
    /// The help.
    Help,
}

/// The options of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) quick: bool,
    pub(super) report: bool,
    /// Other sections of the last run stay.
    pub(super) keep: bool,
    /// Empty = all.
    pub(super) only: Vec<Section>,
    /// Without Relaunch; `None` = all that fit the run.
    pub(super) peers: Option<Vec<Tool>>,
}

impl Options {
    /// Whether the section is part of the run.
    pub(super) fn wants(&self, section: Section) -> bool {
        let heavy = matches!(section, Section::Scale | Section::Reloads | Section::Image);
        if self.only.is_empty() { !(self.quick && heavy) } else { self.only.contains(&section) }
    }

    /// The tools to run, Relaunch first.
    pub(super) fn tools(&self) -> Vec<Tool> {
        let peers = self.peers.clone().unwrap_or_else(|| {
            let quick = [Tool::Floor, Tool::Entr, Tool::Inotifywait];
            let fits = |tool: &Tool| !self.quick || quick.contains(tool);
            Tool::ALL.into_iter().filter(fits).collect()
        });
        let chosen = |tool: &Tool| *tool == Tool::Relaunch || peers.contains(tool);
        Tool::ALL.into_iter().filter(chosen).collect()
    }

    /// A quick run takes what is there: compiling peers would take longer than itself.
    pub(super) fn installs(&self) -> bool {
        !self.quick
    }

    /// Only a complete run may replace what the docs say.
    pub(super) fn writes_docs(&self) -> bool {
        !self.quick && self.only.is_empty() && self.peers.is_none()
    }
}

/// Reads the words behind `bench`.
pub(super) fn parse(arguments: &[String]) -> Result<Request, String> {
    let mut options = Options::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(Request::Help),
            "--quick" => options.quick = true,
            "--report" => options.report = true,
            "--keep" => options.keep = true,
            "--only" => {
                let name = words.next().ok_or("--only needs the name of a section")?;
                let found = Section::ALL.into_iter().find(|it| it.name() == name);
                options.only.push(found.ok_or_else(|| format!("there is no section {name:?}"))?);
            }
            "--peers" => {
                let names = words.next().ok_or("--peers needs names, separated by commas")?;
                let tools = names.split(',').map(|name| {
                    let found = Tool::ALL.into_iter().find(|it| it.name() == name);
                    found.ok_or_else(|| format!("there is no tool {name:?}"))
                });
                options.peers = Some(tools.collect::<Result<_, _>>()?);
            }
            other => return Err(format!("{other:?} is not understood")),
        }
    }
    Ok(Request::Run(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, String> {
        parse(&line.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_plain_run_takes_every_section_and_tool_and_writes_the_docs() {
        let Ok(Request::Run(options)) = parsed("") else { panic!("no run") };
        assert!(Section::ALL.into_iter().all(|section| options.wants(section)));
        assert_eq!(options.tools(), Tool::ALL);
        assert!(options.writes_docs() && options.installs());
    }

    #[test]
    fn a_quick_run_installs_nothing_and_leaves_the_docs_alone() {
        let Ok(Request::Run(options)) = parsed("--quick") else { panic!("no run") };
        assert!(!options.wants(Section::Scale) && options.wants(Section::Correctness));
        let tools = [Tool::Relaunch, Tool::Floor, Tool::Entr, Tool::Inotifywait];
        assert_eq!(options.tools(), tools);
        assert!(!options.writes_docs() && !options.installs());
    }

    #[test]
    fn relaunch_runs_beside_the_peers_that_are_named() {
        let Ok(Request::Run(options)) = parsed("--only load --peers air,floor") else {
            panic!("no run")
        };
        assert_eq!(options.tools(), [Tool::Relaunch, Tool::Floor, Tool::Air]);
        assert!(options.wants(Section::Load) && !options.wants(Section::Latency));
    }

    #[test]
    fn a_wrong_word_is_named() {
        assert_eq!(parsed("--only speed"), Err("there is no section \"speed\"".to_owned()));
        assert_eq!(parsed("--peers x"), Err("there is no tool \"x\"".to_owned()));
        assert_eq!(parsed("--fast"), Err("\"--fast\" is not understood".to_owned()));
    }
}
