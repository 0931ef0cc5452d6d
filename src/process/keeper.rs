//! The keeper: a small process between the supervisor and one generation of the app. It is a
//! subreaper, so whatever the app leaves behind comes back to it and to nobody else; what descends
//! from it is the generation, exactly.
//!
//! It is forked without exec from the single-threaded supervisor, ahead of need, and does as little
//! as possible, since each page it touches is memory of its own. It starts the app on order,
//! reports what becomes of the leader, and reaps. It signals nobody as long as the supervisor
//! lives.
//!
//! The leader is reaped last: as a zombie it keeps its pid, its group and its session from being
//! given to a stranger, so the supervisor may signal them by number until it lets go of the socket.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::unistd::{Pid, getpid, pipe2, setpgid};

use super::Child;
use super::footprint::give_back_code;
use super::launch::{self, Launch};
use super::message::{Message, Request, drop_kills, receive_request, send_message};
use super::order::Received;
use super::procfs::{self, Children};
use super::sys::{self, Fork, Image, Take, Which};
use super::tree::{KEEPER_NAME, Scope};
use crate::system::mask::{ALL_SIGNALS, set_mask};

/// Time between TERM and KILL when the supervisor died.
const GRACE: Duration = Duration::from_secs(2);
/// The largest process id of any Linux (`PID_MAX_LIMIT` of the kernel); asking for each takes about
/// a second.
const LAST_PID: i32 = 1 << 22;
/// Numbers between two looks whether anybody is left: about a millisecond.
const ASKED_AT_ONCE: usize = 4096;
/// Pause after the first round of KILL, then twice as long each time; a process in an uninterruptible
/// wait may need many.
const ROUND: Duration = Duration::from_millis(50);
/// However long it takes.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A round takes at most this part of a core: a search by number is dear.
const SHARE: u32 = 20;

/// The keeper's whole life.
pub(super) fn run(socket: OwnedFd) -> ! {
    let _guard = ExitOnUnwind;
    let Some((supervisor, news)) = isolate(socket) else { sys::exit(1) };
    let mut keeper = Keeper { supervisor, news, leader: Leader::None };
    keeper.serve();
    keeper.finish()
}

/// A keeper must never return into the supervisor's code.
struct ExitOnUnwind;

impl Drop for ExitOnUnwind {
    fn drop(&mut self) {
        sys::exit(1)
    }
}

/// Separates this process from the supervisor: a group of its own, so that the terminal's signals
/// pass it by; every signal blocked; no descriptor but the three streams, the socket and a
/// signalfd.
fn isolate(socket: OwnedFd) -> Option<(OwnedFd, OwnedFd)> {
    set_mask(ALL_SIGNALS).ok()?;
    let _ = setpgid(Pid::from_raw(0), Pid::from_raw(0));
    let _ = prctl::set_name(KEEPER_NAME);
    let socket = sys::move_to(socket, 3).ok()?;
    sys::close_from(4);
    // An ignored SIGCHLD would make the kernel reap children unseen.
    sys::set_ignored(libc::SIGCHLD, false).ok()?;
    let news = sys::signalfd(sys::bit(libc::SIGCHLD)).ok()?;
    if let Err(errno) = prctl::set_child_subreaper(true) {
        let _ = send_message(socket.as_fd(), Message::NoSubreaper(errno as i32));
    }
    Some((socket, news))
}

/// The leader's life as the keeper sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leader {
    /// Nothing was started.
    None,
    Alive(i32),
    /// Ended and reported, not reaped: it holds its pid.
    Zombie(i32),
    /// Ended, reported and reaped, since /proc does not show its siblings.
    Reaped,
    /// Nothing of the generation is left; the leader is still a zombie where /proc allows.
    Empty,
}

struct Keeper {
    supervisor: OwnedFd,
    /// Readable after a child's state changed.
    news: OwnedFd,
    leader: Leader,
}

impl Keeper {
    /// Serves until the supervisor lets go of the socket or dies.
    fn serve(&mut self) {
        let mut is_lean = false;
        loop {
            if self.leader != Leader::None && !is_lean {
                // From here on it mostly waits.
                give_back_code();
                is_lean = true;
            }
            let (order, news) = wait_for(self.supervisor.as_fd(), self.news.as_fd());
            if news {
                drain(self.news.as_fd());
                self.reap();
            }
            if order {
                match receive_request(self.supervisor.as_fd()) {
                    None => return,
                    Some(Request::Kill) => {
                        self.kill_by_number();
                        drop_kills(self.supervisor.as_fd());
                    }
                    Some(Request::Start(files)) if self.leader == Leader::None => {
                        let outcome = self.start(files);
                        let outcome =
                            outcome.map_or_else(Message::StartFailed, |()| Message::Started);
                        self.report(outcome);
                        // The signal of a child that ended at once may have come before its pid was
                        // known here.
                        self.reap();
                    }
                    Some(Request::Start(_)) => {}
                }
            }
        }
    }

    fn report(&self, message: Message) {
        // A supervisor that is gone shows as the end of the socket.
        let _ = send_message(self.supervisor.as_fd(), message);
    }

    /// Starts the app; returns when exec succeeded, or its errno.
    fn start(&mut self, files: Vec<OwnedFd>) -> Result<(), i32> {
        let mut files = files.into_iter();
        let order = files.next().ok_or(libc::EPROTO)?;
        let held = files.next();
        let order = Received::from_file(order).map_err(|error| errno(&error))?;
        let (path, arguments, environment) = order.lists().ok_or(libc::EPROTO)?;
        let (outcome, failure) =
            pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(|errno| errno as i32)?;
        let launch = Launch {
            image: Image { path, arguments: &arguments, environment: &environment },
            held,
            place: order.place,
            supervisor: self.supervisor.as_fd(),
            failure,
        };
        let pid = match sys::fork().map_err(|error| errno(&error))? {
            Fork::Child => launch::run(launch),
            Fork::Parent(pid) => pid,
        };
        drop(launch);
        let mut failed = [0; 4];
        if File::from(outcome).read_exact(&mut failed).is_ok() {
            reap_failed(pid);
            return Err(i32::from_le_bytes(failed));
        }
        self.leader = Leader::Alive(pid);
        Ok(())
    }

    fn reap(&mut self) {
        match self.leader {
            Leader::None | Leader::Empty => {}
            Leader::Alive(leader) => self.reap_around_leader(leader),
            Leader::Zombie(leader) => self.reap_others(leader),
            Leader::Reaped => {
                if self.reap_all() {
                    self.empty();
                }
            }
        }
    }

    fn empty(&mut self) {
        self.leader = Leader::Empty;
        self.report(Message::Empty);
    }

    /// Takes news of any child; a dead leader is only looked at.
    fn reap_around_leader(&mut self, leader: i32) {
        while let Ok(Some(child)) = sys::wait(Which::Any, Take::Peek) {
            if child.pid == leader && child.status.is_end() {
                self.leader = Leader::Zombie(leader);
                self.report(Message::Leader(child.status));
                self.reap_others(leader);
                return;
            }
            if child.pid == leader {
                // It may have ended since the look: its end is left for the next one.
                let stop = sys::wait(Which::Pid(leader), Take::Stops);
                if let Ok(Some(Child { status, .. })) = stop {
                    self.report(Message::Leader(status));
                }
            } else {
                let _ = sys::wait(Which::Pid(child.pid), Take::Reap);
            }
        }
    }

    /// Reaps all but the leader, whose zombie would hide the others from a wait for any child. The
    /// leader came first, so a list that holds only it was complete when it was read.
    fn reap_others(&mut self, leader: i32) {
        let children = Children::new().of(getpid().as_raw());
        if !children.contains(&leader) {
            self.report(Message::Reaped);
            let _ = sys::wait(Which::Pid(leader), Take::Reap);
            self.leader = Leader::Reaped;
            return self.reap();
        }
        let mut others = 0;
        for pid in children.into_iter().filter(|pid| *pid != leader) {
            let ended = sys::wait(Which::Pid(pid), Take::Reap)
                .is_ok_and(|child| child.is_some_and(|child| child.status.is_end()));
            others += usize::from(!ended);
        }
        if others == 0 {
            self.empty();
        }
    }

    /// Kills what can be found without /proc: the leader and its group while the leader holds its
    /// number, then every child of this process, found by asking the kernel for each number. What
    /// they leave behind is a child of this process at the next round. Ends as soon as none is left,
    /// which is reported.
    fn kill_by_number(&mut self) {
        match self.leader {
            Leader::None | Leader::Empty => {}
            Leader::Alive(leader) | Leader::Zombie(leader) => kill_group(leader),
            Leader::Reaped => {
                // What began after this process has a higher number, but for a wrap.
                let own = getpid().as_raw();
                for (asked, pid) in (own..=LAST_PID).chain(2..own).enumerate() {
                    if sys::wait(Which::Pid(pid), Take::Peek).is_ok() {
                        kill_group(pid);
                    }
                    if asked % ASKED_AT_ONCE == 0 && self.reap_all() {
                        return self.empty();
                    }
                }
            }
        }
    }

    /// Reaps every dead child, the leader too; true when no child is left.
    fn reap_all(&mut self) -> bool {
        loop {
            match sys::wait(Which::Any, Take::Reap) {
                Ok(Some(child)) => {
                    let of_leader = [Leader::Alive(child.pid), Leader::Zombie(child.pid)]
                        .contains(&self.leader);
                    if of_leader && child.status.is_end() {
                        self.leader = Leader::Reaped;
                    }
                }
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    }

    /// The supervisor let go or died: ends what is left, first with a request.
    fn finish(&mut self) -> ! {
        let scope = Scope {
            keeper: Some(getpid().as_raw()),
            own_children: false,
            dead_keeper: None,
            leader: None,
            mark: None,
            known: &[],
        };
        let (mut deadline, mut pause) = (Instant::now() + GRACE, ROUND);
        if self.reap_all() {
            sys::exit(0)
        }
        let blind = !procfs::is_visible();
        scope.signal(None, &[libc::SIGTERM, libc::SIGCONT]);
        if let Leader::Alive(leader) | Leader::Zombie(leader) = self.leader
            && blind
        {
            let _ = sys::kill(-leader, libc::SIGTERM);
            let _ = sys::kill(-leader, libc::SIGCONT);
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let begun = Instant::now();
                scope.stop_and_kill();
                if blind {
                    self.kill_by_number();
                }
                // What does not die may live for days (another user's, a debugger's); an end wakes.
                deadline = Instant::now() + pause.max(begun.elapsed() * SHARE);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            wait_for_news(self.news.as_fd(), left);
            if self.reap_all() {
                sys::exit(0)
            }
        }
    }
}

/// Kills a child of this process, or its zombie's group: nobody else can have its number. A group
/// of that number is its own.
fn kill_group(child: i32) {
    let _ = sys::kill(-child, libc::SIGKILL);
    let _ = sys::kill(child, libc::SIGKILL);
}

/// A child whose exec failed ends by itself at once.
fn reap_failed(pid: i32) {
    while let Ok(None) = sys::wait(Which::Pid(pid), Take::Reap) {
        std::thread::yield_now();
    }
}

/// Waits for either; returns which are readable.
fn wait_for(first: BorrowedFd<'_>, second: BorrowedFd<'_>) -> (bool, bool) {
    let mut descriptors =
        [PollFd::new(first, PollFlags::POLLIN), PollFd::new(second, PollFlags::POLLIN)];
    let _ = poll(&mut descriptors, PollTimeout::NONE);
    let [first, second] = descriptors.map(|descriptor| descriptor.any().unwrap_or(false));
    (first, second)
}

fn wait_for_news(news: BorrowedFd<'_>, timeout: Duration) {
    let mut descriptors = [PollFd::new(news, PollFlags::POLLIN)];
    let milliseconds = u16::try_from(timeout.as_millis() + 1).unwrap_or(u16::MAX);
    let _ = poll(&mut descriptors, PollTimeout::from(milliseconds));
    drain(news);
}

fn drain(news: BorrowedFd<'_>) {
    while let Ok(Some(_)) = sys::read_signal(news) {}
    debug_assert!(news.as_raw_fd() > 2);
}

fn errno(error: &std::io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EPROTO)
}
