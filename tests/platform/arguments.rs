//! Arguments of the user, `--entrypoint` and `--entrypoint launcher` mean with Relaunch what they
//! mean without it, in every form of a process that earlier buildpacks can declare.

use std::sync::{Arc, Mutex, Weak};

use crate::harness::image::{Image, shared};
use crate::harness::{App, Build, Container, RELAUNCH};

const FORMS: [&str; 2] = ["fixture/old-forms", "fixture/new-forms"];

/// The app without Relaunch.
fn plain() -> Arc<Image> {
    static IMAGE: Mutex<Weak<Image>> = Mutex::new(Weak::new());
    shared(&IMAGE, || Build::of(&App::fixture("apps/forms")).buildpacks(&FORMS).image())
}

/// The same app with Relaunch last.
fn reloading() -> Arc<Image> {
    static IMAGE: Mutex<Weak<Image>> = Mutex::new(Weak::new());
    shared(&IMAGE, || {
        let ids = [&FORMS[..], &[RELAUNCH]].concat();
        Build::of(&App::fixture("apps/forms")).buildpacks(&ids).live_reload("true").image()
    })
}

/// Exit code and output; the app of these images ends at once, and the container with it.
fn ran(image: &Image, entrypoint: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let options = ["--env", "RELAUNCH_ON_EXIT=exit", "--entrypoint", entrypoint];
    let ended = image.run(&options, arguments);
    (ended.code, ended.out)
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn every_process_type_starts_as_it_does_without_relaunch() {
    let (plain, reloading) = (plain(), reloading());
    let types =
        ["array", "line", "line-elsewhere", "single", "task", "tokens", "words", "words-elsewhere"];
    assert_eq!(plain.process_types(), types);
    for process_type in types {
        let expected = ran(&plain, process_type, &[]);
        assert_eq!(expected.0, Some(0), "{process_type}: {}", expected.1);
        assert_eq!(ran(&reloading, process_type, &[]), expected, "{process_type}");
    }
    let by_default = reloading.run(&["--env", "RELAUNCH_ON_EXIT=exit"], &[]);
    assert_eq!(by_default.out, ran(&plain, "words", &[]).1);
    assert!(by_default.err.contains("\"event\":\"started\""), "{}", by_default.err);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn users_arguments_append_or_replace_as_they_do_without_relaunch() {
    let (plain, reloading) = (plain(), reloading());
    for process_type in ["array", "single", "tokens", "words", "words-elsewhere"] {
        let arguments = ["one", "t w o", "-v"];
        let expected = ran(&plain, process_type, &arguments);
        assert_eq!(expected.0, Some(0), "{process_type}: {}", expected.1);
        assert_eq!(ran(&reloading, process_type, &arguments), expected, "{process_type}");
    }
}

/// Without Relaunch the launcher takes the whole line for the name of a program then.
#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn users_arguments_append_to_a_line_for_the_shell() {
    let reloading = reloading();
    let greeting = "from profile.d, .profile";
    let words = format!("[{}]\n", greeting.replace(' ', "]\n["));
    let expected = format!("/workspace/sub ({greeting})\n{words}[one]\n[t w  o]\n");
    assert_eq!(ran(&reloading, "line-elsewhere", &["one", "t w  o"]), (Some(0), expected));
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn the_default_stays_available_without_the_supervisor_and_one_shot_types_as_they_were() {
    let reloading = reloading();
    let types = reloading.process_types();
    assert!(types.contains(&"no-reload".to_owned()), "{types:?}");
    assert_eq!(reloading.default_process(), "words");
    for (process_type, out) in [
        ("no-reload", "/workspace ()\n[a b]\n[c]\n"),
        ("task", "/workspace (from profile.d, .profile)\n[once]\n"),
    ] {
        let ended = reloading.run(&["--entrypoint", process_type], &[]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(0), out), "{}", ended.err);
        assert!(!ended.err.contains("\"event\""), "{process_type}: {}", ended.err);
    }
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn commands_of_the_launcher_run_as_they_do_without_relaunch() {
    let (plain, reloading) = (plain(), reloading());
    let commands: [&[&str]; 3] =
        [&["./show"], &["./show", "a  b", "$GREETING"], &["--", "/workspace/show", "$GREETING"]];
    for command in commands {
        let expected = ran(&plain, "launcher", command);
        assert_eq!(expected.0, Some(0), "{command:?}: {}", expected.1);
        assert_eq!(ran(&reloading, "launcher", command), expected, "{command:?}");
    }
}

/// The form in which Paketo's documentation starts an app under watchexec by hand.
#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn watchexec_as_a_command_of_the_launcher_reloads() {
    let app = App::fixture("apps/forms");
    let words =
        ["watchexec", "--verbose", "--restart", "--watch", "/workspace", "./show on ${PORT:-80}"];
    let image = reloading();
    let container = Container::start_command(&image, &["--entrypoint", "launcher"], &words);
    container.wait_for_log("[on]\n[80]\n");
    container.assert_ours();
    container.copy(&app.edit("show", "[$word]", "<$word>"), "/workspace/show");
    container.wait_for_log("<on>\n<80>\n");
    container.wait_for_starts(2);
}
