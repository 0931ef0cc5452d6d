//! The promises, as they can be checked when everything rests.

use std::time::Duration;

use relaunch_buildpack::core::settle::is_temporary;

use super::disk::{Form, Name, is_beside};
use super::schedule::Set;
use super::world::{REST, World};
use super::writer::{APP, Pattern, name};

impl World {
    /// Checks what must hold in the end; the first broken promise is noted.
    pub(super) fn check(&mut self) {
        if self.broken.is_some() {
            return;
        }
        let broken = if let Some(asked) = self.shutdown {
            self.check_shutdown(asked)
        } else {
            self.check_rest()
                .or_else(|| self.lost_hangup())
                .or_else(|| self.check_sets())
                .or_else(|| self.check_storm())
        };
        if let Some(promise) = broken {
            self.breaks(promise);
        }
    }

    fn check_shutdown(&self, asked: Duration) -> Option<String> {
        let Some(exited) = self.exited else { return Some("the shutdown never ended".into()) };
        if self.processes.iter().any(super::app::Process::is_alive) {
            return Some("the supervisor ended before its app".into());
        }
        let longest = super::world::SHUTDOWN + Duration::from_millis(500) + self.lateness();
        (exited > asked + longest)
            .then(|| format!("the shutdown took {:?}", exited.saturating_sub(asked)))
    }

    fn check_rest(&self) -> Option<String> {
        let app = name(APP);
        let quiet = self.schedule.end + REST.saturating_sub(Duration::from_secs(15));
        if self.starts.last().is_some_and(|start| *start > quiet) {
            return Some("restarts without end".into());
        }
        let running = self.processes.iter().find(|it| it.leader);
        let disk = self.disk.content(&app).filter(|content| content.form == Form::Whole);
        let startable = disk.is_some() || self.executable.is_some();
        if running.is_none() && !self.crashed && startable {
            return Some("nothing runs at rest".into());
        }
        let disk = disk?;
        if running.is_none() && self.slept_on() {
            return Some(
                "the executable was touched after the app had failed: nothing runs".into(),
            );
        }
        // A crash does not excuse a change that came after it; one that came before it ran.
        if self.executable != Some(disk) {
            let ran = self.executable;
            return Some(format!("what ran last is {ran:?}, on disk is {disk:?}"));
        }
        let is_apps = |path: &Name| {
            let file = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
            file == "app.log" || file.starts_with("state-")
        };
        let on_disk = self.contents();
        let all = on_disk.keys().chain(self.loaded.keys());
        // Where nothing runs, nobody looks again at what a mapping stores.
        let silent = |path: &Name| {
            let inode = self.disk.inode_of(path).map(|inode| self.disk.inode(inode));
            running.is_none() && inode.is_some_and(|inode| inode.silent)
        };
        // What came and went between two polls nobody saw.
        let polled = self.schedule.poll.is_some();
        let unseen = |path: &Name| polled && !on_disk.contains_key(path) && !self.watch.knew(path);
        let own = |path: &Name| is_apps(path) || is_temporary(path) || is_beside(path);
        // The executable was compared with what ran; the last good one is started from no name.
        let counts = |path: &&Name| **path != app && !own(path) && !silent(path) && !unseen(path);
        let stale = all.filter(counts).find(|path| on_disk.get(*path) != self.loaded.get(*path));
        let lost = stale.map(|path| format!("an update of {} was lost", path.display()));
        let heard = running.filter(|_| !polled);
        lost.or_else(|| heard.and_then(|_| self.stale_beside()))
    }

    /// Somebody did something to a file that is still there after the app had failed. Where the
    /// kernel lost events nobody knows, and what the app itself writes each time proves nothing.
    fn slept_on(&self) -> bool {
        let told = self.schedule.queue > 100 && !self.schedule.manners.own_state;
        told && self.failed.zip(self.touched).is_some_and(|(failed, touched)| touched > failed)
    }

    /// On a tree that never goes quiet there is a start every 10 s: not never, and not more.
    fn check_storm(&self) -> Option<String> {
        let (begin, end) = self.schedule.storm?;
        let within = |at: &&Duration| **at >= begin && **at < end;
        let starts = self.starts.iter().filter(within).count();
        (starts != 2).then(|| format!("a storm of 25 s made {starts} starts, not 2"))
    }

    fn check_sets(&self) -> Option<String> {
        let sets = &self.schedule.sets;
        sets.iter().enumerate().find_map(|(index, set)| {
            let until = sets.get(index + 1).map_or(Duration::MAX, |next| next.begin);
            self.check_set(*set, until)
        })
    }

    /// When the second set began, or the only one.
    fn second_set(&self) -> Duration {
        self.schedule.sets.iter().take(2).map(|set| set.begin).max().unwrap_or_default()
    }

    fn check_set(&self, set: Set, until: Duration) -> Option<String> {
        let Set { pattern, begin, end } = set;
        let within = |at: &&Duration| **at >= begin && **at < until;
        let starts = self.starts.iter().filter(within).count();
        let ideal = usize::from(!pattern.changes_nothing());
        if starts != ideal {
            return Some(format!("{pattern:?} at {begin:?} made {starts} starts, not {ideal}"));
        }
        let reaction = self.reactions.iter().find(within).copied()?;
        let bound = match pattern {
            // That it writes nothing is known after its second set.
            _ if self.schedule.bystander && begin <= self.second_set() => WINDOW,
            Pattern::SessionCopy | Pattern::LongSession | Pattern::TwoSessions => SESSION,
            _ => WINDOW,
        };
        let late = reaction > end + bound;
        late.then(|| format!("{pattern:?} ended at {end:?}, the core reacted at {reaction:?}"))
    }
}

/// From the last write of a session to the decision: its end, a look, a judgement; and the end of a
/// health check that might have been another client.
const SESSION: Duration = Duration::from_millis(100);
/// The longest quiet time that follows what a well-behaved writer does: that of deletions.
const WINDOW: Duration = Duration::from_millis(1_300);
