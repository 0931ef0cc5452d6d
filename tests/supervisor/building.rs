//! Compilers and version control write straight into the watched tree.

use std::fs;

use crate::runner::Case;
use crate::world::{Setup, has};

pub(crate) const CASES: &[Case] = &[
    ("go build restarts once", go_build),
    ("cargo build restarts once", cargo_build),
    ("git checkout of 300 files restarts once", git_checkout),
];

const GO: &str = "package main
import \"os\"
func main() {
\t// In one write: println writes piece by piece, and the supervisor's lines come between.
\tos.Stdout.WriteString(\"started version=VERSION pid=\" + itoa(os.Getpid()) + \"\\n\")
\tr, w, _ := os.Pipe()
\tr.Read(make([]byte, 1))
\tw.Close()
}
func itoa(n int) string { if n < 10 { return string(rune('0' + n)) }; return itoa(n/10) + itoa(n%10) }
";

fn go_build() {
    if !has("go") {
        return;
    }
    let setup = Setup::elf();
    let build = "cd src; unset GOFLAGS; CGO_ENABLED=0 go build -o ../tree/app .";
    fs::create_dir(setup.path("src")).unwrap();
    fs::write(setup.path("src/go.mod"), "module app\ngo 1.19\n").unwrap();
    fs::write(setup.path("src/main.go"), GO.replace("VERSION", "v1")).unwrap();
    shell(&setup, build);
    let run = setup.start();
    fs::write(run.path("src/main.go"), GO.replace("VERSION", "v2")).unwrap();
    run.shell(build);
    run.assert_one_restart_to("v2");
}

const RUST: &str = "fn main() {
    println!(\"started version=VERSION pid={}\", std::process::id());
    loop { std::thread::park(); }
}
";

/// cargo writes below `deps` and publishes by hard link; all of `debug` is watched.
fn cargo_build() {
    if !has("cargo") {
        return;
    }
    let setup = Setup::elf();
    let build = "cd src; env -u CARGO_TARGET_DIR -u RUSTFLAGS CARGO_TARGET_DIR=../tree \
                 cargo build --quiet --offline";
    fs::create_dir_all(setup.path("src/src")).unwrap();
    let manifest =
        "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
    fs::write(setup.path("src/Cargo.toml"), manifest).unwrap();
    fs::write(setup.path("src/src/main.rs"), RUST.replace("VERSION", "v1")).unwrap();
    shell(&setup, build);
    let tiny = setup.path("tree/debug/tiny").display().to_string();
    fs::remove_file(setup.path("tree/app")).unwrap();
    let run = setup.command(&[&tiny]).start();
    fs::write(run.path("src/src/main.rs"), RUST.replace("VERSION", "v2")).unwrap();
    run.shell(build);
    run.assert_one_restart_to("v2");
}

fn git_checkout() {
    if !has("git") {
        return;
    }
    let setup = Setup::script();
    shell(
        &setup,
        "cd tree; git init -q; git config user.name n; git config user.email e; git config gc.auto 0
         for i in {1..300}; do echo 1 > f$i; done; git add .; git commit -qm 1; git branch one
         for i in {1..300}; do echo 22 > f$i; done; cp ../new app; git commit -qam 2; git branch two
         git checkout -q one",
    );
    let run = setup.start();
    run.shell("cd tree; git checkout -q two");
    run.assert_one_restart_to("v2");
}

/// Prepares a case's folder before the supervisor starts.
fn shell(setup: &Setup, lines: &str) {
    let status = std::process::Command::new("bash")
        .args(["-euc", lines])
        .current_dir(setup.path(""))
        .status()
        .unwrap();
    assert!(status.success(), "{lines}");
}
