//! The help texts. The list of settings is made from the settings' own table.

use std::fmt::Write;

use crate::settings::{ALL, STATE};

/// The head of [`run_help`].
pub const RUN_HELP: &str = "\
Run COMMAND, and restart it exactly once after each settled set of changed files.

Usage: relaunch run [OPTIONS] -- COMMAND [ARG]...

Relaunch waits until the writes have settled, checks that the new executable is fit to run, stops
the old processes and starts the new one. A broken executable is refused and the old one keeps
running; a crash is held until the next change. Same content, no restart.

Examples:
  relaunch run -- build/app --port 8080           watch build/, run build/app
  relaunch run --watch src -- python src/app.py   an interpreted app
  relaunch run --shell -- 'exec app | tee log'    shell syntax

Options (each is also a variable, which the flag overrides):
";

/// `relaunch status --help`, and that of `events`, `reload` and `wait`.
pub const ASK_HELP: &str = "\
Ask the supervisor that runs here, as its user or as root. It is found without any variable.

Usage: relaunch status [--json]                 what runs, and why
       relaunch events [-n N] [-f|--follow] [--json]
                                                what happened (UTC): the last 20 lines, or N of 128
       relaunch reload [--timeout DUR]          restart now; 0 when the new generation is up
       relaunch wait --change [--timeout DUR]   until a later generation is up than now is; to be
                                                begun before the sync
       relaunch wait --generation N             until generation N or a later one is up
       relaunch wait --digest SHA256            until the running executable has this digest, or
                                                one that begins so (8 digits or more); a native
                                                executable of at most 256 MB

Options:
  --pid N          which supervisor, where several run
  --timeout DUR    the longest wait [default: 60s]

Examples:
  docker exec web /layers/relaunch_live-reload/supervisor/bin/relaunch status
  docker cp build/web web:/layers/relaunch_live-reload/target/bin/ &&
    docker exec web /layers/relaunch_live-reload/supervisor/bin/relaunch \\
      wait --digest $(sha256sum build/web | cut -c-64)

Exit codes: 0 the app is up, what was asked has happened; 1 the app is down, a reload was refused; 2 a
word that cannot be taken; 3 no supervisor; 4 (status) between two generations; 5 several supervisors,
name one with --pid; 6 another user's; 124 not in time. `status` suits a HEALTHCHECK or a readiness
probe; not a liveness probe, since a crashed app waits for your next change.";

/// `relaunch trace --help`.
pub const TRACE_HELP: &str = "\
Write down every file event below PATH until Ctrl-C, one line each, on standard output.

Usage: relaunch trace --watch PATH [--watch PATH]...

When a sync restarted the app twice, or not at all, run this beside it, sync once more, and send the
file with the report: it is replayed through the same decisions and becomes a test.

Example:
  relaunch trace --watch /workspace > change.tsv     then sync, then Ctrl-C

A line has the microseconds since the first event, the path and the kernel's words for it, separated
by tabs. No content of any file is recorded. Exit codes: 1 when a folder cannot be recorded, 2 for a
word that cannot be taken.";

/// `relaunch --help`.
#[must_use]
pub fn top_help() -> String {
    format!(
        "\
relaunch {} - live reload for every Cloud Native Buildpacks image

Usage: relaunch COMMAND

Commands:
  run      run an app and restart it once for each settled change (see `relaunch run --help`)
  status   show what runs (these four: see `relaunch status --help`)
  events   show what happened
  reload   restart the app now
  wait     wait for a change to be up
  trace    record what happens to some folders, for a bug report (see `relaunch trace --help`)
  help     print this

Options:
  -h, --help       print this
  -V, --version    print the version",
        env!("CARGO_PKG_VERSION")
    )
}

/// `relaunch run --help`.
#[must_use]
pub fn run_help() -> String {
    let mut text = RUN_HELP.to_owned();
    for setting in ALL.iter().chain([&STATE]) {
        let flag = if setting.value.starts_with('[') {
            format!("--{}{}", setting.name, setting.value.replacen('[', "[=", 1))
        } else {
            format!("--{} {}", setting.name, setting.value).trim_end().to_owned()
        };
        let _ = writeln!(
            text,
            "  {flag:<28}{}\n{:30}[{}] [default: {}]",
            setting.help,
            "",
            setting.variable(),
            setting.default
        );
    }
    text.push_str(
        "
Durations: 20ms, 2s, 1m. Signals: TERM, SIGINT, 15, RTMIN+3.

Exit codes: the app's own; 128+n when signal n ended it; 127 not found, 126 not executable; 2 for
a flag or variable that cannot be taken.",
    );
    text
}
