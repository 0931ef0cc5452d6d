//! The settler: when is a change set complete? Evidence first, quiet time last.
//!
//! It collects events into a [`ChangeSet`] and says, each time it is asked, what is to be done
//! next: look around for a sync session, test who writes the files that are presumed open, or
//! judge the set because it has settled.
//!
//! A set is *not* settled while
//! - the watch still compares the disk with its tables,
//! - a file of it is open for writing: without limit when the next start would exec it, else as
//!   long as it is being written, and [`FOREIGN_WRITER`] where it may be somebody's log,
//! - a temporary file of a sync client waits for its new name, at most [`TEMPORARY`],
//! - the sync session that began with it lives, unless nothing came for [`SESSION_QUIET`].
//!
//! All of it ends with `--settle-max`, or a multiple of it while a known session goes on sending.
//!
//! The end of the session that wrote it settles it almost at once; otherwise the [`window`] decides.

mod marks;
mod pending;
mod set;
mod temporary;
mod window;
mod writers;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use temporary::is_temporary;

use self::pending::{Origin, Pending, Phase};
use self::set::{ChangeSet, Shape};
use self::window::Window;
use super::{FileEvent, Moment, Surroundings, What};

/// What the settler wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    LookAround,
    Probe(Vec<Arc<Path>>),
    Settled(Settled),
}

/// A settled set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) paths: Vec<Arc<Path>>,
    /// When its first and its last event came.
    pub(super) first: Moment,
    pub(super) last: Moment,
    /// A sync session wrote it, so the app did not.
    pub(super) by_session: bool,
    /// The first of them that somebody changed just now; `None` = a comparison found them all.
    pub(super) witnessed: Option<Arc<Path>>,
    /// It has to do as it is: it was waited for long enough.
    pub(super) overdue: bool,
}

/// What the writer test told besides its influence on settling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// The running generation itself has the file open: it counts no more.
    OwnFile(Arc<Path>),
    /// The executable is open for writing.
    Waiting(Arc<Path>),
}

#[derive(Debug)]
pub(super) struct Settler {
    phase: Phase,
    window: Window,
    settle_max: Duration,
    scanning: bool,
    /// Since when an answer about the world is waited for: what happened until then comes first, and
    /// nothing is decided before.
    asked: Option<Moment>,
    stretch: u32,
    /// Living sessions, and how many sets each has outlived; see [`OUTLIVES`].
    clients: BTreeMap<i32, u32>,
    /// Files that the app itself keeps open.
    own: BTreeSet<Arc<Path>>,
    last_cut: Option<Cut>,
}

/// The last set that led to a start, to learn whether it was cut too early.
#[derive(Debug)]
struct Cut {
    settled: Moment,
    last: Moment,
    by_session: bool,
    /// The one path of a set that was a single rename: renamed again, it is a new version.
    renamed: Option<Arc<Path>>,
}

impl Settler {
    pub(super) fn new(settle: Option<Duration>, settle_max: Duration) -> Self {
        Self {
            phase: Phase::Quiet,
            window: Window::new(settle),
            settle_max,
            scanning: false,
            asked: None,
            stretch: 1,
            clients: BTreeMap::new(),
            own: BTreeSet::new(),
            last_cut: None,
        }
    }

    /// Whether no change waits for a judgement.
    pub(super) fn is_quiet(&self) -> bool {
        self.has_no_set() && !self.scanning && self.asked.is_none()
    }

    /// Whether there is no set, neither growing nor judged.
    pub(super) fn has_no_set(&self) -> bool {
        matches!(self.phase, Phase::Quiet)
    }

    /// Whether nothing but a comparison of the watch is waited for.
    pub(super) fn only_scans(&self) -> bool {
        self.has_no_set() && self.scanning
    }

    /// Takes an event into the set. Returns whether it is to be judged: not what the app itself does to
    /// the files that it keeps open.
    pub(super) fn file(&mut self, event: &FileEvent, now: Moment) -> bool {
        if self.is_own(event) {
            return false;
        }
        let mut pending = match std::mem::replace(&mut self.phase, Phase::Quiet) {
            Phase::Quiet => self.begin(event, now),
            Phase::Collecting(pending) | Phase::Judging(pending) => pending,
        };
        pending.set.add(event, now);
        let gone = matches!(event.what, What::Deleted | What::MovedAway | What::FolderGone);
        if !gone && pending.session != Origin::Session {
            pending.unclaimed.get_or_insert(now);
        }
        if self.own.contains(&event.path) {
            // It changed unseen: is it still the app that has it open?
            pending.set.presume_open(&event.path, now);
        }
        if pending.session == Origin::EndedSession {
            pending.session = Origin::Unknown;
        }
        if !pending.set.is_empty() {
            self.phase = Phase::Collecting(pending);
        }
        true
    }

    /// A new generation runs: what the old one kept open is anybody's file again.
    pub(super) fn forget_own_files(&mut self) {
        self.own.clear();
    }

    /// The watch compares the disk with its tables: what is being judged may not be all.
    pub(super) fn scan(&mut self, under_way: bool) {
        self.scanning = under_way;
        if under_way {
            self.phase = match std::mem::replace(&mut self.phase, Phase::Quiet) {
                Phase::Judging(pending) => Phase::Collecting(pending),
                phase @ (Phase::Quiet | Phase::Collecting(_)) => phase,
            };
        }
    }

    /// A session that began after the first write did not do it: a health check, say, beside a copy
    /// that no session makes. It puts the set off while it lives, but its end proves nothing.
    pub(super) fn looked_around(&mut self, seen: &Surroundings, now: Moment) {
        self.asked = None;
        self.stretch = seen.stretch;
        let young = seen.sessions.iter().filter(|it| !it.terminal && it.age_ms <= YOUNG_MS);
        let Phase::Collecting(pending) = &mut self.phase else {
            return;
        };
        // From the answer on: a look that takes long must not follow upon itself.
        pending.look_from = now + LOOK_AGAIN;
        for session in young {
            let outlived = self.clients.entry(session.pid).or_default();
            if *outlived >= OUTLIVES {
                continue;
            }
            pending.session = Origin::Session;
            let began = seen.at.saturating_sub(Duration::from_millis(session.age_ms));
            pending.unclaimed = pending.unclaimed.filter(|written| began > *written + CLOCKS);
        }
    }

    /// Whether a sync session may be at work.
    fn is_in_session(&self) -> bool {
        self.clients.values().any(|outlived| *outlived < OUTLIVES)
    }

    pub(super) fn session_ended(&mut self, pid: i32) {
        let known = self.clients.remove(&pid).is_some_and(|outlived| outlived < OUTLIVES);
        let in_session = self.is_in_session();
        let Phase::Collecting(pending) = &mut self.phase else {
            return;
        };
        if known && !in_session && pending.session == Origin::Session {
            pending.session = match pending.unclaimed {
                None => Origin::EndedSession,
                Some(_) => Origin::Unknown,
            };
            // Another one may have come meanwhile.
            pending.looked = None;
        }
    }

    /// What is to be done now; `None` = wait until [`deadline`](Self::deadline). `latest` = nothing
    /// runs although something should, and at that moment the set has to do as it is.
    pub(super) fn poll(&mut self, latest: Option<Moment>, now: Moment) -> Option<Step> {
        let due = self.due(latest)?;
        let in_session = self.is_in_session();
        let Phase::Collecting(pending) = &mut self.phase else {
            return None;
        };
        let overdue = now >= pending.latest(in_session, self.settle_max, latest);
        let again = |at| at < pending.set.last && now >= pending.look_from && !overdue;
        if !in_session && pending.looked.is_none_or(again) {
            pending.looked = Some(now);
            self.asked = Some(now);
            return Some(Step::LookAround);
        }
        // What is written to without rest never comes to its quiet time; it may be the app's own log.
        let restless = pending.set.is_open() && now >= pending.set.first + RESTLESS;
        if now < due && !restless {
            return None;
        }
        if pending.set.is_open() {
            if now < pending.probe_from {
                return None;
            }
            self.asked = Some(now);
            return Some(Step::Probe(pending.set.open()));
        }
        let settled = Settled {
            paths: pending.set.paths(),
            first: pending.set.first,
            last: pending.set.last,
            by_session: pending.is_by_session(),
            witnessed: pending.set.witnessed(),
            overdue,
        };
        let Phase::Collecting(pending) = std::mem::replace(&mut self.phase, Phase::Quiet) else {
            return None;
        };
        if settled.paths.is_empty() {
            return None;
        }
        self.phase = Phase::Judging(pending);
        Some(Step::Settled(settled))
    }

    /// When [`poll`](Self::poll) will have something to say, unless events come first.
    pub(super) fn deadline(&self, latest: Option<Moment>) -> Option<Moment> {
        let due = self.due(latest)?;
        let Phase::Collecting(pending) = &self.phase else {
            return None;
        };
        if !pending.set.is_open() {
            return Some(due);
        }
        Some(due.min(pending.set.first + RESTLESS).max(pending.probe_from))
    }

    /// The judgement stands: the set is done with. `real` = something had changed.
    pub(super) fn close(&mut self, real: bool, now: Moment) {
        let Phase::Judging(pending) = std::mem::replace(&mut self.phase, Phase::Quiet) else {
            return;
        };
        // One that goes on sending is none the less a client for a set that could not wait.
        let silent = now >= pending.set.last + SESSION_QUIET;
        if silent || now >= pending.latest(true, self.settle_max, None) {
            for outlived in self.clients.values_mut() {
                *outlived = outlived.saturating_add(1);
            }
        }
        // A set that was refused or unchanged has cost nobody anything: it was no cut.
        if !real {
            return;
        }
        match pending.follows {
            Some(gap) => self.window.cut_too_early(gap),
            None => self.window.kept_together(pending.set.largest_gap()),
        }
        let renamed = match pending.set.shape() {
            Shape::RenamedIn => pending.set.paths().into_iter().next(),
            Shape::OnePath | Shape::Several | Shape::DeletionsOnly => None,
        };
        self.last_cut = Some(Cut {
            settled: now,
            last: pending.set.last,
            by_session: pending.is_by_session(),
            renamed,
        });
    }

    /// Whether the set that was judged is still the whole truth: nothing came meanwhile.
    pub(super) fn is_judging(&self) -> bool {
        matches!(self.phase, Phase::Judging(_))
    }

    /// The exec check found a writer: the set is not settled after all.
    pub(super) fn busy(&mut self, path: &Arc<Path>, now: Moment) {
        if let Phase::Judging(mut pending) = std::mem::replace(&mut self.phase, Phase::Quiet) {
            pending.set.presume_open(path, now);
            pending.probe_from = now + PROBE_MIN;
            pending.probe_pause = PROBE_MIN;
            self.phase = Phase::Collecting(pending);
        }
    }

    /// Wait longer for this set: the app itself may have written it.
    pub(super) fn postpone(&mut self, until: Moment) {
        if let Phase::Judging(mut pending) = std::mem::replace(&mut self.phase, Phase::Quiet) {
            pending.not_before = until;
            self.phase = Phase::Collecting(pending);
        }
    }

    fn begin(&self, event: &FileEvent, now: Moment) -> Pending {
        let follows = self.last_cut.as_ref().and_then(|cut| {
            let new_version = cut.renamed.as_ref() == Some(&event.path);
            let early = window::proves_early_cut(cut.settled, now);
            (early && !cut.by_session && !new_version).then(|| now.saturating_sub(cut.last))
        });
        Pending {
            set: ChangeSet::begin(now),
            looked: None,
            look_from: Moment::ZERO,
            probe_from: now,
            probe_pause: PROBE_MIN,
            session: if self.is_in_session() { Origin::Session } else { Origin::Unknown },
            unclaimed: None,
            not_before: Moment::ZERO,
            told: None,
            held_up: now,
            follows,
        }
    }

    /// An app appends to its own log and closes it when it ends; a new file of that name is
    /// somebody else's.
    fn is_own(&mut self, event: &FileEvent) -> bool {
        match &event.what {
            What::Modified | What::Closed | What::Attributes | What::Deleted | What::MovedAway => {
                self.own.contains(&event.path)
            }
            What::Created
            | What::Linked
            | What::MovedIn
            | What::MovedWithin { .. }
            | What::FolderMoved { .. }
            | What::FolderGone => {
                self.own.remove(&event.path);
                false
            }
            What::Found => false,
        }
    }

    fn due(&self, latest: Option<Moment>) -> Option<Moment> {
        let Phase::Collecting(pending) = &self.phase else {
            return None;
        };
        if self.asked.is_some() {
            return None;
        }
        if self.scanning {
            // Nothing else bounds the listing of a large tree.
            return latest;
        }
        let set = &pending.set;
        // What goes on after a cut that came too early must not be cut again.
        let lesson = pending.follows.and_then(window::lesson).unwrap_or_default();
        let window = self.window.quiet(set, self.stretch).max(lesson);
        let in_session = self.is_in_session();
        let quiet = match pending.session {
            Origin::EndedSession if set.shape() != Shape::DeletionsOnly => {
                set.last + AFTER_SESSION.max(self.window.least())
            }
            Origin::Session if in_session => set.last + window.max(SESSION_QUIET),
            Origin::EndedSession | Origin::Session | Origin::Unknown => set.last + window,
        };
        let complete = match pending.session {
            // Whoever could rename them is gone.
            Origin::EndedSession => quiet,
            Origin::Session | Origin::Unknown => {
                quiet.max(set.temporaries_until(TEMPORARY).unwrap_or_default())
            }
        };
        // A log that never rests puts the rest of the set off no longer than this.
        let beside_log =
            set.last_sure().filter(|_| !in_session).map(|sure| sure + window + FOREIGN_WRITER);
        let latest = pending.latest(in_session, self.settle_max, latest);
        Some(complete.min(beside_log.unwrap_or(latest)).min(latest).max(pending.not_before))
    }
}

/// Patience with a file that somebody keeps open without writing, and with a log beside a set.
const FOREIGN_WRITER: Duration = Duration::from_secs(2);
/// Patience with a closed temporary file: a client that died leaves it behind.
const TEMPORARY: Duration = Duration::from_secs(2);
/// A session that ends in the middle of what somebody else writes must not cut it: a copy has gaps
/// of 1 ms, `mv` in a loop of 2.7 ms. A sync client ends a millisecond or more after its last write
/// anyway.
const AFTER_SESSION: Duration = Duration::from_millis(5);
/// The kernel dates a start to 10 ms, and we look some time after the event.
const CLOCKS: Duration = Duration::from_millis(10);
/// A session that lives but sends nothing for this long does something else.
const SESSION_QUIET: Duration = Duration::from_secs(1);
/// A sync client begins to write soon after it was exec'ed; older ones are a person's shells and
/// other tools.
const YOUNG_MS: u64 = 5_000;
/// A session that has outlived so many sets, in silence or for all the time that a client is given,
/// is somebody's shell or debugger and no client that syncs and ends: a set that a client wrote ends
/// with it, but for one with pauses of more than [`SESSION_QUIET`].
const OUTLIVES: u32 = 2;
/// Sessions follow each other within milliseconds; a look costs 26 to 170 µs.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// A set that is still open after this time is tested for its writers although it is not quiet.
const RESTLESS: Duration = Duration::from_millis(200);
/// First pause between two writer tests; a close is told by its own event, so this is for mounts
/// and links that tell of none.
const PROBE_MIN: Duration = Duration::from_millis(10);
