//! `cargo xtask test [TIER]... [-- ARGUMENT]...`: every tier in order, then what was run, what was
//! left out, and one closing line.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::tier::{self, Count, Tier};
use crate::{measure, package, platform, progress};

/// One tier's outcome.
struct Outcome {
    tier: Tier,
    time: Duration,
    count: Count,
    /// Why it did not run, and how to get it.
    left_out: Option<String>,
}

/// Runs the tiers that `selection` names, or all.
///
/// # Errors
/// An unknown tier.
pub fn run(selection: &[String]) -> Result<ExitCode, Failure> {
    let mut parts = selection.splitn(2, |argument| argument == "--");
    let chosen_tiers = chosen(parts.next().unwrap_or_default())?;
    let filters = parts.next().unwrap_or_default();
    let mut outcomes = Vec::new();
    for tier in chosen_tiers {
        progress::heading(tier.title());
        let start = Instant::now();
        let (count, left_out) = run_tier(tier, filters);
        outcomes.push(Outcome { tier, time: start.elapsed(), count, left_out });
    }
    let (sizes, in_bounds) = measure_supervisor(&outcomes);
    let (text, failed) = summary(&outcomes, &sizes, in_bounds, under_ci());
    print!("{text}");
    Ok(ExitCode::from(u8::from(failed)))
}

fn chosen(names: &[String]) -> Result<Vec<Tier>, Failure> {
    if names.is_empty() {
        return Ok(Tier::ALL.to_vec());
    }
    if let Some(unknown) = names.iter().find(|name| !Tier::ALL.iter().any(|t| t.name() == *name)) {
        return Err(Failure::Missing {
            what: format!("There is no tier {unknown}."),
            advice: format!("Name one of these: {}", Tier::ALL.map(Tier::name).join(", ")),
        });
    }
    let selected = |tier: &Tier| names.iter().any(|name| name == tier.name());
    Ok(Tier::ALL.into_iter().filter(selected).collect())
}

/// Runs one tier; an engine that is missing is a reason, everything else a failure that counts, so that
/// the other tiers still run.
fn run_tier(tier: Tier, filters: &[String]) -> (Count, Option<String>) {
    let result = match tier {
        Tier::Embedded => package::package().and_then(|package| {
            let folder = package.folder.display().to_string();
            tier::run(tier, filters, &[("XTASK_BUILDPACK".into(), folder)])
        }),
        Tier::Platform => match platform::run_tests(filters) {
            Ok(platform::Result::Ran(count)) => Ok(count),
            Ok(platform::Result::LeftOut(reason)) => return (Count::default(), Some(reason)),
            Err(failure) => Err(failure),
        },
        _ => tier::run(tier, filters, &[]),
    };
    let count = result.unwrap_or_else(|failure| {
        eprintln!("\nerror: {failure}");
        Count::check(false)
    });
    (count, None)
}

/// Measured whenever a package was made; the text for the summary, and whether the promises hold.
fn measure_supervisor(outcomes: &[Outcome]) -> (String, Option<bool>) {
    let packaged = [Tier::Embedded, Tier::Platform];
    if !outcomes.iter().any(|outcome| packaged.contains(&outcome.tier)) {
        return (String::new(), None);
    }
    let app = test_app::binary::path();
    match app.map(|app| measure::measure(&package::current().supervisor(), &app)) {
        Ok(Ok(measured)) => (measured.to_string(), Some(measured.holds())),
        Ok(Err(failure)) => {
            (format!("the supervisor could not be measured: {failure}"), Some(false))
        }
        Err(reason) => (reason, Some(false)),
    }
}

fn under_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// The last lines, and whether something failed. Under CI a tier left out is a failure.
fn summary(
    outcomes: &[Outcome],
    measured: &str,
    in_bounds: Option<bool>,
    ci: bool,
) -> (String, bool) {
    let mut text = String::from("\n==> summary\n");
    let mut total = Count::default();
    for Outcome { tier, time, count, left_out } in outcomes {
        let result = match left_out {
            Some(_) => "left out".to_owned(),
            None => format!("{} passed, {} failed", count.passed, count.failed),
        };
        let _ = writeln!(text, "{:>7.1} s  {:<30} {result}", time.as_secs_f64(), tier.title());
        total = total.plus(*count);
        if ci && left_out.is_some() {
            total.failed += 1;
        }
    }
    if let Some(holds) = in_bounds {
        let _ = writeln!(text, "{measured} (promised: at most 2 MB, less than 3 MB)");
        total = total.plus(Count::check(holds));
    }
    for outcome in outcomes {
        if let Some(reason) = &outcome.left_out {
            let _ = writeln!(text, "left out: {}. {reason}", outcome.tier.title());
        }
    }
    let _ = writeln!(text, "{} passed, {} failed", total.passed, total.failed);
    (text, total.failed > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes() -> [Outcome; 2] {
        let time = Duration::from_millis(1500);
        let count = Count { passed: 7, failed: 0 };
        let reason = "No engine: start one.".to_owned();
        [
            Outcome { tier: Tier::Unit, time, count, left_out: None },
            Outcome { tier: Tier::Platform, time, count: Count::default(), left_out: Some(reason) },
        ]
    }

    #[test]
    fn a_tier_left_out_is_named_before_the_closing_line() {
        let (text, failed) = summary(&outcomes(), "supervisor binary 1 MB", Some(true), false);
        let expected = "\n==> summary\n\
            \x20   1.5 s  unit tests                     7 passed, 0 failed\n\
            \x20   1.5 s  real platform                  left out\n\
            supervisor binary 1 MB (promised: at most 2 MB, less than 3 MB)\n\
            left out: real platform. No engine: start one.\n\
            8 passed, 0 failed\n";
        assert_eq!((text.as_str(), failed), (expected, false));
    }

    #[test]
    fn under_ci_a_tier_left_out_is_a_failure() {
        let (text, failed) = summary(&outcomes(), "", None, true);
        assert!(text.ends_with("\n7 passed, 1 failed\n"), "{text}");
        assert!(failed);
    }
}
