//! `status`, `events` and `reload`, each in the states that there are.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::world::Setup;
use crate::{Answer, apps, ask, asking, status};

#[test]
fn status_says_what_runs() {
    let run = Setup::elf().start();
    run.wait_for("start 1");
    let answer = ask(&run, &["status"]);
    assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""));
    let first = format!("state     running: generation 1, pid {}, started ", run.pid());
    assert!(answer.out.starts_with(&first), "{}", answer.out);
    let told = status(&run);
    assert_eq!(told["executable"]["path"], run.app().display().to_string());
    assert_eq!(told["watch"]["kind"], "inotify");
}

#[test]
fn status_of_an_app_that_has_ended_is_down() {
    let app = apps::script_with("v1", "exit 7");
    let run = Setup::with(&app, &apps::script("v2")).start();
    run.wait_for("exit 1: code 7");
    let answer = ask(&run, &["status"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.out.starts_with("state     held: generation 1 has ended"), "{}", answer.out);
    assert!(answer.out.contains("\nexited    generation 1 with code 7 after "), "{}", answer.out);
}

#[test]
fn events_are_remembered_and_followed() {
    let run = Setup::elf().start();
    run.wait_for("start 1");
    let told = ask(&run, &["events", "-n", "1"]);
    let (time, words) = told.out.split_at("00:00:00.000 ".len());
    let line = format!("relaunch: generation 1 started (pid {})\n", run.pid());
    assert_eq!((time.matches(':').count(), words), (2, line.as_str()));

    let mut follow = asking(&run, &["events", "-n", "0", "--follow", "--json"]);
    let mut following = follow.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    // The follower is heard of when it gets a line; until then its request may be on its way.
    let reload = || ask(&run, &["reload"]);
    let first = std::thread::scope(|scope| {
        let line = scope.spawn(move || lines.next().unwrap().unwrap());
        while !line.is_finished() {
            assert_eq!(reload().code, Some(0));
        }
        line.join().unwrap()
    });
    following.kill().unwrap();
    following.wait().unwrap();
    let event: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!(event["schema"], 1, "{first}");
}

#[test]
fn a_reload_restarts_and_waits_until_the_app_is_up() {
    let run = Setup::elf().start();
    run.wait_for("start 1");
    let answer = ask(&run, &["reload"]);
    run.assert_story(&["start 1", "stop 1", "start 2"]);
    let out = format!("generation 2 is up (pid {})\n", run.pid());
    assert_eq!(answer, Answer { code: Some(0), out, err: String::new() });
}

#[test]
fn a_reload_of_an_unfit_executable_is_refused_with_the_reason() {
    let run = Setup::elf().start();
    run.shell("chmod -x tree/app");
    run.wait_for("refused: tree/app is not executable");
    let answer = ask(&run, &["reload"]);
    let err = format!("relaunch: {} is not executable\n", run.app().display());
    assert_eq!(answer, Answer { code: Some(1), out: String::new(), err });
    assert_eq!(status(&run)["state"], "running");
}

#[test]
fn a_reload_whose_app_ends_at_once_has_failed() {
    let setup = Setup::script();
    let marker = setup.path("once");
    let habit = format!("[ -e {0} ] && exit 3; touch {0}; exec sleep 1000", marker.display());
    apps::write_executable(&setup.path("tree/app"), &apps::script_with("v1", &habit));
    let run = setup.start();
    run.wait_for("start 1");
    run.shell("until [ -e once ]; do sleep 0.01; done");
    let answer = ask(&run, &["reload"]);
    let err = "relaunch: generation 2 started and ended at once: code 3\n".to_owned();
    assert_eq!(answer, Answer { code: Some(1), out: String::new(), err });
}

#[test]
fn a_held_app_is_started_by_a_reload() {
    let app = apps::script_with("v1", "exit 7");
    let setup = Setup::with(&app, &apps::script("v2"));
    let run = setup.start();
    run.wait_for("exit 1: code 7");
    let answer = ask(&run, &["reload"]);
    assert_eq!(answer.code, Some(1), "it ends again: {answer:?}");
    run.wait_for("exit 2: code 7");
}
