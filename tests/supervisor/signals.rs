//! Signals at any moment, the habits of who sends them, and every exit code. Every signal in every
//! state is in `states`.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::apps;
use crate::runner::Case;
use crate::states::send;
use crate::traced::until;
use crate::world::{Run, Setup, pause};

pub(crate) const CASES: &[Case] = &[
    ("signals during a restart wait until the new app handles them", between_two_apps),
    ("a signal during a restart that would end the new app is dropped", never_handled),
    ("TERM at any moment of a start ends everything", term_while_starting),
    ("TERM at any moment of a restart ends everything", term_while_restarting),
    ("a storm of signals at any moment leaves one app or none", storm),
    ("--stop-signal is what the app gets", stop_signal),
    ("a signal under nohup that was ignored stays ignored", under_nohup),
    ("an app that somebody stopped stays stopped, and is restarted all the same", deliberate_stop),
    ("256 exit codes are passed on", exit_codes),
    ("64 signals are passed on as 128 + n", end_signals),
];

/// An app that tells each signal and goes on.
fn telling(version: &str) -> Vec<u8> {
    let said = apps::said(version);
    let trap = "for s in $(seq 1 64); do trap \"echo got=$s\" $s 2>/dev/null; done";
    format!("#!/bin/bash\n{trap}\n{said}\nwhile :; do sleep 0.01; done\n").into_bytes()
}

/// An app that ends at once and leaves a helper, which says `helper asked` when the app is gone and
/// it got its own TERM, and stays until there is a file `go`.
fn leaves_a_helper(version: &str) -> Vec<u8> {
    let stays = "trap \"echo helper asked\" TERM; until [ -e go ]; do sleep 0.01; done";
    let helper = format!("setsid bash -c 'echo ready; {stays}' &");
    let said = apps::said(version);
    format!("#!/bin/bash\n{said}\n{helper}\nexec sleep 1000\n").into_bytes()
}

/// Restarts it, and sends these signals when nothing but the helper is left of the old generation.
fn send_between_two_apps(new: &[u8], signals: &[i32]) -> Run {
    let run = Setup::with(&leaves_a_helper("v1"), new).start();
    run.wait_for_app("ready");
    run.shell("mv new tree/app");
    run.wait_for_app("helper asked");
    for number in signals {
        send(&run, *number);
    }
    run.shell("touch go");
    run.wait_for_version("v2");
    run
}

fn between_two_apps() {
    let said = apps::said("v2");
    let [hup, usr1, realtime] = [libc::SIGHUP, libc::SIGUSR1, 40]
        .map(|number| format!("trap 'echo got={number}' {number}"));
    // An interpreter that loads its modules: some handlers come late.
    let app = format!(
        "#!/bin/bash\n{said}\nsleep 0.2\n{hup}\nsleep 1\n{usr1}\n{realtime}\nwhile :; do sleep 0.01; done\n"
    );
    let signals = [libc::SIGHUP, libc::SIGUSR1, libc::SIGWINCH, 40];
    let run = send_between_two_apps(app.as_bytes(), &signals);
    for number in [libc::SIGHUP, libc::SIGUSR1, 40] {
        run.wait_for_app(&format!("got={number}"));
    }
    run.assert_one_restart_to("v2");
}

fn never_handled() {
    let run = send_between_two_apps(&apps::elf("v2"), &[libc::SIGHUP]);
    run.assert_story(&["start 1", "stop 1", "start 2", "dropped 2: signal 1"]);
    run.assert_runs("v2");
}

/// That nothing of it is left is looked at when each run is dropped.
fn term_while_starting() {
    for step in 0..20 {
        let mut run = Setup::elf().start_blind();
        thread::sleep(Duration::from_micros(500 * step));
        run.signal_supervisor(Signal::SIGTERM);
        run.exit_code();
    }
}

fn term_while_restarting() {
    for step in 0..20 {
        let mut run = Setup::elf().flags(&["--settle=1ms"]).start();
        run.shell("mv new tree/app");
        thread::sleep(Duration::from_micros(1_500 * step));
        run.signal_supervisor(Signal::SIGTERM);
        assert_eq!(run.exit_code(), Some(143), "{}", run.everything());
    }
}

/// All that acts on jobs, while the app is restarted again and again.
fn storm() {
    let run = Setup::elf().flags(&["--settle=1ms"]).start();
    let pid = i32::try_from(run.supervisor()).unwrap();
    let versions = ["v1", "v2"].map(apps::elf);
    for number in 0..20 {
        run.publish(&versions[number % 2]);
        for signal in [libc::SIGTSTP, libc::SIGCONT, libc::SIGTTIN, libc::SIGWINCH, libc::SIGURG] {
            for _ in 0..20 {
                // SAFETY: integers only.
                assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
            }
        }
        thread::sleep(Duration::from_millis(7));
    }
    run.publish(&apps::elf("v3"));
    run.wait_for_version("v3");
    run.story();
    run.assert_runs("v3");
    let mut run = run;
    run.signal_supervisor(Signal::SIGTERM);
    assert_eq!(run.exit_code(), Some(143), "{}", run.everything());
}

fn stop_signal() {
    let setup = Setup::with(&telling("v1"), &apps::elf("v2"));
    let run = setup.flags(&["--stop-signal=RTMIN+3"]).start();
    run.shell("mv new tree/app");
    run.wait_for_app("got=37");
    run.signal_app(Signal::SIGKILL);
    run.wait_for_version("v2");
    run.assert_story(&["start 1", "stop 1", "start 2"]);
}

fn under_nohup() {
    let line = "trap '' HUP INT; exec \"$@\"";
    let mut run = Setup::elf().under(&["sh", "-c", line, "sh"]).start();
    run.signal_supervisor(Signal::SIGHUP);
    run.signal_supervisor(Signal::SIGINT);
    run.shell("mv new tree/app");
    run.assert_one_restart_to("v2");
    run.signal_supervisor(Signal::SIGTERM);
    run.exit_code();
}

fn state(pid: i32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    fields.chars().take(1).collect()
}

fn deliberate_stop() {
    let run = Setup::elf().start();
    run.signal_app(Signal::SIGSTOP);
    // On a busy machine it is stopped when it gets its turn.
    until("stop", || (state(run.pid()) == "T").then_some(()));
    // So long the supervisor has known of the stop.
    for _ in 0..20 {
        pause(10);
        assert_eq!(state(run.pid()), "T", "{}", run.everything());
    }
    run.shell("mv new tree/app");
    run.assert_one_restart_to("v2");
}

/// The exit code of a supervisor whose app runs this line.
fn code_of(line: &str) -> Option<i32> {
    let status = Command::new(env!("CARGO_BIN_EXE_relaunch"))
        .args(["run", "--on-exit=exit", "--", "/bin/sh", "-c", line])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.unwrap().code()
}

fn exit_codes() {
    let codes: Vec<_> = (0..=255).map(|code| code_of(&format!("exit {code}"))).collect();
    assert_eq!(codes, (0..=255).map(Some).collect::<Vec<_>>());
}

fn end_signals() {
    // Ignored by default, or stopping, which nobody does to a group that no shell looks after.
    let harmless = [
        libc::SIGCHLD,
        libc::SIGCONT,
        libc::SIGURG,
        libc::SIGWINCH,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
    ];
    for number in (1..=64).filter(|number| *number != libc::SIGSTOP) {
        let code = code_of(&format!("ulimit -c 0; kill -{number} $$; exit 99"));
        let expected = if harmless.contains(&number) { 99 } else { 128 + number };
        assert_eq!(code, Some(expected), "signal {number}");
    }
}
