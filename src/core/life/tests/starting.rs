//! Starts that fail, and ends: what is tried again, what is held, with which code it ends.

use super::*;

#[test]
fn a_passing_failure_is_retried_for_two_seconds_and_then_the_last_good_one_is_started() {
    let mut life = life(starting(None));
    let mut out = Vec::new();
    life.start_failed(NEW, &problem(Obstacle::Writer), due().since + secs(2), &mut out);
    let why = "app is cut".to_owned();
    assert_eq!(out, [note(Note::FellBack { why }), start(NEW, Program::LastGood)]);
}

#[test]
fn a_first_start_that_fails_is_held_or_ends_as_pid_1() {
    for (pid1, actions, state) in [
        (false, vec![], State::Waiting(Waiting::Idle)),
        (true, vec![Action::Exit { code: 126 }], State::Ended),
    ] {
        let mut life = Life { has_last_good: false, ..life(starting(None)) };
        life.policy.pid1 = pid1;
        let mut out = Vec::new();
        life.start_failed(NEW, &problem(Obstacle::Candidate), NOW, &mut out);
        let (why, held) = ("app is cut".into(), !pid1);
        let told = note(Note::StartFailed { generation: NEW, why, held });
        assert_eq!((out, life.state), (with(vec![told], actions), state));
    }
}

#[test]
fn as_pid_1_an_end_within_the_first_second_ends_the_supervisor() {
    let since = millis(99_001);
    let running = State::Running { generation: OLD, since, recheck: None, kept: None };
    let mut life = life(running);
    life.policy.pid1 = true;
    let out = happen(&mut life, "exited");
    let told =
        Note::Exited { generation: OLD, ending: Ending::Code(3), after: millis(999), held: false };
    assert_eq!(out, with(vec![note(told)], asked(OLD, Recipient::Rest, 15)));
    assert_eq!(happen(&mut life, "emptied"), [Action::Exit { code: 3 }]);
}

#[test]
fn a_shutdown_while_holding_ends_with_the_code_of_the_app() {
    let mut life = life(running(None));
    happen(&mut life, "exited");
    happen(&mut life, "emptied");
    assert_eq!(happen(&mut life, "term"), [shutting_down(15), Action::Exit { code: 3 }]);
}

#[test]
fn a_shutdown_during_a_restart_ends_with_the_code_of_an_app_that_has_ended() {
    let mut life = life(running(None));
    for event in ["restart", "exited", "term"] {
        happen(&mut life, event);
    }
    assert_eq!(happen(&mut life, "emptied"), [Action::Exit { code: 3 }]);
}

/// Lets the start fail again and again; the pauses in between and all that was said.
fn fail_for_want(life: &mut Life, times: usize) -> (Vec<Duration>, Vec<Action>) {
    let (mut now, mut pauses, mut said) = (NOW, Vec::new(), Vec::new());
    for _ in 0..times {
        let mut out = Vec::new();
        life.start_failed(NEW, &problem(Obstacle::Shortage), now, &mut out);
        let at = life.deadline().unwrap();
        pauses.push(at.checked_sub(now).unwrap());
        life.woke(at, &mut out);
        life.start_due(at, &mut out);
        said.extend(out.into_iter().filter(|it| !matches!(it, Action::Start { .. })));
        now = at;
    }
    (pauses, said)
}

#[test]
fn a_shortage_is_said_once_and_tried_again_ever_more_seldom() {
    let mut life = life(starting(None));
    let (pauses, said) = fail_for_want(&mut life, 8);
    assert_eq!(pauses, [20, 40, 80, 160, 320, 640, 1_000, 1_000].map(millis));
    assert_eq!(said, [delayed()]);
    let out = happen(&mut life, "started");
    let recovered = Note::StartRecovered { generation: NEW, after: Duration::ZERO, tries: 8 };
    assert_eq!(out[0], note(recovered));
}

#[test]
fn a_shortage_never_falls_back_to_the_last_good_one() {
    let mut life = life(starting(None));
    let (_, said) = fail_for_want(&mut life, 50);
    assert_eq!(said, [delayed()]);
    let State::Starting { due, .. } = &life.state else { panic!("{:?}", life.state) };
    assert_eq!(due.program, Program::Current);
}

#[test]
fn a_fallback_that_meets_a_shortage_is_said_once_too() {
    let mut life = life(starting(None));
    let mut out = Vec::new();
    life.start_failed(NEW, &problem(Obstacle::Candidate), NOW, &mut out);
    let (_, said) = fail_for_want(&mut life, 50);
    assert_eq!(said, [delayed()]);
    let State::Starting { due, .. } = &life.state else { panic!("{:?}", life.state) };
    assert_eq!(due.program, Program::LastGood);
}
