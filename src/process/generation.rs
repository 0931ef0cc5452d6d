//! The supervisor's handles: a keeper prepared ahead, and the generation that it started. They
//! perform orders and report facts; what to do when is decided elsewhere.
//!
//! A generation survives its keeper. When the keeper dies (killed, out of memory) the kernel hands
//! its children to the next subreaper above, the supervisor: the generation is *adopted*. Its
//! leader is then a child of the supervisor, found by its pid; the others are children whose group
//! or session is the leader's, or that began with this generation's `RELAUNCH_GENERATION`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::keeper;
use super::message::{Incoming, Message, receive_message, send_kill, send_order};
use super::order::Order;
use super::sys::{self, Fork};
use super::tree::Scope;
use super::{Child, Status, procfs};
use crate::settings::{GENERATION_VARIABLE, SignalNumber};
use crate::system::stat;

/// Makes this process the reaper of its orphaned descendants (`PR_SET_CHILD_SUBREAPER`), so that a
/// generation comes to it when a keeper dies. PID 1 is that anyway.
///
/// # Errors
///
/// The system's error where subreapers are not to be had; everything works then but for processes
/// that leave a generation, which go to PID 1.
pub fn become_subreaper() -> io::Result<()> {
    Ok(nix::sys::prctl::set_child_subreaper(true)?)
}

/// A keeper that waits for its order.
#[derive(Debug)]
pub struct Keeper {
    pid: i32,
    socket: OwnedFd,
}

impl Keeper {
    /// Forks a keeper. The calling process must have one thread.
    ///
    /// # Errors
    ///
    /// fork(2)'s (`EAGAIN`, `ENOMEM`) or socketpair(2)'s (`EMFILE`); a retry may succeed.
    pub fn prepare() -> io::Result<Self> {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        match sys::fork()? {
            Fork::Child => keeper::run(theirs),
            Fork::Parent(pid) => Ok(Self { pid, socket: ours }),
        }
    }

    /// The keeper's process id.
    #[must_use]
    pub const fn pid(&self) -> i32 {
        self.pid
    }

    /// Hands over the order. Whether the app started is said by [`Generation::reports`].
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a NUL inside a word; `BrokenPipe` when the keeper died while it waited
    /// (killed, out of memory): prepare another; what making a memory file may answer.
    pub fn start(self, order: &Order<'_>) -> io::Result<Generation> {
        send_order(self.socket.as_fd(), &order.to_file()?, order.held)?;
        // A child of ours that was not reaped: nobody else has its number.
        go_on(self.pid);
        let mark = order.environment.iter().find(|(name, _)| name == GENERATION_VARIABLE).map(
            |(name, value)| [name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat(),
        );
        Ok(Generation {
            keeper: Some(self.pid),
            socket: Some(self.socket),
            own_children: false,
            dead_keeper: None,
            mark,
            known: Vec::new(),
            leader: None,
            life: Life::Ordered,
            ended: false,
            finished: false,
        })
    }
}

/// A fact about a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// exec succeeded; the leader has this pid, which is its group's number too.
    Started {
        /// Process id of the leader.
        pid: i32,
    },
    /// fork or exec failed; nothing runs, and no other report follows.
    StartFailed {
        /// The system's error number.
        errno: i32,
    },
    /// The leader's state changed; its descendants may live on.
    Leader(Status),
    /// The keeper died before `Empty`; the generation is adopted and the other reports still come.
    /// If it died before `Started`, that follows where a leader was forked at all (a failed exec
    /// then shows as its end with 126 or 127), and `Empty` alone where none was.
    KeeperDied,
    /// Orphans of this generation will not come back to its keeper: subreapers are not to be had.
    NoSubreaper {
        /// The system's error number.
        errno: i32,
    },
    /// No process of the generation is left; the last report.
    Empty,
}

/// How far the leader's life was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Life {
    Ordered,
    Started,
    /// A zombie: its keeper holds its pid.
    Ended,
    /// In an adopted generation, or where /proc shows its keeper nothing: its pid may be given to
    /// others.
    Reaped,
}

/// A started generation: the leader and whatever descends from its keeper.
///
/// Dropping it before `Empty` has the keeper end what is left: TERM, 2 s, KILL.
#[derive(Debug)]
pub struct Generation {
    /// `None` once it died.
    keeper: Option<i32>,
    /// `None` once nothing can come any more.
    socket: Option<OwnedFd>,
    own_children: bool,
    /// The number that the keeper had.
    dead_keeper: Option<i32>,
    mark: Option<Vec<u8>>,
    /// The processes found by the last call of `reports`, while they are looked for by marks.
    known: Vec<(i32, u64)>,
    leader: Option<i32>,
    life: Life,
    /// We killed the keeper ourselves.
    ended: bool,
    /// `Empty` or `StartFailed` was reported.
    finished: bool,
}

impl Generation {
    /// Readable when [`Self::reports`] has something to say; `None` for an adopted generation,
    /// whose news come with those of the supervisor's children.
    #[must_use]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }

    /// Process id of the keeper; `None` once it died.
    #[must_use]
    pub const fn keeper(&self) -> Option<i32> {
        self.keeper
    }

    /// Process id of the leader, known just before its exec.
    #[must_use]
    pub const fn leader(&self) -> Option<i32> {
        self.leader
    }

    /// All that happened since the last call, in order; never blocks. `children` is what
    /// [`reap_children`](super::reap_children) just returned: it tells of a dead keeper and of an
    /// adopted leader. Call it after each wake-up, with an empty list too.
    pub fn reports(&mut self, children: &[Child]) -> Vec<Report> {
        let mut reports = Vec::new();
        self.drain(&mut reports);
        for child in children.iter().filter(|child| child.pid > 0) {
            if Some(child.pid) == self.keeper && child.status.is_end() {
                self.keeper_died(&mut reports);
            } else if Some(child.pid) == self.leader && self.life < Life::Reaped {
                // A child of ours only because the keeper is dead, even if that is news.
                self.keeper_died(&mut reports);
                self.started(&mut reports);
                self.leader_changed(child.status, &mut reports);
                if child.status.is_end() {
                    self.life = Life::Reaped;
                }
            }
        }
        let alone = self.keeper.is_none() && self.socket.is_none();
        if alone && !self.finished {
            // The keeper's end of the socket closed at exec; a failed one ends with 126 or 127.
            self.started(&mut reports);
        }
        if self.own_children && !self.finished {
            let processes = self.scope().processes();
            self.known = processes.iter().map(|one| (one.pid, one.start)).collect();
        }
        if alone && !self.finished && (self.leader.is_none() || self.life == Life::Reaped) {
            self.finished = self.known.is_empty();
            reports.extend(self.finished.then_some(Report::Empty));
        }
        reports
    }

    fn drain(&mut self, reports: &mut Vec<Report>) {
        while let Some(socket) = &self.socket {
            match receive_message(socket.as_fd()) {
                Incoming::Message(message) => self.take(message, reports),
                Incoming::Nothing => return,
                // A keeper that died is known by its reaped process, not by this: the socket closes
                // before the kernel has handed its children on.
                Incoming::End => self.socket = None,
            }
        }
    }

    fn take(&mut self, message: Message, reports: &mut Vec<Report>) {
        match message {
            Message::NoSubreaper(errno) => {
                self.own_children = true;
                reports.push(Report::NoSubreaper { errno });
            }
            Message::Forked(pid) => self.leader = Some(pid),
            Message::Started => {
                self.started(reports);
            }
            Message::StartFailed(errno) => {
                // The keeper reaped that process.
                self.leader = None;
                self.finished = true;
                reports.push(Report::StartFailed { errno });
            }
            Message::Leader(status) => self.leader_changed(status, reports),
            Message::Reaped => self.life = Life::Reaped,
            Message::Empty => {
                self.finished = true;
                reports.push(Report::Empty);
            }
        }
    }

    fn started(&mut self, reports: &mut Vec<Report>) {
        if let Some(pid) = self.leader.filter(|_| self.life == Life::Ordered) {
            self.life = Life::Started;
            reports.push(Report::Started { pid });
        }
    }

    fn keeper_died(&mut self, reports: &mut Vec<Report>) {
        let Some(keeper) = self.keeper.take() else { return };
        if !self.finished {
            (self.own_children, self.dead_keeper) = (true, Some(keeper));
            if !self.ended {
                reports.push(Report::KeeperDied);
            }
        }
    }

    fn leader_changed(&mut self, status: Status, reports: &mut Vec<Report>) {
        if self.life < Life::Ended {
            if status.is_end() {
                self.life = Life::Ended;
            }
            reports.push(Report::Leader(status));
        }
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            keeper: self.keeper,
            own_children: self.own_children,
            dead_keeper: self.dead_keeper,
            leader: self.leader,
            mark: self.mark.as_deref(),
            known: &self.known,
        }
    }

    /// Whether nothing of it is left, not even a zombie that holds a number, once it is dropped.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// Pids of all living processes of the generation, parents before children.
    #[must_use]
    pub fn processes(&self) -> Vec<i32> {
        if self.finished {
            return Vec::new();
        }
        let processes = self.scope().processes();
        processes.iter().map(|process| process.pid).collect()
    }

    /// Signals the leader. A leader that has ended is no error: nothing happens.
    ///
    /// # Errors
    ///
    /// `EPERM` for a leader that changed its user.
    pub fn signal_leader(&self, signal: SignalNumber) -> io::Result<()> {
        self.keeper.into_iter().for_each(go_on);
        match self.leader.filter(|_| self.leader_holds_its_pid()) {
            Some(leader) => kill(leader, signal),
            None => Ok(()),
        }
    }

    /// Whether the leader handles, ignores or blocks a signal, whose default effect may be its end;
    /// `false` where /proc does not say.
    #[must_use]
    pub fn is_leader_ready_for(&self, signal: SignalNumber) -> bool {
        let leader = self.leader.filter(|_| self.leader_holds_its_pid());
        leader.is_some_and(|leader| procfs::is_ready_for(leader, signal.get()))
    }

    /// Signals the leader's process group. An empty group is no error.
    ///
    /// # Errors
    ///
    /// `EPERM` when not one of its processes may be signalled.
    pub fn signal_group(&self, signal: SignalNumber) -> io::Result<()> {
        self.keeper.into_iter().for_each(go_on);
        match self.leader.filter(|_| self.leader_holds_its_pid()) {
            Some(leader) => kill(-leader, signal),
            None => Ok(()),
        }
    }

    /// Signals every process but the leader, each with all signals in turn, wherever it hides.
    /// Returns how many were reached.
    pub fn signal_others(&mut self, signals: &[SignalNumber]) -> usize {
        if self.finished {
            return 0;
        }
        let signals: Vec<i32> = signals.iter().map(|signal| signal.get()).collect();
        self.scope().signal(self.leader, &signals)
    }

    /// One round of the end: stops every process, then kills every process. Returns how many /proc
    /// showed. Repeat it, some milliseconds apart, until `Empty`.
    pub fn stop_and_kill(&mut self) -> usize {
        if self.finished {
            return 0;
        }
        self.keeper.into_iter().for_each(go_on);
        if self.life == Life::Ordered && self.leader.is_none() {
            // It hangs (a debugger, a frozen cgroup) with the order before it: let alone, it would
            // start the app whenever it wakes. What it may have forked by now is adopted.
            self.keeper.into_iter().for_each(end);
            self.ended = true;
        }
        let found = self.scope().stop_and_kill();
        // /proc may show less than there is, or nothing; these are known without it.
        if let Some(leader) = self.leader.filter(|_| self.leader_holds_its_pid()) {
            let _ = kill(-leader, SignalNumber::KILL);
            let _ = kill(leader, SignalNumber::KILL);
        }
        if let (Some(keeper), Some(socket)) = (self.keeper, &self.socket)
            && stat::process(keeper).is_none()
        {
            send_kill(socket.as_fd());
        }
        found
    }

    /// The number of a leader is signalled only while nobody else can have it.
    const fn leader_holds_its_pid(&self) -> bool {
        !matches!(self.life, Life::Reaped) && !self.finished
    }
}

/// Continues a keeper that somebody stopped (`kill -STOP -1`, a debugger): it would never tell of
/// the end of its app.
fn go_on(keeper: i32) {
    let _ = sys::kill(keeper, libc::SIGCONT);
}

/// Kills a keeper that was not reaped: nobody else has its number.
fn end(keeper: i32) {
    let _ = sys::kill(keeper, libc::SIGKILL);
}

fn kill(pid: i32, signal: SignalNumber) -> io::Result<()> {
    match sys::kill(pid, signal.get()) {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        result => result,
    }
}
