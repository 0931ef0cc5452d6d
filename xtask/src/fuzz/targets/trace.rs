//! Recorded traces, as a bug report brings them.

use super::super::target::Target;
use super::{holds, same};
use crate::replay::trace::Trace;

pub(crate) const TARGET: Target = Target {
    words: &[
        "0\ttree/app\tCREATE\n",
        "\tMODIFY\n",
        "\tCLOSE_WRITE\n",
        "\tMOVED_FROM\n",
        "\tMOVED_TO\n",
        "\tMOVED_TO,ISDIR\n",
        "\tDELETE\n",
        "\tATTRIB\n",
        "\tOPEN\n",
        "IN_CREATE|IN_ISDIR",
        "18446744073709551615\t",
        "# x\n",
        "\t",
        "..",
        "/",
        "\n",
    ],
    short: 20_000,
    ..Target::new(
        "trace",
        "every line that is no remark is one event at its time, or the first that is none is named; an event has a meaning or changes nothing",
        check,
    )
};

fn check(input: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(input) else { return Ok(()) };
    let lines = || {
        let numbered = text.lines().enumerate();
        numbered.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
    };
    let time = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        fields[0].trim().parse::<u64>().ok().filter(|_| fields.len() >= 3)
    };
    match Trace::parse(text) {
        Ok(trace) => {
            let times: Option<Vec<u64>> = lines().map(|(_, line)| time(line)).collect();
            let found = trace.events.iter().map(|it| u64::try_from(it.at.as_micros()).ok());
            same(&found.collect(), &times, "times")?;
            let idle = trace.events.iter().all(|event| event.what.is_some() || !event.alters);
            holds(idle, "a change without a meaning")?;
            let end = trace.events.iter().map(|event| event.at).max();
            same(&trace.end(), &end.unwrap_or_default(), "the end")
        }
        Err(number) => {
            let first = lines().find(|(_, line)| time(line).is_none()).map(|(index, _)| index + 1);
            same(&Some(number), &first, "the line that is none")
        }
    }
}
