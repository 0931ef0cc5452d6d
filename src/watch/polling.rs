//! Polling: listing again what may change without an event, or what has no watch.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::observation::Warning;
use super::rooting::Root;
use super::scan::Task;
use super::table::{FolderId, LOOSE};
use super::watcher::Watch;

/// Slow polling beside events that come but cannot be trusted: what a person still bears.
const SLOW: Duration = Duration::from_secs(2);

/// Polling where nothing else tells.
const FAST: Duration = Duration::from_millis(500);

/// A poll may take a twentieth of a core: 100,000 files cost 0.2 s to list, hence every 4 s.
const SHARE: u32 = 20;

/// What a poll lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A folder with all below it.
    Folder(FolderId),
    /// The watched single files.
    Files,
    /// Folders without a watch.
    Unwatched,
    /// Every root there is.
    All,
    /// Nothing any more: the folder is gone. Others keep their places.
    Gone,
}

/// One thing that is polled.
#[derive(Debug)]
pub(super) struct Poll {
    target: Target,
    period: Duration,
    pub(super) next: Instant,
    /// Folders of this round that are still to be listed.
    left: usize,
    /// Time that this round took so far.
    spent: Duration,
}

impl Watch {
    /// The poll that the user asked for, or the one that must be where there is no queue.
    pub(super) fn start_polls(&mut self, period: Option<Duration>) {
        let without_events = self.queue.is_none().then_some(FAST);
        if let Some(period) = period.or(without_events) {
            self.add_poll(Target::All, period);
        }
    }

    /// Lists this as well from now on, slowly where events may come.
    pub(super) fn poll_also(&mut self, target: Target) {
        let period = match target {
            Target::Unwatched => FAST,
            _ => SLOW,
        };
        if !self.polls.iter().any(|poll| poll.target == target) {
            self.add_poll(target, period);
        }
    }

    fn add_poll(&mut self, target: Target, period: Duration) {
        self.listen_no_more();
        self.polls.push(Poll {
            target,
            period,
            next: Instant::now() + period,
            left: 0,
            spent: Duration::ZERO,
        });
    }

    /// Puts the folders of due polls into the queue of tasks; never beside other listing, which
    /// would make rounds pile up.
    pub(super) fn begin_due_polls(&mut self) {
        if self.has_work() {
            return;
        }
        let now = Instant::now();
        for index in 0..self.polls.len() {
            let poll = &mut self.polls[index];
            if matches!(poll.target, Target::Folder(id) if !self.table.exists(id)) {
                // Its number may be given to another folder.
                poll.target = Target::Gone;
            }
            if poll.next > now || poll.target == Target::Gone {
                continue;
            }
            // Where events are missing, the way to a root may have changed unsaid as well.
            self.check_roots(false);
            let tasks = self.tasks_of(self.polls[index].target);
            let poll = &mut self.polls[index];
            poll.left = tasks.len();
            poll.spent = Duration::ZERO;
            poll.next = now + poll.period;
            let tasks = tasks.into_iter().map(|task| task.polled(index));
            self.tasks.extend(tasks);
        }
    }

    fn tasks_of(&self, target: Target) -> Vec<Task> {
        let roots = || self.roots.iter().filter_map(Root::folder).map(Task::deep);
        match target {
            Target::Folder(id) => vec![Task::deep(id)],
            Target::Gone => Vec::new(),
            Target::Files => vec![Task::new(LOOSE)],
            Target::Unwatched => self.unwatched.iter().map(|id| Task::new(*id)).collect(),
            Target::All => std::iter::once(Task::new(LOOSE)).chain(roots()).collect(),
        }
    }

    /// When the next poll is due.
    pub(super) fn next_poll(&self) -> Option<Instant> {
        let polls = self.polls.iter().filter(|poll| poll.target != Target::Gone);
        polls.map(|poll| poll.next).min()
    }

    /// Whether anything is polled.
    pub(super) fn polls_anything(&self) -> bool {
        self.next_poll().is_some()
    }

    /// One more folder belongs to the round of this poll.
    pub(super) fn expect(&mut self, poll: Option<usize>) {
        if let Some(poll) = poll.and_then(|index| self.polls.get_mut(index)) {
            poll.left += 1;
        }
    }

    /// A folder of a round took this long; after the last one the period is fitted to the cost.
    pub(super) fn spend(&mut self, poll: Option<usize>, time: Duration, done: bool) {
        let Some(poll) = poll.and_then(|index| self.polls.get_mut(index)) else {
            return;
        };
        poll.spent += time;
        poll.left = poll.left.saturating_sub(usize::from(done));
        if poll.left == 0 {
            poll.next = Instant::now() + poll.period.max(poll.spent * SHARE);
        }
    }

    /// The app was started just now: what came since the last poll is found before it can go again,
    /// for then no poll would ever see it. Not where listing is so dear that the period was fitted
    /// to it.
    pub(super) fn poll_after_start(&mut self) {
        let now = Instant::now();
        for poll in &mut self.polls {
            if poll.left == 0 && poll.spent * SHARE <= poll.period {
                poll.next = now;
            }
        }
    }

    /// The tasks were thrown away: rounds begin anew.
    pub(super) fn reset_polls(&mut self) {
        let now = Instant::now();
        for poll in &mut self.polls {
            poll.left = 0;
            poll.next = now + poll.period;
        }
    }

    /// The queue is empty: what a poll saw and no event told by now will never be told.
    pub(super) fn judge_suspects(&mut self) {
        if self.suspects.is_empty() || self.has_work() {
            return;
        }
        let suspects: Vec<(PathBuf, usize)> =
            std::mem::take(&mut self.suspects).into_iter().collect();
        for (path, index) in suspects {
            let Some(poll) =
                self.polls.get_mut(index).filter(|poll| poll.target != Target::Unwatched)
            else {
                continue;
            };
            if poll.period > FAST {
                poll.period = FAST;
                poll.next = poll.next.min(Instant::now() + FAST);
                self.warn(Warning::EventsMissing(path));
            }
        }
    }
}
