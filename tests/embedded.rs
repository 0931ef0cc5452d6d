//! Real detect, build and launch of the packaged buildpack on the embedded platform: the image's
//! processes, and the supervisor that they start. `cargo xtask test embedded` packages first.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test program.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use xtask::embedded::{self, Image, Request};
use xtask::running::Running;

const PATIENCE: Duration = Duration::from_secs(20);
/// Silence that is long enough for another restart to show itself, were there one.
const QUIET: Duration = Duration::from_secs(1);

/// A built app and the folder in which it lies.
struct World {
    image: Image,
    _work: TempDir,
}

impl World {
    fn build(procfile: &str, variables: &[(&str, &str)]) -> Result<Self, String> {
        let work = tempfile::tempdir().unwrap();
        let app = work.path().join("app");
        fs::create_dir_all(app.join("bin")).unwrap();
        fs::write(app.join("Procfile"), procfile).unwrap();
        fs::copy(test_app::binary::path().unwrap(), app.join("bin/web")).unwrap();
        let package = std::env::var("XTASK_BUILDPACK").expect("set by `cargo xtask test embedded`");
        let request = Request {
            app: &app,
            buildpacks: &[PathBuf::from(package)],
            variables,
            work: work.path(),
        };
        let image = embedded::build(&request).map_err(|failure| failure.to_string())?;
        Ok(Self { image, _work: work })
    }

    fn start(&self, process_type: Option<&str>, variables: &[(&str, &str)]) -> Running {
        let process = self.image.process(process_type).unwrap();
        let mut command = self.image.command(process, &["--port=0"], variables).unwrap();
        Running::start(&mut command, false).unwrap()
    }

    fn sync(&self, version: &str) {
        let target = self.image.layers.join("relaunch_live-reload/target/bin/web");
        let temporary = target.with_file_name(".web.Xa81bQ");
        let source = self.image.app.join("bin/web");
        test_app::version::write_stamped(&source, &temporary, version).unwrap();
        fs::rename(temporary, target).unwrap();
    }
}

fn wait_for(app: &mut Running, start: &str) {
    app.wait_for(start, PATIENCE, |line| line.starts_with(start)).unwrap();
}

#[test]
#[ignore = "needs the package that `cargo xtask test` prepares"]
fn a_synced_build_restarts_once_and_the_same_build_again_does_not() {
    let world = World::build("web: bin/web\n", &[("BP_LIVE_RELOAD_ENABLED", "true")]).unwrap();
    let mut app = world.start(None, &[]);
    wait_for(&mut app, "started version=v1 generation=1");

    world.sync("v2");
    wait_for(&mut app, "started version=v2 generation=2");
    world.sync("v2");

    let another = app.wait_for("silence", QUIET, |line| line.starts_with("started "));
    assert!(another.is_err(), "started again: {another:?}");
    assert!(app.stop().code().is_some());
}

#[test]
#[ignore = "needs the package that `cargo xtask test` prepares"]
fn the_unwrapped_process_stays_available() {
    let world = World::build("web: bin/web\n", &[("BP_LIVE_RELOAD_ENABLED", "1")]).unwrap();
    let process = world.image.process(Some("no-reload")).unwrap();
    assert_eq!((process.command.as_slice(), process.default), (&["bin/web".to_owned()][..], false));
    let mut app = world.start(Some("no-reload"), &[]);
    wait_for(&mut app, "started version=v1 generation= ");
}

#[test]
#[ignore = "needs the package that `cargo xtask test` prepares"]
fn a_run_variable_that_cannot_be_taken_stops_the_start_with_code_2_and_is_named() {
    let world = World::build("web: bin/web\n", &[("BP_LIVE_RELOAD_ENABLED", "true")]).unwrap();
    let mut app = world.start(None, &[("RELAUNCH_SETTLE", "soon")]);
    app.wait_for("the variable", PATIENCE, |line| line.contains("RELAUNCH_SETTLE")).unwrap();
    assert_eq!(app.wait(PATIENCE).code(), Some(2));
}

#[test]
#[ignore = "needs the package that `cargo xtask test` prepares"]
fn with_the_switch_off_there_is_no_process() {
    let world = World::build("web: bin/web\n", &[]).unwrap();
    assert_eq!(world.image.processes, []);
    assert!(Path::new(&world.image.app).join("bin/web").exists());
}

#[test]
#[ignore = "needs the package that `cargo xtask test` prepares"]
fn a_switch_that_is_neither_on_nor_off_fails_the_build() {
    let failure = World::build("web: bin/web\n", &[("BP_LIVE_RELOAD_ENABLED", "maybe")]);
    let failure = failure.err().unwrap();
    assert!(failure.contains("BP_LIVE_RELOAD_ENABLED"), "{failure}");
}
