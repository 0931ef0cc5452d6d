//! Durations as users write them: `20ms`, `2s`, `1m`.

use std::time::Duration;

/// A whole number with one of the units `ms`, `s`, `m`.
///
/// # Errors
///
/// A sentence that names the right form; also for values above a day, which are typing errors.
pub fn parse_duration(value: &str) -> Result<Duration, String> {
    let form = || format!("\"{value}\" is not a duration; write it as 20ms, 2s or 1m");
    let digits = value.find(|c: char| !c.is_ascii_digit()).ok_or_else(form)?;
    let (number, unit) = value.split_at(digits);
    let number: u64 = number.parse().map_err(|_| form())?;
    let milliseconds = match unit {
        "ms" => number,
        "s" => number.saturating_mul(1_000),
        "m" => number.saturating_mul(60_000),
        _ => return Err(form()),
    };
    if milliseconds > LONGEST_MS {
        return Err(format!("\"{value}\" is longer than a day"));
    }
    Ok(Duration::from_millis(milliseconds))
}

/// A duration as the log shows it: `0.4 ms`, `85 ms`, `3.2 s`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1_000.0;
    if milliseconds < 9.95 {
        format!("{milliseconds:.1} ms")
    } else if milliseconds < 999.5 {
        format!("{milliseconds:.0} ms")
    } else {
        format!("{:.1} s", milliseconds / 1_000.0)
    }
}

const LONGEST_MS: u64 = 24 * 60 * 60 * 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_milliseconds_seconds_and_minutes() {
        let parsed = ["0ms", "20ms", "2s", "1m"].map(|value| parse_duration(value).unwrap());
        assert_eq!(parsed.map(|duration| duration.as_millis()), [0, 20, 2_000, 60_000]);
    }

    #[test]
    fn anything_else_is_refused_with_the_right_form() {
        for value in ["", "5", "ms", "1.5s", "-1s", "1 s", "1h", "99999999999999999999s"] {
            assert_eq!(
                parse_duration(value).unwrap_err(),
                format!("\"{value}\" is not a duration; write it as 20ms, 2s or 1m")
            );
        }
        assert_eq!(parse_duration("25000m").unwrap_err(), "\"25000m\" is longer than a day");
    }

    #[test]
    fn the_log_shows_two_or_three_digits() {
        let shown = [0, 440, 9_949, 9_960, 85_400, 999_499, 3_210_000]
            .map(|micros| format_duration(Duration::from_micros(micros)));
        assert_eq!(shown, ["0.0 ms", "0.4 ms", "9.9 ms", "10 ms", "85 ms", "999 ms", "3.2 s"]);
    }
}
