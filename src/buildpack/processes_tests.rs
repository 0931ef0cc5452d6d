//! The choice of process types, one situation a test; each compares the whole choice.

use super::*;
use std::path::PathBuf;

const RELAUNCH: &str = "/r";

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn procfile(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines.iter().map(|(name, line)| ((*name).to_owned(), (*line).to_owned())).collect()
}

fn earlier_process(buildpack: &str, name: &str, form: Form, default: bool) -> EarlierProcess {
    EarlierProcess {
        buildpack: buildpack.to_owned(),
        process_type: name.to_owned(),
        form,
        default,
        working_directory: None,
        restricted: false,
    }
}

fn direct(words: &[&str]) -> Form {
    Form::Direct(owned(words))
}

fn current(command: &[&str], args: &[&str]) -> Form {
    Form::Current { command: owned(command), args: owned(args) }
}

fn shell(command: &str, args: &[&str]) -> Form {
    Form::Shell { command: command.to_owned(), args: owned(args) }
}

fn process(name: &str, command: &[&str], args: &[&str], default: bool) -> Process {
    Process {
        r#type: name.parse().unwrap(),
        command: owned(command),
        args: owned(args),
        default,
        working_directory: WorkingDirectory::App,
    }
}

/// What launch.toml and the report get: processes with "shown" and whether they reload.
fn launch(processes: Processes) -> Vec<(Process, String, bool)> {
    let parts = |declared: Declared| (declared.process, declared.shown, declared.reloads);
    processes.declared.into_iter().map(parts).collect()
}

fn entry(process: Process, shown: &str, reloads: bool) -> (Process, String, bool) {
    (process, shown.to_owned(), reloads)
}

struct Case {
    procfile: Vec<(String, String)>,
    earlier: Earlier,
    wanted: Option<Vec<String>>,
    followed: bool,
    watchexec: bool,
    profile: Option<Profile>,
}

impl Case {
    fn new(lines: &[(&str, &str)], earlier: Vec<EarlierProcess>) -> Self {
        Self {
            procfile: procfile(lines),
            earlier: Earlier { processes: earlier },
            wanted: None,
            followed: false,
            watchexec: false,
            profile: None,
        }
    }

    fn decide(&self) -> Result<Processes, ProcessesError> {
        decide(&Situation {
            procfile: &self.procfile,
            earlier: &self.earlier,
            wanted: self.wanted.as_deref(),
            followed: self.followed,
            watchexec: self.watchexec,
            relaunch: RELAUNCH,
            profile: self.profile.as_ref(),
        })
    }
}

#[test]
fn every_type_of_a_procfile_reloads_and_web_is_the_default() {
    let case = Case::new(&[("worker", "A=1 app $Q"), ("web", "build/app -v")], vec![]);
    let processes = case.decide().unwrap();
    assert_eq!(processes.default.as_deref(), Some("web"));
    assert_eq!(processes.words, owned(&["A=1", "app", "$Q", "build/app", "-v"]));
    let expected = [
        entry(
            process("worker", &["/r", "run", "--shell", "--", "A=1 app $Q"], &[], false),
            "A=1 app $Q",
            true,
        ),
        entry(
            process("web", &["/r", "run", "--", "build/app", "-v"], &[], true),
            "build/app -v",
            true,
        ),
        entry(process("no-reload", &["build/app", "-v"], &[], false), "build/app -v", false),
    ];
    assert_eq!(launch(processes), expected);
}

#[test]
fn the_default_is_web_else_the_earlier_one_else_worker_else_the_only_one() {
    let earlier = || vec![earlier_process("acme/go", "mod", direct(&["mod"]), true)];
    let default = |lines: &[(&str, &str)], earlier: Vec<EarlierProcess>| {
        Case::new(lines, earlier).decide().unwrap().default
    };
    let some = |name: &str| Some(name.to_owned());
    let all = [("x", "x"), ("worker", "w"), ("web", "w")];
    assert_eq!(default(&all, earlier()), some("web"));
    assert_eq!(default(&all[..2], earlier()), some("mod"));
    assert_eq!(default(&all[..2], vec![]), some("worker"));
    assert_eq!(default(&all[..1], vec![]), some("x"));
    assert_eq!(default(&[("x", "x"), ("y", "y")], vec![]), None);
}

#[test]
fn without_a_default_there_is_no_unwrapped_process() {
    let processes = Case::new(&[("x", "x"), ("y", "y")], vec![]).decide().unwrap();
    let expected = [
        entry(process("x", &["/r", "run", "--", "x"], &[], false), "x", true),
        entry(process("y", &["/r", "run", "--", "y"], &[], false), "y", true),
    ];
    assert_eq!(launch(processes), expected);
}

#[test]
fn a_procfile_line_that_supervises_stays_as_it_is() {
    let line = "watchexec -r -w /workspace '/layers/go/targets/bin/mod'";
    let processes = Case::new(&[("web", line)], vec![]).decide().unwrap();
    let words = ["watchexec", "-r", "-w", "/workspace", "/layers/go/targets/bin/mod"];
    let expected = [entry(
        process("web", &words, &[], true),
        "watchexec -r -w /workspace /layers/go/targets/bin/mod",
        false,
    )];
    assert_eq!(launch(processes), expected);
}

#[test]
fn a_type_that_a_procfile_buildpack_declared_is_taken_from_it() {
    let from_binding =
        earlier_process("paketo-buildpacks/procfile", "web", shell("b $X", &[]), true);
    let newer =
        earlier_process("heroku/procfile", "worker", current(&["bash", "-c"], &["c -v"]), false);
    let other = earlier_process("acme/go", "web", direct(&["d"]), true);
    let case = Case::new(&[("web", "a"), ("worker", "a")], vec![from_binding, newer, other]);
    let expected = [
        entry(process("web", &["/r", "run", "--shell", "--", "b $X"], &[], true), "b $X", true),
        entry(process("worker", &["/r", "run", "--", "c", "-v"], &[], false), "c -v", true),
        entry(process("no-reload", &case_no_reload("b $X"), &[], false), "b $X", false),
    ];
    assert_eq!(launch(case.decide().unwrap()), expected);
}

fn case_no_reload(line: &str) -> Vec<&str> {
    vec!["sh", "-c", super::super::command::CHOOSE_SHELL, line]
}

#[test]
fn earlier_processes_are_wrapped_with_their_own_meaning_of_arguments() {
    let mut web = earlier_process("acme/node", "web", current(&["node", "a.js"], &["-v"]), true);
    web.working_directory = Some(PathBuf::from("/workspace/sub"));
    let case = Case::new(
        &[],
        vec![
            web,
            earlier_process("acme/node", "old", direct(&["node", "-v"]), false),
            earlier_process("acme/node", "line", shell("A=1 node", &[]), false),
            earlier_process("acme/node", "words", shell("node", &["a b"]), false),
            earlier_process("acme/node", "expanded", shell("node", &["$P"]), false),
            earlier_process("acme/node", "task", direct(&["once"]), false),
            earlier_process("acme/node", "release", direct(&["once"]), false),
        ],
    );
    let sub = |process: Process| Process {
        working_directory: WorkingDirectory::Directory(PathBuf::from("/workspace/sub")),
        ..process
    };
    let run = ["/r", "run", "--"];
    let with = |words: &[&'static str]| [&run[..], words].concat();
    let processes = case.decide().unwrap();
    assert_eq!(processes.left_alone, owned(&["task", "release"]));
    let expected = [
        entry(sub(process("web", &with(&["node", "a.js"]), &["-v"], true)), "node a.js -v", true),
        entry(process("old", &with(&["node", "-v"]), &[], false), "node -v", true),
        entry(
            process("line", &["/r", "run", "--shell", "--", "A=1 node"], &[], false),
            "A=1 node",
            true,
        ),
        entry(process("words", &with(&["node", "a b"]), &[], false), "node 'a b'", true),
        entry(
            process("expanded", &["/r", "run", "--shell", "--", "\"node\" \"$P\""], &[], false),
            "\"node\" \"$P\"",
            true,
        ),
        entry(sub(process("no-reload", &["node", "a.js"], &["-v"], false)), "node a.js -v", false),
    ];
    assert_eq!(launch(processes), expected);
}

#[test]
fn where_one_process_supervises_all_earlier_ones_stay() {
    let watched = current(&["watchexec"], &["-r", "--", "mod"]);
    let case = Case::new(
        &[],
        vec![
            earlier_process("acme/go", "mod", direct(&["mod"]), false),
            earlier_process("acme/go", "reload-mod", watched, true),
        ],
    );
    let expected = Processes {
        declared: vec![],
        default: Some("reload-mod".to_owned()),
        left_alone: owned(&["mod", "reload-mod"]),
        words: owned(&["mod", "watchexec", "-r", "--", "mod"]),
    };
    assert_eq!(case.decide(), Ok(expected));
}

#[test]
fn a_no_reload_process_of_others_is_kept() {
    let case = Case::new(
        &[],
        vec![
            earlier_process("acme/npm", "web", direct(&["npm"]), true),
            earlier_process("acme/npm", "no-reload", direct(&["npm"]), false),
        ],
    );
    let processes = case.decide().unwrap();
    assert_eq!(processes.left_alone, owned(&["no-reload"]));
    let expected = [entry(process("web", &["/r", "run", "--", "npm"], &[], true), "npm", true)];
    assert_eq!(launch(processes), expected);

    let own = Case::new(&[("web", "app"), ("no-reload", "plain")], vec![]);
    let expected = [
        entry(process("web", &["/r", "run", "--", "app"], &[], true), "app", true),
        entry(process("no-reload", &["plain"], &[], false), "plain", false),
    ];
    assert_eq!(launch(own.decide().unwrap()), expected);
}

#[test]
fn the_user_may_choose_the_wrapped_types() {
    let mut case = Case::new(
        &[("web", "app"), ("worker", "work")],
        vec![
            earlier_process("acme/x", "task", direct(&["once"]), false),
            earlier_process("acme/x", "other", direct(&["other"]), false),
        ],
    );
    case.wanted = Some(owned(&["worker", "task"]));
    let processes = case.decide().unwrap();
    assert_eq!(processes.left_alone, owned(&["other"]));
    let expected = [
        entry(process("web", &["app"], &[], true), "app", false),
        entry(process("worker", &["/r", "run", "--", "work"], &[], false), "work", true),
        entry(process("task", &["/r", "run", "--", "once"], &[], false), "once", true),
        entry(process("no-reload", &["app"], &[], false), "app", false),
    ];
    assert_eq!(launch(processes), expected);

    case.wanted = Some(owned(&["wrk"]));
    let expected = ProcessesError::UnknownType {
        process_type: "wrk".to_owned(),
        known: owned(&["web", "worker", "task", "other"]),
    };
    assert_eq!(case.decide(), Err(expected));
}

#[test]
fn restricted_processes_stay_as_they_are() {
    let mut only_test = earlier_process("acme/x", "check", current(&["check"], &[]), false);
    only_test.restricted = true;
    let processes = Case::new(&[], vec![only_test]).decide().unwrap();
    assert_eq!(processes.left_alone, owned(&["check"]));
    assert_eq!(launch(processes), []);
}

#[test]
fn profile_scripts_come_before_processes_of_the_old_shell_form() {
    let mut case = Case::new(
        &[],
        vec![
            earlier_process("acme/x", "web", shell("app -v", &[]), true),
            earlier_process("acme/x", "direct", direct(&["app"]), false),
        ],
    );
    let profile = Profile {
        app_dir: PathBuf::from("/workspace"),
        buildpacks: vec![PathBuf::from("/layers/acme_x")],
    };
    let line = profile.before("web", None, "app -v");
    case.profile = Some(profile);
    let expected = [
        entry(process("web", &["/r", "run", "--shell", "--", &line], &[], true), "app -v", true),
        entry(process("direct", &["/r", "run", "--", "app"], &[], false), "app", true),
        entry(process("no-reload", &case_no_reload(&line), &[], false), "app -v", false),
    ];
    assert_eq!(launch(case.decide().unwrap()), expected);
}

#[test]
fn nothing_to_run_is_an_error_unless_somebody_may_still_declare_something() {
    let mut case = Case::new(&[], vec![]);
    assert_eq!(case.decide(), Err(ProcessesError::Nothing));
    case.followed = true;
    assert_eq!(case.decide(), Ok(Processes::default()));
    case.followed = false;
    case.watchexec = true;
    assert_eq!(case.decide(), Ok(Processes::default()));
}
