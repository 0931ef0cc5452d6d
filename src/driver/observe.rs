//! The supervisor's eyes: the watch, the sessions, the load, and the second look after a start.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::program::Command;
use super::supervisor::Supervisor;
use crate::candidate::identity;
use crate::core::{Event, FileEvent, Session, Surroundings, What};
use crate::log::Line;
use crate::settings::{APP_DIR_VARIABLE, LAYERS_DIR_VARIABLE, Settings};
use crate::watch::{Difference, Ignore, Inputs, Observation, Watch, choose, sessions};

/// The watch that the settings, or else the command, call for.
pub(super) fn watch(settings: &Settings, command: &Command) -> (Vec<PathBuf>, Watch) {
    let program = command.resolve().ok();
    let folder = |name| env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    let (app_dir, layers_dir) = (folder(APP_DIR_VARIABLE), folder(LAYERS_DIR_VARIABLE));
    let real = program.as_ref().and_then(|program| program.path.canonicalize().ok());
    let roots = choose(&Inputs {
        watch: &settings.watch,
        target: command.target(),
        executable: program.as_ref().map(|program| program.path.as_path()),
        real: real.as_deref(),
        interpreted: command.is_interpreted(program.as_ref()),
        app_dir: app_dir.as_deref(),
        layers_dir: layers_dir.as_deref(),
        current_dir: command.folder(),
    });
    let watch = Watch::new(&roots, Ignore::new(&settings.ignore), settings.poll);
    (roots, watch)
}

impl Supervisor {
    /// Takes in what the watch saw, and whether it compares the disk with its tables.
    pub(super) fn read_watch(&mut self) {
        for observation in self.watch.read() {
            let event = self.observed(observation);
            self.news.extend(event);
        }
        let busy = self.watch.busy();
        if busy != self.scanning {
            self.scanning = busy;
            self.news.push_back(if busy { Event::ScanBegan } else { Event::ScanEnded });
        }
    }

    /// An answer speaks of what has happened: a file that is found closed was perhaps written since we
    /// read last.
    pub(super) fn answer_behind_events(&mut self, answer: Event) {
        self.read_watch();
        self.news.push_back(answer);
    }

    fn observed(&mut self, observation: Observation) -> Option<Event> {
        self.telling.dirty |= !matches!(observation, Observation::Used(_));
        match observation {
            Observation::File(event) => self.counts(&event).then_some(Event::File(event)),
            Observation::Used(event) => Some(Event::Used(event)),
            Observation::Overflow => {
                self.warn("more changed at once than the kernel remembers; comparing everything");
                None
            }
            Observation::Warning(warning) => {
                self.warn(&warning.to_string());
                None
            }
        }
    }

    /// Whether a change is one of those that were asked for, and not our own. What befalls a folder
    /// counts, as what is known of the files in it moves with it; so does the executable and what could
    /// stand in for it.
    fn counts(&self, event: &FileEvent) -> bool {
        if self.telling.folder().is_some_and(|folder| event.path.starts_with(folder)) {
            return false;
        }
        let whole_folder = matches!(event.what, What::FolderGone | What::FolderMoved { .. });
        whole_folder || self.only.counts(&event.path) || self.command.may_run(&event.path)
    }

    /// Watches the folders of the executable and of its script before the first exec, unless their
    /// lists are long, and what can be done soon of the roots whose readers are of interest; the rest is
    /// watched aside.
    pub(super) fn prepare_watch(&mut self) {
        let program = self.command.resolve().ok();
        let folder = program.as_ref().and_then(|program| program.path.parent());
        // What was never seen is not missed when it goes, and an interpreter dies of it.
        let script = program.as_ref().and_then(|program| program.script.as_deref()?.parent());
        for folder in folder.into_iter().chain(script.filter(|script| Some(*script) != folder)) {
            self.watch.prepare(folder);
        }
        self.spared = self.grounds.spared(&self.command);
        self.watch.listen(&self.spared);
        self.watch.prepare_listening(LISTEN);
    }

    /// Looks for sessions and load; keeps what must be waited for.
    pub(super) fn look_around(&mut self) -> Event {
        let at = self.clock.now();
        let mut seen = Vec::new();
        for session in sessions() {
            let (pid, age_ms) = (session.pid, session.age_ms());
            seen.push(Session { pid, age_ms, terminal: session.terminal });
            let known = self.sessions.iter().any(|known| known.pid == session.pid);
            if !session.terminal && !known {
                self.sessions.push(session);
            }
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // It lies from 1 to 6.
        let stretch = self.load.factor().round() as u32;
        Event::LookedAround(Surroundings { at, sessions: seen, stretch, written: self.written() })
    }

    /// Bytes that the generation has written so far. Of a process that is gone its parent or the
    /// keeper, who reaped it, keeps the count.
    pub(super) fn written(&self) -> Option<u64> {
        let Some(current) = &self.current else { return self.last_written };
        let generation = &current.generation;
        let pids = generation.processes().into_iter().chain(generation.keeper());
        pids.map(written_by).sum()
    }

    /// Half a second after the start: stores through a mapping raise no event.
    pub(super) fn recheck(&mut self) -> Vec<Event> {
        let Some((image, program)) = &mut self.image else { return Vec::new() };
        let mut found: Vec<Arc<Path>> = Vec::new();
        if image.differs_from(&program.path) {
            // What was judged as it is now need not be judged again.
            if identity(&program.path).ok() != self.judged_program {
                found.push(program.path.as_path().into());
            }
        } else {
            image.note_bytes();
        }
        let mut budget = RECHECK_BUDGET;
        let program = program.path.clone();
        let started_with = std::mem::take(&mut self.started_with);
        for path in started_with.into_iter().chain(self.judged.iter().cloned()) {
            // What cannot be told counted as changed once; a second time would be a needless start.
            // Our looking into it must not be taken for its use.
            let unused = self.core.is_unused(&path);
            if *path != *program
                && !unused
                && self.watch.differs(&path, &mut budget) == Difference::Changed
            {
                found.push(path);
            }
        }
        let event = |path| Event::File(FileEvent { path, what: What::Found });
        found.into_iter().map(event).collect()
    }

    /// Says once when a synced file stands in, and when the original is back.
    pub(super) fn announce_stand_in(&mut self, program: &super::program::Program) {
        let before = self.image.as_ref().is_some_and(|(_, program)| program.stand_in);
        match (before, program.stand_in) {
            (false, true) => self
                .say(Line::StandIn { path: program.path.clone(), instead_of: self.command.name() }),
            (true, false) => self.say(Line::StandInGone { back_to: self.command.name() }),
            (true, true) | (false, false) => {}
        }
    }
}

/// `wchar` of proc(5)'s `io`: to files, pipes and terminals.
fn written_by(pid: i32) -> Option<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    io.lines().find_map(|line| line.strip_prefix("wchar:"))?.trim().parse().ok()
}

/// What the first exec may wait for listening to readers: an app folder that a buildpack emptied,
/// or one of some hundred files, takes less than a millisecond.
const LISTEN: Duration = Duration::from_millis(2);
/// Bytes that the second look digests: about 10 ms.
const RECHECK_BUDGET: u64 = 16 << 20;
