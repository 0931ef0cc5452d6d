//! The driver's half of the world: performs the core's actions and answers them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use relaunch_buildpack::core::{
    Action, Change, Ending, Event, FileEvent, Generation, Judge, Judgement, Note, Obstacle, Probe,
    Program, Recipient, Session, StartProblem, Surroundings, What, WriterState,
};

use super::app::{OWN_STATE, Process, SPAWN};
use super::disk::{Content, Form, Name, Who};
use super::fault::Fault;
use super::world::{Step, World};
use super::writer::{APP, name};

impl World {
    pub(super) fn perform(&mut self, action: Action) -> Vec<Event> {
        match action {
            Action::LookAround => self.look_around(),
            Action::Probe(paths) => self.probe(&paths),
            Action::Judge(question) => {
                self.judged_files.extend(question.paths.iter().cloned());
                self.judged_app = self.disk.stat(&name(APP));
                self.pry(&question.unused);
                let before = self.judge(&question);
                let time = self.random.micros(50, 3_000);
                self.spend(time);
                let judgement = if self.random.chance(50) { before } else { self.judge(&question) };
                if let (Some(Fault::RefusedForgotten), Judgement::Refused { .. }) =
                    (self.fault, &judgement)
                {
                    self.rebase(&question.paths);
                }
                vec![Event::Judged { forced: question.forced, judgement }]
            }
            Action::Start { generation, program } => self.start(generation, program),
            Action::Signal { generation, signal: 1, .. } => {
                self.hang_up(generation);
                Vec::new()
            }
            Action::Signal { generation, to, signal } => {
                self.signal(generation, to, signal);
                Vec::new()
            }
            Action::AskReady { generation, signals } => vec![self.ready(generation, signals)],
            Action::KillAll { generation } => {
                self.note_kill();
                if let Some(index) = self.living(generation) {
                    self.processes[index].asked = true;
                    self.leader_ends(generation, Some(Ending::Signal(9)));
                    self.helper_ends(generation);
                }
                Vec::new()
            }
            Action::Recheck => {
                let mut started = std::mem::take(&mut self.started_files);
                // What was judged since the start is looked at as well, and again after the next one.
                started.extend(self.judged_files.iter().cloned());
                let mut found = self.watch.compare(&self.disk, |name| started.contains(name));
                // The executable against what runs, unless it was judged as it is now.
                let app = name(APP);
                let differs = self.disk.content(&app) != self.executable;
                if differs && self.disk.stat(&app) != self.judged_app {
                    found.push(Event::File(FileEvent { path: app, what: What::Found }));
                }
                found
            }
            Action::Note(note) => {
                self.note_dropped(&note);
                if matches!(note, Note::Stopping { .. }) {
                    self.decided = Some(self.now);
                }
                Vec::new()
            }
            Action::Exit { .. } => {
                self.exited = Some(self.now);
                Vec::new()
            }
            Action::Adopt(paths) => {
                self.rebase(&paths);
                Vec::new()
            }
            Action::Suspend | Action::Digest(_) | Action::StopListening(_) => Vec::new(),
        }
    }

    fn look_around(&mut self) -> Vec<Event> {
        let time = self.random.micros(26, 170);
        self.spend(time);
        let sessions: Vec<_> = self
            .sessions
            .iter()
            .map(|(&pid, &begin)| {
                // The kernel counts starts in ticks of 10 ms.
                let tick = begin.as_millis() / 10 * 10;
                let age = self.now.as_millis().saturating_sub(tick);
                Session { pid, age_ms: u64::try_from(age).unwrap_or(0), terminal: false }
            })
            .collect();
        self.named.extend(sessions.iter().map(|it| it.pid));
        let (at, written) = (self.now, Some(self.app_written));
        self.answer_behind_events(Event::LookedAround(Surroundings {
            at,
            sessions,
            stretch: 1,
            written,
        }))
    }

    /// What happened before a look around or a test, and until its end, is read behind all of it.
    fn answer_behind_events(&mut self, answer: Event) -> Vec<Event> {
        if self.fault == Some(Fault::AnswersAhead) {
            return vec![answer];
        }
        self.read_watch();
        self.news.push_back(answer);
        Vec::new()
    }

    fn probe(&mut self, paths: &[Arc<Path>]) -> Vec<Event> {
        // Thousands of files take a while, and so does another process whose turn it is.
        let longest = if self.random.chance(30) { 10_000 } else { 100 };
        let time = self.random.micros(3, longest);
        self.spend(time);
        let probes = paths.iter().map(|path| {
            let writer = match self.disk.writers(path) {
                [] => WriterState::Nobody,
                writers if writers.contains(&Who::App) => WriterState::OwnGeneration,
                _ => WriterState::Foreign,
            };
            Probe { path: Arc::clone(path), writer, vital: **path == *name(APP) }
        });
        let answer = Event::Probed(probes.collect());
        let time = self.random.micros(3, longest);
        self.spend(time);
        self.answer_behind_events(answer)
    }

    fn judge(&self, question: &Judge) -> Judgement {
        let app = name(APP);
        let mut differs: Vec<Name> =
            question.paths.iter().filter(|path| self.is_other(path)).cloned().collect();
        differs.extend(question.names.iter().filter(|name| self.came_or_went(name)).cloned());
        if differs.is_empty() && !question.forced {
            let unused = question.unused.iter().filter(|path| self.is_other(path));
            let paths: Vec<Name> = unused.cloned().collect();
            return if paths.is_empty() {
                Judgement::Unchanged
            } else {
                Judgement::NotUsed(Change { paths, ..Change::default() })
            };
        }
        if !self.disk.writers(&app).is_empty() {
            return Judgement::Busy { path: app };
        }
        if self.disk.content(&app).is_none_or(|content| content.form == Form::Truncated) {
            return Judgement::Refused { why: "/w/app is not fit to run".into() };
        }
        let executable = differs.contains(&app);
        Judgement::Changed(Change { paths: differs, bytes: 1, beyond_budget: false, executable })
    }

    /// Whether a file is another than the one that the app was started with.
    fn is_other(&self, path: &Name) -> bool {
        let now = self.disk.content(path);
        let then =
            if **path == *name(APP) { self.executable } else { self.baseline.get(path).copied() };
        match self.fault {
            Some(Fault::JudgedBySize) => now.map(|it| it.size) != then.map(|it| it.size),
            Some(Fault::TouchCounts) => true,
            _ => now != then,
        }
    }

    fn start(&mut self, generation: Generation, program: Program) -> Vec<Event> {
        if self.processes.iter().any(Process::is_alive) {
            self.breaks("two generations at once".into());
        }
        if let Some(asked) = self.shutdown.filter(|asked| *asked + self.lateness() < self.now) {
            self.breaks(format!(
                "a start {:?} after the shutdown was asked",
                self.now.saturating_sub(asked)
            ));
        }
        if program == Program::Current {
            self.check_writers();
        }
        let (fork, exec) = (self.random.micros(SPAWN.0, SPAWN.1), self.random.micros(50, 500));
        self.spend(fork);
        let unheard = self.begin_listening();
        let baseline = self.contents();
        // What was judged is looked at once more just before the exec.
        let judged = self.judged_files.clone();
        self.watch.look_at(&judged, &self.disk);
        self.spend(exec);
        let failed = |why: &str, exit_code, obstacle| {
            let problem = StartProblem { why: why.into(), exit_code, obstacle };
            vec![Event::StartFailed { generation, problem }]
        };
        let app = name(APP);
        let content = match program {
            Program::LastGood if self.fault == Some(Fault::LastGoodForgotten) => None,
            Program::LastGood => self.executable,
            Program::Current => self.disk.content(&app),
        };
        let Some(content) = content else {
            return failed("/w/app is missing", 127, Obstacle::Candidate);
        };
        if program == Program::Current {
            if !self.disk.writers(&app).is_empty() {
                return failed("/w/app is open for writing", 126, Obstacle::Writer);
            }
            if content.form == Form::Truncated {
                return failed("/w/app is cut", 126, Obstacle::Candidate);
            }
            if content.form != Form::Whole {
                self.breaks(format!("a half-written executable was exec'ed: {content:?}"));
            }
            self.disk.running = self.disk.inode_of(&app);
        }
        self.exec(generation, content, baseline, unheard)
    }

    fn exec(
        &mut self,
        generation: Generation,
        content: Content,
        baseline: std::collections::BTreeMap<Name, Content>,
        unheard: Vec<Event>,
    ) -> Vec<Event> {
        let app = name(APP);
        let raced = baseline.get(&app) != Some(&content) && self.disk.running.is_some();
        self.loaded = self.contents();
        self.baseline = baseline;
        if self.fault == Some(Fault::BaselineLate) {
            self.at(self.now + Duration::from_millis(5), Step::Baseline);
        }
        self.started_files.append(&mut self.judged_files);
        self.started_files.insert(name(APP));
        self.executable = Some(content);
        self.crashed = false;
        self.starts.push(self.now);
        self.reactions.push(self.decided.take().unwrap_or(self.now));
        self.spawn(generation);
        self.hang_up_at_exec(generation);
        if self.schedule.poll.is_some() {
            self.at(self.now, Step::PollAfterStart);
        }
        let mut said = self.begin_looking(generation, unheard);
        said.push(Event::Started { generation, pid: 100, spared: self.spared() });
        if raced {
            said.push(Event::File(FileEvent { path: app, what: What::Found }));
        }
        said
    }

    fn spawn(&mut self, generation: Generation) {
        let manners = self.schedule.manners;
        let mut process = Process {
            generation,
            leader: true,
            helper: self.random.chance(manners.helpers),
            ignores_term: self.random.chance(manners.ignores_term),
            asked: false,
            begin: self.now,
            handles_from: None,
            log: None,
        };
        if self.random.chance(manners.handles_hup) {
            process.handles_from = Some(self.now + self.random.millis(0, 3_000));
        }
        if manners.own_log {
            let log = name("app.log");
            let opened = self.disk.open(&log, false, Who::App);
            process.log = opened.map(|(inode, _)| inode);
            self.at(self.now + Duration::from_millis(30), Step::Log(generation));
        }
        if manners.own_state {
            self.at(self.now + OWN_STATE, Step::State(generation));
        }
        if self.random.chance(manners.crashes) {
            let at = self.now + self.random.millis(0, 3_000);
            self.at(at, Step::LeaderEnds(generation));
        }
        self.processes.push(process);
    }

    fn signal(&mut self, generation: Generation, to: Recipient, signal: i32) {
        let Some(index) = self.living(generation).filter(|_| signal == 15) else { return };
        self.processes[index].asked = true;
        if self.processes[index].ignores_term {
            return;
        }
        let at = self.now + self.random.micros(200, self.schedule.manners.slow_ms * 1000);
        match to {
            Recipient::Leader | Recipient::Group => self.at(at, Step::LeaderEnds(generation)),
            Recipient::Rest => self.at(at, Step::HelperEnds(generation)),
        }
    }

    /// What may pass between an event and the core's knowing it.
    pub(super) fn lateness(&self) -> Duration {
        Duration::from_micros(self.schedule.late_us) + Duration::from_millis(20)
    }

    /// A writer that the events told of is not to be started beside.
    fn check_writers(&mut self) {
        let Some(inode) = self.disk.inode_of(&name(APP)) else { return };
        let open = !self.disk.inode(inode).writers.is_empty();
        let told = self.told_open.get(&inode).copied().filter(|_| open);
        let known = told.is_some_and(|told| told + self.lateness() < self.now);
        if known && self.schedule.queue > 100 {
            self.breaks("a start was ordered while the executable was being written".into());
        }
    }
}
