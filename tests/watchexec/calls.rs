//! The forms in which buildpacks, Procfiles and documentation call watchexec.

use std::fs;

use super::apps::{elf, script, script_with, write_executable};
use super::place::{Place, SILENCE};

#[test]
fn the_form_of_the_go_buildpack_restarts_once_for_a_new_binary() {
    let place = Place::new();
    write_executable(&place.path("bin/app"), &elf("v1"));
    let words = "--restart --watch @/workspace --watch @/bin --shell none -- @/bin/app --port=none";
    let running = place.run(&words.split(' ').collect::<Vec<_>>());
    running.wait_for_version("v1");
    place.publish("bin/app", &elf("v2"));
    running.assert_one_restart("v2");
}

#[test]
fn a_command_as_one_quoted_string_is_run_and_restarted_once() {
    let place = Place::new();
    write_executable(&place.path("bin/mod"), &elf("v1"));
    let words = ["--verbose", "--restart", "--watch", "@/bin", "--watch", "@/workspace"];
    let running = place.run(&[&words[..], &["@/bin/mod --port=none"]].concat());
    running.wait_for_version("v1");
    place.publish("bin/mod", &elf("v2"));
    running.assert_one_restart("v2");
}

#[test]
fn a_line_with_shell_syntax_is_run_by_a_shell() {
    let place = Place::new();
    write_executable(&place.path("bin/mod"), &script("v1"));
    let running = place.run(&["-r", "-w", "@/bin", "A=b; exec @/bin/mod"]);
    running.wait_for_version("v1");
    place.publish("bin/mod", &script("v2"));
    running.assert_one_restart("v2");
}

#[test]
fn only_files_with_the_named_endings_restart() {
    let place = Place::new();
    let app = |version: &str| {
        format!(
            "import os, time\nprint('started version={version} pid=%d' % os.getpid(), flush=True)\ntime.sleep(1000)\n"
        )
    };
    fs::write(place.path("workspace/app.py"), app("v1")).unwrap();
    let running = place.run(&["-r", "-w", ".", "-e", "py,html", "--", "python3", "app.py"]);
    running.wait_for_version("v1");
    fs::write(place.path("workspace/notes.txt"), "new").unwrap();
    running.assert_story(&["start 1"]);
    fs::write(place.path("workspace/app.py"), app("v2")).unwrap();
    running.assert_one_restart("v2");
}

#[test]
fn the_executable_counts_whatever_the_endings() {
    let place = Place::new();
    write_executable(&place.path("bin/app"), &elf("v1"));
    let running = place.run(&["-w", "@/bin", "-e", "html", "-n", "--", "@/bin/app", "--port=none"]);
    running.wait_for_version("v1");
    place.publish("bin/app", &elf("v2"));
    running.assert_one_restart("v2");
}

#[test]
fn without_a_path_the_current_folder_is_watched_and_ignored_folders_are_not() {
    let place = Place::new();
    fs::write(place.path("workspace/server.js"), script("v1")).unwrap();
    fs::create_dir(place.path("workspace/var")).unwrap();
    let ignored = ["--ignore", "@/workspace/var"];
    let words = [&["--restart", "--shell", "none"][..], &ignored, &["--", "sh", "server.js"]];
    let running = place.run(&words.concat());
    running.wait_for_version("v1");
    fs::write(place.path("workspace/var/log"), "new").unwrap();
    running.assert_story(&["start 1"]);
    fs::write(place.path("new"), script("v2")).unwrap();
    fs::rename(place.path("new"), place.path("workspace/server.js")).unwrap();
    running.assert_one_restart("v2");
}

#[test]
fn a_folder_watched_without_those_below_hears_only_of_its_own_files() {
    let place = Place::new();
    write_executable(&place.path("bin/app"), &script("v1"));
    fs::create_dir(place.path("workspace/sub")).unwrap();
    let running = place.run(&["-W", "@/workspace", "-n", "--", "@/bin/app"]);
    running.wait_for_version("v1");
    fs::write(place.path("workspace/sub/x"), "new").unwrap();
    running.assert_story(&["start 1"]);
    fs::write(place.path("workspace/x"), "new").unwrap();
    running.wait_for("start 2");
    running.assert_story(&["start 1", "stop 1", "start 2"]);
}

#[test]
fn an_app_that_ends_is_held_until_the_next_change() {
    let place = Place::new();
    write_executable(&place.path("bin/app"), &script_with("v1", "exit 7"));
    let running = place.run(&["-r", "-w", "@/bin", "-n", "--", "@/bin/app"]);
    running.wait_for("exit 1: code 7");
    place.publish("bin/app", &script("v2"));
    running.wait_for_version("v2");
    running.assert_story(&["start 1", "exit 1: code 7", "start 2"]);
}

#[test]
fn an_unknown_option_is_an_error_and_an_unhonoured_one_a_line() {
    let place = Place::new();
    let output = place.output(&["--restrat", "--", "app"]);
    let text = "relaunch: invalid option '--restrat'; see `watchexec --help`\n";
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stderr).unwrap()),
        (Some(2), text.to_owned())
    );
    write_executable(&place.path("bin/app"), &script("v1"));
    let running = place.run(&["-c", "-r", "-w", "@/bin", "-n", "--", "@/bin/app"]);
    running.wait_for_version("v1");
    let remark =
        "warning: --clear is not honoured: the screen is not cleared: the log would be gone";
    running.assert_story(&[remark, "start 1"]);
}

#[test]
fn a_synced_file_stands_in_by_name_is_announced_once_and_gives_way_when_it_is_removed() {
    let place = Place::new();
    write_executable(&place.path("bin/app"), &elf("v1"));
    let mut command = place.command(&["-w", "@/workspace", "-n", "--", "@/bin/app", "--port=none"]);
    command.env("RELAUNCH_TARGET", place.path("target"));
    let running = place.run_command(command);
    running.wait_for_version("v1");
    // Neither the file nor its folders were there at the start.
    fs::create_dir_all(place.path("target/bin")).unwrap();
    for version in ["v2", "v3"] {
        place.publish("target/bin/app", &elf(version));
        running.wait_for_version(version);
        running.heard.wait_for_silence(SILENCE);
    }
    fs::remove_file(place.path("target/bin/app")).unwrap();
    running.wait_for_version("v1");
    running.heard.wait_for_silence(SILENCE);
    let story: Vec<String> = running
        .heard
        .story()
        .into_iter()
        .map(|it| if it.contains("\"stand_in_gone\"") { "stand-in gone".to_owned() } else { it })
        .collect();
    let expected = [
        "warning: target does not exist yet; it is watched as soon as it does",
        "start 1",
        "stop 1",
        "stand-in target/bin/app",
        "start 2",
        "stop 2",
        "start 3",
        "stop 3",
        "stand-in gone",
        "start 4",
    ];
    assert_eq!(story, expected, "seen:\n{}", running.heard.everything());
}
