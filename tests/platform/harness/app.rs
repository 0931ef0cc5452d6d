//! Copies of the fixture apps, to be edited.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::host;

/// An app folder of its own.
pub(crate) struct App {
    folder: tempfile::TempDir,
}

impl App {
    /// A copy of `fixtures/NAME`.
    pub(crate) fn fixture(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
        host::run(Command::new("cp").arg("-a").arg(source.join(".")).arg(folder.path()));
        Self { folder }
    }

    /// The compiled test app as `bin/web`, and a Procfile with this text.
    pub(crate) fn binary(procfile: &str) -> Self {
        let app = Self { folder: tempfile::tempdir().unwrap() };
        app.write("Procfile", procfile);
        app.build("v1");
        app
    }

    /// Makes `bin/web` another build.
    pub(crate) fn build(&self, version: &str) -> PathBuf {
        let path = self.path().join("bin/web");
        fs::create_dir_all(self.path().join("bin")).unwrap();
        let binary = test_app::binary::path().unwrap();
        test_app::version::write_stamped(&binary, &path, version).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file; its folder exists.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).unwrap();
    }

    /// Replaces a text that occurs in the file.
    pub(crate) fn edit(&self, name: &str, old: &str, new: &str) -> PathBuf {
        let path = self.path().join(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{name} does not contain {old:?}");
        fs::write(&path, text.replace(old, new)).unwrap();
        path
    }
}
