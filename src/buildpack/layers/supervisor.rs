//! The `supervisor` layer: the `relaunch` binary, the `watchexec` command, and the launch
//! environment. Its `bin/` comes on `PATH` by the launcher.

use crate::buildpack::BuildpackError;
use libcnb::Buildpack;
use libcnb::build::BuildContext;
use libcnb::data::layer::LayerName;
use libcnb::data::layer_name;
use libcnb::layer::UncachedLayerDefinition;
use libcnb::layer_env::{LayerEnv, ModificationBehavior, Scope};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Where packaging puts the buildpack's other binaries.
const PACKAGED_BINARY: &str = ".libcnb-cargo/additional-bin/relaunch";
const BINARY: &str = "bin/relaunch";
const WATCHEXEC: &str = "bin/watchexec";
const BINARY_MODE: u32 = 0o755;

/// Path of the supervisor in the image. Processes name it in full, so that no synced file, no
/// later buildpack and no `PATH` of the user can put another program in its place.
#[must_use]
pub fn binary_path(layers_dir: &Path) -> PathBuf {
    layers_dir.join(layer_name().as_str()).join(BINARY)
}

/// Creates the launch layer `supervisor`; not cached, since copying two megabytes costs less than
/// looking whether they are the same. `environment` becomes `.default` files, so that variables of
/// the run override them: a plain value of a layer would win over `docker run --env`.
///
/// # Errors
///
/// [`BuildpackError::Supervisor`] with the path, and libcnb's errors of writing a layer.
pub fn create<B>(
    context: &BuildContext<B>,
    environment: &BTreeMap<String, OsString>,
) -> libcnb::Result<(), BuildpackError>
where
    B: Buildpack<Error = BuildpackError>,
{
    let layer = context
        .uncached_layer(layer_name(), UncachedLayerDefinition { build: false, launch: true })?;

    let packaged = context.buildpack_dir.join(PACKAGED_BINARY);
    fill(&packaged, &layer.path())
        .map_err(|cause| BuildpackError::Supervisor { path: packaged, cause })?;

    layer.write_env(launch_environment(environment))?;
    open_for_all(&layer.path())
        .map_err(|cause| BuildpackError::Supervisor { path: layer.path(), cause })?;
    Ok(())
}

fn layer_name() -> LayerName {
    layer_name!("supervisor")
}

fn fill(packaged: &Path, layer: &Path) -> io::Result<()> {
    fs::create_dir(layer.join("bin"))?;
    let binary = layer.join(BINARY);
    fs::copy(packaged, &binary)?;
    fs::set_permissions(&binary, Permissions::from_mode(BINARY_MODE))?;
    // The program tells by its name which one it is; a link costs the image nothing.
    symlink("relaunch", layer.join(WATCHEXEC))
}

/// The run user may be neither the build user nor in its group, and the build's umask may be
/// anything.
fn open_for_all(path: &Path) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let mode = metadata.permissions().mode();
    if metadata.is_dir() {
        fs::set_permissions(path, Permissions::from_mode(mode | 0o555))?;
        for entry in fs::read_dir(path)? {
            open_for_all(&entry?.path())?;
        }
        Ok(())
    } else {
        fs::set_permissions(path, Permissions::from_mode(mode | 0o444))
    }
}

fn launch_environment(environment: &BTreeMap<String, OsString>) -> LayerEnv {
    environment.iter().fold(LayerEnv::new(), |launch, (name, value)| {
        launch.chainable_insert(Scope::Launch, ModificationBehavior::Default, name, value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_executable_and_has_two_names() {
        let root = tempfile::tempdir().unwrap();
        let (packaged, layer) = (root.path().join("packaged"), root.path().join("layer"));
        fs::write(&packaged, "ELF").unwrap();
        fs::set_permissions(&packaged, Permissions::from_mode(0o600)).unwrap();
        fs::create_dir(&layer).unwrap();

        fill(&packaged, &layer).unwrap();
        for name in [BINARY, WATCHEXEC] {
            let path = layer.join(name);
            assert_eq!(path.metadata().unwrap().permissions().mode(), 0o100_755);
            assert_eq!(fs::read(path).unwrap(), b"ELF");
        }
        assert_eq!(fs::read_link(layer.join(WATCHEXEC)).unwrap(), Path::new("relaunch"));
    }

    #[test]
    fn variables_of_the_run_override_what_was_baked_in() {
        let baked = [("RELAUNCH_SETTLE".to_owned(), OsString::from("20ms"))].into();
        let launch = launch_environment(&baked);
        let empty = launch.apply_to_empty(Scope::Launch);
        assert_eq!(empty.get("RELAUNCH_SETTLE").unwrap(), "20ms");
        let mut run = libcnb::Env::new();
        run.insert("RELAUNCH_SETTLE", "1s");
        assert_eq!(launch.apply(Scope::Launch, &run), run);
    }
}
