//! A line in words a person understands. Values in, a string out.

use std::path::{Path, PathBuf};

use super::{Level, Line};
use crate::core::{Ending, Note, Reason, RestartTimes};
use crate::settings::{format_duration, signal_name};

/// How lines are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Style {
    /// Colour the prefix by level.
    pub colors: bool,
    /// Paths below it are shown relative to it.
    pub folder: PathBuf,
}

impl Style {
    fn path(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.folder).ok().filter(|it| !it.as_os_str().is_empty());
        below.unwrap_or(path).display().to_string()
    }
}

/// The line, without a newline. Control characters in names are escaped, so that a file name
/// cannot forge a line or a colour.
#[must_use]
pub fn to_text(line: &Line, style: &Style) -> String {
    let words = escape(&words(line, style));
    if !style.colors {
        return format!("relaunch: {words}");
    }
    let color = match line.level() {
        Level::Info => "36",
        Level::Warning => "33",
        Level::Error => "31",
    };
    format!("\u{1b}[{color}mrelaunch:\u{1b}[0m {words}")
}

fn words(line: &Line, style: &Style) -> String {
    match line {
        Line::Core(note) => note_words(note, style),
        Line::Watching { roots } if roots.is_empty() => {
            "nothing to watch; name what changes with --watch PATH or RELAUNCH_WATCH".to_owned()
        }
        Line::Watching { roots } => {
            let roots: Vec<_> = roots.iter().map(|root| style.path(root)).collect();
            format!("watching {}", roots.join(", "))
        }
        Line::StandIn { path, instead_of } => {
            format!("{} stands in for {instead_of}", path.display())
        }
        Line::StandInGone { back_to } => format!("the synced file is gone, back to {back_to}"),
        Line::Warning { text } => text.clone(),
        Line::LinesLost { count } => {
            format!("{count} lines were lost, since nobody read this log")
        }
    }
}

fn note_words(note: &Note, style: &Style) -> String {
    match note {
        Note::Started { generation, pid, reason, times } => {
            let why = match reason {
                Reason::First => String::new(),
                Reason::Changed { .. } => format!(" after a change: {}", times_words(times)),
                Reason::Requested => format!(" as requested: {}", times_words(times)),
            };
            format!("generation {generation} started (pid {pid}){why}")
        }
        Note::StartFailed { why, held, .. } => {
            let then = if *held { "waiting for the next change" } else { "ending" };
            format!("cannot start the app: {why}; {then}")
        }
        Note::StartDelayed { why, pause, at_most, .. } => {
            let [pause, at_most] = [*pause, *at_most].map(format_duration);
            format!(
                "cannot start the app yet: {why}; trying again in {pause}, then less and less often, up to every {at_most}"
            )
        }
        Note::StartRecovered { generation, after, tries } => {
            let after = format_duration(*after);
            format!("generation {generation} can be started again, after {after} and {tries} tries")
        }
        Note::Unchanged { path, files } => {
            format!("{} unchanged, not restarting", paths(path, *files, style))
        }
        Note::NotUsed { path, files } => {
            format!("{} changed, not in use, not restarting", paths(path, *files, style))
        }
        Note::Refused { why, running: Some(generation) } => {
            format!("refused: {why}; generation {generation} keeps running")
        }
        Note::Refused { why, running: None } => {
            format!("refused: {why}; waiting for the next change")
        }
        Note::FellBack { why } => format!("{why}; starting the last good executable again"),
        Note::Exited { generation, ending, after, held } => {
            let then = if *held { "waiting for the next change" } else { "ending too" };
            let ended = ending_words(*ending);
            let after = format_duration(*after);
            format!("generation {generation} {ended} after {after}; {then}")
        }
        Note::Stopping { generation, reason: Reason::Changed { path, files, bytes } } => {
            let what = paths(path, *files, style);
            format!("{what} changed ({}), stopping generation {generation}", bytes_words(*bytes))
        }
        Note::Stopping { generation, reason: Reason::First | Reason::Requested } => {
            format!("restart requested, stopping generation {generation}")
        }
        Note::Killing { generation, after } => {
            format!(
                "generation {generation} did not stop in {}, killing it",
                format_duration(*after)
            )
        }
        Note::Unkillable { generation } => {
            format!(
                "processes of generation {generation} cannot be killed: they hang in the kernel, or are another user's; going on without them"
            )
        }
        Note::WaitingForWriter { path } => {
            format!("{} is still open for writing, waiting", style.path(path))
        }
        Note::OwnWrites { path } => {
            format!("{} is written by the app itself, not restarting for it", style.path(path))
        }
        Note::SignalDropped { generation, signal } => {
            let signal = signal_name(*signal);
            format!(
                "{signal}, received while nothing ran, is dropped: generation {generation} does not handle it and would end"
            )
        }
        Note::ShuttingDown { signal } => format!("{} received, stopping", signal_name(*signal)),
    }
}

fn paths(first: &Path, files: usize, style: &Style) -> String {
    match files {
        0 | 1 => style.path(first),
        _ => format!("{} and {} more", style.path(first), files - 1),
    }
}

fn times_words(times: &RestartTimes) -> String {
    let [settle, stop, start] = [times.settle, times.stop, times.start].map(format_duration);
    format!("settled in {settle}, stopped in {stop}, started in {start}")
}

fn ending_words(ending: Ending) -> String {
    match ending {
        Ending::Code(code) => format!("exited with code {code}"),
        Ending::Signal(signal) => format!("was killed by {}", signal_name(signal)),
        Ending::Unknown => "ended, nobody knows how,".to_owned(),
    }
}

/// Bytes with three digits and a unit.
fn bytes_words(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if value < 1_000.0 {
            break;
        }
        value /= 1_000.0;
        unit = larger;
    }
    if unit == "B" || value >= 100.0 {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::Generation;

    fn shown(note: Note) -> String {
        let style = Style { colors: false, folder: "/workspace".into() };
        to_text(&Line::Core(note), &style)
    }

    fn changed(files: usize) -> Reason {
        let path = Path::new("/workspace/build/app").into();
        Reason::Changed { path, files, bytes: 5_120_000 }
    }

    #[test]
    fn a_restart_tells_what_changed_and_how_long_each_phase_took() {
        let times = RestartTimes {
            settle: Duration::from_micros(10_400),
            stop: Duration::from_micros(1_240),
            start: Duration::from_micros(620),
        };
        let lines = [
            shown(Note::Stopping { generation: Generation(1), reason: changed(3) }),
            shown(Note::Started { generation: Generation(2), pid: 31, reason: changed(3), times }),
        ];
        let expected = [
            "relaunch: build/app and 2 more changed (5.1 MB), stopping generation 1",
            "relaunch: generation 2 started (pid 31) after a change: settled in 10 ms, stopped in 1.2 ms, started in 0.6 ms",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn an_end_tells_how_and_what_follows() {
        let exited = |ending, held| {
            let after = Duration::from_millis(3_240);
            shown(Note::Exited { generation: Generation(4), ending, after, held })
        };
        let lines = [exited(Ending::Code(3), true), exited(Ending::Signal(11), false)];
        let expected = [
            "relaunch: generation 4 exited with code 3 after 3.2 s; waiting for the next change",
            "relaunch: generation 4 was killed by SIGSEGV after 3.2 s; ending too",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_file_name_cannot_forge_a_line() {
        let path = Path::new("/workspace/a\nrelaunch: \u{1b}[31m").into();
        assert_eq!(
            shown(Note::Unchanged { path, files: 1 }),
            "relaunch: a\\nrelaunch: \\u{1b}[31m unchanged, not restarting"
        );
    }

    #[test]
    fn sizes_have_three_digits() {
        let sizes = [0, 999, 1_000, 93_184, 450_000_000, 5_000_000_000_000].map(bytes_words);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "93.2 kB", "450 MB", "5000 GB"]);
    }
}
