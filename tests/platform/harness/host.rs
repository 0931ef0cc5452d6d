//! What was prepared, and commands on the host.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A value that `cargo xtask test` prepared.
pub(crate) fn prepared(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run this test by `cargo xtask test platform`")
    })
}

/// The packaged buildpack's folder.
pub(crate) fn buildpack() -> String {
    prepared("XTASK_BUILDPACK")
}

/// A name for something in the engine, unlike any other of this run.
pub(crate) fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("relaunch-test-{what}-{}-{number}", std::process::id())
}

/// A client of the engine.
pub(crate) fn docker(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(arguments);
    command
}

/// Both outputs of a command that has to succeed.
pub(crate) fn run(command: &mut Command) -> String {
    let (success, text) = attempt(command);
    assert!(success, "{command:?} failed:\n{text}");
    text
}

/// The answer of a command that has to succeed, without what it says beside it: a client that
/// detaches on a slow machine complains that its wait for the container was cancelled.
pub(crate) fn ask(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = output(command);
    let (answer, said) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?} failed:\n{answer}{said}");
    answer.trim().to_owned()
}

/// Whether a command succeeded, and both its outputs.
pub(crate) fn attempt(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } = output(command);
    let mut text = String::from_utf8_lossy(&stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&stderr));
    (status.success(), text)
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().expect("the program is there")
}

/// Compiles a Go app on the host, as a developer would, into `build/mod`.
pub(crate) fn go_build(app: &std::path::Path) -> PathBuf {
    let goroot = PathBuf::from(prepared("XTASK_GOROOT"));
    let cache = PathBuf::from(prepared("XTASK_WORK")).join("go-cache-host");
    let binary = app.join("build/mod");
    let mut go = Command::new(goroot.join("bin/go"));
    go.args(["build", "-trimpath", "-o"]).arg(&binary).arg(".").current_dir(app);
    go.env("GOCACHE", cache).env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local");
    go.env("GOFLAGS", "-buildvcs=false").env("GOROOT", goroot);
    run(&mut go);
    binary
}
