//! `cargo xtask bench`: Relaunch and its peers side by side, in one run on one machine.
//!
//! Every tool restarts the same small C program ([`programs`]), whose first act is to take the
//! time and to tell it through a pipe ([`marks`]). All tools of a section run at the same time, each
//! on a folder of its own ([`place`], [`run`]), and get their updates in turn, so that a slow minute
//! of the machine meets all of them. Beside the peers runs a *floor*: the least program that waits
//! on inotify, kills and execs.
//!
//! | file | concept |
//! | --- | --- |
//! | `options`, `effort` | the command line; how much is measured in a full and in a quick run |
//! | `peers/` | the tools: how each is got, and its command line |
//! | `programs` | the measured app and the floor, in C |
//! | `marks`, `place`, `run`, `procfs` | an app's word; a tool's folder; a running tool; its cost |
//! | `publish` | the ways in which an executable reaches the disk |
//! | `latency`, `correctness/`, `stopping`, `cost`, `scale`, `reloads`, `image` | one section each |
//! | `statistics`, `results` | medians and spread; raw samples as JSON |
//! | `report/` | tables, plots, the page under docs, the part in the README |
//!
//! What counts is only ever a comparison within one run. The exit code depends on the correctness
//! cells of Relaunch alone, never on a time.

mod correctness;
mod cost;
mod effort;
mod image;
mod latency;
mod machine;
mod marks;
mod options;
mod peers;
mod place;
mod procfs;
mod programs;
mod publish;
mod reloads;
mod report;
mod results;
mod run;
mod scale;
mod statistics;
mod stopping;

use std::process::ExitCode;
use std::time::Instant;

use crate::failure::Failure;
use crate::tier::Count;
use crate::{progress, workspace};

use self::effort::Effort;
use self::options::{Options, Request};
use self::peers::{Installed, Tool};
use self::programs::Programs;
use self::results::Results;

/// The parts of a run, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Latency,
    Load,
    Correctness,
    Stopping,
    Cost,
    Scale,
    Reloads,
    Image,
}

impl Section {
    const ALL: [Self; 8] = [
        Self::Latency,
        Self::Load,
        Self::Correctness,
        Self::Stopping,
        Self::Cost,
        Self::Scale,
        Self::Reloads,
        Self::Image,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Load => "load",
            Self::Correctness => "correctness",
            Self::Stopping => "stopping",
            Self::Cost => "cost",
            Self::Scale => "scale",
            Self::Reloads => "reloads",
            Self::Image => "image",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Latency => "latency: from the last byte to the new process",
            Self::Load => "latency beside twice as many busy processes as cores",
            Self::Correctness => "correctness: starts, bytes, life",
            Self::Stopping => "stopping: what is left, and the end of the container",
            Self::Cost => "cost: start-up, memory, processor time, wake-ups, size",
            Self::Scale => "scale: files and folders",
            Self::Reloads => "scale: reloads",
            Self::Image => "the real image: from the last synced byte to the new page",
        }
    }
}

/// What every section works with.
struct Bench {
    tools: Vec<Installed>,
    programs: Programs,
    effort: Effort,
    results: Results,
}

impl Bench {
    /// The tools whose correctness and stopping are looked at: all but the mere floor, or us alone.
    fn judged(&self) -> Vec<Installed> {
        let is_judged = |it: &&Installed| match it.tool {
            Tool::Relaunch => true,
            Tool::Floor => false,
            _ => self.effort.judges_peers,
        };
        self.tools.iter().filter(is_judged).cloned().collect()
    }
}

/// The command. Its exit code is 1 when a correctness cell of Relaunch is not ideal.
///
/// # Errors
/// Something that the benchmark itself needs is missing or fails.
pub fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    let options = match options::parse(arguments) {
        Ok(Request::Run(options)) => options,
        Ok(Request::Help) => {
            print!("{}", options::HELP);
            return Ok(ExitCode::SUCCESS);
        }
        Err(problem) => {
            eprintln!("error: {problem}\n\n{}", options::HELP);
            return Ok(ExitCode::from(2));
        }
    };
    if options.report {
        let results = Results::read()?;
        results.suit_docs(&Section::ALL.map(Section::name))?;
        report::write(&results)?;
        return Ok(ExitCode::SUCCESS);
    }
    let count = measure(&options)?;
    println!("{} passed, {} failed", count.passed, count.failed);
    Ok(ExitCode::from(u8::from(count.failed > 0)))
}

/// The tier of `cargo xtask test`: a quick run; each correctness cell of Relaunch counts as a test.
///
/// # Errors
/// As [`run`].
pub fn run_quick() -> Result<Count, Failure> {
    measure(&Options { quick: true, ..Options::default() })
}

fn measure(options: &Options) -> Result<Count, Failure> {
    let began = Instant::now();
    progress::heading("tools");
    let programs = Programs::compile()?;
    let chosen = options.tools();
    let (tools, tellings) = peers::provide(&chosen, options.installs(), &programs)?;
    let mut results = Results::begin(options.quick, tellings)?;
    let sections: Vec<Section> = Section::ALL.into_iter().filter(|it| options.wants(*it)).collect();
    if options.keep {
        let again: Vec<&str> = sections.iter().map(|it| it.name()).collect();
        results.keep(Results::read()?, &again);
    }
    let mut effort = if options.quick { Effort::QUICK } else { Effort::FULL };
    effort.judges_peers |= options.peers.is_some();
    let mut bench = Bench { tools, programs, effort, results };
    for section in sections {
        progress::heading(section.title());
        match section {
            Section::Latency => latency::measure(&mut bench)?,
            Section::Load => latency::measure_under_load(&mut bench)?,
            Section::Correctness => correctness::measure(&mut bench)?,
            Section::Stopping => stopping::measure(&mut bench)?,
            Section::Cost => cost::measure(&mut bench)?,
            Section::Scale => scale::measure(&mut bench)?,
            Section::Reloads => reloads::measure(&mut bench)?,
            Section::Image => image::measure(&mut bench)?,
        }
        // Whatever comes later, these samples stay.
        bench.results.write()?;
    }
    bench.results.seconds += began.elapsed().as_secs_f64();
    bench.results.write()?;
    progress::heading("results");
    println!("{}", report::text(&bench.results));
    if options.writes_docs() {
        report::write(&bench.results)?;
    }
    println!("raw samples: {}", results::path().display());
    Ok(correctness::count(&bench.results))
}

/// Where everything of the benchmark is kept.
fn folder() -> std::path::PathBuf {
    workspace::target().join("bench")
}
