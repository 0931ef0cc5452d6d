//! Detect always passes, and carries what it found.

use crate::world::{Outcome, World};
use std::fs;

const PASSED: Outcome = Outcome { code: 0, stdout: String::new(), stderr: String::new() };

/// The plan with this metadata in both alternatives.
fn plan(metadata: impl Fn(&str) -> String) -> String {
    format!(
        "[[provides]]\nname = \"relaunch\"\n\n\
         [[provides]]\nname = \"watchexec\"\n\n\
         [[requires]]\nname = \"relaunch\"\n\n{}\n\
         [[or]]\n\n\
         [[or.provides]]\nname = \"relaunch\"\n\n\
         [[or.requires]]\nname = \"relaunch\"\n\n{}",
        metadata("requires"),
        metadata("or.requires"),
    )
}

#[test]
fn the_plan_carries_the_procfile() {
    let world = World::new(&[("Procfile", "web: build/app\nworker: a 'b'")]);
    assert_eq!(world.detect(), PASSED);
    let metadata = |name: &str| {
        format!("[{name}.metadata.procfile]\ntext = \"\"\"\nweb: build/app\nworker: a 'b'\"\"\"\n")
    };
    assert_eq!(world.read("detected.toml"), plan(metadata));
}

#[test]
fn an_app_without_a_procfile_passes() {
    let world = World::new(&[]);
    assert_eq!(world.detect(), PASSED);
    let metadata = |name: &str| format!("[{name}.metadata]\n");
    assert_eq!(world.read("detected.toml"), plan(metadata));
}

#[test]
fn a_procfile_that_cannot_be_taken_passes() {
    let world = World::new(&[("Procfile", "")]);
    fs::write(world.path("app/Procfile"), b"web: \xff").unwrap();
    assert_eq!(world.detect(), PASSED);
    let metadata = |name: &str| format!("[{name}.metadata.procfile]\nnot-utf8-line = 1\n");
    assert_eq!(world.read("detected.toml"), plan(metadata));

    fs::remove_file(world.path("app/Procfile")).unwrap();
    fs::create_dir(world.path("app/Procfile")).unwrap();
    assert_eq!(world.detect(), PASSED);
    let metadata = |name: &str| {
        format!("[{name}.metadata.procfile]\nunreadable = \"Is a directory (os error 21)\"\n")
    };
    assert_eq!(world.read("detected.toml"), plan(metadata));
}
