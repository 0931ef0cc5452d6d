//! Build and run image, as real builders have them: Debian, build uid 1001 and run uid 1002 with
//! one shared group 1000. The difference is what makes the rights of synced files a question.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::engine::Engine;
use super::{digest, folder, slow};
use crate::command;
use crate::failure::Failure;

/// Debian's release; part of the images' names.
const SUITE: &str = "bookworm";
/// Python for the interpreted fixture; everything else is in the smallest variant.
const PACKAGES: &str = "python3,ca-certificates";
/// The run user, as the engine's and the image's `/etc/passwd` have it.
pub(super) const RUN_USER: &str = "relaunch-run:x:1002:1000::/home/cnb:/bin/bash\n";
/// The build user, likewise.
const BUILD_USER: &str = "relaunch-build:x:1001:1000::/home/cnb:/bin/bash\n";
/// Their group.
const GROUP: &str = "relaunch:x:1000:\n";

/// Names of the two images.
pub(super) struct Images {
    /// For builds: uid 1001.
    pub(super) build: String,
    /// For containers: uid 1002.
    pub(super) run: String,
}

/// Imports the images that the engine does not have yet.
pub(super) fn import(engine: &Engine) -> Result<Images, Failure> {
    let tag = digest(&[SUITE, PACKAGES, RUN_USER, BUILD_USER, GROUP]);
    let images = Images {
        build: format!("relaunch-test/build:{tag}"),
        run: format!("relaunch-test/run:{tag}"),
    };
    for (name, user) in [(&images.build, "1001:1000"), (&images.run, "1002:1000")] {
        if command::succeeds(&mut engine.docker(&["image", "inspect", name])) {
            continue;
        }
        let archive = archive(&tag)?;
        let mut import = engine.docker(&["import"]);
        for change in changes(user) {
            import.args(["--change", &change]);
        }
        slow(&format!("importing {name}"), import.arg(archive).arg(name))?;
    }
    Ok(images)
}

fn changes(user: &str) -> [String; 6] {
    [
        format!("USER {user}"),
        "ENV CNB_USER_ID=1001 CNB_GROUP_ID=1000".to_owned(),
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        "LABEL io.buildpacks.base.distro.name=debian".to_owned(),
        "LABEL io.buildpacks.base.distro.version=12".to_owned(),
        "WORKDIR /".to_owned(),
    ]
}

/// The file system of both images; made once.
fn archive(tag: &str) -> Result<PathBuf, Failure> {
    let archive = folder().join(format!("base-{tag}.tar"));
    if archive.exists() {
        return Ok(archive);
    }
    let root = folder().join("base-unfinished");
    if root.exists() {
        fs::remove_dir_all(&root).map_err(Failure::file(&root))?;
    }
    fs::create_dir_all(folder()).map_err(Failure::file(folder()))?;
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", &format!("--include={PACKAGES}"), SUITE]).arg(&root);
    slow("debootstrap: Debian for the base images (once; about a minute)", &mut debootstrap)
        .map_err(advise)?;
    add_users(&root)?;
    let unfinished = archive.with_extension("unfinished");
    let mut tar = Command::new("tar");
    tar.args(["--numeric-owner", "--exclude=./var/cache/apt/archives/*.deb", "--exclude=./dev/*"])
        .arg("-cf")
        .arg(&unfinished)
        .arg("-C")
        .arg(&root)
        .arg(".");
    command::capture(&mut tar)?;
    fs::rename(&unfinished, &archive).map_err(Failure::file(&archive))?;
    fs::remove_dir_all(&root).map_err(Failure::file(&root))?;
    Ok(archive)
}

fn add_users(root: &Path) -> Result<(), Failure> {
    append(&root.join("etc/passwd"), &format!("{RUN_USER}{BUILD_USER}"))?;
    append(&root.join("etc/group"), GROUP)?;
    let home = root.join("home/cnb");
    fs::create_dir_all(&home).map_err(Failure::file(&home))?;
    std::os::unix::fs::chown(&home, Some(1001), Some(1000)).map_err(Failure::file(&home))
}

fn append(path: &Path, text: &str) -> Result<(), Failure> {
    let mut file = OpenOptions::new().append(true).open(path).map_err(Failure::file(path))?;
    file.write_all(text.as_bytes()).map_err(Failure::file(path))
}

/// debootstrap is the one tool that a machine with an engine may still lack.
fn advise(failure: Failure) -> Failure {
    match failure {
        Failure::Start { .. } => Failure::Missing {
            what: "The base images are made by debootstrap, which is not installed.".to_owned(),
            advice: "apt-get install debootstrap (and run as root)".to_owned(),
        },
        other => other,
    }
}
