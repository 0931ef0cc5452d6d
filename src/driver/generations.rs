//! The supervisor's hands on processes: start, signal, and what is reported back.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, poll};

use super::start::{Ordered, exec_problem, start_current, start_last_good};
use super::supervisor::{Current, Supervisor};
use crate::control::Fingerprint;
use crate::core::{
    Ending, Event, FileEvent, Generation, Program as Which, Recipient, StartProblem, Stop, Stopper,
    What,
};
use crate::process::{Child, Keeper, Place, Report, Sender, Status, Terminal, reap_children};
use crate::settings::SignalNumber;

impl Supervisor {
    /// Orders an exec. Its outcome comes as a report; a failure before it is the answer.
    pub(super) fn start(&mut self, number: Generation, which: Which) -> Option<Event> {
        // A generation that could not be killed is let go of: its keeper goes on trying.
        self.current = None;
        self.spared = self.grounds.spared(&self.command);
        self.watch.listen(&self.spared);
        self.watch.freeze();
        let keeper = self.keeper.take().map_or_else(Keeper::prepare, Ok);
        let place = self.terminal.as_ref().map_or(Place::OwnSession, Terminal::place);
        let ordered = match (which, &self.image) {
            (Which::LastGood, Some(last)) => {
                start_last_good(number.0, &self.command, last, keeper, place)
            }
            (Which::Current | Which::LastGood, _) => {
                start_current(number.0, &self.command, keeper, place)
            }
        };
        match ordered {
            Ok(Ordered { generation, new, path, is_script }) => {
                let has_terminal = matches!(place, Place::Foreground(_));
                let denied = false;
                self.current = Some(Current {
                    number,
                    generation,
                    ordered: self.clock.now(),
                    new,
                    is_script,
                    has_terminal,
                    denied,
                    path,
                });
                None
            }
            Err(problem) => Some(Event::StartFailed { generation: number, problem }),
        }
    }

    /// Sends a signal. What may not be signalled (another user's) is named, once, and left to the
    /// deadline.
    pub(super) fn signal(&mut self, number: Generation, to: Recipient, signal: i32) {
        let current = self.current.as_mut().filter(|current| current.number == number);
        let (Some(current), Some(signal)) = (current, SignalNumber::new(signal)) else { return };
        let sent = match to {
            Recipient::Leader => current.generation.signal_leader(signal),
            Recipient::Group => current.generation.signal_group(signal),
            Recipient::Rest => {
                current.generation.signal_others(&[signal]);
                Ok(())
            }
        };
        let denied = sent.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
        if denied && !std::mem::replace(&mut current.denied, true) {
            self.warn(
                "the app has become another user and may not be signalled; to stop it, the supervisor must run as that user or as root",
            );
        }
    }

    /// Those of the signals that the app is ready for.
    pub(super) fn ready_for(&self, number: Generation, mut signals: Vec<i32>) -> Vec<i32> {
        let current = self.current.as_ref().filter(|current| current.number == number);
        signals.retain(|signal| {
            let signal = SignalNumber::new(*signal);
            current
                .zip(signal)
                .is_some_and(|(it, signal)| it.generation.is_leader_ready_for(signal))
        });
        signals
    }

    /// Takes in all signals; returns the children that the reaper found.
    pub(super) fn take_signals(&mut self) -> Vec<Child> {
        let mut has_news = false;
        for received in self.signals.read().unwrap_or_default() {
            let signal = received.signal.get();
            match signal {
                // Reaped behind all others: until then nobody else has the numbers they go to.
                libc::SIGCHLD => has_news = true,
                _ if self.signals.declines(received.signal) => {}
                libc::SIGTERM | libc::SIGINT | libc::SIGQUIT => {
                    self.feed(Event::ShutdownAsked(Stop { signal }));
                }
                // The terminal is gone, and with it whoever could see or stop us.
                libc::SIGHUP if self.is_hang_up(received.sender) => {
                    self.feed(Event::ShutdownAsked(Stop { signal }));
                }
                libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => {
                    self.feed(Event::SignalArrived { signal: libc::SIGTSTP });
                }
                libc::SIGCONT => self.continued(),
                _ => self.feed(Event::SignalArrived { signal }),
            }
        }
        if has_news { reap_children() } else { Vec::new() }
    }

    /// Whether a HUP means the end of the terminal and not a wish of somebody for the app: the
    /// kernel sent it, or a shell that passes on what it got.
    fn is_hang_up(&self, sender: Sender) -> bool {
        self.terminal
            .as_ref()
            .is_some_and(|terminal| sender == Sender::Kernel || terminal.is_hung_up())
    }

    /// Takes in what the running generation's keeper says.
    pub(super) fn take_reports(&mut self, children: &[Child]) {
        let Some(current) = &mut self.current else { return };
        let number = current.number;
        for report in current.generation.reports(children) {
            match report {
                Report::Started { pid } => self.started(number, pid),
                Report::StartFailed { errno } => {
                    let problem = self.exec_failed(errno);
                    self.feed(Event::StartFailed { generation: number, problem });
                }
                Report::Leader(Status::Exited(code)) => {
                    self.leader_ended(number, Ending::Code(code));
                }
                Report::Leader(Status::Signaled(signal)) => {
                    self.leader_ended(number, Ending::Signal(signal.get()));
                }
                Report::Leader(Status::Stopped(signal)) => {
                    let by = match signal.get() {
                        libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => Stopper::Terminal,
                        _ => Stopper::Somebody,
                    };
                    self.feed(Event::Suspended { generation: number, by });
                }
                Report::Leader(Status::Continued) => {}
                Report::KeeperDied => self.warn(
                    "the keeper of the app was killed; going on without it, helpers that left the app's session may be missed",
                ),
                Report::NoSubreaper { errno } => {
                    let cause = std::io::Error::from_raw_os_error(errno);
                    self.warn(&format!("orphans of the app may escape a restart: {cause}"));
                }
                Report::Empty => {
                    if let Some(terminal) = &mut self.terminal {
                        terminal.take_back();
                    }
                    // What was written until now is what the next generation runs with, once it settles.
                    self.read_watch();
                    self.feed(Event::Emptied { generation: number });
                    self.let_go_of_finished();
                }
            }
        }
    }

    /// A keeper whose generation is empty, and the zombie that it holds, have nothing more to do.
    fn let_go_of_finished(&mut self) {
        if self.current.as_ref().is_some_and(|current| current.generation.is_finished()) {
            self.last_written = self.written();
            self.current = None;
        }
    }

    fn started(&mut self, number: Generation, pid: i32) {
        self.watch.rebase_all();
        self.started_with.append(&mut self.judged);
        let Some(current) = &mut self.current else { return };
        let path: Arc<Path> = current.path.as_path().into();
        let (is_script, has_terminal) = (current.is_script, current.has_terminal);
        if let Some((image, program)) = current.new.take() {
            self.announce_stand_in(&program);
            let held = image.held.as_ref();
            self.telling.fingerprint = held.map(|held| Fingerprint::of(held.file()));
            self.image = Some((image, program));
        }
        let mut another = false;
        if let Some((image, _)) = &mut self.image {
            image.pid = Some(pid);
            if is_script || image.is_hidden() {
                // Nothing keeps a script from being written in place while it runs, and nothing tells
                // what a process runs that has more rights than we.
                image.note_bytes();
            }
            another = image.is_another(pid, is_script);
        }
        if let Some(terminal) = self.terminal.as_mut().filter(|_| has_terminal) {
            terminal.given_to(pid);
        }
        let spared = self.spared.iter().map(|root| root.as_path().into()).collect();
        self.feed(Event::Started { generation: number, pid, spared });
        if another {
            self.feed(Event::File(FileEvent { path, what: What::Found }));
        }
    }

    fn exec_failed(&mut self, errno: i32) -> StartProblem {
        if let Some(terminal) = &mut self.terminal {
            // The child had taken it before its exec.
            terminal.take_back();
        }
        let path = self.current.take().map(|current| current.path).unwrap_or_default();
        exec_problem(&path, errno)
    }

    fn leader_ended(&mut self, number: Generation, ending: Ending) {
        if let Some((image, _)) = &mut self.image {
            image.pid = None;
        }
        if let Some(terminal) = &mut self.terminal {
            terminal.take_back();
        }
        self.feed(Event::Exited { generation: number, ending });
    }

    /// The app's process while it runs.
    fn leader(&self) -> Option<i32> {
        self.core.running()?;
        self.current.as_ref()?.generation.leader()
    }

    /// Somebody continues us, perhaps a shell that brought us back to the foreground: the app gets
    /// the terminal again.
    fn continued(&mut self) {
        let leader = self.leader();
        if let (Some(terminal), Some(leader)) = (&mut self.terminal, leader)
            && terminal.is_foreground()
        {
            // Fails when it hung up or the group is gone: its end will be reported.
            let _ = terminal.give(leader);
        }
        self.feed(Event::SignalArrived { signal: libc::SIGCONT });
    }

    /// Stops the supervisor as the app was stopped; both go on together.
    pub(super) fn suspend(&mut self) {
        let leader = self.leader();
        if let Some(terminal) = &mut self.terminal {
            let _ = terminal.suspend(leader);
        }
        if let Some(current) = &self.current {
            let _ = current.generation.signal_group(SignalNumber::CONT);
        }
    }

    /// Forks the keeper of the next start ahead of need. Where that fails now, the start tries
    /// again.
    pub(super) fn prepare_keeper(&mut self) {
        if self.keeper.is_none() {
            self.keeper = Keeper::prepare().ok();
        }
    }

    /// Keepers end when their socket closes; they are waited for, so that nobody sees a process of
    /// ours after our end.
    pub(super) fn let_keepers_go(&mut self) {
        let prepared = self.keeper.take().map(|keeper| keeper.pid());
        let kept = self.current.take().and_then(|current| current.generation.keeper());
        let mut left: Vec<i32> = [prepared, kept].into_iter().flatten().collect();
        let until = Instant::now() + KEEPERS_END;
        while !left.is_empty() && Instant::now() < until {
            let mut news = [PollFd::new(self.signals.fd(), PollFlags::POLLIN)];
            let _ = poll(&mut news, 20_u8);
            let _ = self.signals.read();
            for child in reap_children().into_iter().filter(|child| child.status.is_end()) {
                left.retain(|pid| *pid != child.pid);
            }
        }
    }
}

/// A keeper without a generation ends within a millisecond; one that must kill takes longer, and
/// goes on without us.
const KEEPERS_END: Duration = Duration::from_millis(300);
