//! A folder with the supervisor under the name `watchexec`, and the running supervisor.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::time::ClockId;
use nix::unistd::Pid;

use super::apps::write_executable;
use super::heard::{self, Heard};

const PATIENCE: Duration = Duration::from_secs(20);
/// At rest: longer than every window that these cases reach.
pub(crate) const SILENCE: Duration = Duration::from_millis(700);

/// A folder with the link `watchexec`, the app folder `workspace` and the folder `bin`.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self(folder);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_relaunch"), place.path("watchexec"))
            .unwrap();
        fs::create_dir(place.path("workspace")).unwrap();
        fs::create_dir(place.path("bin")).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `watchexec` with these words, `@` standing for the folder; its current folder is the app's.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let folder = self.0.path().display().to_string();
        let mut command = Command::new(self.path("watchexec"));
        command
            .args(words.iter().map(|word| word.replace('@', &folder)))
            .env("RELAUNCH_LOG", "json")
            .current_dir(self.path("workspace"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Renames a complete file to this name.
    pub(crate) fn publish(&self, name: &str, content: &[u8]) {
        write_executable(&self.path("new"), content);
        fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    pub(crate) fn output(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// The clock of file times moves in steps of a few milliseconds: a file made in the step in
    /// which the supervisor starts may have been made after it, and rightly counts as changed.
    pub(crate) fn let_the_file_clock_tick() {
        let now = |clock: ClockId| Duration::from(clock.now().unwrap());
        let made = now(ClockId::CLOCK_REALTIME);
        while now(ClockId::CLOCK_REALTIME_COARSE) <= made {
            std::thread::yield_now();
        }
    }

    pub(crate) fn run(&self, words: &[&str]) -> Running {
        self.run_command(self.command(words))
    }

    pub(crate) fn run_command(&self, mut command: Command) -> Running {
        Self::let_the_file_clock_tick();
        let mut child = command.spawn().unwrap();
        let heard = Heard::new(self.0.path());
        heard.listen(child.stdout.take().unwrap());
        heard.listen(child.stderr.take().unwrap());
        Running { child, heard }
    }
}

/// A running supervisor; ends with the case.
pub(crate) struct Running {
    child: Child,
    pub(crate) heard: Arc<Heard>,
}

impl Running {
    /// Waits until the app has said that this version runs.
    pub(crate) fn wait_for_version(&self, version: &str) {
        let start = format!("started version={version} ");
        self.heard.wait(PATIENCE, &start, |lines| {
            let last = lines.iter().rev().filter_map(heard::Line::app_text);
            let last = last.into_iter().find(|text| text.starts_with("started "));
            last.is_some_and(|text| text.starts_with(&start)).then_some(())
        });
    }

    /// Waits for a line of the lifecycle.
    pub(crate) fn wait_for(&self, words: &str) {
        self.heard.wait(PATIENCE, words, |lines| {
            let mut told = lines.iter().filter_map(|line| self.heard.words(line));
            told.any(|it| it == words).then_some(())
        });
    }

    /// Waits for the app's own line that begins so; the line.
    pub(crate) fn wait_for_app(&self, beginning: &str) -> String {
        self.heard.wait(PATIENCE, beginning, |lines| {
            let mut said = lines.iter().filter_map(heard::Line::app_text);
            said.find(|text| text.starts_with(beginning)).map(str::to_owned)
        })
    }

    /// A number of the last event of this kind.
    pub(crate) fn number(&self, event: &str, field: &str) -> Option<f64> {
        self.heard.last(event).and_then(|event| event[field].as_f64())
    }

    /// This version runs after exactly one restart.
    pub(crate) fn assert_one_restart(&self, version: &str) {
        self.wait_for_version(version);
        self.assert_story(&["start 1", "stop 1", "start 2"]);
    }

    /// The whole lifecycle, once nothing more comes.
    pub(crate) fn assert_story(&self, expected: &[&str]) {
        self.heard.wait_for_silence(SILENCE);
        assert_eq!(self.heard.story(), expected, "seen:\n{}", self.heard.everything());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let _ = kill(pid, Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
