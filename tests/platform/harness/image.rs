//! `pack build` and its image.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::{App, host};

/// Builds that share Go's cache on disk go one after the other.
static GO_CACHE: Mutex<()> = Mutex::new(());

/// Stands for the packaged buildpack in a list of ids.
pub(crate) const RELAUNCH: &str = "relaunch";

/// A `pack build` that is about to run.
pub(crate) struct Build {
    command: Command,
    name: String,
    go: Option<MutexGuard<'static, ()>>,
}

impl Build {
    /// With the prepared builder, without Relaunch, with live reload switched on.
    pub(crate) fn of(app: &App) -> Self {
        Self::with_builder(app, &host::prepared("XTASK_BUILDER"))
    }

    /// With another builder.
    pub(crate) fn with_builder(app: &App, builder: &str) -> Self {
        let name = host::unique("image");
        let mut command = Command::new("pack");
        command.args(["build", &name, "--builder", builder, "--path"]).arg(app.path());
        command.args(["--pull-policy", "never", "--trust-builder", "--trust-extra-buildpacks"]);
        let cache = |kind: &str| format!("type={kind};format=volume;name={name}.{kind}");
        command.args(["--no-color", "--cache", &cache("launch")]);
        let go = app.path().join("go.mod").exists().then(|| {
            let guard = GO_CACHE.lock().unwrap_or_else(PoisonError::into_inner);
            let cache = format!("{}/go-cache-pack", host::prepared("XTASK_WORK"));
            std::fs::create_dir_all(&cache).unwrap();
            command.args(["--cache", &format!("type=build;format=bind;source={cache}")]);
            let toolchain = format!("{}:/toolchain:ro", host::prepared("XTASK_GOROOT"));
            command.args(["--volume", &toolchain]);
            guard
        });
        if go.is_none() {
            command.args(["--cache", &cache("build")]);
        }
        Self { command, name, go }
    }

    /// Relaunch after the builder's buildpacks, as the README recommends.
    pub(crate) fn with_relaunch(self) -> Self {
        self.arguments(&["--buildpack", "from=builder", "--buildpack", &host::buildpack()])
    }

    /// These buildpacks in this order, none of them optional; see [`RELAUNCH`].
    pub(crate) fn buildpacks(mut self, ids: &[&str]) -> Self {
        for id in ids {
            let ours = (*id == RELAUNCH).then(host::buildpack);
            self.command.arg("--buildpack").arg(ours.as_deref().unwrap_or(id));
        }
        self
    }

    /// More arguments of pack.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// The switch.
    pub(crate) fn live_reload(self, value: &str) -> Self {
        let variable = format!("BP_LIVE_RELOAD_ENABLED={value}");
        self.arguments(&["--env", &variable])
    }

    /// Builds; the build has to succeed.
    pub(crate) fn image(self) -> Image {
        let (success, image) = self.attempt();
        assert!(success, "pack build failed:\n{}", image.output);
        image
    }

    /// Builds, and says whether it succeeded.
    pub(crate) fn attempt(mut self) -> (bool, Image) {
        let (success, output) = host::attempt(&mut self.command);
        drop(self.go);
        (success, Image { name: self.name, output })
    }
}

/// An image, or what a failed build left of it.
pub(crate) struct Image {
    /// Its name in the engine.
    pub(crate) name: String,
    /// What pack printed.
    pub(crate) output: String,
}

impl Image {
    /// A value of the image's configuration, by docker's own path, as JSON.
    pub(crate) fn inspect(&self, path: &str) -> serde_json::Value {
        let format = format!("{{{{json {path}}}}}");
        let text = host::ask(&mut host::docker(&["inspect", "--format", &format, &self.name]));
        serde_json::from_str(&text).unwrap()
    }

    /// A label that holds JSON.
    pub(crate) fn label(&self, name: &str) -> serde_json::Value {
        let labels = self.inspect(".Config.Labels");
        serde_json::from_str(labels[name].as_str().unwrap()).unwrap()
    }

    /// The names of the process types, sorted.
    pub(crate) fn process_types(&self) -> Vec<String> {
        let metadata = self.label("io.buildpacks.build.metadata");
        let processes = metadata["processes"].as_array().unwrap();
        let mut types: Vec<String> =
            processes.iter().map(|process| process["type"].as_str().unwrap().to_owned()).collect();
        types.sort();
        types
    }

    /// Runs it until it ends, with more options of `docker run` and these arguments.
    pub(crate) fn run(&self, options: &[&str], arguments: &[&str]) -> Ended {
        let mut run = host::docker(&["run", "--rm", "--env", "RELAUNCH_LOG=json"]);
        run.args(options).arg(&self.name).args(arguments);
        let output = run.stdin(Stdio::null()).output().expect("docker is there");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The type that runs when none is named.
    pub(crate) fn default_process(&self) -> String {
        let entrypoint = self.inspect(".Config.Entrypoint");
        let program = entrypoint[0].as_str().unwrap();
        Path::new(program).file_name().unwrap().to_string_lossy().into_owned()
    }
}

/// An image of several tests: built by the first, removed when none of those that run uses it any
/// more. Tests of one room run one after the other, so it is mostly built once.
pub(crate) fn shared(known: &Mutex<Weak<Image>>, build: impl FnOnce() -> Image) -> Arc<Image> {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.upgrade().unwrap_or_else(|| {
        let image = Arc::new(build());
        *known = Arc::downgrade(&image);
        image
    })
}

/// How a container ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) code: Option<i32>,
    /// What the app printed.
    pub(crate) out: String,
    /// The supervisor's log, and errors.
    pub(crate) err: String,
}

impl Drop for Image {
    fn drop(&mut self) {
        host::attempt(&mut host::docker(&["image", "rm", "--force", &self.name]));
        for kind in ["build", "launch"] {
            let volume = format!("{}.{kind}", self.name);
            host::attempt(&mut host::docker(&["volume", "rm", "--force", &volume]));
        }
    }
}
