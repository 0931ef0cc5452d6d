//! The manifest as a file, and what happens where there is no place for it.

use std::fs;

use serde_json::Value;

use crate::world::Setup;
use crate::{apps, ask, status};

#[test]
fn the_file_is_the_status_and_is_always_whole() {
    let setup = Setup::elf();
    let state = setup.path("state");
    let run = setup.flags(&["--state", &state.display().to_string()]).start();
    let file = state.join("manifest.json");
    for version in ["v2", "v3", "v4"] {
        run.publish(&apps::elf(version));
        run.wait_for_version(version);
    }
    assert_eq!(ask(&run, &["wait", "--generation", "4"]).code, Some(0));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        // Whole at any moment, and in the end the same.
        let told: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        if told == status(&run) && told["executable"]["sha256"].is_string() {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{told}\n{}", status(&run));
    }
}

#[test]
fn digests_that_are_made_after_the_start_come_into_the_file() {
    // They were made in quiet moments, after the last writing, and the file never had them.
    let setup = Setup::script();
    let state = setup.path("state");
    // The start comes sooner than a file is old enough to be digested.
    let run = setup.flags(&["--state", &state.display().to_string(), "--settle", "1ms"]).start();
    run.publish(&apps::script("v2"));
    run.wait_for_version("v2");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let text = fs::read_to_string(state.join("manifest.json")).unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        let listed = told["watch"]["listed"].as_array().cloned().unwrap_or_default();
        if !listed.is_empty() && listed.iter().all(|file| file["xxh3"].is_string()) {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{told}\n{}", status(&run));
    }
}

#[test]
fn without_a_place_for_the_file_everything_else_works_and_it_is_said_once() {
    let run = Setup::elf().flags(&["--state", "/proc/self/nowhere"]).start();
    run.publish(&apps::elf("v2"));
    run.wait_for_version("v2");
    let warning = "warning: the manifest cannot be written to /proc/self/nowhere: No such file or directory (os error 2); name another folder with --state, or do without: `relaunch status` works all the same";
    let mut story = run.story();
    story.sort();
    assert_eq!(story, ["start 1", "start 2", "stop 1", warning]);
    assert_eq!(status(&run)["state"], "running");
}

#[test]
fn a_state_folder_in_the_watched_tree_restarts_nothing() {
    let setup = Setup::elf();
    let state = setup.path("tree/state");
    let run = setup.flags(&["--state", &state.display().to_string()]).start();
    run.wait_for("start 1");
    run.assert_story(&["start 1"]);
    // Each writing was an event that led to the next one.
    let file = state.join("manifest.json");
    let written = || fs::metadata(&file).and_then(|meta| meta.modified()).ok();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let mut before = None;
    while before.is_none() || before != written() {
        before = written();
        assert_eq!(ask(&run, &["wait", "--change", "--timeout", "300ms"]).code, Some(124));
        assert!(std::time::Instant::now() < deadline, "it is written over and over");
    }
    let told = status(&run);
    let listed = told["watch"]["listed"].as_array().unwrap();
    assert!(listed.iter().all(|it| !it["path"].as_str().unwrap().contains("/state/")), "{told}");
}
