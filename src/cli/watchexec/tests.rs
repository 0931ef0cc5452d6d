//! The forms in which buildpacks, Procfiles and documentation call watchexec.

use std::fmt::Write as _;
use std::fs;

use super::*;
use crate::settings::SignalNumber;

const HERE: &str = "/workspace";

fn parsed_with(words: &[&str], target: Option<&str>) -> Result<Command, String> {
    let variable = |name: &str| match name {
        TARGET_VARIABLE => target.map(OsString::from),
        "RELAUNCH_ON_EXIT" => Some("exit".into()),
        _ => None,
    };
    parse(words.iter().map(OsString::from), variable, Path::new(HERE))
        .map_err(|error| error.to_string())
}

fn parsed(words: &[&str]) -> Result<Command, String> {
    parsed_with(words, None)
}

/// What is expected: watched paths, the command, and the rest of the settings.
fn run(watch: &[&str], command: &[&str], settings: Settings) -> Run {
    let watch = watch.iter().map(PathBuf::from).collect();
    let settings = Settings { watch, on_exit: OnExit::Hold, ..settings };
    let command = command.iter().map(OsString::from).collect();
    Run { settings, command, remarks: Vec::new() }
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what the parser returns")]
fn ran(run: Run) -> Result<Command, String> {
    Ok(Command::Run(Box::new(run)))
}

fn remarks(words: &[&str]) -> Vec<String> {
    match parsed(words) {
        Ok(Command::Run(run)) => run.remarks,
        other => panic!("{words:?}: {other:?}"),
    }
}

#[test]
fn the_forms_of_buildpacks_and_procfiles_lead_to_the_same_run() {
    let none = Settings::default;
    let go = ["--restart", "--watch", "/workspace", "--watch", "/layers/bin", "--shell", "none"];
    assert_eq!(
        parsed(&[&go[..], &["--", "/layers/bin/app", "-v"]].concat()),
        ran(run(&["/workspace", "/layers/bin"], &["/layers/bin/app", "-v"], none()))
    );
    let quoted =
        ["--verbose", "--restart", "--watch=/layers/bin", "-w/workspace", "/layers/bin/mod"];
    assert_eq!(
        parsed(&quoted),
        ran(run(&["/layers/bin", "/workspace"], &["/layers/bin/mod"], none()))
    );
    let only = vec!["*.py".to_owned(), "*.html".to_owned()];
    assert_eq!(
        parsed(&["-r", "-w", ".", "-e", "py,.html", "--", "python3", "app.py"]),
        ran(run(&["."], &["python3", "app.py"], Settings { only, ..none() }))
    );
    let script = ["--restart", "--shell=none", "--no-vcs-ignore", "--", "node", "server.js"];
    assert_eq!(parsed(&script), ran(run(&[HERE], &["node", "server.js"], none())));
    let ignore = vec!["/workspace/node_modules".to_owned(), "/workspace/a/b".to_owned()];
    let settings = Settings {
        ignore,
        stop_signal: SignalNumber::new(2).unwrap(),
        stop_timeout: Duration::from_secs(3),
        settle: Some(Duration::from_millis(500)),
        ..none()
    };
    let many = "-qn -vv -o restart -i /workspace/node_modules -i a/b -s INT --stop-timeout 3 -d 500 java -jar x";
    let words: Vec<&str> = many.split(' ').collect();
    assert_eq!(parsed(&words), ran(run(&[HERE], &["java", "-jar", "x"], settings)));
}

#[test]
fn a_command_with_shell_syntax_is_a_line_for_a_shell_of_the_image() {
    let shell = || Settings { shell: true, ..Settings::default() };
    assert_eq!(
        parsed(&["-r", "cd", "x", "&&", "app $PORT"]),
        ran(run(&[HERE], &["cd x && app $PORT"], shell()))
    );
    assert_eq!(
        parsed(&["--shell", "zsh -x", "app | tee log"]),
        ran(run(&[HERE], &["zsh", "-x", "-c", "app | tee log"], Settings::default()))
    );
    assert_eq!(
        parsed(&["-n", "app $PORT"]),
        ran(run(&[HERE], &["app $PORT"], Settings::default()))
    );
}

#[test]
fn the_target_is_watched_in_addition() {
    assert_eq!(
        parsed_with(&["-w", "/a", "app"], Some("/target")),
        ran(run(&["/a", "/target"], &["app"], Settings::default()))
    );
}

#[test]
fn a_folder_is_watched_without_those_below_unless_one_of_them_is_watched() {
    let ignore = vec!["/workspace/conf/*/*".to_owned()];
    assert_eq!(
        parsed(&["-W", "conf", "-w", "src", "app"]),
        ran(run(&["src", "conf"], &["app"], Settings { ignore, ..Settings::default() }))
    );
    assert_eq!(
        parsed(&["-W", "conf", "-w", "conf/deep", "app"]),
        ran(run(&["conf/deep", "conf"], &["app"], Settings::default()))
    );
}

#[test]
fn a_system_folder_is_not_watched_as_the_current_one() {
    let command = parse(["app"].map(OsString::from), |_| None, Path::new("/"));
    assert_eq!(command.ok(), ran(run(&[], &["app"], Settings::default())).ok());
}

#[test]
fn an_optional_value_is_the_next_word_unless_it_is_an_option() {
    let poll =
        |seconds| Settings { poll: Some(Duration::from_secs(seconds)), ..Settings::default() };
    for (words, seconds) in [
        (&["--poll", "2s", "app"][..], 2),
        (&["--poll", "--", "app"], 30),
        (&["--force-poll=5s", "app"], 5),
    ] {
        assert_eq!(parsed(words), ran(run(&[HERE], &["app"], poll(seconds))), "{words:?}");
    }
}

#[test]
fn what_watchexec_does_not_know_or_take_is_an_error_with_a_hint() {
    let errors = [
        parsed(&["--restrat", "--", "app"]),
        parsed(&["-r"]),
        parsed(&["-w"]),
        parsed(&["-d", "soon", "app"]),
        parsed(&["-o", "never", "app"]),
        parsed(&["--stop-signal", "LOUD", "app"]),
        parsed(&["-r", "@words", "app"]),
    ]
    .map(Result::unwrap_err);
    let expected = [
        "invalid option '--restrat'; see `watchexec --help`",
        "there is no command to run; write it after --; see `watchexec --help`",
        "missing argument for option '-w'; see `watchexec --help`",
        "--debounce: \"soon\" is not a time span; write it as 50ms, 2s or \"1min 30s\"; see `watchexec --help`",
        "--on-busy-update: \"never\" is not one of do-nothing, queue, restart, signal; see `watchexec --help`",
        "--stop-signal: \"LOUD\" is not a signal; write it as TERM, SIGINT, 15 or RTMIN+3; see `watchexec --help`",
        "arguments are not read from a file (@words); see `watchexec --help`",
    ];
    assert_eq!(errors, expected);
}

#[test]
fn every_option_of_the_table_is_taken_and_the_unhonoured_are_named_once() {
    for option in OPTIONS {
        let value = match option.long {
            "on-busy-update" => "restart",
            "stop-signal" | "signal" => "INT",
            "debounce" | "stop-timeout" | "poll" => "50",
            _ => "x",
        };
        let short = option.short.map(|short| format!("-{short}"));
        let long = |name: &str| (!name.is_empty()).then(|| format!("--{name}"));
        for name in [short, long(option.long), long(option.alias)].into_iter().flatten() {
            let mut words = vec!["-r"];
            for _ in 0..2 {
                words.push(&name);
                words.extend((option.takes != Takes::Nothing).then_some(value));
            }
            words.extend(["--", "app"]);
            let expected = match option.answer {
                Answer::Named => {
                    vec![format!("{} is not honoured: {}", option.written(), option.words)]
                }
                Answer::Honoured | Answer::Holds => vec![],
            };
            assert_eq!(remarks(&words), expected, "{name}");
        }
    }
}

#[test]
fn after_dashes_every_word_is_the_commands() {
    assert_eq!(
        parsed(&["-n", "--", "@words", "--poll"]),
        ran(run(&[HERE], &["@words", "--poll"], Settings::default()))
    );
}

#[test]
fn the_kill_of_watchexec_1_is_the_signal_that_stops() {
    let settings = Settings { stop_signal: SignalNumber::new(9).unwrap(), ..Settings::default() };
    assert_eq!(parsed(&["-r", "-k", "app"]), ran(run(&[HERE], &["app"], settings)));
}

#[test]
fn modes_that_do_not_restart_are_named() {
    assert_eq!(
        remarks(&["-o", "queue", "-s", "HUP", "-i", "!x", "--emit-events-to=none", "app"]),
        [
            "--on-busy-update queue is not honoured: a change restarts the app",
            "--ignore !x is not honoured: nothing is taken back",
            "--signal HUP is not honoured: a change restarts the app",
        ]
    );
}

#[test]
fn the_documentation_has_the_table_that_the_parser_follows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/watchexec.md");
    let page = fs::read_to_string(path).unwrap();
    let rows = |text: &str| -> Vec<String> {
        let lines = text.lines().skip_while(|line| !line.starts_with("| option |"));
        lines.take_while(|line| line.starts_with('|')).map(str::to_owned).collect()
    };
    assert_eq!(rows(&page), rows(&options_table()));
}

/// The table of `docs/watchexec.md`.
fn options_table() -> String {
    let mut table = "| option | | what Relaunch does |\n| --- | --- | --- |\n".to_owned();
    for option in OPTIONS {
        let short = option.short.map(|short| format!("`-{short}`"));
        let value = match option.takes {
            Takes::Nothing => "",
            Takes::Value => " VALUE",
            Takes::Perhaps => " [VALUE]",
        };
        let long = |name: &str| format!("`--{name}{value}`");
        let names = [short, (!option.long.is_empty()).then(|| long(option.long))];
        let alias = (!option.alias.is_empty()).then(|| long(option.alias));
        let names: Vec<_> = names.into_iter().chain([alias]).flatten().collect();
        let answer = match option.answer {
            Answer::Honoured => "honoured",
            Answer::Holds => "holds anyway",
            Answer::Named => "not honoured",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| {} | {answer} | {} |", names.join(", "), option.words);
    }
    table
}
