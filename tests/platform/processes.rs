//! The packaged supervisor in real containers, as their first process and as others: stops, signals,
//! exec'ed sessions, what an engine may take away, and a person at a terminal.
//!
//! No image is built: the supervisor and a folder with the app are mounted into the run image.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::harness::{Container, host};

/// The app, a folder that is watched.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    /// With the compiled app, version `v1`.
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::set_permissions(place.0.path(), Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(place.0.path().join("bin")).unwrap();
        place.publish("v1");
        place
    }

    /// Renames another build of the app into the watched folder, from the host.
    fn publish(&self, version: &str) {
        let next = self.0.path().join("next");
        let binary = test_app::binary::path().unwrap();
        test_app::version::write_stamped(&binary, &next, version).unwrap();
        self.put(&next);
    }

    /// The same with a script.
    fn publish_script(&self, lines: &str) {
        let next = self.0.path().join("next");
        fs::write(&next, format!("#!/bin/sh\n{lines}\n")).unwrap();
        self.put(&next);
    }

    fn put(&self, next: &Path) {
        fs::set_permissions(next, Permissions::from_mode(0o755)).unwrap();
        fs::rename(next, self.0.path().join("bin/app")).unwrap();
    }

    /// Arguments of `docker run` up to the supervisor's own.
    fn arguments(&self, of_docker: &[&str]) -> Vec<String> {
        let supervisor = format!("{}/.libcnb-cargo/additional-bin/relaunch", host::buildpack());
        let mounts = [
            format!("{supervisor}:{RELAUNCH}:ro"),
            format!("{}:/live:ro", self.0.path().display()),
        ];
        let mounts = mounts.into_iter().flat_map(|mount| ["--volume".to_owned(), mount]);
        let image = host::prepared("XTASK_RUN_IMAGE");
        let own = of_docker.iter().map(ToString::to_string);
        let rest = ["--entrypoint", RELAUNCH, &image, "run", "--watch", "/live/bin"];
        mounts.chain(own).chain(rest.map(ToOwned::to_owned)).collect()
    }

    /// A client that runs a container attached, and that container; flags as below.
    pub(crate) fn attached(&self, of_docker: &[&str], rest: &[&str]) -> (Command, Container) {
        let name = host::unique("attached");
        let mut run = host::docker(&["run", "--name", &name]);
        run.args(self.arguments(of_docker)).args(rest);
        (run, Container::started(name))
    }

    /// Starts a container; `rest` = flags of the supervisor, `--`, the command.
    fn start(&self, of_docker: &[&str], rest: &[&str]) -> Container {
        let mut run = host::docker(&["run", "--detach"]);
        run.args(self.arguments(of_docker)).args(["--log", "json"]).args(rest);
        Container::started(host::ask(&mut run))
    }
}

const RELAUNCH: &str = "/relaunch";
/// The compiled app without a port.
const APP: [&str; 3] = ["--", "/live/bin/app", "--port=none"];

/// A container of the run image that only sleeps.
fn sleeper() -> Container {
    let image = host::prepared("XTASK_RUN_IMAGE");
    let run = &mut host::docker(&["run", "--detach", &image, "sleep", "1000"]);
    Container::started(host::ask(run))
}

impl Container {
    /// Stops it as the engine does: TERM, and KILL after 10 s; the code that it ended with.
    fn stopped(&self) -> String {
        host::run(&mut host::docker(&["stop", &self.id]));
        self.wait_for_end()
    }

    fn wait_for_end(&self) -> String {
        host::ask(&mut host::docker(&["wait", &self.id]))
    }

    fn signal(&self, name: &str) {
        host::run(&mut host::docker(&["kill", "--signal", name, &self.id]));
    }

    /// Name and state of each process and its words.
    fn processes(&self) -> String {
        let line = "cd /proc; for p in [0-9]*; do [ $p = $$ ] || \
                    echo \"$(sed 's/.*) //; s/ .*//' $p/stat) $(tr '\\0' ' ' < $p/cmdline)\"; done";
        self.execute(&["sh", "-c", line])
    }

    /// The app's process as the supervisor tells it, in its own namespace.
    fn app(&self) -> String {
        let log = self.log();
        let last = log.lines().rfind(|line| line.contains("\"event\":\"started\"")).unwrap();
        let told: serde_json::Value = serde_json::from_str(last).unwrap();
        told["pid"].to_string()
    }
}

/// An app that obeys TERM with code 7, and a helper in its own session that does not.
const FAMILY: &str = "trap 'exit 7' TERM
    (setsid sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.1; done' &)
    while :; do sleep 0.05; done";

/// The engine's own KILL would be code 137.
#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn a_stop_kills_what_ignores_it_and_keeps_the_apps_code_within_the_engines_grace() {
    let place = Place::new();
    let other = sleeper();
    let shared = format!("container:{}", other.id);
    for standing in [&[][..], &["--init"], &["--pid", &shared]] {
        let container = place.start(standing, &["--", "/bin/sh", "-c", FAMILY]);
        container.wait_for_log("ready");
        assert_eq!(container.stopped(), "7", "{standing:?}\n{}", container.log());
        assert!(container.log().contains("\"event\":\"killing\""), "{}", container.log());
    }
    let left = other.processes();
    assert!(!left.contains("sleep 0.") && !left.contains("relaunch"), "{left}");
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn each_signal_that_the_engine_sends_reaches_the_app() {
    let place = Place::new();
    let line = "for s in HUP USR1 USR2 WINCH RTMIN+3; do trap \"echo got $s\" $s; done
        # Without a trap bash takes no INT that comes when its child has just ended by itself.
        trap 'trap - INT; kill -INT $$' INT
        echo ready; while :; do sleep 0.02; done";
    for standing in [&[][..], &["--init"]] {
        let container = place.start(standing, &["--", "/bin/bash", "-c", line]);
        container.wait_for_log("ready");
        for signal in ["HUP", "USR1", "USR2", "WINCH", "RTMIN+3"] {
            container.signal(signal);
            container.wait_for_log(&format!("got {signal}"));
        }
        container.signal("INT");
        assert_eq!(container.wait_for_end(), "130", "{}", container.log());
    }
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn all_rights_taken_away_leave_restarts_and_an_app_without_them() {
    let place = Place::new();
    let locked = "--read-only --user 54321:54321 --cap-drop ALL --security-opt no-new-privileges \
                  --network none --pids-limit 32 --memory 64m";
    let locked: Vec<&str> = locked.split_whitespace().collect();
    let container = place.start(&locked, &APP);
    container.wait_for_starts(1);
    place.publish("v2");
    container.wait_for_starts(2);
    container.wait_for_log("started version=v2 generation=2");
    let app = container.app();
    let told =
        container.execute(&["grep", "-E", "CapEff|NoNewPrivs", &format!("/proc/{app}/status")]);
    let told: Vec<&str> = told.split_whitespace().collect();
    assert_eq!(told, ["CapEff:", "0000000000000000", "NoNewPrivs:", "1"]);
    let files = container.execute(&["ls", &format!("/proc/{app}/fd")]);
    assert_eq!(files.split_whitespace().collect::<Vec<_>>(), ["0", "1", "2"]);
    let status = container.execute(&[RELAUNCH, "status"]);
    assert!(status.starts_with("state     running: generation 2"), "{status}");
    assert_eq!(container.stopped(), "143", "{}", container.log());
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn an_execed_session_its_children_and_orphans_outlive_every_restart() {
    let place = Place::new();
    let container = place.start(&[], &APP);
    container.wait_for_starts(1);
    let line = "sleep 901 & setsid sleep 902 & (setsid sleep 903 &); (sleep 904 &); exec sleep 905";
    host::run(&mut host::docker(&["exec", "--detach", &container.id, "sh", "-c", line]));
    container.wait_until("the session", |it| it.processes().matches(" sleep 90").count() == 5);
    for (number, version) in ["v2", "v3"].into_iter().enumerate() {
        place.publish(version);
        container.wait_for_starts(number + 2);
    }
    let processes = container.processes();
    assert_eq!(processes.matches(" sleep 90").count(), 5, "{processes}");
    // One by one, each is an orphan of PID 1 for a moment.
    container.execute(&["sh", "-c", "for i in $(seq 500); do (sleep 0.2 &); done"]);
    container.wait_until("no orphan", |it| !it.processes().contains(" sleep 0.2"));
    container.wait_until("no zombie", |it| !it.processes().lines().any(|it| it.starts_with('Z')));
    assert_eq!(container.stopped(), "143", "{}", container.log());
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn an_app_without_memory_and_a_killed_keeper_are_survived() {
    let place = Place::new();
    let greedy = "import time; time.sleep(1.2); print('greedy', flush=True); b'x' * 300_000_000";
    place.publish_script(&format!("exec python3 -c \"{greedy}\""));
    let container =
        place.start(&["--memory", "64m", "--memory-swap", "64m"], &["--", "/live/bin/app"]);
    container.wait_for_log("\"signal\":9");
    place.publish_script("echo modest; exec sleep 1000");
    container.wait_for_log("modest");
    let kill = "kill -9 $(grep -l relaunch-keeper /proc/[0-9]*/comm | cut -d/ -f3)";
    host::run(host::docker(&["exec", "--user", "0", &container.id]).args(["sh", "-c", kill]));
    container.wait_for_log("the keeper of the app was killed");
    place.publish_script("echo again; exec sleep 1001");
    container.wait_for_log("again");
    let processes = container.processes();
    let apps: Vec<_> = processes.lines().filter(|it| it.contains("sleep 100")).collect();
    assert_eq!(apps, ["S sleep 1001 "], "{processes}");
    assert_eq!(container.stopped(), "143", "{}", container.log());
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn an_app_that_takes_every_process_there_may_be_is_restarted() {
    let place = Place::new();
    place.publish_script("(while :; do sleep 1000 & done) 2>/dev/null; echo full; exec sleep 1000");
    let container = place.start(&["--pids-limit", "12"], &["--", "/live/bin/app"]);
    container.wait_for_log("full");
    place.publish_script("echo modest; exec sleep 1001");
    container.wait_for_log("modest");
    let processes = container.processes();
    assert!(!processes.contains("sleep 1000"), "{processes}");
    assert_eq!(container.stopped(), "143", "{}", container.log());
}
