//! One tier of `cargo xtask test`: which programs it runs and what it counts.
//!
//! Integration tests belong to a tier by the beginning of their file's name, so a new file needs
//! no list: `embedded*`, `buildpack*`, `platform*`; every other one runs the real supervisor on
//! real files.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::command::{self, start_failure};
use crate::failure::Failure;
use crate::workspace;

/// The tiers in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// `cargo fmt --check`
    Format,
    /// `cargo clippy`, warnings denied by the manifest.
    Lints,
    /// `cargo doc`, warnings denied; and the examples in it.
    Docs,
    /// Tests beside the code.
    Unit,
    /// The pure core on a fake world; strange bytes for every parser.
    Simulation,
    /// The real supervisor on real files.
    Supervisor,
    /// Real detect, build and launch without containers.
    Embedded,
    /// Real pack, lifecycle, engine and compose.
    Platform,
    /// A quick benchmark, of which only correctness counts.
    Bench,
}

impl Tier {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Format,
        Self::Lints,
        Self::Docs,
        Self::Unit,
        Self::Simulation,
        Self::Supervisor,
        Self::Embedded,
        Self::Platform,
        Self::Bench,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lints => "lints",
            Self::Docs => "docs",
            Self::Unit => "unit",
            Self::Simulation => "simulation",
            Self::Supervisor => "supervisor",
            Self::Embedded => "embedded",
            Self::Platform => "platform",
            Self::Bench => "bench",
        }
    }

    /// Its heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Format => "formatting",
            Self::Lints => "lints",
            Self::Docs => "documentation",
            Self::Unit => "unit tests",
            Self::Simulation => "simulation and fuzzing",
            Self::Supervisor => "real supervisor on real files",
            Self::Embedded => "embedded platform",
            Self::Platform => "real platform",
            Self::Bench => "benchmark, quick",
        }
    }

    /// The tier of an integration test file.
    fn of_test_file(name: &str) -> Self {
        match name {
            name if name.starts_with("platform") => Self::Platform,
            name if name.starts_with("embedded") => Self::Embedded,
            // The real detect and build binaries, called by a test as the platform would.
            name if name.starts_with("buildpack") => Self::Embedded,
            _ => Self::Supervisor,
        }
    }
}

/// Tests that passed and failed; a check without tests of its own counts as one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Passed.
    pub passed: u32,
    /// Failed.
    pub failed: u32,
}

impl Count {
    /// A check that passed or failed as a whole.
    #[must_use]
    pub fn check(passed: bool) -> Self {
        Self { passed: u32::from(passed), failed: u32::from(!passed) }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

/// The rooms whose tests are the simulation tier: random schedules and recorded traces.
const SIMULATION: [&str; 2] = ["simulate::", "replay::"];

/// Runs one tier. `filters` go to the test programs; `variables` to their environment.
///
/// # Errors
/// Cargo cannot be started.
pub fn run(
    tier: Tier,
    filters: &[String],
    variables: &[(String, String)],
) -> Result<Count, Failure> {
    match tier {
        Tier::Format => check(cargo(&["fmt", "--all", "--check"])),
        Tier::Lints => {
            check(cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--quiet"]))
        }
        Tier::Docs => {
            let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
            let built = check(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
            let examples = cargo(&["test", "--workspace", "--doc", "--locked", "--quiet"]);
            Ok(built.plus(tests(examples)?))
        }
        Tier::Unit => {
            let mut unit = cargo(&["test", "--workspace", "--lib", "--bins", "--locked"]);
            unit.args(["--no-fail-fast", "--quiet", "--"]).args(filters);
            unit.args(SIMULATION.iter().flat_map(|room| ["--skip", room]));
            tests(unit)
        }
        Tier::Simulation => {
            let mut simulation = cargo(&["test", "--package", "xtask", "--lib", "--locked"]);
            simulation.arg("--");
            // libtest runs what any of its filters names.
            if filters.is_empty() {
                simulation.args(SIMULATION);
            } else {
                simulation.args(filters);
            }
            let mut fuzz = cargo(&["test", "--package", "xtask", "--test", "fuzz", "--locked"]);
            fuzz.arg("--").args(filters);
            Ok(tests(simulation)?.plus(tests(fuzz)?))
        }
        Tier::Bench => crate::bench::run_quick(),
        Tier::Supervisor | Tier::Embedded | Tier::Platform => integration(tier, filters, variables),
    }
}

fn integration(
    tier: Tier,
    filters: &[String],
    variables: &[(String, String)],
) -> Result<Count, Failure> {
    let files = test_files(tier)?;
    if files.is_empty() {
        println!("no file in tests/ belongs to this tier");
        return Ok(Count::check(false));
    }
    let mut command = cargo(&["test", "--locked", "--no-fail-fast"]);
    for file in &files {
        command.args(["--test", file]);
    }
    command.arg("--");
    // Ignored are the tests that need what was prepared just now.
    if matches!(tier, Tier::Embedded | Tier::Platform) {
        command.arg("--include-ignored");
    }
    if tier == Tier::Platform {
        // Two builds at a time keep two cores busy, while a third test waits for silence.
        command.args(["--test-threads", "3"]);
    }
    command.args(filters).envs(variables.iter().cloned());
    tests(command)
}

/// The integration tests of the root package that belong to `tier`.
fn test_files(tier: Tier) -> Result<Vec<String>, Failure> {
    let folder = workspace::root().join("tests");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(Failure::file(&folder))? {
        let path = entry.map_err(Failure::file(&folder))?.path();
        let is_test =
            path.extension().is_some_and(|it| it == "rs") || path.join("main.rs").exists();
        if let (true, Some(name)) = (is_test, path.file_stem()) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.retain(|name| Tier::of_test_file(name) == tier);
    names.sort();
    Ok(names)
}

/// Cargo in the workspace, without the terminal's input.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace::root()).stdin(Stdio::null());
    command
}

fn check(mut command: impl std::borrow::BorrowMut<Command>) -> Result<Count, Failure> {
    match command::run(command.borrow_mut()) {
        Ok(()) => Ok(Count::check(true)),
        Err(failure @ Failure::Start { .. }) => Err(failure),
        Err(failure) => {
            eprintln!("{failure}");
            Ok(Count::check(false))
        }
    }
}

/// Runs test programs, passes their output on and adds up what they counted. A failure that no
/// test explains (a test does not compile) counts as one.
fn tests(mut command: Command) -> Result<Count, Failure> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(start_failure(&command))?;
    let mut count = Count::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            println!("{line}");
            count = count.plus(result_line(&line).unwrap_or_default());
        }
    }
    let status = child.wait().map_err(start_failure(&command))?;
    if !status.success() && count.failed == 0 {
        count.failed = 1;
    }
    Ok(count)
}

/// `test result: ok. 8 passed; 0 failed; …`
fn result_line(line: &str) -> Option<Count> {
    let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |word: &str| -> Option<u32> {
        let part = numbers.split("; ").find_map(|part| part.strip_suffix(word))?;
        part.trim().parse().ok()
    };
    Some(Count { passed: number(" passed")?, failed: number(" failed")? })
}

#[cfg(test)]
mod tests_of_the_tiers {
    use super::*;

    #[test]
    fn a_result_line_is_counted() {
        let line = "test result: FAILED. 8 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(result_line(line), Some(Count { passed: 8, failed: 2 }));
        assert_eq!(result_line("test passed; 0 failed"), None);
    }

    #[test]
    fn a_test_file_belongs_to_the_tier_that_its_name_begins_with() {
        let names = ["buildpack", "embedded_build", "platform", "restart_on_write"];
        let tiers = [Tier::Embedded, Tier::Embedded, Tier::Platform, Tier::Supervisor];
        assert_eq!(names.map(Tier::of_test_file), tiers);
    }
}
