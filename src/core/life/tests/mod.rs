//! The life, event by event: states, events and what is expected of them, for the tests below.

mod signals;
mod starting;
mod table;

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

fn requested(generation: u64, since: Moment) -> State {
    let times = RestartTimes { settle: millis(5), ..RestartTimes::default() };
    let (generation, reason) = (Generation(generation), Reason::Requested);
    let due = Due::new(generation, reason, times, since);
    State::Starting { due, ordered: NOW, then_stop: None }
}

fn due_after_stop(stop: Duration, since: Moment) -> State {
    let times = RestartTimes { stop, ..RestartTimes::default() };
    State::Waiting(Waiting::ToStart(Due { times, since, ..due() }))
}

fn with(notes: Vec<Action>, more: impl IntoIterator<Item = Action>) -> Vec<Action> {
    notes.into_iter().chain(more).collect()
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
