//! The real image: from the last byte that a sync client wrote in the container to the new page.
//! Relaunch as its buildpack puts it into the image, and watchexec called as Paketo calls it, as
//! process 1 of the same image.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::command;
use crate::failure::Failure;
use crate::platform::{self, Platform};

use super::marks::milliseconds;
use super::peers::{Installed, Tool};
use super::results::{Key, Unit};
use super::{Bench, Section};

/// Where synced executables go with Relaunch; the app's own folder without it.
const TARGET: &str = "/layers/relaunch_live-reload/target/bin";
const FOLDER: &str = "/workspace/bin";
/// A page is waited for so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at the page.
const PACE: Duration = Duration::from_micros(500);
/// Between two updates of one container.
const PAUSE: Duration = Duration::from_millis(1_500);

/// How a file gets into the container.
#[derive(Clone, Copy)]
enum Sync {
    /// `docker cp`.
    Copy,
    /// tar in an exec'ed session, as compose, Tilt, Skaffold and `kubectl cp` do.
    Session,
}

impl Sync {
    fn name(self) -> &'static str {
        match self {
            Self::Copy => "docker cp",
            Self::Session => "docker exec tar",
        }
    }
}

pub(super) fn measure(bench: &mut Bench) -> Result<(), Failure> {
    let platform = match platform::prepare()? {
        Ok(platform) => platform,
        Err(reason) => {
            println!("    left out: {reason}");
            return Ok(());
        }
    };
    let app = App::new()?;
    let image = Image::build(&platform, &app, bench.tools.iter())?;
    let mut containers = Vec::new();
    let wanted = [Tool::Relaunch, Tool::WatchexecPaketo];
    for installed in bench.tools.iter().filter(|it| wanted.contains(&it.tool)) {
        containers.push((installed.tool, Container::start(&platform, &image, installed.tool)?));
    }
    for round in 0..bench.effort.image_rounds {
        for sync in [Sync::Copy, Sync::Session] {
            for (tool, container) in &mut containers {
                let workload = format!("{}: new page", sync.name());
                let key = Key {
                    section: Section::Image.name(),
                    workload: &workload,
                    tool: *tool,
                    unit: Unit::Milliseconds,
                };
                let version =
                    format!("r{round}-{}", if matches!(sync, Sync::Copy) { 'c' } else { 's' });
                app.stamp(&version)?;
                match container.update(&app, sync, &version)? {
                    Some(latency) => bench.results.sample(key, latency),
                    None => bench.results.miss(key, "no new page in 10 s"),
                }
            }
        }
    }
    Ok(())
}

/// The app folder: `bin/web` is the project's test app, an HTTP server.
struct App(tempfile::TempDir);

impl App {
    fn new() -> Result<Self, Failure> {
        let app = Self(tempfile::tempdir().map_err(Failure::file("the temporary folder"))?);
        let bin = app.0.path().join("bin");
        std::fs::create_dir_all(&bin).map_err(Failure::file(&bin))?;
        let procfile = app.0.path().join("Procfile");
        std::fs::write(&procfile, "web: bin/web\n").map_err(Failure::file(&procfile))?;
        app.stamp("v1")?;
        Ok(app)
    }

    fn web(&self) -> PathBuf {
        self.0.path().join("bin/web")
    }

    fn stamp(&self, version: &str) -> Result<(), Failure> {
        let compiled = test_app::binary::path().map_err(Failure::Package)?;
        test_app::version::write_stamped(&compiled, &self.web(), version)
            .map_err(|error| Failure::Package(error.to_string()))
    }
}

/// The built image; removed with its value.
struct Image<'a> {
    platform: &'a Platform,
    name: String,
}

impl<'a> Image<'a> {
    fn build(
        platform: &'a Platform,
        app: &App,
        mut tools: impl Iterator<Item = &'a Installed>,
    ) -> Result<Self, Failure> {
        if let Some(watchexec) = tools.find(|it| it.tool == Tool::WatchexecPaketo) {
            let to = app.0.path().join("watchexec");
            std::fs::copy(watchexec.program(), &to).map_err(Failure::file(&to))?;
        }
        let image = Self { platform, name: format!("relaunch-bench-{}", std::process::id()) };
        let mut pack = platform.command("pack");
        pack.args(["build", &image.name, "--builder", &platform.builder, "--path"])
            .arg(app.0.path());
        pack.args(["--pull-policy", "never", "--trust-builder", "--trust-extra-buildpacks"]);
        pack.args(["--no-color", "--env", "BP_LIVE_RELOAD_ENABLED=true"]);
        for kind in ["build", "launch"] {
            pack.args([
                "--cache",
                &format!("type={kind};format=volume;name={}.{kind}", image.name),
            ]);
        }
        pack.args(["--buildpack", "from=builder", "--buildpack"]).arg(&platform.buildpack);
        crate::progress::step("building the image", || command::capture(&mut pack))?;
        Ok(image)
    }
}

impl Drop for Image<'_> {
    fn drop(&mut self) {
        let _ =
            command::capture(&mut self.platform.docker(&["image", "rm", "--force", &self.name]));
        for kind in ["build", "launch"] {
            let volume = format!("{}.{kind}", self.name);
            let _ =
                command::capture(&mut self.platform.docker(&["volume", "rm", "--force", &volume]));
        }
    }
}

/// A running container; removed with its value.
struct Container<'a> {
    platform: &'a Platform,
    id: String,
    address: String,
    /// Where its process 1 sees its files, seen from here.
    root: PathBuf,
    folder: &'static str,
    updated: Instant,
}

impl<'a> Container<'a> {
    fn start(platform: &'a Platform, image: &Image, tool: Tool) -> Result<Self, Failure> {
        let mut run = platform.docker(&["run", "--detach", "--publish", "127.0.0.1::8080"]);
        let watchexec = [
            "/workspace/watchexec",
            "--restart",
            "--watch",
            "/workspace",
            "--watch",
            FOLDER,
            "--shell",
            "none",
            "--",
            "/workspace/bin/web",
        ];
        let folder = if tool == Tool::Relaunch {
            run.arg(&image.name);
            TARGET
        } else {
            run.args(["--entrypoint", "/cnb/lifecycle/launcher", &image.name, "--"])
                .args(watchexec);
            FOLDER
        };
        let id = command::capture(&mut run)?.trim().to_owned();
        let mut container = Self {
            platform,
            id,
            address: String::new(),
            root: PathBuf::new(),
            folder,
            updated: Instant::now(),
        };
        let port = command::capture(&mut platform.docker(&["port", &container.id, "8080"]))?;
        port.lines().next().unwrap_or_default().clone_into(&mut container.address);
        let format = ["inspect", "--format", "{{.State.Pid}}", &container.id];
        let pid = command::capture(&mut platform.docker(&format))?;
        container.root = Path::new("/proc").join(pid.trim()).join("root");
        if container.page_of("v1").is_none() {
            let log = command::capture(&mut platform.docker(&["logs", &container.id]));
            return Err(Failure::Unexpected {
                expected: "The container's first page did not come.".to_owned(),
                seen: log.unwrap_or_default(),
            });
        }
        Ok(container)
    }

    /// Syncs and waits for the page; milliseconds from the file's last change to the page.
    fn update(&mut self, app: &App, sync: Sync, version: &str) -> Result<Option<f64>, Failure> {
        thread::sleep(PAUSE.saturating_sub(self.updated.elapsed()));
        match sync {
            Sync::Copy => {
                let target = format!("{}:{}/", self.id, self.folder);
                let mut copy = self.platform.docker(&["cp"]);
                command::capture(copy.arg(app.web()).arg(target))?;
            }
            Sync::Session => self.tar(app)?,
        }
        let served = self.page_of(version);
        self.updated = Instant::now();
        let file = self.root.join(self.folder.trim_start_matches('/')).join("web");
        let metadata = std::fs::metadata(&file).map_err(Failure::file(&file))?;
        // The kernel sets it at the last write, rename, mode or time: the sync's last touch.
        let last = metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec();
        Ok(served.map(|at| milliseconds(at - last)))
    }

    fn tar(&self, app: &App) -> Result<(), Failure> {
        let mut create = Command::new("tar");
        create.args(["-c", "-C"]).arg(app.0.path().join("bin")).arg("web").stdout(Stdio::piped());
        let mut archive = create.spawn().map_err(command::start_failure(&create))?;
        let extract = ["exec", "--interactive", &self.id, "tar", "-x", "-C", self.folder];
        let mut extract = self.platform.docker(&extract);
        if let Some(output) = archive.stdout.take() {
            extract.stdin(output);
        }
        let status = extract.status().map_err(command::start_failure(&extract))?;
        let _ = archive.wait();
        if status.success() {
            return Ok(());
        }
        let (line, status) = (command::line(&extract), status.to_string());
        Err(Failure::Command { line, status, output: String::new() })
    }

    /// When the page had this version; wall clock in nanoseconds, as files have it.
    fn page_of(&self, version: &str) -> Option<i64> {
        let wanted = format!("version={version}\n");
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let page = get(&self.address).unwrap_or_default();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
            if page.contains(&wanted) {
                return i64::try_from(now.as_nanos()).ok();
            }
            thread::sleep(PACE);
        }
        None
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ =
            command::capture(&mut self.platform.docker(&["rm", "--force", "--volumes", &self.id]));
    }
}

fn get(address: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(Duration::from_secs(1)))?;
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut reply = String::new();
    connection.read_to_string(&mut reply)?;
    Ok(reply)
}
