//! The `target` layer: an empty `bin/` into which synced files go, writable for every run user.

use crate::buildpack::BuildpackError;
use libcnb::Buildpack;
use libcnb::build::BuildContext;
use libcnb::data::layer::LayerName;
use libcnb::data::layer_name;
use libcnb::layer::UncachedLayerDefinition;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Nobody but the build user writes at the root: `env/`, `exec.d/` or `profile.d/` synced there
/// would change the next start of the container.
const ROOT_MODE: u32 = 0o755;
/// The run user may have another uid, or even another group. Not sticky: a file that root synced
/// must be replaceable by the run user.
const BIN_MODE: u32 = 0o777;

/// Path of the layer.
#[must_use]
pub fn path(layers_dir: &Path) -> PathBuf {
    layers_dir.join(layer_name().as_str())
}

/// Creates the launch layer `target`, anew at every build: what was synced into a running
/// container is no part of the next image.
///
/// # Errors
///
/// [`BuildpackError::Target`] with the path, and libcnb's errors of writing a layer.
pub fn create<B>(context: &BuildContext<B>) -> libcnb::Result<(), BuildpackError>
where
    B: Buildpack<Error = BuildpackError>,
{
    let layer = context
        .uncached_layer(layer_name(), UncachedLayerDefinition { build: false, launch: true })?;

    let root = layer.path();
    let bin = root.join("bin");
    fill(&root, &bin).map_err(|cause| BuildpackError::Target { path: bin, cause })?;
    Ok(())
}

fn layer_name() -> LayerName {
    layer_name!("target")
}

/// The modes are set by name, since the build's umask may take bits away.
fn fill(root: &Path, bin: &Path) -> io::Result<()> {
    fs::create_dir(bin)?;
    fs::set_permissions(root, Permissions::from_mode(ROOT_MODE))?;
    fs::set_permissions(bin, Permissions::from_mode(BIN_MODE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bin_is_writable_for_others() {
        let layers = tempfile::tempdir().unwrap();
        let root = path(layers.path());
        fs::create_dir(&root).unwrap();
        fs::set_permissions(&root, Permissions::from_mode(0o775)).unwrap();
        let bin = root.join("bin");

        fill(&root, &bin).unwrap();
        let modes = [&root, &bin].map(|path| path.metadata().unwrap().permissions().mode());
        assert_eq!(modes, [0o40_755, 0o40_777]);
    }
}
