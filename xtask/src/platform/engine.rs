//! A container engine: the one that runs, or our own.
//!
//! Our own has its data, its sockets and its pid file in the build folder, is spoken to through
//! `DOCKER_HOST` alone, and ends with its owner. It sees an `/etc/passwd` of its own: engine 20.10
//! looks up the owner of files that compose copies into a container *on the host*, by the name of
//! the container's user, and this machine should not get a user for that.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

use super::{base, folder};
use crate::command;
use crate::failure::Failure;
use crate::progress;

/// How long an engine may take to answer, and to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// How to get an engine, for the summary of the tests.
const ADVICE: &str = "No container engine runs here. Start one, or install docker.io and run as root: \
                      the tests then start their own. `.ci/run` does it on Debian.";

/// What [`find_or_start`] found.
pub(crate) enum Found {
    /// An engine.
    Engine(Engine),
    /// None, and how to get one.
    Nothing(String),
}

/// A container engine that answers.
pub(crate) struct Engine {
    /// For `DOCKER_HOST`.
    pub(crate) host: String,
    /// The client that fits it.
    pub(crate) client: PathBuf,
    /// Our own daemon.
    daemon: Option<Child>,
}

impl Engine {
    /// The client, connected to this engine.
    pub(crate) fn docker(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.client);
        command.args(arguments).envs(super::environment(self));
        command
    }

    fn answers(&self) -> bool {
        command::succeeds(&mut self.docker(&["info"]))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Some(daemon) = &mut self.daemon else { return };
        let pid = Pid::from_raw(i32::try_from(daemon.id()).unwrap_or(i32::MAX));
        let _ = kill(pid, Signal::SIGTERM);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(Some(_)) = daemon.try_wait() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = daemon.kill();
        let _ = daemon.wait();
    }
}

/// The engine that runs, or our own.
pub(crate) fn find_or_start() -> Result<Found, Failure> {
    let client = ["/usr/bin/docker", "/usr/local/bin/docker"].map(PathBuf::from);
    let Some(client) = client.into_iter().find(|path| path.exists()) else {
        return Ok(Found::Nothing(ADVICE.to_owned()));
    };
    let host = std::env::var("DOCKER_HOST").unwrap_or("unix:///var/run/docker.sock".to_owned());
    let running = Engine { host, client: client.clone(), daemon: None };
    if running.answers() {
        return Ok(Found::Engine(running));
    }
    let daemon = ["/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd"];
    match daemon.iter().map(Path::new).find(|path| path.exists()) {
        Some(program) if geteuid().is_root() => {
            progress::step("starting a container engine of our own", || start(program, client))
                .map(Found::Engine)
        }
        _ => Ok(Found::Nothing(ADVICE.to_owned())),
    }
}

/// Starts the daemon and waits until it answers.
fn start(program: &Path, client: PathBuf) -> Result<Engine, Failure> {
    let folder = folder().join("engine");
    std::fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let passwd = folder.join("passwd");
    write_passwd(&passwd)?;
    let run = run_folder(&folder)?;
    let host = format!("unix://{}", run.join("docker.sock").display());
    let log_path = folder.join("log");
    let log = std::fs::File::create(&log_path).map_err(Failure::file(&log_path))?;
    let copy = log.try_clone().map_err(Failure::file(&log_path))?;
    let mut command = Command::new("unshare");
    // exec keeps the process id: what we start is what we stop.
    let script = "mount --bind \"$1\" /etc/passwd && shift && exec \"$@\"";
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(&passwd).arg(program);
    command.arg("--data-root").arg(folder.join("data"));
    command.arg("--exec-root").arg(run.join("x"));
    command.arg("--pidfile").arg(run.join("pid"));
    command.args(["--host", &host]).stdin(Stdio::null()).stdout(log).stderr(copy);
    let daemon = command.spawn().map_err(command::start_failure(&command))?;
    let mut engine = Engine { host, client, daemon: Some(daemon) };
    wait_until_it_answers(&mut engine, &log_path)?;
    Ok(engine)
}

fn wait_until_it_answers(engine: &mut Engine, log: &Path) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if engine.answers() {
            return Ok(());
        }
        let ended = match &mut engine.daemon {
            Some(daemon) => matches!(daemon.try_wait(), Ok(Some(_))),
            None => true,
        };
        if ended || Instant::now() > deadline {
            let text = std::fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            return Err(Failure::Unexpected {
                expected: "The container engine that the tests started does not answer. Is \
                           another one of an earlier run still there (its pid file says so)?"
                    .to_owned(),
                seen: lines[lines.len().saturating_sub(15)..].join("\n"),
            });
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Sockets have paths of at most 107 bytes, and containerd adds 40 of its own: below a deep
/// build folder they go to a short one.
fn run_folder(folder: &Path) -> Result<PathBuf, Failure> {
    let run = if folder.as_os_str().len() > 55 {
        std::env::temp_dir().join(format!("relaunch-engine-{}", std::process::id()))
    } else {
        folder.join("run")
    };
    std::fs::create_dir_all(&run).map_err(Failure::file(&run))?;
    Ok(run)
}

/// The machine's users and the run user of the base images.
fn write_passwd(path: &Path) -> Result<(), Failure> {
    let system = Path::new("/etc/passwd");
    let mut text = std::fs::read_to_string(system).map_err(Failure::file(system))?;
    text.push_str(base::RUN_USER);
    std::fs::write(path, text).map_err(Failure::file(path))
}
