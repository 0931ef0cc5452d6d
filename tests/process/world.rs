//! What a case needs: a small supervisor without decisions, the app's output, deadlines.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use relaunch_buildpack::process::{
    Child, Generation, Keeper, Order, Place, Report, Signals, Status, become_subreaper,
    reap_children,
};
use relaunch_buildpack::settings::SignalNumber;

/// Everything is awaited at most this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn signal(number: i32) -> SignalNumber {
    SignalNumber::new(number).unwrap()
}

/// A supervisor that only listens.
pub(crate) struct World {
    pub(crate) signals: Signals,
    /// All children that ended, stopped or continued so far.
    pub(crate) children: Vec<Child>,
    /// Reports that came along with an awaited one, for the next call.
    pub(crate) pending: VecDeque<Report>,
}

impl World {
    pub(crate) fn new() -> Self {
        become_subreaper().unwrap();
        Self {
            signals: Signals::install().unwrap(),
            children: Vec::new(),
            pending: VecDeque::new(),
        }
    }

    /// Starts, and waits for `Started`.
    pub(crate) fn started(&mut self, words: &[&str]) -> Generation {
        let mut generation = start_on(words, Place::OwnSession);
        let reports =
            self.until(&mut generation, |report| matches!(report, Report::Started { .. }));
        assert_eq!(reports.len(), 1, "{reports:?}");
        generation
    }

    /// All reports up to the wanted one.
    pub(crate) fn until(
        &mut self,
        generation: &mut Generation,
        wanted: impl Fn(&Report) -> bool,
    ) -> Vec<Report> {
        let deadline = Instant::now() + PATIENCE;
        let mut all = Vec::new();
        loop {
            let new = self.reports(generation);
            self.pending.extend(new);
            while let Some(report) = self.pending.pop_front() {
                all.push(report);
                if wanted(&report) {
                    return all;
                }
            }
            assert!(Instant::now() < deadline, "only {all:?} came");
            self.wait(generation.fd(), Duration::from_millis(100));
        }
    }

    pub(crate) fn reports(&mut self, generation: &mut Generation) -> Vec<Report> {
        let children = reap_children();
        self.children.extend(&children);
        generation.reports(&children)
    }

    /// Waits for a report or a signal.
    pub(crate) fn wait(&self, generation: Option<BorrowedFd<'_>>, at_most: Duration) {
        let mut fds = vec![PollFd::new(self.signals.fd(), PollFlags::POLLIN)];
        fds.extend(generation.map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        let timeout = PollTimeout::try_from(at_most).unwrap();
        poll(&mut fds, timeout).unwrap();
        self.signals.read().unwrap();
    }

    pub(crate) fn until_empty(&mut self, generation: &mut Generation) -> Vec<Report> {
        self.until(generation, |report| *report == Report::Empty)
    }

    /// Rounds of STOP and KILL until nothing is left. Whether the leader's stop is seen before its
    /// end is chance, so it is left out.
    pub(crate) fn end(&mut self, generation: &mut Generation) -> Vec<Report> {
        let deadline = Instant::now() + PATIENCE;
        let mut all: Vec<Report> = self.pending.drain(..).collect();
        while !all.contains(&Report::Empty) {
            assert!(Instant::now() < deadline, "only {all:?} came");
            generation.stop_and_kill();
            self.wait(generation.fd(), Duration::from_millis(5));
            all.extend(self.reports(generation));
        }
        all.retain(|report| !matches!(report, Report::Leader(Status::Stopped(_))));
        all
    }

    /// Runs to the end; the leader's status.
    pub(crate) fn run(&mut self, words: &[&str]) -> Status {
        let mut generation = start_on(words, Place::OwnSession);
        let reports = self.until_empty(&mut generation);
        let [Report::Started { .. }, Report::Leader(status), Report::Empty] = reports[..] else {
            panic!("{reports:?}");
        };
        status
    }
}

/// Starts these words as generation 1, perhaps on the terminal; the first is a path.
pub(crate) fn start_on(words: &[&str], place: Place) -> Generation {
    start_under(Keeper::prepare().unwrap(), words, place)
}

/// The same under a keeper that was prepared before.
pub(crate) fn start_under(keeper: Keeper, words: &[&str], place: Place) -> Generation {
    try_start(keeper, words, place).unwrap()
}

/// The same under a keeper that may be gone.
pub(crate) fn try_start(keeper: Keeper, words: &[&str], place: Place) -> io::Result<Generation> {
    let arguments: Vec<OsString> = words.iter().map(Into::into).collect();
    let mut environment: Vec<(OsString, OsString)> = env::vars_os().collect();
    environment.push(("RELAUNCH_GENERATION".into(), "1".into()));
    let order = Order {
        path: Path::new(words[0]),
        held: None,
        arguments: &arguments,
        environment: &environment,
        place,
    };
    keeper.start(&order)
}

/// Kills a supervisor whose app and helper, which left its session, ignore TERM; the pids of both.
pub(crate) fn orphaned() -> [i32; 2] {
    become_subreaper().unwrap();
    let mut output = Output::capture();
    // SAFETY: one thread.
    let supervisor = unsafe { libc::fork() };
    if supervisor == 0 {
        let line = "trap '' TERM; setsid sleep 60 & echo $!; echo $$; while :; do wait; done";
        let _generation = start_on(&["/bin/sh", "-c", line], Place::OwnSession);
        loop {
            nix::unistd::pause();
        }
    }
    let both = [output.pid(), output.pid()];
    kill_process(supervisor);
    both
}

pub(crate) fn kill_process(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

/// This program, for roles.
pub(crate) fn own_path() -> String {
    env::current_exe().unwrap().to_str().unwrap().to_owned()
}

/// What apps started from now on write to stdout.
pub(crate) struct Output(BufReader<fs::File>);

impl Output {
    /// Puts a pipe in the place of this process's stdout.
    pub(crate) fn capture() -> Self {
        let (reader, writer) = nix::unistd::pipe().unwrap();
        nix::unistd::dup2_stdout(&writer).unwrap();
        Self::from(reader)
    }

    /// The next line, without its end.
    pub(crate) fn line(&mut self) -> String {
        if self.0.buffer().is_empty() {
            let mut fds = [PollFd::new(self.0.get_ref().as_fd(), PollFlags::POLLIN)];
            let timeout = PollTimeout::try_from(PATIENCE).unwrap();
            assert_eq!(poll(&mut fds, timeout), Ok(1), "no line came");
        }
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next line as a pid.
    pub(crate) fn pid(&mut self) -> i32 {
        self.line().parse().unwrap()
    }
}

impl From<OwnedFd> for Output {
    fn from(fd: OwnedFd) -> Self {
        Self(BufReader::new(fs::File::from(fd)))
    }
}

/// Whether a process runs; a zombie does not.
pub(crate) fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// One field of `/proc/PID/status`.
pub(crate) fn status_field(pid: &str, field: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line[field.len()..].trim_start_matches(':').trim().to_owned()
}

fn own_children() -> Vec<i32> {
    let list: PathBuf = "/proc/thread-self/children".into();
    let list = fs::read_to_string(list).unwrap();
    list.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// The end of every case: all keepers went by themselves, and nothing was handed to us.
pub(crate) fn assert_no_child_is_left() {
    eventually("no child is left", || {
        let _ = reap_children();
        own_children().is_empty()
    });
}

/// Ends what a case left behind; returns how many processes it was.
pub(crate) fn end_descendants() -> usize {
    let mut ended = 0;
    loop {
        let _ = reap_children();
        let children = own_children();
        if children.is_empty() {
            return ended;
        }
        for pid in children {
            ended += usize::from(lives(pid));
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
