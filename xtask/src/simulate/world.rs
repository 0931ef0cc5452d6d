//! The fake world around the core: files, kernel queue, processes, a clock that jumps.
//!
//! # The driver's contract
//!
//! The real driver keeps what this one keeps; each point is a promise's need.
//!
//! 1. One thread. It reads all that the kernel queued and feeds it, then the ends of sessions, then
//!    signals, then what became of processes, then `Woke` if the deadline has passed, and what people
//!    ask for. While it probes, judges or execs, the world goes on, and what happens is read
//!    afterwards.
//! 2. Every `LookAround`, `Probe` and `Judge` is answered: a judgement at once, before anything else
//!    is fed, the others behind all that was read and that the kernel queued until then. A file that
//!    is found closed may have been written a moment ago.
//! 3. *Baseline before exec*: the state of all watched files is noted before the exec, never after.
//!    What was really exec'ed comes from the running process; if it is not what the baseline says,
//!    the executable is fed as `Found` after `Started`.
//!    What was judged since the last start is looked at once more, or a poll would not see that it
//!    came before the start and went after it.
//!    Where files are polled, a poll follows the start at once.
//!    The header of the very file that is exec'ed is checked once more, on its descriptor: between
//!    the judgement and the exec somebody may put a broken file in place (`StartFailed`).
//! 4. *Judgement against what runs*: contents are compared with the baseline of the last start, the
//!    executable with the one that runs. A start from the last good executable leaves the rest of
//!    the baseline as of that start. First comes the difference (none: `Unchanged`), then the
//!    writer of the executable (`Busy`), then its fitness (`Refused`).
//! 5. `Found` is fed between `ScanBegan` and `ScanEnded`; `Recheck` compares the table
//!    in the same way, as far as the executable and the paths go that were judged before a start
//!    and not rechecked after one: a second start may come before the first one's recheck.
//! 6. Signs of use below the spared root are fed in their order. Around a start those of the old
//!    generation are dropped, and what was not listened to before the exec is `Unseen`. A path that
//!    was said to be unused is not opened.
//! 7. `SessionEnded` comes after all that the session wrote; `Exited` before `Emptied`, and
//!    `Emptied` when nothing is left.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use relaunch_buildpack::core::{Core, Event, Generation, Policy, Stop};
use relaunch_buildpack::settings::OnExit;

use super::app::Process;
use super::disk::{Content, Disk, Form, Name, Stat, is_beside};
use super::fault::{Fault, tamper, tamper_with_action};
use super::hangup::Hangups;
use super::kernel::{Queue, Told};
use super::random::Random;
use super::schedule::Schedule;
use super::usage::{Known, Look};
use super::watch::Watch;
use super::writer::{APP, BESIDE, DATA, first_content, name, spared};

/// Something that the world does by itself.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Write { writer: usize, step: usize },
    SessionEnd(i32),
    LeaderEnds(Generation),
    HelperEnds(Generation),
    Log(Generation),
    State(Generation),
    Look(Generation, Look),
    Watched,
    Baseline,
    Poll,
    PollAfterStart,
    Reload,
    Hangup,
    Shutdown,
}

/// The world of one run.
pub(super) struct World {
    pub(super) now: Duration,
    pub(super) fault: Option<Fault>,
    pub(super) random: Random,
    pub(super) schedule: Schedule,
    pub(super) disk: Disk,
    pub(super) queue: Queue,
    pub(super) watch: Watch,
    pub(super) core: Core,
    agenda: BTreeMap<(Duration, u64), Step>,
    steps: u64,
    pub(super) inbox: VecDeque<Event>,
    /// What the driver has read and the core does not know yet.
    pub(super) news: VecDeque<Event>,
    wake: Option<Duration>,
    pub(super) processes: Vec<Process>,
    /// What the driver believes the app has read, and what it really has.
    pub(super) baseline: BTreeMap<Name, Content>,
    pub(super) loaded: BTreeMap<Name, Content>,
    /// What it knows of the files beside.
    pub(super) known: Known,
    /// The paths that were judged since the last start.
    pub(super) judged_files: BTreeSet<Name>,
    /// Those that were judged before it and not rechecked since, and the executable.
    pub(super) started_files: BTreeSet<Name>,
    /// What was exec'ed last.
    pub(super) executable: Option<Content>,
    /// Its file when something was judged last.
    pub(super) judged_app: Option<Stat>,
    /// The open file of each writer.
    pub(super) files: Vec<Option<usize>>,
    /// When the first event told that an inode is open.
    pub(super) told_open: BTreeMap<usize, Duration>,
    pub(super) sessions: BTreeMap<i32, Duration>,
    pub(super) named: BTreeSet<i32>,
    pub(super) starts: Vec<Duration>,
    /// When the core decided on each restart.
    pub(super) reactions: Vec<Duration>,
    pub(super) decided: Option<Duration>,
    pub(super) crashed: bool,
    /// Bytes that the app has written so far.
    pub(super) app_written: u64,
    /// When the app failed last, and when somebody last wrote, replaced or touched a file.
    pub(super) failed: Option<Duration>,
    pub(super) touched: Option<Duration>,
    pub(super) hangups: Hangups,
    pub(super) shutdown: Option<Duration>,
    pub(super) exited: Option<Duration>,
    /// The first broken promise.
    pub(super) broken: Option<String>,
    pub(super) talks: bool,
}

impl World {
    pub(super) fn new(seed: u64, fault: Option<Fault>, talks: bool) -> Self {
        let mut random = Random::new(seed);
        let schedule = Schedule::new(&mut random);
        let policy = Policy {
            pid1: false,
            job_control: false,
            on_exit: OnExit::Hold,
            stop_signal: 15,
            stop_timeout: Duration::from_secs(1),
            shutdown_timeout: SHUTDOWN,
        };
        let longest = if fault == Some(Fault::Impatient) { 5 } else { 10_000 };
        let mut disk = Disk::default();
        for (version, file) in [APP, DATA, "sub/f2", "sub/f3", "app.log"].into_iter().enumerate() {
            let version = 1_000_000 + u32::try_from(version).unwrap_or(0);
            disk.plant(&name(file), Content { version, size: 100, form: Form::Whole });
        }
        for (number, file) in BESIDE.into_iter().enumerate() {
            disk.plant(&spared(file), first_content(number));
        }
        let mut watch = Watch::default();
        watch.begin(&disk);
        Self {
            now: Duration::ZERO,
            fault,
            core: Core::new(policy, None, Duration::from_millis(longest)),
            queue: Queue::new(schedule.queue),
            files: vec![None; schedule.writers.len()],
            schedule,
            random,
            disk,
            watch,
            agenda: BTreeMap::new(),
            steps: 0,
            inbox: VecDeque::new(),
            news: VecDeque::new(),
            wake: None,
            processes: Vec::new(),
            baseline: BTreeMap::new(),
            loaded: BTreeMap::new(),
            known: Known::default(),
            judged_files: BTreeSet::new(),
            started_files: BTreeSet::new(),
            executable: None,
            judged_app: None,
            told_open: BTreeMap::new(),
            sessions: BTreeMap::new(),
            named: BTreeSet::new(),
            starts: Vec::new(),
            reactions: Vec::new(),
            decided: None,
            crashed: false,
            app_written: 0,
            failed: None,
            touched: None,
            hangups: Hangups::default(),
            shutdown: None,
            exited: None,
            broken: None,
            talks,
        }
    }

    /// Runs the schedule and the rest after it.
    pub(super) fn run(&mut self) {
        self.prepare();
        self.feed(Event::Began);
        let finish = self.schedule.end + REST;
        let mut turns = 0;
        while self.broken.is_none() {
            let step = self.agenda.keys().next().map(|(at, _)| *at);
            let deadline = self.core.deadline();
            let turn =
                [self.wake, deadline].into_iter().flatten().min().filter(|_| self.exited.is_none());
            let Some(next) = [step, turn].into_iter().flatten().min().filter(|at| *at < finish)
            else {
                break;
            };
            turns = if next > self.now { 0 } else { turns + 1 };
            if turns > 10_000 {
                self.breaks("the driver turns without end".into());
            }
            self.now = self.now.max(next);
            if turn.is_some_and(|turn| step.is_none_or(|step| turn <= step)) {
                self.turn();
            } else {
                self.step();
            }
        }
    }

    fn prepare(&mut self) {
        for writer in 0..self.schedule.writers.len() {
            let begin = self.schedule.writers[writer].begin;
            self.at(begin, Step::Write { writer, step: 0 });
        }
        if let Some(period) = self.schedule.poll {
            self.at(period, Step::Poll);
        }
        if let Some(at) = self.schedule.late_watch {
            self.at(at, Step::Watched);
        }
        for at in self.schedule.reloads.clone() {
            self.at(at, Step::Reload);
        }
        for at in self.schedule.hangups.clone() {
            self.at(at, Step::Hangup);
        }
        if let Some(at) = self.schedule.shutdown {
            self.at(at, Step::Shutdown);
        }
    }

    /// Puts a step on the agenda.
    pub(super) fn at(&mut self, at: Duration, step: Step) {
        self.steps += 1;
        self.agenda.insert((at, self.steps), step);
    }

    /// Notes a broken promise; the first one counts.
    pub(super) fn breaks(&mut self, promise: String) {
        self.say(|| format!("BROKEN: {promise}"));
        self.broken.get_or_insert(promise);
    }

    pub(super) fn say(&self, text: impl FnOnce() -> String) {
        if self.talks {
            println!("{:>12.6} {}", self.now.as_secs_f64(), text());
        }
    }

    /// The driver works for so long; the world goes on meanwhile.
    pub(super) fn spend(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some((&(at, _), _)) = self.agenda.first_key_value() {
            if at > end {
                break;
            }
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
    }

    fn step(&mut self) {
        let Some((_, step)) = self.agenda.pop_first() else { return };
        match step {
            Step::Write { writer, step } => self.write(writer, step),
            Step::SessionEnd(pid) => self.session_ends(pid),
            Step::LeaderEnds(generation) => self.leader_ends(generation, None),
            Step::HelperEnds(generation) => self.helper_ends(generation),
            Step::Log(generation) => self.append_log(generation),
            Step::State(generation) => self.write_state(generation),
            Step::Look(generation, look) => self.look(generation, look),
            Step::Watched => self.watch_beside(),
            Step::Baseline => self.baseline = self.contents(),
            Step::Poll => self.poll(),
            Step::PollAfterStart => self.list(),
            Step::Reload => self.tell_driver(Event::ReloadAsked),
            Step::Hangup => self.tell_driver(Event::SignalArrived { signal: 1 }),
            Step::Shutdown => {
                self.shutdown = Some(self.now);
                self.tell_driver(Event::ShutdownAsked(Stop { signal: 15 }));
            }
        }
    }

    /// What all files hold.
    pub(super) fn contents(&self) -> BTreeMap<Name, Content> {
        let names = self.disk.names().into_iter();
        names.filter_map(|name| self.disk.content(&name).map(|content| (name, content))).collect()
    }

    /// Queues inotify events.
    pub(super) fn queue(&mut self, told: Vec<Told>) {
        let late = self.schedule.late_watch.is_some_and(|from| self.now < from);
        let is_told =
            |told: &Told| self.schedule.poll.is_none() && !(late && is_beside(&told.name));
        for told in told.into_iter().filter(is_told).collect::<Vec<_>>() {
            self.say(|| format!("    {} {:?}", told.name.display(), told.kind));
            self.queue.push(told);
        }
        if !self.queue.is_empty() {
            self.wake_driver();
        }
    }

    /// Compares everything, as the watch does where the kernel tells nothing.
    fn poll(&mut self) {
        self.list();
        let Some(period) = self.schedule.poll else { return };
        if self.now < self.schedule.end + REST {
            self.at(self.now + period, Step::Poll);
        }
    }

    /// The root beside is watched at last: it is compared with what was there when the app began.
    fn watch_beside(&mut self) {
        self.note_watched();
        if self.schedule.poll.is_none() {
            for found in self.watch.compare(&self.disk, |name| is_beside(name)) {
                self.tell_driver(found);
            }
        }
    }

    fn list(&mut self) {
        for found in self.watch.compare(&self.disk, |_| true) {
            self.tell_driver(found);
        }
    }

    /// Something other than a file event for the driver.
    pub(super) fn tell_driver(&mut self, event: Event) {
        self.inbox.push_back(event);
        self.wake_driver();
    }

    fn wake_driver(&mut self) {
        let late = self.random.micros(10, self.schedule.late_us);
        self.wake.get_or_insert(self.now + late);
    }

    /// One turn of the driver's loop.
    fn turn(&mut self) {
        self.wake = None;
        let mut events = self.inbox.drain(..).collect::<Vec<_>>();
        events.sort_by_key(rank);
        self.read_watch();
        self.take_news();
        for event in events {
            self.feed(event);
        }
        if self.core.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.feed(Event::Woke);
        }
    }

    pub(super) fn read_watch(&mut self) {
        self.news.extend(self.watch.read(&mut self.queue, &self.disk, self.fault));
    }

    /// Feeds an event behind what was read before it.
    fn feed(&mut self, event: Event) {
        self.news.push_back(event);
        self.take_news();
    }

    /// Feeds what was read, performs what follows and feeds the answers, until nothing is left to
    /// say.
    fn take_news(&mut self) {
        let mut answers = VecDeque::new();
        while let Some(event) = answers.pop_front().or_else(|| self.news.pop_front()) {
            if self.exited.is_some() {
                return;
            }
            let stopping = self.processes.iter().any(|it| it.asked && it.is_alive());
            let alive = self.processes.iter().any(Process::is_alive);
            let held = self.crashed && !alive;
            let Some(event) = tamper(self.fault, event, stopping, held) else { continue };
            self.note_sign(&event);
            self.note_hangup(&event);
            self.say(|| format!("→ {event:?}"));
            for action in self.core.handle(event, self.now) {
                for action in tamper_with_action(self.fault, action) {
                    self.say(|| format!("  {action:?}"));
                    answers.extend(self.perform(action));
                }
            }
            self.forget_hangup();
        }
    }
}

/// The order in which one turn of the driver feeds what has come.
fn rank(event: &Event) -> u8 {
    match event {
        Event::SessionEnded { .. } => 0,
        Event::SignalArrived { .. } | Event::ShutdownAsked(_) => 1,
        Event::ReloadAsked => 3,
        _ => 2,
    }
}

/// The shutdown timeout of the policy.
pub(super) const SHUTDOWN: Duration = Duration::from_secs(2);
/// So long nothing happens after the schedule.
pub(super) const REST: Duration = Duration::from_mins(1);
