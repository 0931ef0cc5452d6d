//! pack, the lifecycle and compose, compiled from the modules in `xtask/platform-tools`.
//!
//! `go.mod` and `go.sum` pin every byte; what was compiled is kept under their digest. The version
//! flags are the ones of those projects' own releases: pack and the lifecycle compare them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::engine::Engine;
use super::{digest, folder, slow};
use crate::command;
use crate::failure::Failure;
use crate::workspace;

/// The lifecycle's version, as `xtask/platform-tools/pack/go.mod` has it.
pub(super) const LIFECYCLE: &str = "0.20.11";
/// pack's version, likewise.
const PACK: &str = "0.38.2";

/// The compiled tools.
pub(super) struct Tools {
    folder: PathBuf,
    /// The Go toolchain, which the Go fixture gets as a volume.
    pub(super) goroot: String,
}

impl Tools {
    /// The program of this name.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The lifecycle as `pack builder create` takes it.
    pub(super) fn lifecycle_archive(&self) -> PathBuf {
        self.folder.join("lifecycle.tgz")
    }

    /// A folder for `PATH` with pack, compose and the client that fits the engine: another one may
    /// stand earlier on the machine's own.
    pub(super) fn bin(&self, engine: &Engine) -> Result<PathBuf, Failure> {
        let bin = folder().join("bin");
        fs::create_dir_all(&bin).map_err(Failure::file(&bin))?;
        let compose = self.program("docker-compose");
        for (name, program) in [("docker", &engine.client), ("docker-compose", &compose)] {
            let link = bin.join(name);
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(program, &link).map_err(Failure::file(&link))?;
        }
        let pack = bin.join("pack");
        let _ = fs::remove_file(&pack);
        fs::write(&pack, self.pack_script()).map_err(Failure::file(&pack))?;
        fs::set_permissions(&pack, fs::Permissions::from_mode(0o755))
            .map_err(Failure::file(&pack))?;
        Ok(bin)
    }

    /// pack gives the lifecycle the default socket, unless each build says to inherit
    /// `DOCKER_HOST`; there is no variable for it, and libcnb-test does not say it.
    fn pack_script(&self) -> String {
        let pack = self.program("pack");
        format!(
            "#!/bin/sh\nif [ \"$1\" = build ]; then\n    shift\n    \
             set -- build --docker-host inherit \"$@\"\nfi\nexec '{}' \"$@\"\n",
            pack.display()
        )
    }
}

/// Compiles what is not compiled yet.
pub(super) fn build() -> Result<Tools, Failure> {
    let go = go_version()?;
    let modules = workspace::root().join("xtask/platform-tools");
    let mut inputs = vec![go];
    for module in ["pack", "compose"] {
        for file in ["go.mod", "go.sum"] {
            let path = modules.join(module).join(file);
            inputs.push(fs::read_to_string(&path).map_err(Failure::file(&path))?);
        }
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let goroot = command::capture(Command::new("go").args(["env", "GOROOT"]))?;
    let done = folder().join(format!("tools-{}", digest(&inputs)));
    let tools = Tools { folder: done.clone(), goroot: goroot.trim().to_owned() };
    if !done.exists() {
        let temporary = folder().join("tools-unfinished");
        compile(&modules, &temporary)?;
        pack_lifecycle(&temporary)?;
        fs::rename(&temporary, &done).map_err(Failure::file(&done))?;
    }
    Ok(tools)
}

fn go_version() -> Result<String, Failure> {
    command::capture(Command::new("go").arg("version")).map_err(|_| Failure::Missing {
        what: "pack, the lifecycle and compose are compiled from source, and there is no Go."
            .to_owned(),
        advice: "install Go 1.24.4 or later (https://go.dev/dl/; Debian 12's own is too old) \
                 and put its bin folder on PATH"
            .to_owned(),
    })
}

fn compile(modules: &Path, output: &Path) -> Result<(), Failure> {
    fs::create_dir_all(output).map_err(Failure::file(output))?;
    let lifecycle = format!("-X github.com/buildpacks/lifecycle/cmd.Version={LIFECYCLE}");
    let pack = format!("-X github.com/buildpacks/pack/pkg/client.Version={PACK}");
    let programs = [
        ("lifecycle", "pack", "github.com/buildpacks/lifecycle/cmd/lifecycle", lifecycle.as_str()),
        ("launcher", "pack", "github.com/buildpacks/lifecycle/cmd/launcher", lifecycle.as_str()),
        ("pack", "pack", "github.com/buildpacks/pack", pack.as_str()),
        ("docker-compose", "compose", "github.com/docker/compose/v2/cmd", ""),
    ];
    for (name, module, package, flags) in programs {
        let mut go = Command::new("go");
        go.args(["build", "-trimpath", "-mod=readonly"])
            .args(["-ldflags", &format!("-s -w {flags}"), "-o"])
            .arg(output.join(name))
            .arg(package)
            .current_dir(modules.join(module))
            .env("CGO_ENABLED", "0")
            .env("GOTOOLCHAIN", "local");
        slow(&format!("compiling {name} (once; minutes with cold caches)"), &mut go)?;
    }
    Ok(())
}

/// `lifecycle.tgz`: the two programs, and the phases as links to the first.
fn pack_lifecycle(output: &Path) -> Result<(), Failure> {
    const PHASES: [&str; 8] = [
        "detector", "analyzer", "restorer", "builder", "exporter", "creator", "rebaser", "extender",
    ];
    let root = output.join("lifecycle-root");
    let inner = root.join("lifecycle");
    fs::create_dir_all(&inner).map_err(Failure::file(&inner))?;
    for name in ["lifecycle", "launcher"] {
        fs::copy(output.join(name), inner.join(name)).map_err(Failure::file(inner.join(name)))?;
    }
    for phase in PHASES {
        let link = inner.join(phase);
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink("lifecycle", &link).map_err(Failure::file(&link))?;
    }
    let descriptor = root.join("lifecycle.toml");
    let text = format!(
        "[lifecycle]\nversion = \"{LIFECYCLE}\"\n\n[apis.buildpack]\ndeprecated = []\n\
         supported = [\"0.7\", \"0.8\", \"0.9\", \"0.10\", \"0.11\"]\n\n[apis.platform]\n\
         deprecated = []\nsupported = [\"0.7\", \"0.8\", \"0.9\", \"0.10\", \"0.11\", \"0.12\", \
         \"0.13\", \"0.14\"]\n"
    );
    fs::write(&descriptor, text).map_err(Failure::file(&descriptor))?;
    let mut tar = Command::new("tar");
    tar.arg("-czf").arg(output.join("lifecycle.tgz")).arg("-C").arg(&root);
    command::capture(tar.args(["lifecycle.toml", "lifecycle"]))?;
    fs::remove_dir_all(&root).map_err(Failure::file(&root))
}
