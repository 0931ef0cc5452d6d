//! Values of settings: durations, signals, switches, choices, lists.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use relaunch_buildpack::settings::{
    ALL, STATE, Settings, parse_duration, parse_signal, parse_switch, signal_name,
};

use super::super::target::Target;
use super::{holds, is_plain_line, same};

pub(crate) const TARGET: Target = Target {
    words: &[
        "ms",
        "s",
        "m",
        "24",
        "1440",
        "86400000",
        "86400001",
        "18446744073709551615",
        "-",
        "+",
        " ",
        "SIG",
        "RTMIN",
        "RTMAX",
        "TERM",
        "HUP",
        "2147483647",
        "true",
        "F",
        "auto",
        "hold",
        ":",
        "\u{661}",
        "\u{ff}",
    ],
    longest: 64,
    short: 50_000,
    ..Target::new(
        "settings",
        "a duration or signal that is taken is the same when it is printed and read again, the same value means the same as a variable and as a flag, and a refusal names the setting in one line",
        check,
    )
};

fn check(input: &[u8]) -> Result<(), String> {
    if let Ok(text) = std::str::from_utf8(input) {
        scalars(text)?;
    }
    let value = OsStr::from_bytes(input);
    for setting in ALL.iter().chain([&STATE]) {
        let name = setting.variable();
        let by_variable = Settings::from_variables(|it| (it == name).then(|| value.to_owned()));
        let mut flags = Settings::default();
        let by_flag = flags.override_by_flags(&[(setting.name, value.to_owned())]);
        if let Err(error) = &by_variable {
            let text = error.to_string();
            holds(text.starts_with(&format!("{name}: ")), format_args!("{text} names nothing"))?;
            holds(text.len() <= LONGEST, format_args!("{} bytes of refusal", text.len()))?;
        }
        // Lists and the empty value are where the two differ on purpose.
        let list = input.contains(&b':') && matches!(setting.name, "watch" | "ignore");
        if !input.is_empty() && !list {
            same(&by_flag.is_ok(), &by_variable.is_ok(), &name)?;
            if let Ok(settings) = by_variable {
                same(&flags, &settings, &name)?;
            }
        }
    }
    Ok(())
}

fn scalars(text: &str) -> Result<(), String> {
    if let Ok(duration) = parse_duration(text) {
        let printed = format!("{}ms", duration.as_millis());
        same(&parse_duration(&printed), &Ok(duration), text)?;
        let [(number, unit)] = [text.split_at(text.trim_end_matches(['m', 's']).len())];
        let unit: u128 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            _ => return Err(format!("{text} has no unit")),
        };
        let number: u128 = number.parse().map_err(|_| format!("{text} has no number"))?;
        same(&duration.as_millis(), &(number * unit), text)?;
        holds(duration.as_secs() <= 86_400, format_args!("{text} is longer than a day"))?;
    }
    if let Ok(signal) = parse_signal(text) {
        holds((1..=64).contains(&signal.get()), format_args!("{text} is no signal"))?;
        same(&parse_signal(&signal.get().to_string()), &Ok(signal), text)?;
        if !(32..34).contains(&signal.get()) {
            same(&parse_signal(&signal_name(signal.get())), &Ok(signal), text)?;
        }
        holds(is_plain_line(&signal.to_string()), "a name that moves the cursor")?;
    }
    if let Ok(on) = parse_switch(text) {
        same(&parse_switch(if on { "true" } else { "false" }), &Ok(on), text)?;
    }
    Ok(())
}

/// The value, the name and what would be right.
const LONGEST: usize = 512;
