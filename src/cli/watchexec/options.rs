//! Every option of watchexec with what Relaunch does for it: the only list of them. The parser and
//! the table in `docs/watchexec.md` follow it.
//!
//! Taken from the argument definitions of watchexec 1.8 to 2.6 (Paketo's buildpack carries 2.5.1).
//! Where an option has changed its meaning the newer one holds: `-W` was `--watch-when-idle` once.

/// What follows an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing.
    Nothing,
    /// A value: the rest of the word or the next word.
    Value,
    /// Perhaps a value: as watchexec has it, the next word unless that begins with a dash.
    Perhaps,
}

/// What Relaunch does for an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// As watchexec does.
    Honoured,
    /// Nothing is to be done: it holds anyway.
    Holds,
    /// It cannot be honoured, which one line on stderr says.
    Named,
}

/// One option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opt {
    /// The long name without dashes; empty where there is none.
    pub(super) long: &'static str,
    /// Another long name, a deprecated one for the most part; empty where there is none.
    pub(super) alias: &'static str,
    /// The short name.
    pub(super) short: Option<char>,
    /// What follows it.
    pub(super) takes: Takes,
    /// What Relaunch does.
    pub(super) answer: Answer,
    /// The same in words: for the table and, when it is [`Answer::Named`], for the line.
    pub(super) words: &'static str,
}

impl Opt {
    /// The option as users write it, the long form where there is one.
    pub(super) fn written(&self) -> String {
        match self.short {
            Some(short) if self.long.is_empty() => format!("-{short}"),
            _ => format!("--{}", self.long),
        }
    }
}

const fn opt(
    long: &'static str,
    short: char,
    takes: Takes,
    answer: Answer,
    words: &'static str,
) -> Opt {
    let short = if short == ' ' { None } else { Some(short) };
    Opt { long, alias: "", short, takes, answer, words }
}

use Answer::{Holds, Honoured, Named};
use Takes::{Nothing, Perhaps, Value};

/// Every option but `-h` and `-V`.
#[rustfmt::skip]
pub(super) const OPTIONS: &[Opt] = &[
    // What is watched.
    opt("watch", 'w', Value, Honoured, "watches the file or folder, there or not yet; without any, the current folder"),
    opt("watch-non-recursive", 'W', Value, Honoured, "watches the folder and the files in it, nothing below its folders; all of it when another watched path lies below"),
    opt("watch-file", 'F', Value, Named, "paths to watch are not read from a file"),
    Opt { alias: "force-poll", ..opt("poll", ' ', Perhaps, Honoured, "polls as well as listening to events; a bare number is in milliseconds; 30s without a value") },
    opt("no-follow-symlinks", ' ', Nothing, Named, "a watched path is followed to what it leads to"),
    // Which changes count.
    opt("exts", 'e', Value, Honoured, "only files with these endings count, and the executable itself"),
    opt("filter", 'f', Value, Honoured, "only files that match count, and the executable itself; a pattern with a slash inside begins at the current folder"),
    opt("filter-file", ' ', Value, Named, "filters are not read from a file"),
    opt("filter-prog", 'j', Value, Named, "filter programs are not run"),
    opt("ignore", 'i', Value, Honoured, "never counts; an absolute path means everything below it, a pattern with a slash inside begins at the current folder; patterns that begin with `!` are named and left out"),
    opt("ignore-file", ' ', Value, Named, "patterns are not read from a file"),
    opt("no-vcs-ignore", ' ', Nothing, Holds, "`.gitignore` and its kin are never read"),
    Opt { alias: "no-ignore", ..opt("no-project-ignore", ' ', Nothing, Holds, "`.ignore` files are never read") },
    opt("no-global-ignore", ' ', Nothing, Holds, "global ignore files are never read"),
    opt("no-discover-ignore", ' ', Nothing, Holds, "no ignore file is ever read"),
    Opt { alias: "no-default-filters", ..opt("no-default-ignore", ' ', Nothing, Named, "editors' temporary files, .git and bytecode never count") },
    opt("ignore-nothing", ' ', Nothing, Named, "editors' temporary files, .git and bytecode never count"),
    opt("project-origin", ' ', Value, Holds, "no ignore file depends on it"),
    opt("fs-events", ' ', Value, Named, "what counts is whether the content changed"),
    opt("no-meta", ' ', Nothing, Holds, "what counts is whether the content changed, or who may read and execute it"),
    // What happens then.
    opt("restart", 'r', Nothing, Holds, "a change restarts the app"),
    opt("on-busy-update", 'o', Value, Honoured, "`restart` is what happens; the other modes are named, and the app is restarted all the same"),
    opt("signal", 's', Value, Honoured, "with `--restart` (watchexec 1) the signal that asks the app to stop; without it named: the app is restarted, not signalled"),
    opt("kill", 'k', Nothing, Honoured, "of watchexec 1: like `--signal=KILL`"),
    opt("watch-when-idle", ' ', Nothing, Named, "a change restarts the app"),
    opt("stop-signal", ' ', Value, Honoured, "the signal that asks the app to stop"),
    opt("stop-timeout", ' ', Value, Honoured, "the time it has for that; a bare number is in seconds"),
    opt("map-signal", ' ', Value, Named, "signals are passed on as they come"),
    opt("debounce", 'd', Value, Honoured, "the least quiet time that ends a change set; a bare number is in milliseconds. Where writes go on for longer, so does the wait"),
    opt("delay-run", ' ', Value, Named, "a settled change is acted on at once"),
    opt("postpone", 'p', Nothing, Named, "the app is started at once"),
    opt("timeout", ' ', Value, Named, "the app may run for as long as it likes"),
    opt("exit-on-error", ' ', Nothing, Named, "an app that ended is held until the next change; `relaunch run --on-exit exit` ends with it"),
    opt("stdin-quit", ' ', Nothing, Named, "a closed stdin ends nothing"),
    opt("interactive", 'I', Nothing, Named, "keys are the app's"),
    opt("", '1', Nothing, Named, "the watch goes on"),
    // How the command is run.
    opt("shell", ' ', Value, Honoured, "`none` runs the words as they are, another value is the shell and its options. Without it bash, or sh; a command without shell syntax is run directly, which is the same with one process less. `$SHELL` does not matter"),
    Opt { short: Some('n'), alias: "no-shell-long", ..opt("no-shell", ' ', Nothing, Honoured, "like `--shell=none`") },
    opt("env", 'E', Value, Named, "set the variable where the command is declared"),
    opt("workdir", ' ', Value, Named, "the command runs in the current folder"),
    opt("no-process-group", ' ', Nothing, Holds, "whatever the app leaves behind is stopped, in every group"),
    opt("wrap-process", ' ', Value, Holds, "whatever the app leaves behind is stopped, in every group and session"),
    opt("socket", ' ', Value, Named, "no socket is passed to the app"),
    opt("quote", 'Q', Value, Holds, "matters on Windows alone"),
    opt("emit-events-to", ' ', Value, Named, "the app is not told which files changed"),
    opt("no-environment", ' ', Nothing, Holds, "the app is not told which files changed"),
    opt("only-emit-events", ' ', Nothing, Named, "events are not printed; `relaunch events` shows what happens"),
    // What is said.
    opt("verbose", 'v', Nothing, Holds, "each step of the app's life is one line anyway"),
    opt("quiet", 'q', Nothing, Holds, "there is little to leave out: one line for each step of the app's life"),
    opt("log-file", ' ', Perhaps, Named, "the log goes to stderr"),
    Opt { alias: "changes-only", ..opt("print-events", ' ', Nothing, Named, "each restart names what changed") },
    opt("clear", 'c', Perhaps, Named, "the screen is not cleared: the log would be gone"),
    opt("notify", 'N', Perhaps, Named, "there is no desktop to notify"),
    Opt { alias: "colour", ..opt("color", ' ', Value, Holds, "colors only on a terminal") },
    opt("timings", ' ', Nothing, Holds, "each restart says how long it took"),
    opt("bell", ' ', Nothing, Named, "the terminal's bell does not ring"),
    opt("manual", ' ', Nothing, Named, "there is no manual page"),
    opt("completions", ' ', Value, Named, "there are no completions"),
];
