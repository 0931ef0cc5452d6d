//! Every pair of a state and an event. Pairs that [`expected`] does not name must change nothing.

use super::*;

fn expected(state: &str, event: &str) -> Option<(Vec<Action>, State)> {
    waiting(state, event)
        .or_else(|| being_started(state, event))
        .or_else(|| up(state, event))
        .or_else(|| being_stopped(state, event))
}

fn waiting(state: &str, event: &str) -> Option<(Vec<Action>, State)> {
    let ended = |signal, code| (vec![shutting_down(signal), Action::Exit { code }], State::Ended);
    Some(match (state, event) {
        ("idle", "restart") => (vec![start(NEW, Program::Current)], requested(8, NOW)),
        ("to start", "restart") => (vec![start(NEW, Program::Current)], requested(8, due().since)),
        ("to retry", "restart") => {
            (vec![start(Generation(9), Program::Current)], requested(9, due().since))
        }
        ("to retry", "woke") => (vec![], State::Waiting(Waiting::ToStart(due()))),
        ("idle" | "to start" | "to retry", "term") => ended(15, 143),
        ("idle" | "to start" | "to retry", "int") => ended(2, 130),
        ("to start", "hup") => (vec![], State::Waiting(Waiting::ToStart(kept()))),
        ("to retry", "hup") => (vec![], State::Waiting(Waiting::ToRetry { at: NOW, due: kept() })),
        _ => return None,
    })
}

fn being_started(state: &str, event: &str) -> Option<(Vec<Action>, State)> {
    let times = RestartTimes { start: millis(2), ..RestartTimes::default() };
    let told = Note::Started { generation: NEW, pid: 42, reason: Reason::First, times };
    let why = || "app is cut".to_owned();
    Some(match (state, event) {
        ("starting", "started") => (
            vec![note(told)],
            State::Running {
                generation: NEW,
                since: NOW,
                recheck: Some(NOW + millis(500)),
                kept: None,
            },
        ),
        ("starting", "failed") => (
            vec![note(Note::FellBack { why: why() }), start(NEW, Program::LastGood)],
            State::Starting {
                due: Due { program: Program::LastGood, ..due() },
                ordered: NOW,
                then_stop: None,
            },
        ),
        ("starting", "failed for now") => {
            let at = NOW + millis(20);
            (vec![], State::Waiting(Waiting::ToRetry { at, due: due() }))
        }
        ("starting", "term") => (vec![], asked_to_end(TERM)),
        ("starting", "int") => (vec![], asked_to_end(INT)),
        ("starting to end", "int") => given_up(INT, 130),
        ("starting to end", "woke") => given_up(TERM, 143),
        ("starting to end", "started") => (
            with(vec![note(told), shutting_down(15)], asked(NEW, Recipient::Group, 15)),
            State::Stopping {
                generation: NEW,
                phase: StopPhase::Asked { deadline: NOW + secs(8), begun: NOW },
                next: Next::Exit { code: 143 },
            },
        ),
        ("starting", "failed for want") => {
            let delay = Some(Delay { since: NOW, tries: 1, pause: millis(20) });
            let due = Due { delay, ..due() };
            (vec![delayed()], State::Waiting(Waiting::ToRetry { at: NOW + millis(20), due }))
        }
        ("starting", "hup") => (vec![], starting_with(kept(), None)),
        ("starting to end", "hup") => (vec![], starting_with(kept(), Some(TERM))),
        ("starting to end", "failed" | "failed for now" | "failed for want") => {
            let (generation, why) = (NEW, why());
            let told = note(Note::StartFailed { generation, why, held: false });
            (vec![told, Action::Exit { code: 126 }], State::Ended)
        }
        _ => return None,
    })
}

fn asked_to_end(stop: Stop) -> State {
    let then_stop = Some(Asked { stop, since: NOW });
    State::Starting { due: due(), ordered: millis(99_998), then_stop }
}

/// Whether an app was started is not known when patience ends.
fn given_up(stop: Stop, code: u8) -> (Vec<Action>, State) {
    let begun = secs(92);
    let phase = StopPhase::Killing { next_round: NOW + millis(5), since: NOW, begun };
    let killing = [
        note(Note::Killing { generation: NEW, after: secs(8) }),
        Action::KillAll { generation: NEW },
    ];
    let state = State::Stopping { generation: NEW, phase, next: Next::Exit { code } };
    (with(vec![shutting_down(stop.signal)], killing), state)
}

#[test]
fn the_failure_of_a_start_that_was_given_up_ends_the_supervisor() {
    let (_, state) = given_up(TERM, 143);
    let mut life = Life { last: NEW, ..life(state) };
    assert_eq!(happen(&mut life, "failed"), [Action::Exit { code: 143 }]);
}

fn up(state: &str, event: &str) -> Option<(Vec<Action>, State)> {
    let (_, before) = states().into_iter().find(|(name, _)| *name == state)?;
    let stopped_for = note(Note::Stopping { generation: OLD, reason: Reason::Requested });
    let times = RestartTimes { settle: millis(5), ..RestartTimes::default() };
    let kept = if state == "running late" { vec![libc::SIGHUP] } else { vec![] };
    let restart = Next::Start { reason: Reason::Requested, times, kept };
    let group = |signal| asked(OLD, Recipient::Group, signal);
    let rest = asked(OLD, Recipient::Rest, 15);
    let asked_by = |patience, next| {
        stopping(StopPhase::Asked { deadline: NOW + secs(patience), begun: NOW }, next)
    };
    let rest_by = |next| stopping(StopPhase::Rest { deadline: NOW + secs(2), begun: NOW }, next);
    let exited =
        |ending| note(Note::Exited { generation: OLD, ending, after: secs(10), held: true });
    Some(match (state, event) {
        ("running late", "ready" | "hup") => (to_leader(), running(None)),
        ("running late", "unready") => {
            let dropped = Note::SignalDropped { generation: OLD, signal: libc::SIGHUP };
            (vec![note(dropped)], running(None))
        }
        ("running late", "woke") => {
            let ask = Action::AskReady { generation: OLD, signals: vec![libc::SIGHUP] };
            (vec![ask], running_late(NOW + millis(500)))
        }
        ("running" | "running late", "restart") => {
            (with(vec![stopped_for], group(15)), asked_by(10, restart))
        }
        ("running" | "running late", "exited") => {
            (vec![exited(Ending::Code(3))], State::Left { generation: OLD, since: secs(90) })
        }
        ("running" | "running late", "emptied") => {
            (vec![exited(Ending::Unknown)], State::Waiting(Waiting::Idle))
        }
        ("running" | "running late", "suspended") => (group(15)[1..].to_vec(), before),
        ("running" | "running late", "term") => {
            (with(vec![shutting_down(15)], group(15)), asked_by(8, Next::Exit { code: 143 }))
        }
        ("running" | "running late", "int") => {
            (with(vec![shutting_down(2)], group(2)), asked_by(8, Next::Exit { code: 130 }))
        }
        ("running", "hup") => (to_leader(), before),
        ("running" | "running late", "tstp") => (to_group(libc::SIGTSTP), before),
        ("running" | "running late", "cont") => (to_group(libc::SIGCONT), before),
        ("running", "woke") => (vec![Action::Recheck], running(None)),
        ("left", "restart") => (with(vec![stopped_for], rest), rest_by(restart)),
        ("left", "emptied") => (vec![], State::Waiting(Waiting::Idle)),
        ("left", "term") => (with(vec![shutting_down(15)], rest), rest_by(Next::Exit { code: 0 })),
        ("left", "int") => (with(vec![shutting_down(2)], rest), rest_by(Next::Exit { code: 0 })),
        _ => return None,
    })
}

fn being_stopped(state: &str, event: &str) -> Option<(Vec<Action>, State)> {
    let (_, before) = states().into_iter().find(|(name, _)| *name == state)?;
    let State::Stopping { phase, next, .. } = before.clone() else { return None };
    let restarts = matches!(next, Next::Start { .. });
    let rest = asked(OLD, Recipient::Rest, 15);
    let fewer_seconds = StopPhase::Rest { deadline: NOW + secs(2), begun: secs(95) };
    Some(match (state, event) {
        ("asked to restart", "exited") => (rest.to_vec(), stopping(fewer_seconds, next)),
        ("asked to end", "exited") => {
            (rest.to_vec(), stopping(fewer_seconds, Next::Exit { code: 3 }))
        }
        ("killing to end", "exited") => (vec![], stopping(phase, Next::Exit { code: 3 })),
        (_, "emptied") => match next {
            Next::Start { .. } => (vec![], due_after_stop(NOW.saturating_sub(phase.begun()), NOW)),
            Next::Exit { code } => (vec![Action::Exit { code }], State::Ended),
        },
        // What is being killed stays stopped.
        ("killing to restart" | "killing to end" | "killing in vain", "suspended" | "stopped") => {
            return None;
        }
        (_, "suspended" | "stopped" | "cont") => (to_group(libc::SIGCONT), before),
        ("rest to restart" | "killing to restart" | "killing in vain", "hup") => {
            (vec![], stopping(phase, to_start_with(vec![libc::SIGHUP])))
        }
        (_, "hup") => (to_leader(), before),
        (_, "term") if restarts => {
            (vec![shutting_down(15)], stopping(phase, Next::Exit { code: 143 }))
        }
        (_, "int") if restarts => {
            (vec![shutting_down(2)], stopping(phase, Next::Exit { code: 130 }))
        }
        ("asked to end" | "rest to end", "int") => {
            let begun = phase.begun();
            let phase = StopPhase::Killing { next_round: NOW + millis(5), since: NOW, begun };
            (killing(NOW.saturating_sub(begun)), stopping(phase, next))
        }
        ("asked to restart" | "asked to end" | "rest to restart" | "rest to end", "woke") => {
            let (since, begun) = (phase.deadline(), phase.begun());
            let phase = StopPhase::Killing { next_round: since + millis(5), since, begun };
            (killing(since.saturating_sub(begun)), stopping(phase, next))
        }
        ("killing to restart" | "killing to end", "woke") => {
            let (since, begun) = (secs(99), secs(89));
            let phase = StopPhase::Killing { next_round: NOW + millis(5), since, begun };
            (vec![Action::KillAll { generation: OLD }], stopping(phase, next))
        }
        ("killing in vain", "woke") => {
            (vec![note(Note::Unkillable { generation: OLD })], due_after_stop(secs(14), NOW))
        }
        _ => return None,
    })
}

#[test]
fn every_event_in_every_state_does_what_the_table_says() {
    for (name, state) in states() {
        for event in EVENTS {
            let mut life = life(state.clone());
            let out = happen(&mut life, event);
            let nothing = || (Vec::new(), state.clone());
            let expected = expected(name, event).unwrap_or_else(nothing);
            assert_eq!((out, life.state), expected, "{event} while {name}");
        }
    }
}

#[test]
fn news_of_another_generation_changes_nothing() {
    for (name, state) in states() {
        let mut life = life(state.clone());
        let mut out = Vec::new();
        life.started(Generation(3), 1, NOW, &mut out);
        life.start_failed(Generation(3), &problem(Obstacle::Candidate), NOW, &mut out);
        life.exited(Generation(3), Ending::Code(0), NOW, &mut out);
        life.emptied(Generation(3), NOW, &mut out);
        life.suspended(Generation(3), Stopper::Terminal, &mut out);
        assert_eq!((out, life.state), (vec![], state), "{name}");
    }
}

#[test]
fn waking_before_the_deadline_changes_nothing() {
    for (name, state) in states() {
        let mut life = life(state.clone());
        let mut out = Vec::new();
        life.woke(secs(80), &mut out);
        assert_eq!((out, life.state), (vec![], state), "{name}");
    }
}
