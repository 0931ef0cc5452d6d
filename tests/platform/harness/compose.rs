//! A compose project whose watch syncs a folder of the host into the container.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::container::TARGET;
use super::image::Image;
use super::{App, Container, host};

/// `docker compose up`, then `docker compose watch`.
pub(crate) struct Compose {
    project: String,
    folder: std::path::PathBuf,
    watch: Option<Child>,
}

impl Compose {
    /// One service `web` from the image; `./build` is synced into the target.
    pub(crate) fn up(app: &App, image: &Image) -> Self {
        app.write("compose.yaml", &file(&image.name));
        std::fs::create_dir_all(app.path().join("build")).unwrap();
        let mut compose = Self {
            project: host::unique("compose"),
            folder: app.path().to_path_buf(),
            watch: None,
        };
        host::run(&mut compose.command(&["up", "--detach"]));
        compose.start_watch();
        compose
    }

    /// The service's container; it is compose's to remove.
    pub(crate) fn container(&self) -> Container {
        Container::started(host::ask(&mut self.command(&["ps", "--quiet", "web"])))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker-compose");
        command.args(["--project-name", &self.project]).args(arguments);
        command.current_dir(&self.folder);
        command
    }

    fn start_watch(&mut self) {
        let mut watch = self.command(&["watch", "--no-up"]);
        watch.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = watch.spawn().unwrap();
        let lines = lines_of(&mut child);
        self.watch = Some(child);
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut seen = String::new();
        while !seen.contains("Watch enabled") {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("compose does not watch:\n{seen}"));
            seen = seen + &line + "\n";
        }
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        if let Some(watch) = &mut self.watch {
            let _ = watch.kill();
            let _ = watch.wait();
        }
        host::attempt(&mut self.command(&["down", "--volumes", "--timeout", "2"]));
    }
}

/// The run user by name: engine 20.10 looks the owner of copied files up by it.
fn file(image: &str) -> String {
    format!(
        "services:
  web:
    image: {image}
    pull_policy: never
    user: relaunch-run
    ports: [\"127.0.0.1::8080\"]
    environment: {{RELAUNCH_LOG: json}}
    develop:
      watch:
        - {{action: sync, path: ./build, target: {TARGET}}}
"
    )
}

fn lines_of(child: &mut Child) -> Receiver<String> {
    let (sender, lines) = channel();
    let outputs: [Box<dyn std::io::Read + Send>; 2] =
        [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
    for output in outputs {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
    }
    lines
}
