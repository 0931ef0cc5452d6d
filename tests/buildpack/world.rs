//! A platform in a temporary folder: buildpack, app, layers, plan.

use nix::unistd::Uid;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

pub(crate) const ON: (&str, &str) = ("BP_LIVE_RELOAD_ENABLED", "true");
const FOLDER: &str = "relaunch_live-reload";

pub(crate) struct World {
    root: TempDir,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    /// A platform with the packaged buildpack, and with an app of these files.
    pub(crate) fn new(app: &[(&str, &str)]) -> Self {
        let root = tempfile::Builder::new().prefix("relaunch").tempdir().unwrap();
        // The build user may be another one than the tests'.
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        let world = Self { root };
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        world.write(
            "buildpack/buildpack.toml",
            &fs::read_to_string(package.join("buildpack.toml")).unwrap(),
        );
        for name in ["bin", ".libcnb-cargo/additional-bin"] {
            fs::create_dir_all(world.path("buildpack").join(name)).unwrap();
        }
        for name in ["detect", "build"] {
            let binary = env!("CARGO_BIN_EXE_relaunch-buildpack");
            symlink(binary, world.path("buildpack/bin").join(name)).unwrap();
        }
        fs::copy(env!("CARGO_BIN_EXE_relaunch"), world.supervisor()).unwrap();
        for folder in ["app", "platform/env"] {
            fs::create_dir_all(world.path(folder)).unwrap();
        }
        fs::create_dir_all(world.ours()).unwrap();
        for (path, text) in app {
            world.write(&format!("app/{path}"), text);
        }
        world
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// The layers folder of the buildpack.
    pub(crate) fn ours(&self) -> PathBuf {
        self.path("layers").join(FOLDER)
    }

    pub(crate) fn supervisor(&self) -> PathBuf {
        self.path("buildpack/.libcnb-cargo/additional-bin/relaunch")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("ROOT", &self.root())).unwrap();
    }

    /// Text of a file with the root replaced.
    pub(crate) fn read(&self, path: &str) -> String {
        self.neutral(&fs::read_to_string(self.path(path)).unwrap())
    }

    /// The group, with us where it says `relaunch/live-reload`.
    pub(crate) fn group(&self, ids: &[&str]) {
        let members = ids.iter().map(|id| {
            format!("[[group]]\nid = \"{id}\"\nversion = \"1\"\napi = \"0.8\"\nhomepage = \"x\"\n")
        });
        self.write("layers/group.toml", &members.collect::<String>());
    }

    pub(crate) fn detect(&self) -> Outcome {
        let (platform, plan) = (self.path("platform"), self.path("detected.toml"));
        self.run("detect", &[&platform, &plan], &[])
    }

    /// Build with the plan that detect made.
    pub(crate) fn build(&self, variables: &[(&str, &str)]) -> Outcome {
        self.write_plan("");
        self.build_with_plan(variables)
    }

    /// What the lifecycle hands over: the entries of our first alternative, and others.
    pub(crate) fn write_plan(&self, others: &str) {
        assert_eq!(self.detect().code, 0);
        let detected: toml::Table = toml::from_str(&self.read("detected.toml")).unwrap();
        let mut plan = toml::Table::new();
        plan.insert("entries".to_owned(), detected["requires"].clone());
        self.write("plan.toml", &format!("{}\n{others}", toml::to_string(&plan).unwrap()));
    }

    pub(crate) fn build_with_plan(&self, variables: &[(&str, &str)]) -> Outcome {
        let (layers, platform) = (self.ours(), self.path("platform"));
        self.run("build", &[&layers, &platform, &self.path("plan.toml")], variables)
    }

    /// The same as another user; for tests that run as root.
    pub(crate) fn build_as(&self, user: Uid, variables: &[(&str, &str)]) -> Outcome {
        let mut command = self.command("build", variables);
        let (layers, platform) = (self.ours(), self.path("platform"));
        command.args([&layers, &platform, &self.path("plan.toml")]).uid(user.as_raw());
        self.outcome(&mut command)
    }

    fn run(&self, name: &str, arguments: &[&Path], variables: &[(&str, &str)]) -> Outcome {
        self.outcome(self.command(name, variables).args(arguments))
    }

    fn command(&self, name: &str, variables: &[(&str, &str)]) -> Command {
        let poison = [
            "CNB_LAYERS_DIR",
            "CNB_APP_DIR",
            "CNB_PLATFORM_DIR",
            "CNB_BP_PLAN_PATH",
            "HOME",
            "TMPDIR",
        ];
        let mut command = Command::new("sh");
        command
            .args(["-c", "umask 077; exec \"$0\" \"$@\""])
            .arg(self.path("buildpack/bin").join(name))
            .current_dir(self.path("app"))
            .env_clear()
            .envs(poison.map(|name| (name, "/poison")))
            .env("PATH", "/usr/bin:/bin")
            .env("CNB_BUILDPACK_DIR", self.path("buildpack"))
            .envs(variables.iter().copied());
        command
    }

    fn outcome(&self, command: &mut Command) -> Outcome {
        let output = command.output().unwrap();
        Outcome {
            code: output.status.code().unwrap(),
            stdout: self.neutral(&plain(&output.stdout)),
            stderr: self.neutral(&plain(&output.stderr)),
        }
    }

    /// Every path below `path`: folders and links as such, files with their size; with their modes.
    pub(crate) fn tree(&self, path: &str) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        collect(&self.path(path), &self.path(path), &mut tree);
        tree
    }

    fn root(&self) -> String {
        self.root.path().display().to_string()
    }

    fn neutral(&self, text: &str) -> String {
        text.replace(&self.root(), "ROOT")
    }
}

fn collect(root: &Path, path: &Path, tree: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        let shown = if metadata.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else if metadata.is_dir() {
            collect(root, &path, tree);
            format!("folder {mode:o}")
        } else {
            format!("file {mode:o}")
        };
        let name = path.strip_prefix(root).unwrap().display().to_string();
        tree.insert(name, shown);
    }
}

/// Without colours.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// A tree as [`World::tree`] gives it.
pub(crate) fn tree(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(path, shown)| ((*path).to_owned(), (*shown).to_owned())).collect()
}
