//! Command lines: the words of `relaunch` and those of `watchexec`, one a line.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use relaunch_buildpack::cli::{Command, UsageError, parse, parse_watchexec};
use relaunch_buildpack::settings::OnExit;

use super::super::target::Target;
use super::{holds, same};

pub(crate) const TARGET: Target = Target {
    words: &[
        "run\n",
        "status\n",
        "events\n",
        "wait\n",
        "reload\n",
        "trace\n",
        "--watch\n",
        "--watch=a\n",
        "--\n",
        "--pid\n7\n",
        "--json\n",
        "-f\n",
        "-n\n",
        "--timeout\n",
        "--digest\n",
        "--change\n",
        "--generation\n",
        "--shell\n",
        "--poll\n",
        "--restart\n",
        "-w\na\n",
        "-e\npy,html\n",
        "--ignore\n",
        "-i\n",
        "!x\n",
        "--debounce\n",
        "5sec 20ms\n",
        "--stop-signal\n",
        "--signal\n",
        "SIGHUP\n",
        "--shell=none\n",
        "-n\n",
        "--shell\nbash -e\n",
        "-W\n",
        "--on-busy-update\n",
        "restart\n",
        "--emit-events-to=none\n",
        "--clear\n",
        "4294967295h\n",
        "9999999999999\n",
    ],
    longest: 400,
    short: 20_000,
    ..Target::new(
        "words",
        "the command to run is never empty and is the last words as they were written, whatever stands before them; what cannot be taken is refused in one line that names help",
        check,
    )
};

fn check(input: &[u8]) -> Result<(), String> {
    let words: Vec<OsString> = input
        .split(|byte| *byte == b'\n')
        .filter(|word| !word.contains(&0))
        .map(|word| OsString::from_vec(word.to_vec()))
        .collect();
    if let Some(run) = taken(parse(words.clone(), |_| None), "relaunch")? {
        ends_with(&words, &run.command)?;
        holds(run.remarks.is_empty(), "remarks on our own options")?;
    }
    let folder = Path::new("/work [1]");
    if let Some(run) = taken(parse_watchexec(words.clone(), |_| None, folder), "watchexec")? {
        same(&run.settings.on_exit, &OnExit::Hold, "after the end")?;
        holds(!run.settings.watch.is_empty(), "watchexec always watches")?;
    }
    // What a caller writes behind `--` is never an option of ours.
    let verbatim = ["--shell=none", "--"].map(OsString::from).into_iter().chain(words.clone());
    if let Some(run) = taken(parse_watchexec(verbatim, |_| None, folder), "watchexec")? {
        same(&run.command, &words, "the command behind --")?;
    }
    Ok(())
}

fn taken(
    parsed: Result<Command, UsageError>,
    name: &str,
) -> Result<Option<relaunch_buildpack::cli::Run>, String> {
    match parsed {
        Ok(Command::Run(run)) => {
            holds(!run.command.is_empty(), "an empty command")?;
            Ok(Some(*run))
        }
        Ok(_) => Ok(None),
        Err(error) => {
            let text = error.to_string();
            let help = text.ends_with("--help`") && text.contains("; see `");
            holds(help, format_args!("{name}: {text:?} does not name help"))?;
            Ok(None)
        }
    }
}

fn ends_with(words: &[OsString], command: &[OsString]) -> Result<(), String> {
    holds(words.ends_with(command), format_args!("{command:?} are not the last of {words:?}"))
}
