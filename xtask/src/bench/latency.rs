//! Latency: from the last byte of an update to the first instruction of the new process. All tools
//! run at the same time; in each round every one of them gets an update in turn.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command;
use crate::failure::Failure;

use super::marks::milliseconds;
use super::peers::Installed;
use super::place::{Place, write_executable};
use super::programs::Programs;
use super::publish::Way;
use super::results::{Key, Unit};
use super::run::Run;
use super::{Bench, Section};

/// A new process is waited for so long; the slowest default among the tools is a second.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);
/// Between two updates of one tool: nobody saves more often, and tools that learn from quick
/// successions would be measured at something else.
const PAUSE: Duration = Duration::from_millis(1_200);

const MEGABYTE: usize = 1_000_000;

/// One way with one size.
struct Workload {
    name: String,
    way: Way,
    /// Bytes appended to the small executable.
    extra: usize,
    rounds: usize,
}

/// The section.
pub(super) fn measure(bench: &mut Bench) -> Result<(), Failure> {
    let effort = bench.effort;
    let ways = [Way::Rename, Way::Recreate, Way::Tar, Way::Rsync, Way::DockerCp, Way::InPlace];
    let mut workloads: Vec<Workload> = ways
        .into_iter()
        .map(|way| Workload {
            name: way.name().to_owned(),
            way,
            extra: 0,
            rounds: if way == Way::Rename { effort.leading_rounds } else { effort.rounds },
        })
        .collect();
    let large = [(8, effort.large_rounds[0]), (80, effort.large_rounds[1])];
    for (megabytes, rounds) in large.into_iter().filter(|(_, rounds)| *rounds > 0) {
        for way in [Way::Rename, Way::Recreate, Way::Tar, Way::Rsync, Way::DockerCp] {
            let name = format!("{}, {megabytes} MB", way.name());
            workloads.push(Workload { name, way, extra: megabytes * MEGABYTE, rounds });
        }
    }
    for workload in workloads {
        side_by_side(bench, Section::Latency, &workload)?;
    }
    Ok(())
}

/// The section of the same name: rename-over while every core has two things to do besides.
pub(super) fn measure_under_load(bench: &mut Bench) -> Result<(), Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let _busy: Vec<Busy> = (0..2 * cores).map(|_| Busy::start()).collect::<Result<_, _>>()?;
    let rounds = bench.effort.load_rounds;
    let name = "rename over, under load".to_owned();
    side_by_side(bench, Section::Load, &Workload { name, way: Way::Rename, extra: 0, rounds })
}

/// A tool, its run, and when it was updated last.
struct Contender {
    installed: Installed,
    run: Option<Run>,
    updated: Instant,
}

fn side_by_side(bench: &mut Bench, section: Section, workload: &Workload) -> Result<(), Failure> {
    println!("    {} ({} rounds)", workload.name, workload.rounds);
    let mut contenders = Vec::new();
    for installed in bench.tools.clone() {
        contenders.push(Contender { installed, run: None, updated: Instant::now() });
    }
    for round in 0..workload.rounds {
        let version = format!("v{}", round + 2);
        for contender in &mut contenders {
            let key = Key {
                section: section.name(),
                workload: &workload.name,
                tool: contender.installed.tool,
                unit: Unit::Milliseconds,
            };
            match update(&bench.programs, contender, workload, &version)? {
                Ok(latency) => bench.results.sample(key, latency),
                Err(reason) => {
                    bench.results.miss(key, reason);
                    // Whatever state it is in, the next round is not to suffer from it.
                    contender.run = None;
                }
            }
        }
    }
    Ok(())
}

/// One update of one tool; the latency in milliseconds, or why there is none.
fn update(
    programs: &Programs,
    contender: &mut Contender,
    workload: &Workload,
    version: &str,
) -> Result<Result<f64, String>, Failure> {
    let run = match &mut contender.run {
        Some(run) => run,
        None => match begin(programs, &contender.installed, workload)? {
            Ok(run) => contender.run.insert(run),
            Err(reason) => return Ok(Err(reason)),
        },
    };
    let bytes = executable(programs, workload, &run.place, version)?;
    workload.way.prepare(&run.place, &bytes)?;
    std::thread::sleep(PAUSE.saturating_sub(contender.updated.elapsed()));
    // Late starts of the update before must not count for this one.
    run.settle(Duration::ZERO, PAUSE);
    let last_byte = workload.way.publish(&run.place, &bytes)?;
    contender.updated = Instant::now();
    Ok(match run.start_of(version, PATIENCE) {
        Some(mark) => Ok(milliseconds(mark.at - last_byte)),
        None => Err(format!("no new process in {} s", PATIENCE.as_secs())),
    })
}

fn begin(
    programs: &Programs,
    installed: &Installed,
    workload: &Workload,
) -> Result<Result<Run, String>, Failure> {
    let place = Place::new()?;
    write_executable(&place.app(), &executable(programs, workload, &place, "v1")?)?;
    let mut run = Run::start(installed, place, &[], &[])?;
    if let Err(reason) = run.first_start() {
        return Ok(Err(reason));
    }
    run.ready();
    Ok(Ok(run))
}

fn executable(
    programs: &Programs,
    workload: &Workload,
    place: &Place,
    version: &str,
) -> Result<Vec<u8>, Failure> {
    match workload.way {
        Way::InPlace => Ok(programs.script(version, &place.pipe())),
        _ => programs.build(version, workload.extra),
    }
}

/// Renames another build over a running one and waits for it; the latency in milliseconds.
pub(super) fn reload(
    programs: &Programs,
    run: &mut Run,
    version: &str,
) -> Result<Option<f64>, Failure> {
    let bytes = programs.build(version, 0)?;
    Way::Rename.prepare(&run.place, &bytes)?;
    let last_byte = Way::Rename.publish(&run.place, &bytes)?;
    Ok(run.start_of(version, PATIENCE).map(|mark| milliseconds(mark.at - last_byte)))
}

/// A process that never sleeps.
pub(super) struct Busy(Child);

impl Busy {
    pub(super) fn start() -> Result<Self, Failure> {
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do :; done"]).stdin(Stdio::null());
        let child = command.spawn().map_err(command::start_failure(&command))?;
        Ok(Self(child))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
