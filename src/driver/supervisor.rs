//! The loop and its state: what is being waited for, and how each order of the core is performed.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::clock::Clock;
use super::evidence::Grounds;
use super::image::Image;
use super::judge::judge;
use super::probe::probe;
use super::program::{Command, Program};
use super::telling::Telling;
use super::{SLICE, observe, script};
use crate::candidate::{Identity, identity};
use crate::cli::Run;
use crate::control::Server;
use crate::core::{Action, Core, Event, Generation, Moment, Policy, Standing};
use crate::log::{Line, Log};
use crate::process::{self, Keeper, Signals, Terminal, become_subreaper};
use crate::watch::{Load, Only, Session, Watch};

/// The supervisor: the core and everything that its orders act on.
pub(super) struct Supervisor {
    pub(super) clock: Clock,
    pub(super) core: Core,
    pub(super) log: Log,
    pub(super) telling: Telling,
    pub(super) signals: Signals,
    pub(super) terminal: Option<Terminal>,
    pub(super) watch: Watch,
    /// Which of what it tells counts.
    pub(super) only: Only,
    pub(super) load: Load,
    pub(super) command: Command,
    /// Prepared for the next start when a change set begins.
    pub(super) keeper: Option<Keeper>,
    pub(super) current: Option<Current>,
    /// What the generation that is gone had written.
    pub(super) last_written: Option<u64>,
    /// The executable that ran last and its words.
    pub(super) image: Option<(Image, Program)>,
    /// Sync sessions whose end is waited for.
    pub(super) sessions: Vec<Session>,
    /// The executable as it was when it was judged last.
    pub(super) judged_program: Option<Identity>,
    /// Paths that were judged since the last start: what the next one runs with.
    pub(super) judged: BTreeSet<Arc<Path>>,
    /// Those judged before the last start, until they were looked at once more.
    pub(super) started_with: BTreeSet<Arc<Path>>,
    /// Somebody asks, or reads an answer.
    asked: bool,
    /// When the last slice of what can wait was worked off.
    worked: Moment,
    /// What has come and the core does not know yet, oldest first.
    pub(super) news: VecDeque<Event>,
    /// `news` said last that the watch compares.
    pub(super) scanning: bool,
    roots: Vec<PathBuf>,
    pub(super) grounds: Grounds,
    /// Roots in which a file that nobody opens is not in use.
    pub(super) spared: Vec<PathBuf>,
    /// `--state`.
    state: Option<PathBuf>,
    exit_code: u8,
}

/// The generation that was ordered last, until nothing of it is left.
pub(super) struct Current {
    pub(super) number: Generation,
    pub(super) generation: process::Generation,
    /// When it was ordered.
    pub(super) ordered: Moment,
    /// What is exec'ed; becomes the supervisor's `image` when the exec has succeeded. `None` = the
    /// last good executable again.
    pub(super) new: Option<(Image, Program)>,
    /// The process runs an interpreter, not the file itself.
    pub(super) is_script: bool,
    /// The app was given the terminal.
    pub(super) has_terminal: bool,
    /// It was said that the app may not be signalled.
    pub(super) denied: bool,
    pub(super) path: PathBuf,
}

impl Supervisor {
    /// Sets up everything that must stand before the first exec.
    pub(super) fn new(run: Run) -> io::Result<Self> {
        let clock = Clock::start();
        let Run { settings, command, remarks } = run;
        let signals = Signals::install()?;
        let pid1 = nix::unistd::getpid().as_raw() == 1;
        let words = command.iter().map(|word| word.display().to_string()).collect();
        let command = Command::here(command, settings.shell);
        let log = Log::new(settings.log, command.folder().to_owned());
        let subreaper = become_subreaper();
        let keeper = Keeper::prepare().ok();
        let terminal = Terminal::find();
        let job_control = !pid1 && terminal.as_ref().is_some_and(Terminal::has_job_control);
        let policy = Policy::new(&settings, pid1, job_control);
        let (roots, watch) = observe::watch(&settings, &command);
        let only = Only::new(&settings.only, &roots);
        let mut supervisor = Self {
            clock,
            core: Core::new(policy, settings.settle, settings.settle_max),
            log,
            telling: Telling::new(words),
            signals,
            terminal,
            watch,
            only,
            load: Load::new(),
            command,
            keeper,
            current: None,
            last_written: None,
            image: None,
            sessions: Vec::new(),
            judged_program: None,
            judged: BTreeSet::new(),
            started_with: BTreeSet::new(),
            asked: false,
            worked: Moment::ZERO,
            news: VecDeque::new(),
            scanning: false,
            grounds: Grounds::new(&settings, &roots),
            spared: Vec::new(),
            roots,
            state: settings.state,
            exit_code: 0,
        };
        if let Err(cause) = subreaper {
            supervisor.warn(&format!("orphans of the app may escape: {cause}"));
        }
        if !process::shows_processes() {
            supervisor.warn(
                "/proc shows no processes; helpers that leave the app's group are not asked to stop, they are killed at the deadline",
            );
        }
        for text in remarks {
            supervisor.warn(&text);
        }
        Ok(supervisor)
    }

    /// Runs until the core says how it ends.
    pub(super) fn run(&mut self) -> u8 {
        self.prepare_watch();
        self.feed(Event::Began);
        let roots = std::mem::take(&mut self.roots);
        self.say(Line::Watching { roots });
        let state = self.state.take();
        self.open_control(state.as_deref());
        while !self.core.has_ended() {
            self.turn();
        }
        if let Some(terminal) = &mut self.terminal {
            terminal.take_back();
        }
        self.let_keepers_go();
        self.exit_code
    }

    /// One turn: wait, then take in what happened, file events first.
    fn turn(&mut self) {
        let ended_sessions = self.wait();
        self.read_watch();
        self.take_news();
        for pid in ended_sessions {
            self.feed(Event::SessionEnded { pid });
        }
        let children = self.take_signals();
        self.take_reports(&children);
        if self.core.deadline().is_some_and(|deadline| self.clock.now() >= deadline) {
            self.feed(Event::Woke);
        }
        if std::mem::take(&mut self.asked) {
            self.answer();
        }
    }

    /// Waits for the next event or deadline; returns the sessions that have ended.
    fn wait(&mut self) -> Vec<i32> {
        let gives_way = self.gives_way();
        let for_askers = self.telling.has_work(self.core.standing());
        let waits = self.watch.has_work() || self.watch.has_undigested() || for_askers;
        let idle_work = gives_way.is_none() && waits;
        let busy = idle_work || self.watch.has_observations();
        let poll_due = self.watch.deadline().filter(|_| gives_way.is_none());
        let poll_due = poll_due.map(|due| self.clock.moment(due));
        let until = [self.core.deadline(), poll_due, gives_way].into_iter().flatten().min();
        let rests = until.is_none() && !busy && !self.telling.is_deaf();
        let timeout = match until {
            _ if busy => Duration::ZERO,
            Some(until) => self.clock.left(until),
            None => TIRES,
        };
        let generation = self.current.as_ref().and_then(|current| current.generation.fd());
        let mut fds = vec![PollFd::new(self.signals.fd(), PollFlags::POLLIN)];
        fds.extend(self.watch.fd().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        fds.extend(generation.map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        let files = fds.len();
        fds.extend(self.telling.server().into_iter().flat_map(Server::fds));
        let before = fds.len();
        fds.extend(self.sessions.iter().map(|it| PollFd::new(it.fd(), PollFlags::POLLIN)));
        // poll(2) counts in milliseconds: it would add half of one to every restart.
        let mut ready = ppoll(&mut fds, Some(TimeSpec::from_duration(timeout)), None).unwrap_or(0);
        if ready == 0 && rests {
            // Nothing is due: what only work needs is given back. The end of a keeper is work again.
            if self.keeper.take().is_none() {
                process::give_back_code();
            }
            ready = ppoll(&mut fds, None, None).unwrap_or(0);
        }
        let is_ready = |fd: &PollFd| fd.any().unwrap_or(false);
        let asked = fds[files..before].iter().any(is_ready);
        let ended: Vec<bool> = fds[before..].iter().map(is_ready).collect();
        drop(fds);
        self.asked = asked;
        // Somebody who writes without rest must not keep a new folder from being listed.
        let starved = || idle_work && self.clock.now() >= self.worked + STARVED;
        if self.gives_way().is_none() && (ready == 0 || starved()) {
            self.work_aside();
        }
        let mut ended = ended.into_iter();
        let mut pids = Vec::new();
        self.sessions.retain(|session| {
            let over = ended.next().unwrap_or(false);
            if over {
                pids.push(session.pid);
            }
            !over
        });
        pids
    }

    /// Until when what can wait leaves the processor to the app that is being started: to watch a
    /// folder with 10,000 names takes the kernel 3 ms, which no other process interrupts.
    fn gives_way(&self) -> Option<Moment> {
        let starting = |_: &&Current| self.core.standing() == Standing::Starting;
        let until = self.current.as_ref().filter(starting)?.ordered + GIVES_WAY;
        (self.clock.now() < until).then_some(until)
    }

    /// A slice of what can wait: watching and listing folders first, digests last.
    fn work_aside(&mut self) {
        self.worked = self.clock.now();
        self.telling.hear_again();
        if self.watch.has_undigested() && !self.watch.has_work() {
            self.watch.digest(SLICE);
            self.telling.dirty |= !self.watch.has_undigested();
        } else if !self.watch.has_work() && self.telling.has_work(self.core.standing()) {
            self.work_for_askers(SLICE);
        } else {
            // Polls that are due, too.
            self.watch.work(SLICE);
        }
    }

    /// Hands one event to the core, behind what has come before it, and performs what follows.
    pub(super) fn feed(&mut self, event: Event) {
        self.news.push_back(event);
        self.take_news();
    }

    /// Hands what has come to the core, in its order; what an order gives at once goes first.
    fn take_news(&mut self) {
        let mut answers = VecDeque::new();
        while let Some(event) = answers.pop_front().or_else(|| self.news.pop_front()) {
            for action in self.core.handle(event, self.clock.now()) {
                answers.extend(self.perform(action));
            }
        }
    }

    /// Performs one order; returns its answers.
    fn perform(&mut self, action: Action) -> Vec<Event> {
        match action {
            Action::LookAround => {
                // A set has begun: the keeper is ready before it settles, and none waits idle.
                self.prepare_keeper();
                let seen = self.look_around();
                self.answer_behind_events(seen);
                Vec::new()
            }
            Action::Probe(paths) => {
                let program = self.command.resolve().ok();
                for path in &paths {
                    self.watch.opening(path);
                }
                let current = self.current.as_ref();
                let own = || processes_of(current);
                let vital =
                    program.map(|it| [Some(it.path), it.script]).into_iter().flatten().flatten();
                let writers = probe(paths, vital, own);
                self.answer_behind_events(Event::Probed(writers));
                Vec::new()
            }
            Action::Judge(order) => {
                // Before the judgement: what changes during it is seen by the second look.
                let program = self.command.resolve();
                self.judged_program = program.as_ref().ok().and_then(|it| identity(&it.path).ok());
                let image = self.image.as_ref().map(|(image, _)| image);
                let current = self.current.as_ref();
                let own = || processes_of(current);
                let judgement = judge(&order, &self.command, &program, image, &mut self.watch, own);
                let last = self.image.as_ref().map(|(_, program)| program);
                let program = last.or(program.as_ref().ok());
                let script = program.and_then(|program| program.script.as_deref());
                let judgement = script::weigh(judgement, script);
                let room = MOST_JUDGED.saturating_sub(self.judged.len());
                self.judged.extend(order.paths.into_iter().take(room));
                vec![Event::Judged { forced: order.forced, judgement }]
            }
            Action::Digest(path) => {
                self.watch.want_digest(&path);
                Vec::new()
            }
            Action::Adopt(paths) => {
                self.watch.rebase(paths.iter().map(AsRef::as_ref));
                Vec::new()
            }
            Action::StopListening(folder) => {
                self.watch.stop_listening(&folder);
                Vec::new()
            }
            Action::Start { generation, program } => {
                self.start(generation, program).into_iter().collect()
            }
            Action::Signal { generation, to, signal } => {
                self.signal(generation, to, signal);
                Vec::new()
            }
            Action::AskReady { generation, signals } => {
                let signals = self.ready_for(generation, signals);
                vec![Event::Ready { generation, signals }]
            }
            Action::KillAll { generation } => {
                if let Some(current) = self.current.as_mut().filter(|it| it.number == generation) {
                    current.generation.stop_and_kill();
                }
                Vec::new()
            }
            Action::Recheck => self.recheck(),
            Action::Suspend => {
                self.suspend();
                Vec::new()
            }
            Action::Note(note) => {
                self.say(Line::Core(note));
                Vec::new()
            }
            Action::Exit { code } => {
                self.exit_code = code;
                Vec::new()
            }
        }
    }
}

/// The processes of the generation that was ordered last.
fn processes_of(current: Option<&Current>) -> Vec<i32> {
    current.map_or_else(Vec::new, |current| current.generation.processes())
}

/// So long what can wait is put off by events; a slice of it takes a tenth.
const STARVED: Duration = Duration::from_millis(20);
/// Longer than an exec takes; one that hangs keeps nothing from being listed.
const GIVES_WAY: Duration = Duration::from_millis(20);
/// So long after the last work it rests: longer than the pauses of people who save and of tools that
/// write in several steps, which would pay for it again each time (30 µs, and half a millisecond for
/// a keeper).
const TIRES: Duration = Duration::from_secs(1);
/// Paths that are remembered for the second look: ever new names that come to nothing must not fill
/// the memory of a supervisor that seldom restarts.
const MOST_JUDGED: usize = 10_000;
