//! Signals to the supervisor, read from a descriptor in the loop instead of interrupting it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::sys;
use crate::settings::SignalNumber;
use crate::system::mask::{ALL_SIGNALS, set_mask};

/// Counted only when another process sent them: our own write to a closed pipe answers EPIPE as
/// well, a broken lease answers by itself, and a terminal call from the background fails.
const SELF_MADE: [i32; 4] = [libc::SIGPIPE, libc::SIGIO, libc::SIGTTIN, libc::SIGTTOU];

/// Those that `nohup` (HUP) and a shell for its background jobs (INT, QUIT) ignore on purpose. Never
/// TERM: a supervisor that cannot be asked to end is of no use.
const DECLINED: [i32; 3] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT];

/// Who sent a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The kernel: a key on the terminal, a terminal that hung up, a child's end.
    Kernel,
    /// This process.
    Process(i32),
    /// A process outside the PID namespace, such as the engine's.
    Outside,
}

/// A signal that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Which one.
    pub signal: SignalNumber,
    /// Who sent it.
    pub sender: Sender,
}

/// All signals that can be caught, blocked and readable. Equal signals that wait merge into one,
/// realtime ones do not; see signal(7).
#[derive(Debug)]
pub struct Signals {
    fd: OwnedFd,
    declined: Vec<SignalNumber>,
}

impl Signals {
    /// Blocks every signal and opens the descriptor. To be called first of all, by the only thread.
    ///
    /// # Errors
    ///
    /// `EMFILE`, `ENFILE`, `ENOMEM` of signalfd(2).
    pub fn install() -> io::Result<Self> {
        let mut declined = Vec::new();
        for signal in DECLINED {
            // An engine ignores nothing on purpose for its container's first process.
            if !is_pid1() && sys::is_ignored(signal)? {
                declined.extend(SignalNumber::new(signal));
            }
        }
        for signal in SELF_MADE {
            sys::set_ignored(signal, true)?;
        }
        // Ignored by the parent, it would have the kernel reap our children unseen.
        sys::set_ignored(libc::SIGCHLD, false)?;
        // A blocked signal is queued even when it is ignored.
        set_mask(ALL_SIGNALS)?;
        let fd = sys::signalfd(ALL_SIGNALS)?;
        Ok(Self { fd, declined })
    }

    /// Readable when a signal waits.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Takes all waiting signals; never blocks.
    ///
    /// # Errors
    ///
    /// read(2)'s; none is known to happen.
    pub fn read(&self) -> io::Result<Vec<Received>> {
        let own = nix::unistd::getpid().as_raw();
        let mut received = Vec::new();
        while let Some(info) = sys::read_signal(self.fd.as_fd())? {
            let signal = i32::try_from(info.ssi_signo).ok().and_then(SignalNumber::new);
            // SI_USER and its kin are 0 and below, what the kernel sends is above; see sigaction(2).
            let sender = match i32::try_from(info.ssi_pid) {
                _ if info.ssi_code > 0 => Sender::Kernel,
                Ok(pid) if pid > 0 => Sender::Process(pid),
                _ => Sender::Outside,
            };
            let by_others = ![Sender::Kernel, Sender::Process(own)].contains(&sender);
            received.extend(
                signal
                    .filter(|signal| by_others || !SELF_MADE.contains(&signal.get()))
                    .map(|signal| Received { signal, sender }),
            );
        }
        Ok(received)
    }

    /// Whether whoever started the supervisor wants this signal to have no effect: HUP, INT or QUIT
    /// that was ignored then, as under `nohup`. Never as PID 1.
    #[must_use]
    pub fn declines(&self, signal: SignalNumber) -> bool {
        self.declined.contains(&signal)
    }
}

fn is_pid1() -> bool {
    nix::unistd::getpid().as_raw() == 1
}
