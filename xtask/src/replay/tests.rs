//! Traces in, starts out.

use super::*;
use relaunch_buildpack::core::What;
use std::sync::Arc;

fn fixtures() -> Vec<Row> {
    folder("traces")
}

fn folder(name: &str) -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name);
    rows([folder.as_path()].into_iter()).unwrap()
}

fn starts(text: &str) -> Outcome {
    world::replay(&Trace::parse(text).unwrap())
}

#[test]
fn every_recorded_change_set_makes_one_start() {
    let all = fixtures().into_iter().chain(folder("traces-more"));
    let starts: Vec<_> = all.map(|row| (row.name, row.outcome.starts)).collect();
    let ideal: Vec<_> = starts.iter().map(|(name, _)| (name.clone(), 1)).collect();
    assert_eq!(starts, ideal);
    assert_eq!(starts.len(), 16 + 36);
}

#[test]
fn the_median_start_comes_within_60_ms_after_the_last_event() {
    let median = median(&fixtures()).unwrap();
    assert!(median <= 60.0, "{median} ms");
}

#[test]
fn no_start_comes_before_the_last_event_that_counts() {
    for row in fixtures() {
        assert!(row.outcome.latency_ms().unwrap() > 0.0, "{row:?}");
    }
}

#[test]
fn a_single_renamed_file_is_started_10_ms_later() {
    let outcome = starts("0\tw/app\tMOVED_TO\n");
    assert_eq!(outcome, Outcome { starts: 1, latency_us: Some(10_000) });
}

#[test]
fn readers_and_folders_cause_no_start() {
    let outcome = starts("0\tw/app\tOPEN\n5\tw/app\tCLOSE_NOWRITE\n9\tw\tATTRIB,ISDIR\n");
    assert_eq!(outcome, Outcome { starts: 0, latency_us: None });
}

/// `git stash` writes below `.git`, which the watch does not look at.
#[test]
fn what_the_watch_ignores_says_nothing() {
    let outcome = starts("0\tw/.git/index.lock\tCREATE\n5\tw/app.py\tMOVED_TO\n");
    assert_eq!(outcome, Outcome { starts: 1, latency_us: Some(10_000) });
    let outcome = starts("0\tw/main.py~\tMOVED_TO\n9\tw/__pycache__/a.pyc\tMOVED_TO\n");
    assert_eq!(outcome, Outcome { starts: 0, latency_us: None });
}

#[test]
fn an_executable_that_stays_open_is_waited_for() {
    let outcome = starts("0\tw/app\tCREATE\n0\tw/app\tOPEN\n9\tw/app\tMODIFY\n");
    assert_eq!(outcome, Outcome { starts: 0, latency_us: None });
}

#[test]
fn two_sets_two_seconds_apart_make_two_starts() {
    let outcome = starts("0\tw/app\tMOVED_TO\n2000000\tw/app\tMOVED_TO\n");
    assert_eq!(outcome, Outcome { starts: 2, latency_us: Some(10_000) });
}

#[test]
fn flags_are_said_in_the_words_of_the_core() {
    let text = "0\tw/a\tCREATE\n0\tw/b\tCREATE\n1\tw/b\tOPEN\n2\tw/b\tMODIFY\n3\tw/b\tCLOSE_WRITE\n\
                4\tw/b\tMOVED_FROM\n4\tw/c\tMOVED_TO\n5\tw/c\tMOVED_FROM\n6\tw/d\tMOVED_TO,ISDIR\n\
                7\tw/d\tMOVED_FROM,ISDIR\n7\tw/e\tMOVED_TO,ISDIR\n8\tw/e\tDELETE,ISDIR\n9\tw/a\tDELETE\n\
                10\tw/f\tATTRIB\n";
    let said: Vec<_> = Trace::parse(text).unwrap().events.into_iter().map(|it| it.what).collect();
    let path = |name: &str| Arc::from(Path::new("/w").join(name));
    let expected = [
        Some(What::Linked),
        Some(What::Created),
        None,
        Some(What::Modified),
        Some(What::Closed),
        None,
        Some(What::MovedWithin { from: path("b") }),
        Some(What::MovedAway),
        Some(What::Found),
        None,
        Some(What::FolderMoved { from: path("d") }),
        Some(What::FolderGone),
        Some(What::Deleted),
        Some(What::Attributes),
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_line_that_is_none_is_named() {
    assert_eq!(Trace::parse("0\ta\tOPEN\nzero\ta\tOPEN\n").unwrap_err(), 2);
}

#[test]
fn json_names_trace_starts_and_latency() {
    let outcome = Outcome { starts: 1, latency_us: Some(10_000) };
    let rows = [
        Row { name: "one".into(), outcome },
        Row { name: "none".into(), outcome: Outcome { starts: 0, latency_us: None } },
    ];
    let expected = r#"[{"latency_ms":10.0,"starts":1,"trace":"one"},{"latency_ms":null,"starts":0,"trace":"none"}]"#;
    assert_eq!(json(&rows), expected);
}
