//! `cargo xtask demo`: the whole product in one minute, without a container engine.
//!
//! Package, detect, build and launch are the real ones; only the container is missing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::embedded::{self, Image};
use crate::failure::Failure;
use crate::running::Running;
use crate::{package, progress, workspace};

/// More than any start takes; the demo ends with an error instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough for a second restart to show itself, were there one.
const QUIET: Duration = Duration::from_millis(1500);

/// Runs the demo.
///
/// # Errors
/// Every step's, and anything but exactly one restart.
pub fn run() -> Result<(), Failure> {
    progress::heading("Package");
    let package = package::package()?;
    let app_binary = progress::step("compiling the demo app", compile_app)?;

    progress::heading("Detect and build");
    let work = tempfile::tempdir().map_err(Failure::file("the temporary folder"))?;
    let app = prepare_app(work.path(), &app_binary)?;
    let image = embedded::build_reloading(&app, package.folder, work.path())?;

    progress::heading("Launch, and publish a change");
    let (mut app, milliseconds) = launch_and_change(&image, &app_binary)?;
    app.stop();
    println!("\nOne change, exactly one restart: v1 -> v2, {milliseconds} ms after the change.");
    Ok(())
}

/// Launches the default process, publishes a changed binary, waits for the one restart.
fn launch_and_change(image: &Image, binary: &Path) -> Result<(Running, u128), Failure> {
    let process = image.process(None).ok_or_else(|| Failure::Missing {
        what: "The image has no default process.".into(),
        advice: "Read the build output above; this is a defect of the buildpack.".into(),
    })?;
    let mut command = image.command(process, &[], &[("PORT", "0")])?;
    let mut app = Running::start(&mut command, true)?;
    app.wait_for("the first start", PATIENCE, |line| line.starts_with("started version=v1 "))?;

    let target = image.layers.join("relaunch_live-reload/target/bin/web");
    println!("    -- a changed build is synced to {}", target.display());
    publish(binary, &target, "v2")?;
    let changed = Instant::now();
    app.wait_for("the restart", PATIENCE, |line| line.starts_with("started version=v2 "))?;
    let milliseconds = changed.elapsed().as_millis();

    let another = app.wait_for("silence", QUIET, |line| line.starts_with("started "));
    if another.is_ok() {
        return Err(app.unexpected("Expected exactly one restart for one change."));
    }
    Ok((app, milliseconds))
}

fn compile_app() -> Result<PathBuf, Failure> {
    test_app::binary::path().map_err(|output| Failure::Command {
        line: "cargo build --package test-app".into(),
        status: "see below".into(),
        output,
    })
}

/// The demo's app folder: its Procfile and the compiled app as `bin/web`.
fn prepare_app(work: &Path, binary: &Path) -> Result<PathBuf, Failure> {
    let app = work.join("app");
    let bin = app.join("bin");
    fs::create_dir_all(&bin).map_err(Failure::file(&bin))?;
    let procfile = workspace::root().join("fixtures/demo/Procfile");
    fs::copy(&procfile, app.join("Procfile")).map_err(Failure::file(&procfile))?;
    let web = bin.join("web");
    fs::copy(binary, &web).map_err(Failure::file(&web))?;
    Ok(app)
}

/// Writes another build beside the target and renames it into place, as most sync clients do.
fn publish(binary: &Path, target: &Path, version: &str) -> Result<(), Failure> {
    let temporary = target.with_file_name(".web.Xa81bQ");
    test_app::version::write_stamped(binary, &temporary, version)
        .map_err(|error| Failure::Format { path: temporary.clone(), reason: error.to_string() })?;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&temporary, mode).map_err(Failure::file(&temporary))?;
    fs::rename(&temporary, target).map_err(Failure::file(target))
}
