//! Signals of the app and of the terminal, in every state.

use super::*;

#[test]
fn under_a_shell_ctrl_z_stops_the_supervisor_too() {
    let mut life = life(running(None));
    life.policy.job_control = true;
    assert_eq!(happen(&mut life, "suspended"), [Action::Suspend]);
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
