//! A running container: its log, its page, its files.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::host;
use super::image::Image;

/// Where synced executables go.
pub(crate) const TARGET: &str = "/layers/relaunch_live-reload/target/bin";
/// More than any start takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);
/// Silence that is long enough for a second restart to show itself, were there one.
const QUIET: Duration = Duration::from_secs(2);
/// Between two looks.
const PACE: Duration = Duration::from_millis(50);

/// A container, removed with its value.
pub(crate) struct Container {
    /// Its id.
    pub(crate) id: String,
    /// Goes after the container: an image that is in use only loses its name.
    image: Option<Image>,
}

impl Container {
    /// Starts the image's default process with the log as JSON and port 8080 published.
    pub(crate) fn start(image: &Image) -> Self {
        Self::start_with(image, &[])
    }

    /// The same for an image that nothing else needs; it is removed after the container.
    pub(crate) fn of(image: Image) -> Self {
        Self::of_with(image, &[])
    }

    /// The same with more arguments of `docker run`.
    pub(crate) fn of_with(image: Image, arguments: &[&str]) -> Self {
        let mut container = Self::start_with(&image, arguments);
        container.image = Some(image);
        container
    }

    /// A container that somebody else started; it is removed all the same.
    pub(crate) fn started(id: String) -> Self {
        Self { id, image: None }
    }

    /// The same with more options of `docker run`.
    pub(crate) fn start_with(image: &Image, options: &[&str]) -> Self {
        Self::start_command(image, options, &[])
    }

    /// The same with arguments for the process.
    pub(crate) fn start_command(image: &Image, options: &[&str], arguments: &[&str]) -> Self {
        let mut run = host::docker(&["run", "--detach", "--publish", "127.0.0.1::8080"]);
        run.args(["--env", "RELAUNCH_LOG=json"]).args(options).arg(&image.name).args(arguments);
        Self::started(host::ask(&mut run))
    }

    /// Everything it printed so far.
    pub(crate) fn log(&self) -> String {
        host::run(&mut host::docker(&["logs", &self.id]))
    }

    /// How often the supervisor started the app, by its own log.
    pub(crate) fn starts(&self) -> usize {
        starts(&self.log())
    }

    /// Waits until the app was started so often, and then until nothing happens any more. The
    /// number of starts has to be exactly this one in the end.
    pub(crate) fn wait_for_starts(&self, wanted: usize) {
        self.wait_until(&format!("{wanted} starts"), |it| it.starts() >= wanted);
        let mut log = self.log();
        let mut since = Instant::now();
        while since.elapsed() < QUIET {
            thread::sleep(PACE);
            let now = self.log();
            if now != log {
                (log, since) = (now, Instant::now());
            }
        }
        assert_eq!(starts(&log), wanted, "starts in this log:\n{log}");
    }

    /// Waits until the page has this text.
    pub(crate) fn wait_for_page(&self, text: &str) {
        self.wait_until(&format!("a page with {text:?}"), |it| it.page().contains(text));
    }

    /// How many change sets so far were found to change nothing.
    pub(crate) fn unchanged(&self) -> usize {
        self.log().matches("\"event\":\"unchanged\"").count()
    }

    /// Waits until so many change sets were found to change nothing.
    pub(crate) fn wait_for_unchanged(&self, wanted: usize) {
        self.wait_until(&format!("{wanted} unchanged sets"), |it| it.unchanged() >= wanted);
    }

    /// Waits until the log has this text.
    pub(crate) fn wait_for_log(&self, text: &str) {
        self.wait_until(&format!("{text:?} in the log"), |it| it.log().contains(text));
    }

    /// Waits until the engine's health check says this.
    pub(crate) fn wait_for_health(&self, wanted: &str) {
        let form = "{{.State.Health.Status}}";
        self.wait_until(wanted, |it| {
            host::ask(&mut host::docker(&["inspect", "--format", form, &it.id])) == wanted
        });
    }

    /// Copies a file in, as `docker cp` does.
    pub(crate) fn copy(&self, file: &Path, target: &str) {
        let target = format!("{}:{target}", self.id);
        host::run(host::docker(&["cp"]).arg(file).arg(target));
    }

    /// Copies a file in by an exec'ed tar, as the container's own user.
    pub(crate) fn copy_by_tar(&self, file: &Path, folder: &str) {
        let name = file.file_name().unwrap().to_str().unwrap();
        self.copy_all_by_tar(file.parent().unwrap(), &[name], folder);
    }

    /// The same with several files of a folder, each by its path below it.
    pub(crate) fn copy_all_by_tar(&self, source: &Path, files: &[&str], folder: &str) {
        let mut tar = Command::new("tar")
            .args(["--create", "--directory"])
            .arg(source)
            .args(files)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut extract = host::docker(&["exec", "--interactive", &self.id]);
        extract.args(["tar", "--extract", "--directory", folder]);
        let archive = tar.stdout.take().unwrap();
        let output = extract.stdin(archive).output().unwrap();
        assert!(tar.wait().unwrap().success());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs a command in it, as its own user.
    pub(crate) fn execute(&self, command: &[&str]) -> String {
        host::run(host::docker(&["exec", &self.id]).args(command))
    }

    /// What runs as PID 1 is our supervisor, and so is whoever is called `watchexec`.
    pub(crate) fn assert_ours(&self) {
        let bin = "/layers/relaunch_live-reload/supervisor/bin";
        let running = self.execute(&["readlink", "/proc/1/exe"]);
        assert_eq!(running, format!("{bin}/relaunch\n"));
        let found = "command -v watchexec";
        let found = self.execute(&["/cnb/lifecycle/launcher", "--", "sh", "-c", found]);
        assert_eq!(found, format!("{bin}/watchexec\n"));
    }

    /// The page, or nothing while nobody serves it.
    fn page(&self) -> String {
        let (published, address) = host::attempt(&mut host::docker(&["port", &self.id, "8080"]));
        if !published {
            return String::new();
        }
        get(address.lines().next().unwrap_or_default()).unwrap_or_default()
    }

    /// Waits until this is so; `what` is for the text of a failure.
    pub(crate) fn wait_until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !reached(self) {
            assert!(Instant::now() < deadline, "waited in vain for {what}; log:\n{}", self.log());
            thread::sleep(PACE);
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        host::attempt(&mut host::docker(&["rm", "--force", "--volumes", &self.id]));
    }
}

/// Starts of the app in a log of JSON lines.
fn starts(log: &str) -> usize {
    log.lines().filter(|line| line.contains("\"event\":\"started\"")).count()
}

fn get(address: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(Duration::from_secs(2)))?;
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut reply = String::new();
    connection.read_to_string(&mut reply)?;
    Ok(reply)
}
