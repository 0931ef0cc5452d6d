//! A running tool whose app is version `v1`, at rest, and what a case does to its files.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::command;
use crate::failure::Failure;

use super::super::peers::Installed;
use super::super::place::{Place, write_executable};
use super::super::programs::Programs;
use super::super::results::Outcome;
use super::super::run::Run;

/// Between the first start and the change: whoever edits has seen the app run.
const BEFORE: Duration = Duration::from_millis(1_200);
/// Nothing more is to come after such a silence: twice the longest wait of any tool.
const SILENCE: Duration = Duration::from_millis(2_200);
/// A tool that restarts for ever is watched for so long.
const AT_MOST: Duration = Duration::from_secs(20);

/// What the app of a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum App {
    /// An executable.
    Elf,
    /// A script that the app interprets; may be written in place.
    Script,
    /// An executable that takes half a second to stop.
    Slow,
    /// An executable that appends to `tree/app.log` every 10 ms.
    Logging,
    /// An executable behind two links, as Kubernetes mounts a `ConfigMap`.
    Linked,
    /// An executable among fifty files.
    Crowded,
}

/// The case's hands.
pub(super) struct Scene<'a> {
    pub(super) run: Run,
    programs: &'a Programs,
    app: App,
    starts_before: u32,
}

impl<'a> Scene<'a> {
    /// Lays the files, starts the tool, waits for `v1` and for rest. The inner error says why the
    /// tool did not start the app.
    pub(super) fn set(
        programs: &'a Programs,
        tool: &Installed,
        app: App,
    ) -> Result<Result<Self, String>, Failure> {
        let place = Place::new()?;
        lay(programs, &place, app)?;
        let log = format!("log={}", place.tree().join("app.log").display());
        let habits: &[&str] = match app {
            App::Slow => &["slow=500"],
            App::Logging => &[&log],
            _ => &[],
        };
        let mut run = Run::start(tool, place, habits, &[])?;
        if let Err(told) = run.first_start() {
            return Ok(Err(told));
        }
        if app == App::Logging {
            thread::sleep(Duration::from_millis(300));
        } else {
            run.ready();
        }
        run.settle(BEFORE, AT_MOST);
        let starts_before = run.starts;
        Ok(Ok(Self { run, programs, app, starts_before }))
    }

    /// What there is to see once nothing happens any more.
    pub(super) fn outcome(&mut self, version: &str) -> Outcome {
        if self.app != App::Logging {
            // It may still be comparing 40,000 files.
            self.run.rests(AT_MOST);
        }
        self.run.settle(SILENCE, AT_MOST);
        let right = self.run.last.as_ref().is_some_and(|mark| mark.version == version);
        Outcome {
            starts: self.run.starts - self.starts_before,
            alive: self.run.app_lives(),
            right,
            told: self.run.told(),
        }
    }

    /// The bytes of another build, of the app's own kind.
    pub(super) fn bytes(&self, version: &str) -> Result<Vec<u8>, Failure> {
        match self.app {
            App::Script => Ok(self.programs.script(version, &self.run.place.pipe())),
            _ => self.programs.build(version, 0),
        }
    }

    /// Writes another build beside the tree as `out/NAME`.
    pub(super) fn prepare(&self, name: &str, version: &str) -> Result<PathBuf, Failure> {
        let path = self.run.place.beside(name);
        write_executable(&path, &self.bytes(version)?)?;
        Ok(path)
    }

    /// Renames another build over the app.
    pub(super) fn publish(&self, version: &str) -> Result<(), Failure> {
        self.rename_over(&self.prepare("published", version)?)
    }

    /// Renames this file over the app.
    pub(super) fn rename_over(&self, beside: &Path) -> Result<(), Failure> {
        std::fs::rename(beside, self.run.place.app()).map_err(Failure::file(beside))
    }

    /// Prepares `out/new` as `v2` and runs lines of a shell in the folder of `tree` and `out`.
    pub(super) fn shell(&self, lines: &str) -> Result<(), Failure> {
        self.prepare("new", "v2")?;
        // A file of that age is never taken for the old one by its second.
        let old = SystemTime::now() - Duration::from_hours(1);
        let new = self.run.place.beside("new");
        let file = File::open(&new).map_err(Failure::file(&new))?;
        file.set_modified(old).map_err(Failure::file(&new))?;
        let mut bash = Command::new("bash");
        bash.args(["-euc", lines]).current_dir(self.run.place.folder());
        command::capture(&mut bash).map(drop)
    }

    /// Opens the app's file anew, empty.
    pub(super) fn create(&self) -> Result<File, Failure> {
        let app = self.run.place.app();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o755);
        options.open(&app).map_err(Failure::file(&app))
    }

    /// Appends to the app's file through a descriptor of its own.
    pub(super) fn append(&self, bytes: &[u8]) -> Result<(), Failure> {
        let app = self.run.place.app();
        let mut file = OpenOptions::new().append(true).open(&app).map_err(Failure::file(&app))?;
        file.write_all(bytes).map_err(Failure::file(&app))
    }

    /// Removes the app's file.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        let app = self.run.place.app();
        std::fs::remove_file(&app).map_err(Failure::file(&app))
    }
}

/// Between two writes of a case.
pub(super) fn pause(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

fn lay(programs: &Programs, place: &Place, app: App) -> Result<(), Failure> {
    let bytes = match app {
        App::Script => programs.script("v1", &place.pipe()),
        _ => programs.build("v1", 0)?,
    };
    if app == App::Linked {
        let inner = place.tree().join("..one");
        std::fs::create_dir(&inner).map_err(Failure::file(&inner))?;
        write_executable(&inner.join("app"), &bytes)?;
        for (target, link) in [("..one", "..data"), ("..data/app", "app")] {
            let link = place.tree().join(link);
            std::os::unix::fs::symlink(target, &link).map_err(Failure::file(&link))?;
        }
        return Ok(());
    }
    write_executable(&place.app(), &bytes)?;
    let others = if app == App::Crowded { 50 } else { 3 };
    for number in 1..=others {
        let path = place.tree().join(format!("file{number}"));
        std::fs::write(&path, "old").map_err(Failure::file(&path))?;
    }
    // Sync clients take a file of the same size and second for the same.
    let old = SystemTime::now() - Duration::from_hours(2);
    let app = place.app();
    let file = File::open(&app).map_err(Failure::file(&app))?;
    file.set_modified(old).map_err(Failure::file(&app))
}
