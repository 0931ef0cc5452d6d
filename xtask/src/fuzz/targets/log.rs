//! The log: names of files and words of the system come from strangers and go to a terminal, to a
//! tool, and to those who ask.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use relaunch_buildpack::core::{Generation, Note, Reason, RestartTimes};
use relaunch_buildpack::log::{LONGEST, Line, Style, fit, to_json, to_text};
use relaunch_buildpack::settings::LogForm;

use super::super::target::Target;
use super::{holds, is_plain_line, same};

pub(crate) const TARGET: Target = Target {
    words: &[
        "\n",
        "relaunch: ",
        "\u{1b}[31m",
        "\u{9b}",
        "\"",
        "\\",
        "{\"schema\":1",
        "\u{202e}",
        "\0",
        "/",
        "\r",
        "\u{e9}\u{1f680}",
    ],
    longest: 8_192,
    short: 1_500,
    ..Target::new(
        "log",
        "whatever a file is called, a line is one line of at most 4096 bytes, cannot move the cursor, and as JSON is one object with the same event",
        check,
    )
};

fn check(input: &[u8]) -> Result<(), String> {
    let path: Arc<Path> = Path::new(OsStr::from_bytes(input)).into();
    let text = String::from_utf8_lossy(input).into_owned();
    let reason = Reason::Changed { path: Arc::clone(&path), files: 2, bytes: u64::MAX };
    let generation = Generation(u64::MAX);
    let times = RestartTimes { settle: Duration::MAX, ..RestartTimes::default() };
    let roots = input.split(|byte| *byte == b'/').map(|it| PathBuf::from(OsStr::from_bytes(it)));
    let lines = [
        ("unchanged", Line::Core(Note::Unchanged { path, files: usize::MAX })),
        ("started", Line::Core(Note::Started { generation, pid: -1, reason, times })),
        ("refused", Line::Core(Note::Refused { why: text.clone(), running: None })),
        ("warning", Line::Warning { text }),
        ("watching", Line::Watching { roots: roots.collect() }),
    ];
    for (event, line) in &lines {
        let plain = fit(to_text(line, &Style::default()), LogForm::Text);
        let json = fit(to_json(line, SystemTime::UNIX_EPOCH), LogForm::Json);
        for text in [&plain, &json] {
            holds(text.len() <= LONGEST, format_args!("{} bytes of {event}", text.len()))?;
            let text = text.strip_suffix('\n').ok_or("a line without an end")?;
            holds(!text.contains(|c| c < ' '), format_args!("{event} is several lines"))?;
        }
        holds(is_plain_line(plain.trim_end()), format_args!("{event} moves the cursor"))?;
        holds(plain.starts_with("relaunch: "), "a line that is not ours")?;
        let object: serde_json::Value =
            serde_json::from_str(&json).map_err(|error| format!("{event}: {error}"))?;
        same(&object["event"].as_str(), &Some(*event), "the event")?;
        same(&object["schema"].as_u64(), &Some(1), "the schema")?;
    }
    Ok(())
}
