//! A change set: the paths that changed together, and for each what proves that it is complete.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::marks::{How, Mark, Marks, Work};
use super::temporary::{is_sync_client, is_temporary};
use crate::core::{FileEvent, Moment, What};

/// What the window depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One path, renamed in from outside the tree.
    RenamedIn,
    /// One path of another kind.
    OnePath,
    /// Two or more paths.
    Several,
    /// Nothing but deletions: the copy that follows may come in a session of its own.
    DeletionsOnly,
}

/// The paths that changed together.
#[derive(Debug, Clone)]
pub(super) struct ChangeSet {
    pub(super) first: Moment,
    pub(super) last: Moment,
    /// The last event that cannot be a line appended to somebody's log.
    last_sure: Option<Moment>,
    largest_gap: Duration,
    /// The three longest pauses of writers at work, longest first.
    pauses: [Duration; 3],
    /// How long the file took that a sync client renamed last.
    streamed: Duration,
    marks: Marks,
}

impl ChangeSet {
    pub(super) fn begin(now: Moment) -> Self {
        Self {
            first: now,
            last: now,
            last_sure: None,
            largest_gap: Duration::ZERO,
            pauses: [Duration::ZERO; 3],
            streamed: Duration::ZERO,
            marks: Marks::default(),
        }
    }

    /// Takes one event in.
    pub(super) fn add(&mut self, event: &FileEvent, now: Moment) {
        let gap = now.saturating_sub(self.last);
        if self.looks_complete() {
            self.largest_gap = self.largest_gap.max(gap);
        } else if let Some(shorter) = self.pauses.iter().position(|&pause| pause < gap) {
            self.pauses[shorter..].rotate_right(1);
            self.pauses[shorter] = gap;
        }
        self.last = now;
        let path = &event.path;
        match &event.what {
            What::Created => {
                self.mark(path, How::Altered, Work::Open { since: now }, true, now);
                self.remark(path, |mark| mark.copied = true);
            }
            What::Modified => {
                self.mark(path, How::Altered, Work::Open { since: now }, false, now);
            }
            What::Closed | What::Linked => {
                let work = resting(path, now);
                self.mark(path, How::Altered, work, event.what == What::Linked, now);
            }
            What::MovedIn => {
                let work = resting(path, now);
                self.mark(path, How::RenamedIn, work, false, now);
            }
            What::MovedWithin { from } => self.moved(from, path, now),
            What::MovedAway | What::Deleted => self.gone(path, now),
            What::Attributes | What::Found => {
                if self.marks.get(path).is_none() || event.what == What::Found {
                    let work = match self.marks.get(path) {
                        Some(mark) => mark.work,
                        None => resting(path, now),
                    };
                    self.mark(path, How::Altered, work, false, now);
                }
            }
            What::FolderMoved { from } => self.folder_moved(from, path, now),
            What::FolderGone => self.folder_gone(path, now),
        }
        if event.what != What::Found {
            self.remark(path, |mark| mark.witnessed = true);
        }
        if let What::Created | What::Linked | What::MovedIn | What::MovedWithin { .. } = event.what
        {
            self.remark(path, |mark| mark.placed = Some(now));
        }
        let appended = |mark: &Mark| matches!(mark.work, Work::Open { .. }) && !mark.copied;
        if !self.marks.get(path).is_some_and(appended) {
            self.last_sure = Some(now);
        }
    }

    /// The last event that cannot be a line appended to somebody's log; `None` = all may be.
    pub(super) fn last_sure(&self) -> Option<Moment> {
        self.last_sure
    }

    /// Whether this open path may be somebody's log: it was there before and is written in place.
    pub(super) fn may_be_log(&self, path: &Path) -> bool {
        self.marks.get(path).is_some_and(|mark| !mark.copied)
    }

    /// Whether the file of this name in it is the one that it was then.
    pub(super) fn is_still(&self, path: &Path, then: Moment) -> bool {
        let same = |mark: &Mark| mark.placed.is_none_or(|placed| placed <= then);
        self.marks.get(path).is_some_and(|mark| mark.how != How::Deleted && same(mark))
    }

    /// Whether nothing is left of it: files that came and went.
    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// What the window depends on.
    pub(super) fn shape(&self) -> Shape {
        match self.marks.only() {
            _ if self.marks.are_deletions() => Shape::DeletionsOnly,
            Some(Mark { how: How::RenamedIn, .. }) => Shape::RenamedIn,
            Some(_) => Shape::OnePath,
            None => Shape::Several,
        }
    }

    /// The longest silence while nothing seemed to be at work.
    pub(super) fn largest_gap(&self) -> Duration {
        self.largest_gap
    }

    /// The rhythm of a client that sends so many bytes a second and sleeps in between: three of its
    /// pauses were at least this long.
    pub(super) fn rhythm(&self) -> Duration {
        self.pauses[2]
    }

    /// How long the file took that a sync client renamed to its name last.
    pub(super) fn streamed(&self) -> Duration {
        self.streamed
    }

    /// The paths to judge: all but files on their way to another name.
    pub(super) fn paths(&self) -> Vec<Arc<Path>> {
        self.lasting().map(|(path, _)| Arc::clone(path)).collect()
    }

    /// The first path to judge that an event told of; `None` = a comparison found them all.
    pub(super) fn witnessed(&self) -> Option<Arc<Path>> {
        let lasting = self.lasting().find(|(_, mark)| mark.witnessed);
        lasting.map(|(path, _)| Arc::clone(path))
    }

    fn lasting(&self) -> impl Iterator<Item = (&Arc<Path>, &Mark)> {
        self.marks.iter().filter(|(path, mark)| mark.how == How::Deleted || !is_temporary(path))
    }

    /// Nothing seems to be at work, as far as the events tell.
    fn looks_complete(&self) -> bool {
        self.marks.open().is_empty() && self.marks.temporary().is_empty()
    }

    /// The paths that are presumed open for writing, for the writer test.
    pub(super) fn open(&self) -> Vec<Arc<Path>> {
        self.marks.open().iter().cloned().collect()
    }

    /// Whether any path is presumed open.
    pub(super) fn is_open(&self) -> bool {
        !self.marks.open().is_empty()
    }

    /// Until when closed temporary files of this set are waited for; `None` = there are none.
    pub(super) fn temporaries_until(&self, patience: Duration) -> Option<Moment> {
        self.marks.temporary().values().max().map(|&since| since + patience)
    }

    /// When the last event of this open path came.
    pub(super) fn open_since(&self, path: &Path) -> Option<Moment> {
        match self.marks.get(path)?.work {
            Work::Open { since } => Some(since),
            Work::Done | Work::Temporary { .. } => None,
        }
    }

    /// The writer test says that nobody writes it, or patience is over.
    pub(super) fn presume_closed(&mut self, path: &Arc<Path>, now: Moment) {
        let work = resting(path, now);
        self.remark(path, |mark| mark.work = work);
    }

    /// The path is none of this set's business.
    pub(super) fn forget(&mut self, path: &Path) {
        self.marks.take(path);
    }

    /// The exec check found a writer that no event told of.
    pub(super) fn presume_open(&mut self, path: &Arc<Path>, now: Moment) {
        self.mark(path, How::Altered, Work::Open { since: now }, false, now);
    }

    fn mark(&mut self, path: &Arc<Path>, how: How, work: Work, created: bool, now: Moment) {
        let old = self.marks.get(path);
        // A close after a rename does not make the renamed file a written one.
        let how = match (old.map(|mark| mark.how), how, work) {
            (Some(How::RenamedIn), How::Altered, Work::Done) => How::RenamedIn,
            _ => how,
        };
        let born_here = old.map_or(created, |mark| mark.born_here);
        let copied = old.is_some_and(|mark| mark.copied);
        let placed = old.and_then(|mark| mark.placed);
        let witnessed = old.is_some_and(|mark| mark.witnessed);
        let begun = old.map_or(now, |mark| mark.begun);
        self.marks.put(path, Mark { how, work, born_here, copied, placed, witnessed, begun });
    }

    fn remark(&mut self, path: &Arc<Path>, change: impl FnOnce(&mut Mark)) {
        if let Some(mut mark) = self.marks.get(path).copied() {
            change(&mut mark);
            self.marks.put(path, mark);
        }
    }

    fn moved(&mut self, from: &Arc<Path>, to: &Arc<Path>, now: Moment) {
        let before = self.marks.get(from).copied();
        let still_open = before.is_some_and(|mark| matches!(mark.work, Work::Open { .. }));
        if is_sync_client(from) {
            self.streamed = before.map_or(Duration::ZERO, |mark| now.saturating_sub(mark.begun));
        }
        self.gone(from, now);
        // A writer that has the file open follows it to its new name.
        let work = if still_open { Work::Open { since: now } } else { resting(to, now) };
        self.mark(to, How::Altered, work, false, now);
    }

    fn gone(&mut self, path: &Arc<Path>, now: Moment) {
        match self.marks.get(path) {
            Some(mark) if mark.born_here => {
                self.marks.take(path);
            }
            _ => self.mark(path, How::Deleted, Work::Done, false, now),
        }
    }

    fn folder_moved(&mut self, from: &Path, to: &Arc<Path>, now: Moment) {
        for old in self.marks.below(from) {
            if let (Some(mut mark), Ok(rest)) = (self.marks.take(&old), old.strip_prefix(from)) {
                mark.placed = Some(now);
                self.marks.put(&Arc::from(to.join(rest)), mark);
            }
        }
        self.mark(to, How::Altered, Work::Done, false, now);
    }

    fn folder_gone(&mut self, folder: &Arc<Path>, now: Moment) {
        for path in self.marks.below(folder) {
            self.gone(&path, now);
        }
        self.mark(folder, How::Deleted, Work::Done, false, now);
    }
}

/// The state of a path that nobody has open.
fn resting(path: &Path, now: Moment) -> Work {
    if is_temporary(path) { Work::Temporary { since: now } } else { Work::Done }
}
