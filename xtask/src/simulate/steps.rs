//! What the world does by itself: writers write, processes end, the app writes its own files.

use std::time::Duration;

use relaunch_buildpack::core::{Ending, Event, Generation};

use super::app::{CRASHED, TERMINATED};
use super::disk::{Content, Form, Who};
use super::fault::Fault;
use super::world::{REST, Step, World};
use super::writer::{APP, Op, name};

impl World {
    pub(super) fn write(&mut self, writer: usize, step: usize) {
        let all = &self.schedule.writers[writer];
        let (session, last) = (all.session, step == all.steps.len());
        let pid = 500 + i32::try_from(writer).unwrap_or(0);
        if step > 0 {
            let op = all.steps[step - 1].1.clone();
            self.operate(writer, op);
        } else if session {
            self.sessions.insert(pid, self.now);
        }
        if !last {
            let pause = self.schedule.writers[writer].steps[step].0;
            self.at(self.now + pause, Step::Write { writer, step: step + 1 });
        } else if session {
            let later = self.random.micros(100, 3_000);
            self.at(self.now + later, Step::SessionEnd(pid));
        }
    }

    fn operate(&mut self, writer: usize, op: Op) {
        self.say(|| format!("  writer {writer}: {op:?}"));
        let who = Who::Writer(writer);
        let lasts =
            !matches!(op, Op::Unlink(_) | Op::Rename(..) | Op::RenameFolder(..) | Op::Read(_));
        let told = match op {
            Op::Create(name, content) => {
                let (inode, told) = self.disk.create(&name, content, who);
                self.files[writer] = Some(inode);
                told
            }
            Op::Open { name, cut, content } => {
                let opened = self.disk.open(&name, cut, who);
                // A running executable cannot be opened for writing: it is replaced (cp -f).
                let (inode, told) = opened.unwrap_or_else(|| self.disk.create(&name, content, who));
                self.files[writer] = Some(inode);
                told
            }
            Op::Write(content) => match self.files[writer] {
                Some(inode) => self.disk.write(inode, content),
                None => Vec::new(),
            },
            Op::Close => match self.files[writer].take() {
                Some(inode) => {
                    self.told_open.remove(&inode);
                    self.disk.close(inode, who)
                }
                None => Vec::new(),
            },
            Op::Attrib(name) => self.disk.attributes(&name),
            Op::Rename(from, to) => self.disk.rename(&from, &to),
            Op::RenameFolder(from, to) => self.disk.rename_folder(&from, &to),
            Op::MoveIn(name, content) => {
                // Version 0 stands for the bytes that are there.
                let same = self.disk.content(&name);
                let same = same.filter(|it| content.version == 0 && it.form == Form::Whole);
                match (content.version, same) {
                    (0, None) => Vec::new(),
                    (_, same) => self.disk.move_in(&name, same.unwrap_or(content)),
                }
            }
            Op::Restore => match self.executable {
                Some(content) => self.disk.move_in(&name(APP), content),
                None => Vec::new(),
            },
            Op::Link(name, content) => self.disk.link(&name, content),
            Op::Unlink(name) => self.disk.unlink(&name),
            Op::Read(name) => self.disk.read(&name),
            Op::OpenToRead(name) => self.disk.opened(&name),
            Op::ReadOpen(name) => self.disk.read_open(&name),
            Op::Store(name, content) => {
                self.disk.store(&name, content);
                Vec::new()
            }
        };
        if let Some(inode) = self.files[writer].filter(|_| !told.is_empty()) {
            self.told_open.entry(inode).or_insert(self.now);
        }
        if lasts && told.iter().any(|told| *told.name == *name(APP)) {
            self.touched = Some(self.now);
        }
        self.queue(told);
    }

    pub(super) fn session_ends(&mut self, pid: i32) {
        self.sessions.remove(&pid);
        if self.named.contains(&pid) {
            self.tell_driver(Event::SessionEnded { pid });
        }
    }

    /// The leader ends; `None` = as it likes.
    pub(super) fn leader_ends(&mut self, generation: Generation, ending: Option<Ending>) {
        let Some(index) = self.living(generation) else { return };
        let process = &mut self.processes[index];
        if !process.leader {
            return;
        }
        process.leader = false;
        let (asked, helper, log) = (process.asked, process.helper, process.log.take());
        self.say(|| format!("  leader of {generation} ends"));
        if !asked {
            (self.crashed, self.failed) = (true, Some(self.now));
        }
        self.disk.running = None;
        if let Some(log) = log {
            let told = self.disk.close(log, Who::App);
            self.queue(told);
        }
        let ending = ending.unwrap_or(if asked { TERMINATED } else { CRASHED });
        self.tell_driver(Event::Exited { generation, ending });
        if !helper || self.fault == Some(Fault::EmptiedEarly) {
            self.tell_driver(Event::Emptied { generation });
        }
    }

    pub(super) fn helper_ends(&mut self, generation: Generation) {
        let Some(index) = self.living(generation) else { return };
        let process = &mut self.processes[index];
        if std::mem::take(&mut process.helper) && !process.leader {
            self.tell_driver(Event::Emptied { generation });
        }
    }

    /// The youngest living process of a generation.
    pub(super) fn living(&self, generation: Generation) -> Option<usize> {
        self.processes.iter().rposition(|it| it.generation == generation && it.is_alive())
    }

    pub(super) fn append_log(&mut self, generation: Generation) {
        let Some(log) = self.living(generation).and_then(|index| self.processes[index].log) else {
            return;
        };
        let content = Content { version: self.noise(), ..self.disk.inode(log).content };
        let told = self.disk.write(log, content);
        self.app_written += 1;
        self.queue(told);
        // It grows silent in the end, or no schedule would.
        if self.now < self.schedule.end + Duration::from_secs(10) {
            let pause = self.random.millis(100, 1_500);
            self.at(self.now + pause, Step::Log(generation));
        }
    }

    pub(super) fn write_state(&mut self, generation: Generation) {
        // Nobody can tell ever new names from a slow copy, so they restart the app, if seldom: it has to
        // leave off some time.
        let leaves_off = self.schedule.manners.new_names && self.now > self.schedule.end + REST / 2;
        if self.living(generation).is_none() || leaves_off {
            return;
        }
        let number = if self.schedule.manners.new_names { generation.0 } else { 0 };
        let state = name(&format!("state-{number}.json"));
        let content = Content { version: self.noise(), size: 100, form: Form::Whole };
        let opened = self.disk.open(&state, false, Who::App);
        let (inode, told) = opened.unwrap_or_else(|| self.disk.create(&state, content, Who::App));
        self.queue(told);
        let told = self.disk.write(inode, content);
        self.queue(told);
        let told = self.disk.close(inode, Who::App);
        self.queue(told);
        self.app_written += 1;
        if self.schedule.manners.heartbeat && self.now < self.schedule.end + Duration::from_secs(10)
        {
            let pause = self.random.millis(100, 4_000);
            self.at(self.now + pause, Step::State(generation));
        }
    }

    fn noise(&mut self) -> u32 {
        u32::try_from(self.random.range(2_000_000, 4_000_000_000)).unwrap_or(2_000_000)
    }
}
