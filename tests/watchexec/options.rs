//! What the table in `docs/watchexec.md` says of each option, seen from outside.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::apps::{elf, script, script_with, write_executable};
use super::place::{Place, Running};

/// A place with a script as its app, which lies beside what is watched.
fn place() -> Place {
    let place = Place::new();
    write_executable(&place.path("bin/app"), &script("v1"));
    place
}

impl Place {
    /// Runs the app with these options before it and waits until it is up.
    fn run_app(&self, options: &[&str]) -> Running {
        let running = self.run(&[options, &["-n", "--", "@/bin/app"]].concat());
        running.wait_for_version("v1");
        running
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Running {
    /// The one restart, after everything that was no reason for one.
    fn assert_first_restart(&self) {
        self.wait_for("start 2");
        self.assert_story(&["start 1", "stop 1", "start 2"]);
    }
}

/// The options of the table whose answer is this, each as a user writes it and with a value.
fn listed(answer: &str) -> Vec<(String, Vec<String>)> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/watchexec.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `-"));
    let mut listed = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [names, kind, words] = cells[..] else { panic!("{row}") };
        if kind != answer {
            continue;
        }
        let name = names.split(", ").map(|name| name.trim_matches('`'));
        let name = name.clone().find(|name| name.starts_with("--")).or(name.last()).unwrap();
        let mut parts = name.split(' ').map(str::to_owned);
        let option = parts.next().unwrap();
        let value = parts.next().map(|_| "x".to_owned());
        let said = format!("warning: {option} is not honoured: {words}");
        listed.push((said, [Some(option), value].into_iter().flatten().collect()));
    }
    assert!(!listed.is_empty(), "no row says {answer:?}");
    listed
}

#[test]
fn each_option_that_is_not_honoured_is_one_line_and_the_app_runs() {
    let place = place();
    let listed = listed("not honoured");
    let options = listed.iter().flat_map(|(_, words)| words.iter().map(String::as_str));
    let running = place.run_app(&options.chain(["-w", "@/bin"]).collect::<Vec<_>>());
    let said = listed.iter().map(|(said, _)| said.as_str());
    running.assert_story(&said.chain(["start 1"]).collect::<Vec<_>>());
}

#[test]
fn an_option_that_holds_anyway_is_taken_without_a_word() {
    let place = place();
    let listed = listed("holds anyway");
    let options = listed.iter().flat_map(|(_, words)| words.iter().map(String::as_str));
    let running = place.run_app(&options.chain(["-w", "@/bin"]).collect::<Vec<_>>());
    running.assert_story(&["start 1"]);
}

#[test]
fn a_watched_path_may_be_a_file_or_not_be_there_yet() {
    let place = place();
    place.write("conf", "1");
    let running = place.run_app(&["-w", "@/conf", "-w", "@/later"]);
    place.write("beside", "1");
    place.write("conf", "2");
    running.wait_for("start 2");
    place.write("later/deep/file", "1");
    running.wait_for("start 3");
    let not_yet = "warning: later does not exist yet; it is watched as soon as it does";
    running.assert_story(&[not_yet, "start 1", "stop 1", "start 2", "stop 2", "start 3"]);
}

#[test]
fn without_folders_below_means_all_of_it_when_another_watched_path_lies_below() {
    let place = place();
    place.write("workspace/sub/deep/x", "1");
    let running = place.run_app(&["-W", "@/workspace", "-w", "@/workspace/sub"]);
    place.write("workspace/sub/deep/x", "2");
    running.assert_first_restart();
}

#[test]
fn a_filter_with_a_slash_inside_begins_at_the_current_folder() {
    let place = place();
    let running = place.run_app(&["-w", ".", "-f", "conf/*.toml", "-f", "*.html"]);
    place.write("workspace/conf.txt", "1");
    place.write("workspace/deep/conf/a.toml", "1");
    running.assert_story(&["start 1"]);
    place.write("workspace/conf/a.toml", "1");
    running.wait_for("start 2");
    place.write("workspace/deep/page.html", "1");
    running.wait_for("start 3");
    running.assert_story(&["start 1", "stop 1", "start 2", "stop 2", "start 3"]);
}

#[test]
fn an_ignored_absolute_folder_is_everything_below_it_and_a_slash_begins_at_the_current_folder() {
    let place = place();
    place.write("workspace/var/deep/log", "1");
    place.write("workspace/gen/x", "1");
    let running =
        place.run_app(&["-w", ".", "-i", "@/workspace/var", "-i", "gen/**", "-i", "*.tmp"]);
    place.write("workspace/var/deep/log", "2");
    place.write("workspace/var/deep/other/log", "1");
    place.write("workspace/gen/x", "2");
    place.write("workspace/deep/a.tmp", "1");
    running.assert_story(&["start 1"]);
    place.write("workspace/deep/gen/x", "1");
    running.assert_first_restart();
}

#[test]
fn ignore_files_are_never_read() {
    let place = place();
    for name in [".gitignore", ".ignore", ".hgignore"] {
        place.write(&format!("workspace/{name}"), "*\n");
    }
    let running = place.run_app(&["-w", "."]);
    place.write("workspace/x", "1");
    running.assert_first_restart();
}

#[test]
fn a_time_or_the_right_to_write_restarts_nothing_and_the_right_to_read_does() {
    let place = place();
    place.write("workspace/x", "1");
    let running = place.run_app(&["-w", ".", "--no-meta"]);
    // Until what lies there has been read: a file that changes before counts.
    running.assert_story(&["start 1"]);
    let allow = |mode| {
        fs::set_permissions(place.path("workspace/x"), Permissions::from_mode(mode)).unwrap();
    };
    allow(0o666);
    place.write("workspace/x", "1");
    running.wait_for("unchanged workspace/x");
    allow(0o600);
    running.wait_for("start 2");
    running.assert_story(&["start 1", "unchanged workspace/x", "stop 1", "start 2"]);
}

#[test]
fn a_change_restarts_without_an_option_that_says_so_and_beside_those_that_say_otherwise() {
    let place = place();
    let running = place.run_app(&["-w", ".", "-o", "do-nothing", "-s", "HUP"]);
    place.write("workspace/x", "1");
    running.wait_for("start 2");
    running.assert_story(&[
        "warning: --on-busy-update do-nothing is not honoured: a change restarts the app",
        "warning: --signal HUP is not honoured: a change restarts the app",
        "start 1",
        "stop 1",
        "start 2",
    ]);
}

/// An app that says which signal asked it to stop, and takes its time for all but one.
fn app_that_names_its_signal() -> Place {
    let place = Place::new();
    let habit = "for signal in INT HUP TERM; do trap \"echo asked by $signal; exit\" $signal; done\n\
                 while :; do sleep 0.02; done";
    write_executable(&place.path("bin/app"), &script_with("v1", habit));
    place
}

#[test]
fn the_signal_of_watchexec_1_and_the_stop_signal_ask_the_app_to_stop() {
    for (options, said) in [
        (&["-r", "-s", "INT"][..], "asked by INT"),
        (&["--on-busy-update=restart", "--signal", "SIGHUP"], "asked by HUP"),
        (&["--stop-signal", "int"], "asked by INT"),
        (&[], "asked by TERM"),
    ] {
        let place = app_that_names_its_signal();
        let running = place.run_app(&[options, &["-w", "."]].concat());
        place.write("workspace/x", "1");
        running.wait_for("start 2");
        running.wait_for_app(said);
    }
}

#[test]
fn an_app_that_does_not_stop_is_killed_after_the_stop_timeout() {
    for options in [&["--stop-timeout", "1"][..], &["--stop-timeout=1s"], &["-r", "-k"]] {
        let place = Place::new();
        let habit = "trap '' TERM; while :; do sleep 0.02; done";
        write_executable(&place.path("bin/app"), &script_with("v1", habit));
        let running = place.run_app(&[options, &["-w", "."]].concat());
        place.write("workspace/x", "1");
        running.wait_for("start 2");
        let killed = running.number("killing", "after_ms");
        match options.len() {
            // SIGKILL is the signal that asks.
            2 if options[0] == "-r" => assert_eq!(killed, None),
            _ => assert!(killed >= Some(1000.0) && killed < Some(5000.0), "{killed:?}"),
        }
    }
}

#[test]
fn the_debounce_is_the_least_quiet_time() {
    for (value, least) in [("400", 400.0), ("1sec 200ms", 1200.0)] {
        let place = place();
        let running = place.run_app(&["-w", ".", "-d", value]);
        place.write("workspace/x", "1");
        running.wait_for("start 2");
        let settled = running.number("started", "settle_ms");
        assert!(settled >= Some(least), "{value}: {settled:?}");
    }
}

#[test]
fn polling_finds_what_no_event_tells() {
    let place = place();
    place.write("workspace/x", "one");
    let running = place.run_app(&["-w", ".", "--poll", "100"]);
    // A store to mapped memory: the kernel sends no event for it.
    let store = "import mmap, sys\n\
                 with open(sys.argv[1], 'r+b') as file:\n\
                 \x20   with mmap.mmap(file.fileno(), 0) as memory:\n\
                 \x20       memory[0:3] = b'two'\n\
                 \x20       memory.flush()\n";
    let mut python = std::process::Command::new("python3");
    let status = python.args(["-c", store]).arg(place.path("workspace/x")).status().unwrap();
    assert!(status.success());
    running.assert_first_restart();
}

#[test]
fn the_shell_is_the_named_one_whatever_the_variable_says() {
    let place = place();
    let line = "exec @/bin/app && true";
    for options in [&[][..], &["--shell", "bash"], &["--shell=sh"], &["--shell", "sh -u"]] {
        let mut command = place.command(&[options, &["-w", "@/bin", line]].concat());
        command.env("SHELL", "/nowhere/shell");
        let running = place.run_command(command);
        running.wait_for_version("v1");
        running.assert_story(&["start 1"]);
    }
}

#[test]
fn without_a_shell_the_words_are_what_they_are() {
    let place = Place::new();
    let habit = "echo \"words: $*\"; exec sleep 1000";
    write_executable(&place.path("bin/app"), &script_with("v1", habit));
    for options in [&["-n"][..], &["--no-shell"], &["--shell", "none"], &["--shell=none"]] {
        let words = [options, &["-w", "@/bin", "--", "@/bin/app", "$HOME", "a && b", "-w"]];
        let running = place.run(&words.concat());
        running.wait_for_version("v1");
        running.wait_for_app("words: $HOME a && b -w");
    }
}

#[test]
fn whatever_the_app_leaves_behind_is_stopped_in_every_group() {
    let place = Place::new();
    let habit = "setsid sh -c 'echo helper $$; exec sleep 1000' & exec sleep 1000";
    write_executable(&place.path("bin/app"), &script_with("v1", habit));
    let running = place.run_app(&["-w", ".", "--no-process-group"]);
    let helper = running.wait_for_app("helper ");
    let pid = helper.trim_start_matches("helper ").to_owned();
    assert!(fs::exists(format!("/proc/{pid}")).unwrap());
    place.write("workspace/x", "1");
    running.wait_for("start 2");
    assert!(!fs::exists(format!("/proc/{pid}")).unwrap(), "process {pid} is still there");
}

#[test]
fn the_variables_of_relaunch_hold_under_this_name_and_an_option_counts_more() {
    let place = Place::new();
    write_executable(&place.path("bin/app"), &elf("v1"));
    let words = ["-w", "@/bin", "--stop-signal", "TERM", "-n", "--", "@/bin/app", "--port=none"];
    let mut command = place.command(&words);
    command.env("RELAUNCH_STOP_SIGNAL", "KILL").env("RELAUNCH_SETTLE", "900ms");
    let running = place.run_command(command);
    running.wait_for_version("v1");
    place.publish("bin/app", &elf("v2"));
    running.assert_one_restart("v2");
    assert!(running.number("started", "settle_ms") >= Some(900.0));
}
