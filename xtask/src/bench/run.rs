//! A running tool: its process, its place and the app's words. Whatever it leaves behind is killed
//! when the value goes.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::command;
use crate::failure::Failure;

use super::marks::{self, Kind, Mark, Marks};
use super::peers::{Installed, Target};
use super::place::Place;
use super::procfs::{self, Cost};

/// Marks every process of a run in its environment.
const VARIABLE: &str = "RELAUNCH_BENCH_RUN";
/// More than any tool takes to start an app in front of 100,000 files.
const PATIENCE: Duration = Duration::from_secs(90);
/// A tool is at rest when its processes use no processor for this long.
const REST: Duration = Duration::from_millis(300);
/// Less than one wake-up of a thread that does something: an idle runtime may tick.
const IDLE_NANOSECONDS: u64 = 1_000_000;

/// A tool that was started on a place.
pub(super) struct Run {
    pub(super) place: Place,
    pub(super) marks: Marks,
    child: Child,
    variable: String,
    /// When it was started, by the clock of the marks.
    pub(super) began: i64,
    /// Every process that said it is the app.
    apps: BTreeSet<i32>,
    /// Every process that said it is a helper.
    helpers: Vec<i32>,
    /// How often the app said that it started.
    pub(super) starts: u32,
    /// The last start.
    pub(super) last: Option<Mark>,
}

impl Run {
    /// Starts the tool on an app that lies in the place already. `habits` go to the app, `under`
    /// are words in front of the tool's.
    pub(super) fn start(
        installed: &Installed,
        place: Place,
        habits: &[&str],
        under: &[&str],
    ) -> Result<Self, Failure> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let variable = format!("{}-{number}", std::process::id());
        let marks = Marks::create(&place.pipe())?;
        let mut words = vec![place.app(), place.pipe()];
        words.extend(habits.iter().map(Into::into));
        let tool = installed.command(&Target { place: &place, words: &words })?;
        let mut command = wrapped(&tool, under);
        let log = File::create(place.log()).map_err(Failure::file(place.log()))?;
        let copy = log.try_clone().map_err(Failure::file(place.log()))?;
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"RELAUNCH_") {
                command.env_remove(name);
            }
        }
        command.env(VARIABLE, &variable).env_remove("PYTHONDONTWRITEBYTECODE").process_group(0);
        command.stdin(Stdio::null()).stdout(log).stderr(copy);
        let began = marks::now();
        let child = command.spawn().map_err(command::start_failure(&command))?;
        let (apps, helpers) = (BTreeSet::new(), Vec::new());
        Ok(Self { place, marks, child, variable, began, apps, helpers, starts: 0, last: None })
    }

    /// The tool's own process.
    pub(super) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// The next start within this time.
    pub(super) fn next_start(&mut self, within: Duration) -> Option<Mark> {
        let until = Instant::now() + within;
        loop {
            let mark = self.marks.next(until.saturating_duration_since(Instant::now()))?;
            if self.take(&mark) {
                return Some(mark);
            }
        }
    }

    /// Notes a word; whether it is a start.
    pub(super) fn take(&mut self, mark: &Mark) -> bool {
        match mark.kind {
            Kind::App => {
                self.apps.insert(mark.pid);
                self.starts += 1;
                self.last = Some(mark.clone());
                true
            }
            Kind::Helper => {
                self.helpers.push(mark.pid);
                false
            }
        }
    }

    /// The start of this version within this time.
    pub(super) fn start_of(&mut self, version: &str, within: Duration) -> Option<Mark> {
        let until = Instant::now() + within;
        loop {
            let mark = self.next_start(until.saturating_duration_since(Instant::now()))?;
            if mark.version == version {
                return Some(mark);
            }
        }
    }

    /// Waits for the first start, or says with the tool's own words that none came.
    pub(super) fn first_start(&mut self) -> Result<Mark, String> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(mark) = self.next_start(Duration::from_millis(200)) {
                return Ok(mark);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("ended before the app started ({status}): {}", self.told()));
            }
        }
        Err(format!("did not start the app in {} s: {}", PATIENCE.as_secs(), self.told()))
    }

    /// Waits until the tool rests: its watch is up then. `false` = it never did.
    pub(super) fn ready(&mut self) -> bool {
        self.rests(PATIENCE)
    }

    /// Waits until the tool rests, but no longer than this.
    pub(super) fn rests(&mut self, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let mut before = self.cost();
        while Instant::now() < until {
            thread::sleep(REST);
            let after = self.cost();
            if after.running.saturating_sub(before.running) < IDLE_NANOSECONDS {
                return true;
            }
            before = after;
        }
        false
    }

    /// Takes in starts until none has come for this long.
    pub(super) fn settle(&mut self, silence: Duration, at_most: Duration) {
        let until = Instant::now() + at_most;
        while Instant::now() < until && self.next_start(silence).is_some() {}
    }

    /// What the tool costs now.
    pub(super) fn cost(&self) -> Cost {
        Cost::of(&procfs::family(self.pid(), &self.apps))
    }

    /// Whether the app that started last runs.
    pub(super) fn app_lives(&self) -> bool {
        self.last.as_ref().is_some_and(|mark| procfs::lives(mark.pid))
    }

    /// Helpers of all generations that live.
    pub(super) fn living_helpers(&self) -> usize {
        self.helpers.iter().filter(|pid| procfs::lives(**pid)).count()
    }

    /// Waits until so many helpers have spoken.
    pub(super) fn wait_for_helpers(&mut self, count: usize, within: Duration) -> bool {
        let until = Instant::now() + within;
        while self.helpers.len() < count {
            let left = until.saturating_duration_since(Instant::now());
            let Some(mark) = self.marks.next(left) else { return false };
            self.take(&mark);
        }
        true
    }

    /// Sends the tool's process a signal.
    pub(super) fn signal(pid: i32, signal: Signal) {
        let _ = kill(Pid::from_raw(pid), signal);
    }

    /// Waits for the end of what was started; its code, and how long it took in milliseconds.
    pub(super) fn wait(&mut self, within: Duration) -> Option<(Option<i32>, f64)> {
        let began = Instant::now();
        while began.elapsed() < within {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some((status.code(), began.elapsed().as_secs_f64() * 1e3));
            }
            thread::sleep(Duration::from_micros(500));
        }
        None
    }

    /// The end of what the tool printed.
    pub(super) fn told(&self) -> String {
        let text = std::fs::read(self.place.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(3)..].join(" | ")
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        Self::signal(self.pid(), Signal::SIGTERM);
        self.wait(Duration::from_millis(500));
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Some tools leave the app or its helpers behind, and these may start others.
        let variable = format!("{VARIABLE}={}", self.variable);
        for _ in 0..50 {
            let left = procfs::marked(&variable);
            if left.is_empty() {
                return;
            }
            for pid in left {
                Self::signal(pid, Signal::SIGKILL);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The command with words in front of it.
fn wrapped(tool: &Command, under: &[&str]) -> Command {
    let mut words = under.iter().map(std::ffi::OsStr::new).collect::<Vec<_>>();
    words.push(tool.get_program());
    words.extend(tool.get_args());
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    if let Some(folder) = tool.get_current_dir() {
        command.current_dir(folder);
    }
    command
}
