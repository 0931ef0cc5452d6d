//! A folder, a supervisor that watches it, and the questions that every case asks.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::apps;
use crate::heard::{Heard, Line};

/// Everything is awaited at most this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The supervisor is at rest when it has said nothing for this long: more than its longest window,
/// 900 ms on a machine that is loaded.
const SILENCE: Duration = Duration::from_secs(1);
/// A keeper that was ready for the next start may end so much later than the supervisor.
const KEEPERS: Duration = Duration::from_secs(2);
/// Marks every process of a case in its environment.
const MARK: &str = "RELAUNCH_TEST_CASE";

/// What a case is made of before the supervisor starts. Default: `tree/app` is the executable app,
/// version `v1`; `tree` is watched; `new` is version `v2`, beside the tree.
pub(crate) struct Setup {
    folder: tempfile::TempDir,
    under: Vec<String>,
    flags: Vec<String>,
    command: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Setup {
    pub(crate) fn elf() -> Self {
        Self::with(&apps::elf("v1"), &apps::elf("v2"))
    }

    /// The same with scripts, which can be written in place while they run.
    pub(crate) fn script() -> Self {
        Self::with(&apps::script("v1"), &apps::script("v2"))
    }

    pub(crate) fn with(app: &[u8], new: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        fs::create_dir(&tree).unwrap();
        apps::write_executable(&tree.join("app"), app);
        // Sync clients take a file of the same size and second for the same.
        let old = SystemTime::now() - Duration::from_hours(1);
        File::open(tree.join("app")).unwrap().set_modified(old).unwrap();
        apps::write_executable(&folder.path().join("new"), new);
        let command = vec![tree.join("app").display().to_string(), "--port=none".to_owned()];
        let flags = vec!["--watch".to_owned(), tree.display().to_string()];
        Self { folder, under: Vec::new(), flags, command, environment: Vec::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Empty folders beside the app.
    pub(crate) fn fill_tree(&self, folders: usize) {
        for number in 0..folders {
            fs::create_dir(self.path(&format!("tree/folder{number}"))).unwrap();
        }
    }

    /// More flags of `relaunch run`.
    pub(crate) fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(ToString::to_string));
        self
    }

    /// A program and its words that become the supervisor by exec(2).
    pub(crate) fn under(mut self, words: &[&str]) -> Self {
        self.under.extend(words.iter().map(ToString::to_string));
        self
    }

    /// Nobody says what to watch.
    pub(crate) fn unwatched(mut self) -> Self {
        self.flags.clear();
        self
    }

    /// Another command.
    pub(crate) fn command(mut self, words: &[&str]) -> Self {
        self.command = words.iter().map(ToString::to_string).collect();
        self
    }

    /// More arguments of the command.
    pub(crate) fn arguments(mut self, words: &[&str]) -> Self {
        self.command.extend(words.iter().map(ToString::to_string));
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts the supervisor and waits until the first generation, `v1`, has said so.
    pub(crate) fn start(self) -> Run {
        let run = self.start_blind();
        run.wait_for_version("v1");
        // The app's word may come before the keeper's.
        run.wait_for("start 1");
        run
    }

    /// Starts the supervisor and waits for nothing.
    pub(crate) fn start_blind(self) -> Run {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}-{number}", std::process::id());
        let heard = Heard::new(self.folder.path());
        let supervisor = env!("CARGO_BIN_EXE_relaunch").to_owned();
        let words: Vec<String> = self.under.into_iter().chain([supervisor]).collect();
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .args(["run", "--log", "json"])
            .args(&self.flags)
            .arg("--")
            .args(&self.command)
            .envs(self.environment)
            .env(MARK, &mark)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        heard.listen(child.stdout.take().unwrap());
        heard.listen(child.stderr.take().unwrap());
        Run { folder: self.folder, heard, child, mark }
    }
}

/// A running supervisor. When it is dropped, the supervisor is asked to stop, and nothing of it
/// may be left.
pub(crate) struct Run {
    folder: tempfile::TempDir,
    heard: Arc<Heard>,
    child: Child,
    mark: String,
}

impl Run {
    /// A path below the case's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn app(&self) -> PathBuf {
        self.path("tree/app")
    }

    /// Runs lines of a shell in the case's folder; the first failure ends the case.
    pub(crate) fn shell(&self, lines: &str) {
        let output = Command::new("bash")
            .args(["-euc", lines])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{lines}\nfailed: {text}\n{}", self.heard.everything());
    }

    /// Puts a complete file in place by renaming it in from outside the tree.
    pub(crate) fn publish(&self, bytes: &[u8]) {
        let beside = self.path("published");
        apps::write_executable(&beside, bytes);
        fs::rename(beside, self.app()).unwrap();
    }

    /// Waits for a line of the story.
    pub(crate) fn wait_for(&self, words: &str) {
        self.wait_for_times(words, 1);
    }

    /// Waits until the story has lines that begin so, this many times.
    pub(crate) fn wait_for_times(&self, words: &str, times: usize) {
        self.heard.wait(PATIENCE, words, |lines| {
            let told = lines.iter().filter_map(|line| self.heard.words(line));
            (told.filter(|it| it.starts_with(words)).count() >= times).then_some(())
        });
    }

    /// Waits until the app's latest first line names this version.
    pub(crate) fn wait_for_version(&self, version: &str) {
        let start = format!("started version={version} ");
        self.heard.wait(PATIENCE, &start, |lines| {
            let last = lines.iter().rev().filter_map(|line| line.app_text());
            let last = last.clone().find(|text| text.starts_with("started "));
            last.is_some_and(|text| text.starts_with(&start)).then_some(())
        });
    }

    /// Waits for the start of this number.
    pub(crate) fn wait_for_start(&self, number: usize) {
        let wanted = format!("start {number}");
        self.heard.wait(PATIENCE, &wanted, |lines| {
            // Only the latest: a soak has many.
            let latest = lines.iter().rev().take(8).filter_map(|line| self.heard.words(line));
            latest.into_iter().any(|words| words == wanted).then_some(())
        });
    }

    /// Waits until the supervisor says that it is in this state, and so has taken in what it was sent
    /// before.
    pub(crate) fn wait_for_state(&self, state: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut status = Command::new(env!("CARGO_BIN_EXE_relaunch"));
            status.args(["status", "--json", "--pid", &self.supervisor().to_string()]);
            let told = status.output().unwrap().stdout;
            let told: serde_json::Value = serde_json::from_slice(&told).unwrap_or_default();
            if told["state"] == state {
                return;
            }
            assert!(Instant::now() < until, "it is not {state}: {told}\n{}", self.everything());
            pause(2);
        }
    }

    /// The lifecycle once the supervisor is at rest.
    pub(crate) fn story(&self) -> Vec<String> {
        self.heard.wait_for_silence(SILENCE);
        self.heard.story()
    }

    /// How many starts the story has, once the supervisor is at rest.
    pub(crate) fn starts(&self) -> usize {
        self.story().iter().filter(|words| words.starts_with("start ")).count()
    }

    /// The whole lifecycle is this, and then there is rest.
    pub(crate) fn assert_story(&self, expected: &[&str]) {
        self.heard.wait(PATIENCE, &format!("{expected:?}"), |lines| {
            let told = lines.iter().filter_map(|line| self.heard.words(line)).count();
            (told >= expected.len()).then_some(())
        });
        let story = self.story();
        assert_eq!(story, expected, "seen:\n{}", self.heard.everything());
    }

    /// One restart, no other line, and the new version runs from the bytes on disk.
    pub(crate) fn assert_one_restart_to(&self, version: &str) {
        self.assert_story(&["start 1", "stop 1", "start 2"]);
        self.assert_runs(version);
    }

    /// The app that runs printed this version, lives, and, where it is no script, is the file on
    /// disk.
    pub(crate) fn assert_runs(&self, version: &str) {
        self.wait_for_version(version);
        // Two streams: either line may come first.
        let pid = self.heard.wait(PATIENCE, "line of the process that runs", |lines| {
            let said = lines.iter().rev().filter_map(Line::app_text);
            let said = said.clone().find(|it| it.starts_with("started "))?;
            let pid = lines.iter().rev().find_map(Line::started)?;
            said.ends_with(&format!(" pid={pid}")).then_some(pid)
        });
        let exe = fs::read(format!("/proc/{pid}/exe"));
        let exe = exe.unwrap_or_else(|_| panic!("{pid} is dead\n{}", self.heard.everything()));
        if let Ok(disk) = fs::read(self.app())
            && disk.starts_with(b"\x7fELF")
        {
            assert!(exe == disk, "other bytes run than lie on disk\n{}", self.heard.everything());
        }
    }

    /// The pid of the last start.
    pub(crate) fn pid(&self) -> i32 {
        self.heard.wait(PATIENCE, "a start", |lines| lines.iter().rev().find_map(Line::started))
    }

    /// The supervisor's own pid.
    pub(crate) fn signal_supervisor(&self, signal: Signal) {
        let pid = i32::try_from(self.supervisor()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// The supervisor's own pid.
    pub(crate) fn supervisor(&self) -> u32 {
        self.child.id()
    }

    /// Waits until nothing is due any more, digests and second looks included: the supervisor waits
    /// for events alone (a ppoll(2) without a timeout, third word of its arguments).
    pub(crate) fn wait_for_rest(&self) {
        let path = format!("/proc/{}/syscall", self.supervisor());
        let until = Instant::now() + PATIENCE;
        loop {
            let call = fs::read_to_string(&path).unwrap();
            let words: Vec<_> = call.split_whitespace().collect();
            if words[0] == libc::SYS_ppoll.to_string() && words[3] == "0x0" {
                return;
            }
            assert!(Instant::now() < until, "no rest\n{}", self.heard.everything());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the end of the supervisor; its exit code.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            thread::sleep(Duration::from_millis(2));
        }
        panic!("the supervisor does not end\n{}", self.heard.everything());
    }

    /// Waits for a line of the app.
    pub(crate) fn wait_for_app(&self, text: &str) {
        self.heard.wait(PATIENCE, text, |lines| {
            lines.iter().any(|line| line.app_text() == Some(text)).then_some(())
        });
    }

    /// What the app has printed so far.
    pub(crate) fn app_lines(&self) -> Vec<String> {
        self.heard.app_lines()
    }

    pub(crate) fn signal_app(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// For texts of failures that only the case can tell.
    pub(crate) fn everything(&self) -> String {
        self.heard.everything()
    }

    fn end(&mut self) -> io::Result<bool> {
        self.signal_supervisor(Signal::SIGTERM);
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if self.child.try_wait()?.is_some() {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(2));
        }
        self.child.kill()?;
        self.child.wait().map(|_| false)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let ended = self.child.try_wait().unwrap().is_some() || self.end().unwrap();
        // A keeper ends when it sees that the supervisor is gone.
        let until = Instant::now() + KEEPERS;
        while !marked(&self.mark).is_empty() && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        let left = marked(&self.mark);
        for pid in &left {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        }
        if !thread::panicking() {
            assert!(ended, "TERM did not end the supervisor\n{}", self.heard.everything());
            assert!(left.is_empty(), "left behind: {left:?}\n{}", self.heard.everything());
        }
    }
}

/// The living processes that bear the mark.
fn marked(mark: &str) -> Vec<i32> {
    let wanted = format!("{MARK}={mark}");
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    })
    .collect()
}

/// Whether a tool is on this machine. In CI it must be; elsewhere its case is left out, with a word.
pub(crate) fn has(tool: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).any(|folder| folder.join(tool).is_file());
    is_there(found, &format!("{tool} is not on this machine"))
}

/// Whether what a case needs is there. In CI it must be; elsewhere the case is left out, with a word.
pub(crate) fn is_there(there: bool, lack: &str) -> bool {
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(there || !ci, "{lack}");
    if !there {
        println!("left out: {lack}");
    }
    there
}

/// Waits between two writes, as the tool does whose pattern this is.
pub(crate) fn pause(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

/// Sets a file's modification time to another's.
pub(crate) fn copy_mtime(from: &Path, to: &Path) {
    let time = fs::metadata(from).unwrap().modified().unwrap();
    fs::File::options().write(true).open(to).unwrap().set_modified(time).unwrap();
}
