//! The apps: an executable whose versions differ in a few bytes, and a script with the same habit.
//! Both print `started version=… pid=…` as their first line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use test_app::version::stamped;

/// The compiled app's bytes, version `v1`.
pub(crate) fn compiled() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| fs::read(test_app::binary::path().unwrap()).unwrap())
}

/// Another build of the same size.
pub(crate) fn elf(version: &str) -> Vec<u8> {
    static MADE: Mutex<BTreeMap<String, Vec<u8>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap();
    made.entry(version.to_owned()).or_insert_with(|| stamped(compiled(), version).unwrap()).clone()
}

/// A script of 64 kB: most of it lies behind the line that never returns.
pub(crate) fn script(version: &str) -> Vec<u8> {
    let habit = "exec sleep 1000";
    script_with(version, habit)
}

/// A script that does something else after its first line.
pub(crate) fn script_with(version: &str, habit: &str) -> Vec<u8> {
    let padding = format!("# {}\n", "x".repeat(61)).repeat(1024);
    format!("#!/bin/sh\n{}\n{habit}\nexit 9\n{padding}", said(version)).into_bytes()
}

/// The line of a shell that says what runs.
pub(crate) fn said(version: &str) -> String {
    format!("echo \"started version={version} generation=$RELAUNCH_GENERATION pid=$$\"")
}

/// A script that takes this long to stop.
pub(crate) fn slow_to_stop(version: &str, seconds: &str) -> Vec<u8> {
    let habit = format!("trap 'sleep {seconds}; exit 0' TERM\nwhile :; do sleep 0.02; done");
    script_with(version, &habit)
}

/// Writes a file of mode 0755 in one go.
pub(crate) fn write_executable(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
