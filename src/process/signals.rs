//! Signals to the supervisor, read from a descriptor in the loop instead of interrupting it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::sys::{self, bit};
use crate::settings::SignalNumber;

/// Ignored instead of read: a write to a closed pipe answers EPIPE, a broken lease answers by
/// itself, and terminal calls from the background must not stop the supervisor.
const IGNORED: [i32; 4] = [libc::SIGPIPE, libc::SIGIO, libc::SIGTTIN, libc::SIGTTOU];

/// Those that `nohup` and background jobs of a shell ignore on purpose.
const STOPPING: [i32; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

/// A signal that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Which one.
    pub signal: SignalNumber,
    /// The process that sent it; `None` when the kernel did (a key on the terminal, a child's end)
    /// or a process outside the PID namespace.
    pub sender: Option<i32>,
}

/// All signals that can be caught, blocked and readable. Equal signals that wait merge into one,
/// realtime ones do not; see signal(7).
#[derive(Debug)]
pub struct Signals {
    fd: OwnedFd,
    mask_before: u64,
    ignored_before: Vec<SignalNumber>,
}

impl Signals {
    /// Blocks every signal and opens the descriptor. To be called first of all, by the only thread.
    ///
    /// # Errors
    ///
    /// `EMFILE`, `ENFILE`, `ENOMEM` of signalfd(2).
    pub fn install() -> io::Result<Self> {
        let mut ignored_before = Vec::new();
        for signal in STOPPING {
            if sys::is_ignored(signal)? {
                ignored_before.extend(SignalNumber::new(signal));
            }
        }
        for signal in IGNORED {
            sys::set_ignored(signal, true)?;
        }
        // Ignored by the parent, it would have the kernel reap our children unseen.
        sys::set_ignored(libc::SIGCHLD, false)?;
        let read = IGNORED.iter().fold(sys::ALL_SIGNALS, |mask, signal| mask & !bit(*signal));
        let mask_before = sys::set_mask(read)?;
        let fd = sys::signalfd(read)?;
        Ok(Self { fd, mask_before, ignored_before })
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
        let mut received = Vec::new();
        while let Some(info) = sys::read_signal(self.fd.as_fd())? {
            let signal = i32::try_from(info.ssi_signo).ok().and_then(SignalNumber::new);
            let sender = i32::try_from(info.ssi_pid).ok().filter(|pid| *pid > 0);
            let by_process = info.ssi_code <= 0;
            received.extend(
                signal.map(|signal| Received { signal, sender: sender.filter(|_| by_process) }),
            );
        }
        Ok(received)
    }

    /// HUP, INT, QUIT, TERM as far as they were ignored at start, as under `nohup`: the caller of
    /// the supervisor wants them to have no effect.
    #[must_use]
    pub fn ignored_at_start(&self) -> &[SignalNumber] {
        &self.ignored_before
    }

    /// The signals that were blocked at start; bit n - 1 stands for signal n.
    #[must_use]
    pub const fn blocked_at_start(&self) -> u64 {
        self.mask_before
    }
}
