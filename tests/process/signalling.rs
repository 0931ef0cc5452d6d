//! Signals to the supervisor, and its reaper.

use super::Case;
use super::world::{World, eventually, own_path, signal};
use relaunch_buildpack::process::{
    Child, Received, Sender, Signals, Status, become_subreaper, reap_children,
};

pub(crate) const CASES: &[Case] = &[
    ("every_catchable_signal_is_read", every_catchable_signal_is_read),
    ("equal_realtime_signals_do_not_merge", equal_realtime_signals_do_not_merge),
    ("harmless_signals_are_ignored", harmless_signals_are_ignored),
    ("what_was_ignored_at_start_is_known", what_was_ignored_at_start_is_known),
    ("an_ignored_sigchld_is_undone", an_ignored_sigchld_is_undone),
    ("ten_thousand_orphans_leave_no_zombie", ten_thousand_orphans_leave_no_zombie),
    ("ends_by_realtime_signals_are_reaped", ends_by_realtime_signals_are_reaped),
];

const NEVER_READ: [i32; 2] = [libc::SIGKILL, libc::SIGSTOP];
/// Counted only from others.
const SELF_MADE: [i32; 4] = [libc::SIGPIPE, libc::SIGIO, libc::SIGTTIN, libc::SIGTTOU];

fn send_to_self(number: i32) {
    // SAFETY: integers only.
    assert_eq!(unsafe { libc::kill(libc::getpid(), number) }, 0);
}

fn every_catchable_signal_is_read() {
    let signals = Signals::install().unwrap();
    let own = nix::unistd::getpid().as_raw();
    let sent: Vec<i32> = (1..=64).filter(|number| !NEVER_READ.contains(number)).collect();
    for number in sent.iter().copied().filter(|number| !SELF_MADE.contains(number)) {
        send_to_self(number);
        let expected = Received { signal: signal(number), sender: Sender::Process(own) };
        assert_eq!(signals.read().unwrap(), [expected]);
    }
    for number in sent {
        // SAFETY: one thread; the copy only sends a signal and ends.
        let other = unsafe { libc::fork() };
        if other == 0 {
            // SAFETY: integers only.
            unsafe { libc::kill(own, number) };
            // SAFETY: ends the copy.
            unsafe { libc::_exit(0) };
        }
        all_ended(1);
        let mut received = signals.read().unwrap();
        received.retain(|one| one.sender != Sender::Kernel);
        let expected = Received { signal: signal(number), sender: Sender::Process(other) };
        assert_eq!(received, [expected]);
    }
    assert_eq!(signals.read().unwrap(), []);
}

fn equal_realtime_signals_do_not_merge() {
    let signals = Signals::install().unwrap();
    for number in [libc::SIGUSR1, libc::SIGUSR1, 40, 40] {
        send_to_self(number);
    }
    let numbers: Vec<i32> =
        signals.read().unwrap().iter().map(|received| received.signal.get()).collect();
    assert_eq!(numbers, [libc::SIGUSR1, 40, 40]);
}

fn harmless_signals_are_ignored() {
    let signals = Signals::install().unwrap();
    for number in SELF_MADE {
        send_to_self(number);
    }
    assert_eq!(signals.read().unwrap(), []);
}

fn what_was_ignored_at_start_is_known() {
    for number in [libc::SIGHUP, libc::SIGQUIT, libc::SIGTERM] {
        // SAFETY: SIG_IGN runs nothing.
        unsafe { libc::signal(number, libc::SIG_IGN) };
    }
    let signals = Signals::install().unwrap();
    let declined = (1..=64).filter(|number| signals.declines(signal(*number)));
    let expected: &[i32] = match nix::unistd::getpid().as_raw() {
        1 => &[],
        _ => &[libc::SIGHUP, libc::SIGQUIT],
    };
    assert_eq!(declined.collect::<Vec<_>>(), expected);
}

fn an_ignored_sigchld_is_undone() {
    // SAFETY: SIG_IGN runs nothing.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    let mut world = World::new();
    assert_eq!(world.run(&["/bin/sh", "-c", "exit 5"]), Status::Exited(5));
}

fn all_ended(count: usize) -> Vec<Child> {
    let ended = std::cell::RefCell::new(Vec::new());
    eventually("all ended", || {
        let mut ended = ended.borrow_mut();
        ended.extend(reap_children());
        ended.len() >= count
    });
    ended.into_inner()
}

fn ten_thousand_orphans_leave_no_zombie() {
    become_subreaper().unwrap();
    let maker = std::process::Command::new(own_path())
        .args(["--role", "leave-orphans", "10000"])
        .spawn()
        .unwrap();
    let ended = all_ended(10_001);
    assert!(ended.iter().all(|child| child.status == Status::Exited(0)));
    assert_eq!(ended.len(), 10_001);
    assert!(ended.iter().any(|child| child.pid == maker.id().cast_signed()));
}

fn ends_by_realtime_signals_are_reaped() {
    for number in 34..=64 {
        // SAFETY: one thread; the copy only ends.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            send_to_self(number);
        }
        let status = Status::Signaled(signal(number));
        assert_eq!(all_ended(1), [Child { pid, status }]);
    }
}
