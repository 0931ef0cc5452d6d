//! The manifest as a file, and what happens where there is no place for it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::world::{PATIENCE, Setup};
use crate::{apps, ask, status};

#[test]
fn the_file_is_the_status_and_is_always_whole() {
    let setup = Setup::elf();
    let state = setup.path("state");
    let run = setup.flags(&["--state", &state.display().to_string()]).start();
    let file = state.join("manifest.json");
    for version in ["v2", "v3", "v4"] {
        run.publish(&apps::elf(version));
        run.wait_for_version(version);
    }
    assert_eq!(ask(&run, &["wait", "--generation", "4"]).code, Some(0));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        // Whole at any moment, and in the end the same.
        let told: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        if told == status(&run) && told["executable"]["sha256"].is_string() {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{told}\n{}", status(&run));
    }
}

#[test]
fn digests_that_are_made_after_the_start_come_into_the_file() {
    // They were made in quiet moments, after the last writing, and the file never had them.
    let setup = Setup::script();
    let state = setup.path("state");
    // The start comes sooner than a file is old enough to be digested.
    let run = setup.flags(&["--state", &state.display().to_string(), "--settle", "1ms"]).start();
    run.publish(&apps::script("v2"));
    run.wait_for_version("v2");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let text = fs::read_to_string(state.join("manifest.json")).unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        let listed = told["watch"]["listed"].as_array().cloned().unwrap_or_default();
        if !listed.is_empty() && listed.iter().all(|file| file["xxh3"].is_string()) {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{told}\n{}", status(&run));
    }
}

#[test]
fn without_a_place_for_the_file_everything_else_works_and_it_is_said_once() {
    let run = Setup::elf().flags(&["--state", "/proc/self/nowhere"]).start();
    run.publish(&apps::elf("v2"));
    run.wait_for_version("v2");
    let warning = "warning: the manifest cannot be written to /proc/self/nowhere: No such file or directory (os error 2); name another folder with --state, or do without: `relaunch status` works all the same";
    let mut story = run.story();
    story.sort();
    assert_eq!(story, ["start 1", "start 2", "stop 1", warning]);
    assert_eq!(status(&run)["state"], "running");
}

#[test]
fn a_state_folder_in_the_watched_tree_restarts_nothing() {
    let setup = Setup::elf();
    let state = setup.path("tree/state");
    let run = setup.flags(&["--state", &state.display().to_string()]).start();
    run.wait_for("start 1");
    run.assert_story(&["start 1"]);
    // Each writing was an event that led to the next one.
    let file = state.join("manifest.json");
    let written = || fs::metadata(&file).and_then(|meta| meta.modified()).ok();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let mut before = None;
    while before.is_none() || before != written() {
        before = written();
        assert_eq!(ask(&run, &["wait", "--change", "--timeout", "300ms"]).code, Some(124));
        assert!(std::time::Instant::now() < deadline, "it is written over and over");
    }
    let told = status(&run);
    let listed = told["watch"]["listed"].as_array().unwrap();
    assert!(listed.iter().all(|it| !it["path"].as_str().unwrap().contains("/state/")), "{told}");
}

/// A supervisor that is PID 1 of a container, as far as it can see, beside this runtime folder.
struct FirstProcess {
    unshare: Child,
    supervisor: Pid,
}

impl FirstProcess {
    fn start(runtime: &Path, seconds: &str) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child"]);
        command.args(["--mount-proc", env!("CARGO_BIN_EXE_relaunch"), "run", "--", "sleep"]);
        command.arg(seconds).env("XDG_RUNTIME_DIR", runtime);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let unshare = command.spawn().unwrap();
        let list = format!("/proc/{0}/task/{0}/children", unshare.id());
        let supervisor = until(|| fs::read_to_string(&list).ok()?.trim().parse().ok());
        Self { unshare, supervisor: Pid::from_raw(supervisor) }
    }

    /// What `relaunch status` answers inside.
    fn status(&self) -> Option<Value> {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.supervisor.to_string(), "--user", "--pid", "--mount"]);
        command.args(["--preserve-credentials", env!("CARGO_BIN_EXE_relaunch")]);
        let output = command.args(["status", "--json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).ok()
    }

    fn end(mut self) {
        kill(self.supervisor, Signal::SIGTERM).unwrap();
        self.unshare.wait().unwrap();
    }
}

impl Drop for FirstProcess {
    /// With its first process the namespace ends.
    fn drop(&mut self) {
        if self.unshare.try_wait().unwrap().is_none() {
            let _ = kill(self.supervisor, Signal::SIGKILL);
            self.unshare.wait().unwrap();
        }
    }
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(std::time::Instant::now() < deadline, "not in time");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// The commands that the manifests below this folder tell, sorted.
fn told_commands(runtime: &Path) -> Vec<String> {
    let folders = fs::read_dir(runtime.join("relaunch")).into_iter().flatten().flatten();
    let mut told: Vec<_> = folders
        .filter_map(|folder| fs::read_to_string(folder.path().join("manifest.json")).ok())
        .filter_map(|text| serde_json::from_str::<Value>(&text).ok())
        .map(|manifest| manifest["command"].to_string())
        .collect();
    told.sort();
    told
}

#[test]
fn two_first_processes_that_share_a_folder_keep_a_manifest_each() {
    // They took each other's: both are process 1, and the folder was named by nothing else.
    let runtime = tempfile::tempdir().unwrap();
    let commands = [r#"["sleep","1001"]"#, r#"["sleep","1002"]"#];
    let one = FirstProcess::start(runtime.path(), "1001");
    until(|| (told_commands(runtime.path()) == commands[..1]).then_some(()));
    let two = FirstProcess::start(runtime.path(), "1002");
    let told = |first: &FirstProcess| Some(first.status()?["command"].to_string());
    assert_eq!([until(|| told(&one)), until(|| told(&two))], commands);
    until(|| (told_commands(runtime.path()) == commands).then_some(()));
    one.end();
    assert_eq!(told_commands(runtime.path()), commands[1..]);
    two.end();
    assert_eq!(fs::read_dir(runtime.path().join("relaunch")).unwrap().count(), 0);
}
