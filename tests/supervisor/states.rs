//! Every signal in every state of the real supervisor, as a table: what reaches the app, and with
//! which code the supervisor ends. That nothing is left is looked at when each run is dropped.

use nix::sys::signal::Signal;

use crate::apps;
use crate::runner::Case;
use crate::traced::{Held, alone, prepared_keeper, until};
use crate::world::{Run, Setup};

pub(crate) const CASES: &[Case] = &[
    ("every signal while holding", || row(State::Holding)),
    ("every signal while a start is under way", || row(State::Starting)),
    ("every signal while the app runs", || row(State::Running)),
    ("every signal while the app is being stopped", || row(State::Stopping)),
    ("every signal when only helpers are left", || row(State::Left)),
    ("a second INT while a start hangs ends the supervisor at once", impatience_while_starting),
    ("a start that hangs outlasts no shutdown", shutdown_of_a_hanging_start),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// The app has ended by itself, and nothing of it is left.
    Holding,
    /// The exec is ordered.
    Starting,
    Running,
    /// For the next start. The app was asked and goes on.
    Stopping,
    /// The app has ended by itself; a helper runs.
    Left,
}

/// What a signal to the supervisor does.
#[derive(Clone, Copy)]
enum Effect {
    Nothing,
    /// The app gets it.
    Reaches,
    /// The app gets this one.
    ReachesAs(i32),
    /// The app gets it as soon as it is there.
    Kept,
    /// The supervisor ends with this code, and nothing is started.
    Ends(i32),
    /// The supervisor ends with the code of an app that died of it.
    EndsByIt,
}

use Effect::{Ends, EndsByIt, Kept, Nothing, Reaches, ReachesAs};

/// The columns: what is the app's business, what stops a job (as TSTP), CONT, CHLD, and what ends
/// (TERM, INT and QUIT).
const TABLE: [(State, [Effect; 5]); 5] = [
    (State::Holding, [Nothing, Nothing, Nothing, Nothing, Ends(7)]),
    (State::Starting, [Kept, Nothing, Nothing, Nothing, EndsByIt]),
    (State::Running, [Reaches, ReachesAs(libc::SIGTSTP), Reaches, Nothing, Ends(31)]),
    // A stopped process acts on no signal. The app dies of a KILL by hand here.
    (State::Stopping, [Reaches, Nothing, Reaches, Nothing, Ends(137)]),
    (State::Left, [Nothing, Nothing, Nothing, Nothing, Ends(7)]),
];

const JOB: [i32; 3] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
const END: [i32; 3] = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT];
/// Of the C library: a shell cannot trap them.
const UNTRAPPED: [i32; 2] = [32, 33];
/// What a process without a handler does not die of.
const HARMLESS: [i32; 2] = [libc::SIGURG, libc::SIGWINCH];

/// All that can be caught, by column.
fn columns() -> [Vec<i32>; 5] {
    let apart = [&JOB[..], &END, &[libc::SIGCONT, libc::SIGCHLD, libc::SIGKILL, libc::SIGSTOP]];
    let apart = apart.concat();
    let of_the_app = (1..=64).filter(|number| !apart.contains(number)).collect();
    [of_the_app, JOB.to_vec(), vec![libc::SIGCONT], vec![libc::SIGCHLD], END.to_vec()]
}

fn row(state: State) {
    let (_, effects) = TABLE.iter().find(|(of, _)| *of == state).unwrap();
    let [of_the_app, job, cont, child, end] = columns();
    let ends = end.iter().map(|number| (*number, effects[4]));
    let others = [of_the_app, job, cont, child].into_iter().zip(effects);
    let others = others.flat_map(|(column, effect)| column.into_iter().map(|it| (it, *effect)));
    if state == State::Starting {
        survives_while_starting(&others.collect::<Vec<_>>());
    } else {
        survives(state, others.collect());
    }
    for (number, effect) in ends {
        let code = match effect {
            Ends(code) => code,
            _ => 128 + number,
        };
        ends_with(state, number, code);
    }
}

/// Lines of a shell that tell each signal; those that end have habits of their own.
fn telling(end: &str) -> String {
    let trap = "for s in $(seq 1 64); do trap \"echo got=$s\" $s 2>/dev/null; done";
    format!("{trap}\ntrap - CHLD\ntrap '{end}' TERM INT QUIT")
}

const LOOP: &str = "while [ -z \"$over\" ]; do sleep 0.01; done";

fn app(state: State) -> String {
    let said = apps::said("v1");
    let body = match state {
        State::Holding => format!("{said}\nexit 7"),
        // The first one ends, and the one whose start is held is `sleep`.
        State::Starting => format!("{said}\nexit 6"),
        State::Running => format!("{}\n{said}\n{LOOP}", telling("exit 31")),
        State::Stopping => format!("{}\n{said}\n{LOOP}", telling("echo asked")),
        State::Left => {
            let helper = format!("({}; echo helper; {LOOP}) &", telling("over=1"));
            format!("{helper}\n{said}\nexit 7")
        }
    };
    format!("#!/bin/bash\n{body}\n")
}

fn sleeping(version: &str) -> Vec<u8> {
    apps::script_with(version, "exec sleep 1000")
}

/// A supervisor in this state, and whoever holds it there.
fn enter(state: State) -> (Run, Option<Held>) {
    // A signal that ends by default leaves no core.
    let setup = Setup::with(app(state).as_bytes(), &sleeping("v2")).under(&["prlimit", "--core=0"]);
    let run = setup.flags(&["--stop-timeout=15s", "--settle=1s"]).start();
    match state {
        State::Holding => run.wait_for("exit 1: code 7"),
        State::Running => {}
        State::Stopping => {
            run.shell("mv new tree/app");
            run.wait_for_app("asked");
        }
        State::Left => {
            run.wait_for("exit 1: code 7");
            run.wait_for_app("helper");
        }
        State::Starting => {
            run.wait_for("exit 1: code 6");
            alone(&run);
            run.shell("mv new tree/app");
            let held = hold_start(&run);
            return (run, Some(held));
        }
    }
    (run, None)
}

/// Holds the keeper of the start that a change has just called for.
fn hold_start(run: &Run) -> Held {
    let held = Held::seize(prepared_keeper(run));
    run.wait_for_state("starting");
    held
}

pub(crate) fn send(run: &Run, number: i32) {
    let pid = i32::try_from(run.supervisor()).unwrap();
    // SAFETY: integers only.
    assert_eq!(unsafe { libc::kill(pid, number) }, 0);
}

/// The signals that were told so far, beside those that a stop brings by itself.
fn told(run: &Run) -> Vec<String> {
    let mut told: Vec<_> =
        run.app_lines().into_iter().filter(|it| it.starts_with("got=")).collect();
    told.retain(|it| *it != format!("got={}", libc::SIGCONT));
    told
}

fn survives(state: State, signals: Vec<(i32, Effect)>) {
    let (run, _) = enter(state);
    let (mut expected, mut told_then) = (Vec::new(), Vec::new());
    for (number, effect) in signals {
        // One at a time where they are told: pending ones arrive in an order of their own.
        match effect {
            Reaches if UNTRAPPED.contains(&number) => continue,
            Reaches => told_then.push(number),
            ReachesAs(other) => told_then.push(other),
            _ => {}
        }
        let before = run.app_lines().len();
        send(&run, number);
        if matches!(effect, Reaches | ReachesAs(_)) {
            let line = format!("got={}", told_then.last().unwrap());
            until(&line, || run.app_lines().get(before..)?.contains(&line).then_some(()));
            expected.push(line);
        }
    }
    expected.retain(|it| *it != format!("got={}", libc::SIGCONT));
    let middle = match state {
        State::Holding | State::Left => "held",
        State::Running => "running",
        State::Starting | State::Stopping => "restarting",
    };
    run.wait_for_state(middle);
    assert_eq!(told(&run), expected, "{}", run.everything());
    let story: &[&str] = match state {
        State::Holding => &["start 1", "exit 1: code 7", "start 2"],
        State::Left => &["start 1", "exit 1: code 7", "stop 1", "start 2"],
        State::Running | State::Starting | State::Stopping => &["start 1", "stop 1", "start 2"],
    };
    if state == State::Stopping {
        run.signal_app(Signal::SIGKILL);
    } else {
        run.shell("mv new tree/app");
    }
    run.wait_for_version("v2");
    run.assert_story(story);
    assert_eq!(told(&run), expected, "{}", run.everything());
}

/// Nothing is there yet that could tell a signal, and what would end the new app is dropped in the
/// end, since it handles none.
fn survives_while_starting(signals: &[(i32, Effect)]) {
    let (run, held) = enter(State::Starting);
    let fatal =
        |&&(number, effect): &&(i32, Effect)| matches!(effect, Kept) && !HARMLESS.contains(&number);
    for (number, _) in signals.iter().filter(|it| !fatal(it)) {
        send(&run, *number);
    }
    run.wait_for_state("starting");
    held.unwrap().let_go();
    run.wait_for_version("v2");
    run.assert_story(&["start 1", "exit 1: code 6", "start 2"]);
    run.signal_app(Signal::SIGKILL);
    run.wait_for("exit 2: signal 9");
    alone(&run);
    run.publish(&sleeping("v3"));
    let held = hold_start(&run);
    for (number, _) in signals.iter().filter(fatal) {
        send(&run, *number);
    }
    run.wait_for_state("starting");
    held.let_go();
    run.wait_for("start 3");
    for (number, _) in signals.iter().filter(fatal) {
        run.wait_for(&format!("dropped 3: signal {number}"));
    }
    run.wait_for_state("running");
    run.assert_runs("v3");
}

fn ends_with(state: State, number: i32, code: i32) {
    let (mut run, held) = enter(state);
    send(&run, number);
    if matches!(state, State::Starting | State::Stopping) {
        // It waits for the app, which is not there yet, or takes its time.
        run.wait_for_state(if state == State::Starting { "starting" } else { "ending" });
    }
    if state == State::Stopping {
        run.signal_app(Signal::SIGKILL);
    }
    if let Some(held) = held {
        held.let_go();
    }
    assert_eq!(run.exit_code(), Some(code), "{state:?} {number}\n{}", run.everything());
    let most = if state == State::Starting { 2 } else { 1 };
    let starts = run.story().iter().filter(|it| it.starts_with("start ")).count();
    assert_eq!(starts, most, "{state:?} {number}\n{}", run.everything());
}

fn impatience_while_starting() {
    let (mut run, held) = enter(State::Starting);
    send(&run, libc::SIGINT);
    run.wait_for_state("starting");
    send(&run, libc::SIGINT);
    held.unwrap().see_killed();
    assert_eq!(run.exit_code(), Some(130), "{}", run.everything());
    assert_eq!(run.starts(), 1, "{}", run.everything());
    assert_no_warning(&run);
}

fn shutdown_of_a_hanging_start() {
    let app = apps::script_with("v1", "exit 6");
    let setup = Setup::with(&app, &sleeping("v2")).flags(&["--settle=1s"]);
    let mut run = setup.flags(&["--shutdown-timeout=300ms"]).start();
    run.wait_for("exit 1: code 6");
    alone(&run);
    run.shell("mv new tree/app");
    let held = hold_start(&run);
    send(&run, libc::SIGTERM);
    held.see_killed();
    assert_eq!(run.exit_code(), Some(143), "{}", run.everything());
    let said = run.everything();
    assert!(!said.contains("unkillable"), "{said}");
    assert_eq!(run.starts(), 1, "{}", run.everything());
    assert_no_warning(&run);
}

/// We have killed its keeper ourselves: nobody wants to hear that somebody did.
fn assert_no_warning(run: &Run) {
    assert!(!run.story().iter().any(|it| it.starts_with("warning")), "{}", run.everything());
}
