//! The life, event by event: every pair of a state and an event. Pairs that [`expected`] does not
//! name must change nothing.

use super::signals::to_app;
use super::state::{Asked, Delay};
use super::*;
use crate::core::{Program, Stop, Stopper};
use crate::settings::OnExit;

const NOW: Moment = Duration::from_secs(100);
const OLD: Generation = Generation(7);
const NEW: Generation = Generation(8);
const TERM: Stop = Stop { signal: libc::SIGTERM };
const INT: Stop = Stop { signal: libc::SIGINT };

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn policy() -> Policy {
    Policy {
        pid1: false,
        job_control: false,
        on_exit: OnExit::Auto,
        stop_signal: libc::SIGTERM,
        stop_timeout: secs(10),
        shutdown_timeout: secs(8),
    }
}

fn due() -> Due {
    Due::new(NEW, Reason::First, RestartTimes::default(), Duration::from_millis(99_900))
}

fn starting_with(due: Due, stop: Option<Stop>) -> State {
    let then_stop = stop.map(|stop| Asked { stop, since: secs(92) });
    State::Starting { due, ordered: Duration::from_millis(99_998), then_stop }
}

fn starting(then_stop: Option<Stop>) -> State {
    starting_with(due(), then_stop)
}

fn stopping(phase: StopPhase, next: Next) -> State {
    State::Stopping { generation: OLD, phase, next }
}

fn to_start() -> Next {
    to_start_with(Vec::new())
}

fn to_start_with(kept: Vec<i32>) -> Next {
    Next::Start { reason: Reason::First, times: RestartTimes::default(), kept }
}

fn running(recheck: Option<Moment>) -> State {
    State::Running { generation: OLD, since: secs(90), recheck, kept: None }
}

/// A HUP came before the app that runs.
fn running_late(look: Moment) -> State {
    let kept = Some(Kept { signals: vec![libc::SIGHUP], look });
    State::Running { generation: OLD, since: secs(90), recheck: None, kept }
}

const ASKED: StopPhase = StopPhase::Asked { deadline: secs(105), begun: secs(95) };
const REST: StopPhase = StopPhase::Rest { deadline: secs(101), begun: secs(95) };
const KILLING: StopPhase = StopPhase::Killing { next_round: NOW, since: secs(99), begun: secs(89) };
const IN_VAIN: StopPhase = StopPhase::Killing { next_round: NOW, since: secs(96), begun: secs(86) };

fn states() -> Vec<(&'static str, State)> {
    vec![
        ("idle", State::Waiting(Waiting::Idle)),
        ("to start", State::Waiting(Waiting::ToStart(due()))),
        ("to retry", State::Waiting(Waiting::ToRetry { at: NOW, due: due() })),
        ("starting", starting(None)),
        ("starting to end", starting(Some(TERM))),
        ("running", running(Some(NOW))),
        ("running late", running_late(NOW)),
        ("left", State::Left { generation: OLD, since: secs(90) }),
        ("asked to restart", stopping(ASKED, to_start())),
        ("asked to end", stopping(ASKED, Next::Exit { code: 143 })),
        ("rest to restart", stopping(REST, to_start())),
        ("rest to end", stopping(REST, Next::Exit { code: 3 })),
        ("killing to restart", stopping(KILLING, to_start())),
        ("killing to end", stopping(KILLING, Next::Exit { code: 143 })),
        ("killing in vain", stopping(IN_VAIN, to_start())),
        ("ended", State::Ended),
    ]
}

const EVENTS: [&str; 17] = [
    "restart",
    "started",
    "failed",
    "failed for now",
    "failed for want",
    "exited",
    "emptied",
    "suspended",
    "stopped",
    "term",
    "int",
    "hup",
    "tstp",
    "cont",
    "ready",
    "unready",
    "woke",
];

fn problem(obstacle: Obstacle) -> StartProblem {
    StartProblem { why: "app is cut".into(), exit_code: 126, obstacle }
}

fn life(state: State) -> Life {
    let ordered = matches!(state, State::Starting { .. } | State::Waiting(Waiting::ToRetry { .. }));
    let last = if ordered { NEW } else { OLD };
    Life {
        state,
        policy: policy(),
        last,
        ordered: Moment::ZERO,
        last_ending: None,
        was_healthy: false,
        has_last_good: true,
    }
}

fn happen(life: &mut Life, event: &str) -> Vec<Action> {
    let mut out = Vec::new();
    let out_ref = &mut out;
    match event {
        "restart" => life.restart(Reason::Requested, millis(5), NOW, out_ref),
        "started" => life.started(NEW, 42, NOW, out_ref),
        "failed" => life.start_failed(NEW, &problem(Obstacle::Candidate), NOW, out_ref),
        "failed for now" => life.start_failed(NEW, &problem(Obstacle::Writer), NOW, out_ref),
        "failed for want" => life.start_failed(NEW, &problem(Obstacle::Shortage), NOW, out_ref),
        "exited" => life.exited(OLD, Ending::Code(3), NOW, out_ref),
        "emptied" => life.emptied(OLD, NOW, out_ref),
        "suspended" => life.suspended(OLD, Stopper::Terminal, out_ref),
        "stopped" => life.suspended(OLD, Stopper::Somebody, out_ref),
        "term" => life.shutdown(TERM, NOW, out_ref),
        "int" => life.shutdown(INT, NOW, out_ref),
        "hup" => life.signal(libc::SIGHUP, out_ref),
        "tstp" => life.signal(libc::SIGTSTP, out_ref),
        "cont" => life.signal(libc::SIGCONT, out_ref),
        "ready" => life.ready(OLD, &[libc::SIGHUP], NOW, out_ref),
        "unready" => life.ready(OLD, &[], NOW, out_ref),
        "woke" => life.woke(life.deadline().unwrap_or(NOW), out_ref),
        _ => panic!("{event}"),
    }
    out
}

fn note(note: Note) -> Action {
    Action::Note(note)
}

fn shutting_down(signal: i32) -> Action {
    note(Note::ShuttingDown { signal })
}

fn start(generation: Generation, program: Program) -> Action {
    Action::Start { generation, program }
}

fn asked(generation: Generation, to: Recipient, signal: i32) -> [Action; 2] {
    [signal, libc::SIGCONT].map(|signal| Action::Signal { generation, to, signal })
}

fn killing(after: Duration) -> Vec<Action> {
    vec![note(Note::Killing { generation: OLD, after }), Action::KillAll { generation: OLD }]
}

fn requested(generation: u64) -> State {
    let times = RestartTimes { settle: millis(5), ..RestartTimes::default() };
    let (generation, reason) = (Generation(generation), Reason::Requested);
    State::Starting { due: Due::new(generation, reason, times, NOW), ordered: NOW, then_stop: None }
}

fn due_after_stop(stop: Duration, since: Moment) -> State {
    let times = RestartTimes { stop, ..RestartTimes::default() };
    State::Waiting(Waiting::ToStart(Due { times, since, ..due() }))
}

fn with(notes: Vec<Action>, more: impl IntoIterator<Item = Action>) -> Vec<Action> {
    notes.into_iter().chain(more).collect()
}

fn expected(state: &str, event: &str) -> Option<(Vec<Action>, State)> {
    waiting(state, event)
        .or_else(|| being_started(state, event))
        .or_else(|| up(state, event))
        .or_else(|| being_stopped(state, event))
}

fn waiting(state: &str, event: &str) -> Option<(Vec<Action>, State)> {
    let ended = |signal, code| (vec![shutting_down(signal), Action::Exit { code }], State::Ended);
    Some(match (state, event) {
        ("idle" | "to start", "restart") => (vec![start(NEW, Program::Current)], requested(8)),
        ("to retry", "restart") => (vec![start(Generation(9), Program::Current)], requested(9)),
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

fn to_leader() -> Vec<Action> {
    vec![Action::Signal { generation: OLD, to: Recipient::Leader, signal: libc::SIGHUP }]
}

fn to_group(signal: i32) -> Vec<Action> {
    vec![Action::Signal { generation: OLD, to: Recipient::Group, signal }]
}

fn kept() -> Due {
    Due { kept: vec![libc::SIGHUP], ..due() }
}

fn delayed() -> Action {
    let (pause, at_most) = (millis(20), secs(1));
    note(Note::StartDelayed { generation: NEW, why: "app is cut".into(), pause, at_most })
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
fn under_a_shell_ctrl_z_stops_the_supervisor_too() {
    let mut life = life(running(None));
    life.policy.job_control = true;
    assert_eq!(happen(&mut life, "suspended"), [Action::Suspend]);
}

#[test]
fn a_shutdown_while_holding_ends_with_the_code_of_the_app() {
    let mut life = life(running(None));
    happen(&mut life, "exited");
    happen(&mut life, "emptied");
    assert_eq!(happen(&mut life, "term"), [shutting_down(15), Action::Exit { code: 3 }]);
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

#[test]
fn signals_for_an_app_that_is_being_started_reach_it_in_order_once_it_is_ready() {
    let mut life = life(starting(None));
    let mut out = Vec::new();
    for signal in [libc::SIGUSR1, libc::SIGHUP, libc::SIGWINCH, libc::SIGUSR1, 40] {
        life.signal(signal, &mut out);
    }
    assert_eq!(out, []);
    assert_eq!(happen(&mut life, "started").len(), 1, "nothing but the note of the start");
    let look = NOW + millis(500);
    life.woke(look, &mut out);
    let signals = vec![libc::SIGUSR1, libc::SIGHUP, libc::SIGWINCH, 40];
    assert_eq!(out, [Action::Recheck, Action::AskReady { generation: NEW, signals }]);
    let passed = |signals: &[i32]| -> Vec<_> {
        signals.iter().map(|signal| to_app(NEW, Recipient::Leader, *signal)).collect()
    };
    out.clear();
    life.ready(NEW, &[libc::SIGUSR1], look, &mut out);
    assert_eq!(out, passed(&[libc::SIGUSR1, libc::SIGWINCH]));
    out.clear();
    life.ready(NEW, &[40, libc::SIGHUP], look + millis(500), &mut out);
    assert_eq!(out, passed(&[libc::SIGHUP, 40]));
    assert_eq!(life.deadline(), None);
}

#[test]
fn a_signal_that_the_app_was_not_ready_for_outlives_its_restart() {
    let mut life = life(running_late(NOW));
    happen(&mut life, "restart");
    happen(&mut life, "emptied");
    let mut out = Vec::new();
    life.start_due(NOW, &mut out);
    happen(&mut life, "started");
    life.woke(NOW + millis(500), &mut out);
    let signals = vec![libc::SIGHUP];
    assert_eq!(out.pop(), Some(Action::AskReady { generation: NEW, signals }));
}

#[test]
fn ctrl_z_while_holding_stops_the_supervisor_only_where_a_shell_continues_it() {
    for (job_control, expected) in [(false, vec![]), (true, vec![Action::Suspend])] {
        let mut life = life(State::Waiting(Waiting::Idle));
        life.policy.job_control = job_control;
        assert_eq!(happen(&mut life, "tstp"), expected);
    }
}

/// Every signal that can be caught, in every state: nothing is done twice, nothing is signalled
/// that does not run, and a signal for the app is delivered, kept or, where nothing runs and
/// nothing is due, dropped.
#[test]
fn every_signal_in_every_state_goes_to_one_recipient_or_is_kept() {
    let job = [libc::SIGTSTP, libc::SIGCONT];
    for signal in 1..=64 {
        for (name, state) in states() {
            let mut life = life(state.clone());
            let mut out = Vec::new();
            life.signal(signal, &mut out);
            let to = if job.contains(&signal) { Recipient::Group } else { Recipient::Leader };
            let delivered = vec![Action::Signal { generation: OLD, to, signal }];
            let asked = |phase: &StopPhase| matches!(phase, StopPhase::Asked { .. });
            let expected = match &state {
                State::Stopping { .. } if signal == libc::SIGTSTP => vec![],
                State::Stopping { .. } if signal == libc::SIGCONT => delivered,
                // The old app is gone: the next one gets it.
                State::Stopping { phase, next: Next::Start { .. }, .. } if !asked(phase) => vec![],
                State::Running { .. } | State::Stopping { .. } => delivered,
                _ => vec![],
            };
            assert_eq!(out, expected, "{signal} while {name}");
            let kept = match &life.state {
                State::Starting { due, .. }
                | State::Waiting(Waiting::ToStart(due) | Waiting::ToRetry { due, .. }) => {
                    due.kept.clone()
                }
                State::Stopping { next: Next::Start { kept, .. }, .. } => kept.clone(),
                _ => vec![],
            };
            let due = match &state {
                State::Waiting(waiting) => *waiting != Waiting::Idle,
                State::Starting { .. } => true,
                State::Stopping { phase, next: Next::Start { .. }, .. } => !asked(phase),
                _ => false,
            };
            let expected = if due && !job.contains(&signal) { vec![signal] } else { vec![] };
            assert_eq!(kept, expected, "{signal} while {name}");
        }
    }
}

#[test]
fn a_shutdown_by_any_signal_in_any_state_ends_with_one_exit_and_no_start() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP] {
        for (name, state) in states() {
            if state == State::Ended {
                continue;
            }
            let mut life = life(state);
            let mut out = Vec::new();
            life.shutdown(Stop { signal }, NOW, &mut out);
            life.started(NEW, 42, NOW, &mut out);
            for generation in [OLD, NEW] {
                life.exited(generation, Ending::Signal(signal), NOW, &mut out);
                life.emptied(generation, NOW, &mut out);
            }
            let exits = out.iter().filter(|it| matches!(it, Action::Exit { .. })).count();
            let starts = out.iter().filter(|it| matches!(it, Action::Start { .. })).count();
            assert_eq!(
                (exits, starts, &life.state),
                (1, 0, &State::Ended),
                "{signal} while {name}"
            );
        }
    }
}
