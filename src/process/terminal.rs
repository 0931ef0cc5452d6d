//! The terminal: who is in its foreground, and the modes that an app may leave behind.
//!
//! The app's group is put in the foreground, so that keys act on the app as on any program started
//! by hand; Ctrl-C never reaches the supervisor then. When the app is gone the terminal is taken
//! back, with the modes that it had at start.

use std::io;

use nix::sys::signal::{Signal, kill, raise};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcgetsid, tcsetattr};
use nix::unistd::{Pid, getpgrp, getpid, getppid, getsid, tcgetpgrp, tcsetpgrp};

use super::order::Place;
use super::procfs;
use super::sys;
use crate::system::stat;

/// The controlling terminal of the supervisor. SIGTTOU must be ignored or blocked, as
/// [`Signals::install`](super::Signals::install) does.
#[derive(Debug)]
pub struct Terminal {
    /// 0, 1 or 2.
    number: i32,
    /// The modes at start.
    modes: Termios,
    /// The group that was last put in the foreground.
    given: Option<Pid>,
}

impl Terminal {
    /// The controlling terminal, if stdin, stderr or stdout is it. A session leader without one
    /// (PID 1 of some engines) takes the terminal it finds there as its own.
    #[must_use]
    pub fn find() -> Option<Self> {
        let session = getsid(None).ok()?;
        [0, 2, 1].into_iter().find_map(|number| {
            let fd = sys::stream(number);
            let modes = tcgetattr(fd).ok()?;
            if session == getpid() && tcgetsid(fd).is_err() {
                // Fails when another session has it; the next line tells.
                let _ = sys::acquire_terminal(fd);
            }
            (tcgetsid(fd) == Ok(session)).then_some(Self { number, modes, given: None })
        })
    }

    /// Where an app is to start: beside the supervisor, in the foreground or the background. In the
    /// background without job control nobody would ever bring it forward; it gets no terminal then.
    #[must_use]
    pub fn place(&self) -> Place {
        if self.is_foreground() {
            Place::Foreground(self.number)
        } else if self.has_job_control() {
            Place::Background
        } else {
            Place::OwnSession
        }
    }

    /// Whether the other side of the terminal is gone; reading it answers EIO for ever.
    #[must_use]
    pub fn is_hung_up(&self) -> bool {
        matches!(tcgetattr(sys::stream(self.number)), Err(nix::Error::EIO))
    }

    /// Whether the supervisor's own group is in the foreground.
    #[must_use]
    pub fn is_foreground(&self) -> bool {
        tcgetpgrp(sys::stream(self.number)) == Ok(getpgrp())
    }

    /// Notes that this leader started with the terminal. It took the foreground itself, and may have
    /// passed it on to a job of its own since.
    pub const fn given_to(&mut self, leader: i32) {
        self.given = Some(Pid::from_raw(leader));
    }

    /// Puts a leader's group in the foreground; for a later `fg` (a CONT came, and
    /// [`Self::is_foreground`]).
    ///
    /// # Errors
    ///
    /// tcsetpgrp(3)'s: the group is gone, or the terminal hung up.
    pub fn give(&mut self, leader: i32) -> io::Result<()> {
        let group = Pid::from_raw(leader);
        self.given = Some(group);
        Ok(tcsetpgrp(sys::stream(self.number), group)?)
    }

    /// Takes the terminal back and restores the modes it had at start. Call it when the leader is
    /// gone and again at `Empty`: a job of an interactive app may hold it until then. `false` when
    /// it belongs to somebody else meanwhile (the shell above put us in the background) or hung up.
    pub fn take_back(&mut self) -> bool {
        let fd = sys::stream(self.number);
        let Ok(now) = tcgetpgrp(fd) else { return false };
        let own = getpgrp();
        let takeable =
            now == own || Some(now) == self.given || (now.as_raw() > 1 && !group_lives(now));
        if !takeable || tcsetpgrp(fd, own).is_err() {
            return false;
        }
        self.given = None;
        tcsetattr(fd, SetArg::TCSANOW, &self.modes).is_ok()
    }

    /// Whether a shell above does job control for us. Only then may a stopped app stop the
    /// supervisor too; otherwise nobody would ever continue them, and the app is to be continued.
    ///
    /// A small init (`docker run --init`) puts us in a group of our own as a shell does, but never
    /// continues anybody. Interactive shells are told apart by ignoring TSTP for themselves.
    #[must_use]
    pub fn has_job_control(&self) -> bool {
        let (Ok(session), group) = (getsid(None), getpgrp()) else {
            return false;
        };
        let mut above = getppid().as_raw();
        while let Some(process) = stat::process(above) {
            if process.session != session.as_raw() {
                return false;
            }
            if process.group != group.as_raw() {
                return procfs::ignores(above, libc::SIGTSTP);
            }
            above = process.parent;
        }
        false
    }

    /// Stops the supervisor and the rest of its job as Ctrl-Z would have, after the app was stopped
    /// by that key or for using the terminal from the background; returns when the shell continues
    /// it. `true`: in the foreground (`fg`), and the leader's group has the terminal again with the
    /// modes it had set. `false`: in the background (`bg`). Either way the group is to be continued
    /// by the caller. `None` = no app runs. The CONT that woke us can be read from the signals too.
    ///
    /// # Errors
    ///
    /// tcsetpgrp(3)'s; the terminal may have hung up meanwhile.
    pub fn suspend(&mut self, leader: Option<i32>) -> io::Result<bool> {
        let fd = sys::stream(self.number);
        let app_modes = match tcgetpgrp(fd) {
            Ok(now) if Some(now) == self.given => Some(tcgetattr(fd)?),
            // The modes are those of whoever has the terminal now, such as the shell's line editor.
            _ => None,
        };
        self.take_back();
        // Others of our pipeline. Our own copy is blocked, and dropped by the CONT that wakes us.
        let _ = kill(Pid::from_raw(0), Signal::SIGTSTP);
        raise(Signal::SIGSTOP)?;
        if !self.is_foreground() {
            return Ok(false);
        }
        if let Some(leader) = leader {
            self.give(leader)?;
            if let Some(modes) = app_modes {
                tcsetattr(fd, SetArg::TCSANOW, &modes)?;
            }
        }
        Ok(true)
    }
}

fn group_lives(group: Pid) -> bool {
    nix::sys::signal::killpg(group, None) != Err(nix::Error::ESRCH)
}
