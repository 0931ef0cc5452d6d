//! [`Core`]: joins the settler and the life of the app.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::life::{Life, Standing, State};
use super::own_writes::{OwnWrites, SOON, Verdict, When};
use super::refused::Refused;
use super::settle::{Settled, Settler, Step, Told};
use super::usage::{Follows, Usage, Use};
use super::{
    Action, Change, Event, Generation, Judge, Judgement, Moment, Note, Policy, Probe, Reason,
    WriterState,
};

/// The pure core of the supervisor; see the [module](super) for the theory and the call order.
#[derive(Debug)]
pub struct Core {
    settler: Settler,
    life: Life,
    own_writes: OwnWrites,
    usage: Usage,
    /// Unused paths of the last writer test, which were not opened for it.
    untested: Vec<Arc<Path>>,
    /// The set whose judgement was asked for last.
    judging: Option<Judging>,
    /// Judged again with the next set.
    refused: Refused,
    /// The last event of the set that was put off for somebody who had just opened one of its files.
    put_off: Option<Moment>,
}

#[derive(Debug)]
struct Judging {
    set: Settled,
    asked: Moment,
    /// It was put off once, since the app itself may have written it.
    postponed: bool,
    /// Those of its paths that the running generation has not opened.
    unused: Vec<Arc<Path>>,
}

impl Core {
    /// A core that waits for [`Event::Began`].
    #[must_use]
    pub fn new(policy: Policy, settle: Option<Duration>, settle_max: Duration) -> Self {
        Self {
            settler: Settler::new(settle, settle_max),
            life: Life::new(policy),
            own_writes: OwnWrites::default(),
            usage: Usage::default(),
            untested: Vec::new(),
            judging: None,
            refused: Refused::default(),
            put_off: None,
        }
    }

    /// Takes one event in and returns the orders that follow from it.
    pub fn handle(&mut self, event: Event, now: Moment) -> Vec<Action> {
        let mut out = Vec::new();
        // Signs of use come in one batch with changes that may follow them: a judgement in between would
        // know the disk as it is after all of them. `Woke` comes behind the batch.
        let judges = !matches!(event, Event::Used(_));
        match event {
            Event::Began => self.life.restart(Reason::First, Duration::ZERO, now, &mut out),
            Event::File(event) => {
                let is_judged = self.settler.file(&event, now);
                self.usage.file(&event, is_judged);
            }
            Event::Used(event) => out.extend(self.usage.sign(&event, now).map(|it| match it {
                Follows::Counts(path) => Action::Digest(path),
                Follows::Busy(folder) => Action::StopListening(folder),
            })),
            Event::ScanBegan => self.settler.scan(true),
            Event::ScanEnded => self.settler.scan(false),
            Event::LookedAround(seen) => {
                self.own_writes.looked_around(seen.written);
                self.settler.looked_around(&seen, now);
            }
            Event::SessionEnded { pid } => self.settler.session_ended(pid),
            Event::Probed(mut probes) => {
                probes.extend(self.untested.drain(..).map(unknown_writer));
                let told = self.settler.probed(&probes, self.life.start_by(), now);
                self.told(told, now, &mut out);
            }
            Event::Judged { forced: true, judgement } => self.requested(judgement, now, &mut out),
            Event::Judged { forced: false, judgement } => self.judged(judgement, now, &mut out),
            Event::Started { generation, pid, spared } => {
                self.usage.spare(spared);
                self.settler.forget_own_files();
                self.life.started(generation, pid, now, &mut out);
            }
            Event::StartFailed { generation, problem } => {
                self.life.start_failed(generation, &problem, now, &mut out);
            }
            Event::Exited { generation, ending } => {
                self.life.exited(generation, ending, now, &mut out);
            }
            Event::Emptied { generation } => self.life.emptied(generation, now, &mut out),
            Event::Suspended { generation, by } => self.life.suspended(generation, by, &mut out),
            Event::ShutdownAsked(stop) => self.life.shutdown(stop, now, &mut out),
            Event::SignalArrived { signal } => self.life.signal(signal, &mut out),
            Event::Ready { generation, signals } => {
                self.life.ready(generation, &signals, now, &mut out);
            }
            Event::ReloadAsked => {
                out.push(Action::Judge(Judge { forced: true, ..Judge::default() }));
            }
            Event::Woke => self.life.woke(now, &mut out),
        }
        if judges {
            self.pump(now, &mut out);
        }
        if self.settler.has_no_set() {
            // Nothing waits for a judgement any more, be it that what had come is gone again.
            self.usage.settled();
        }
        if out.iter().any(|action| matches!(action, Action::Start { .. })) {
            self.usage.forget();
            self.refused = Refused::default();
        }
        out
    }

    /// The moment for [`Event::Woke`]; `None` = wait for events alone.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        let latest = self.life.start_by();
        let settling = match self.life.can_act() {
            true if self.settler.only_scans() => latest,
            true => self.settler.deadline(latest),
            false => None,
        };
        [settling, self.life.deadline()].into_iter().flatten().min()
    }

    /// The generation that is up.
    #[must_use]
    pub fn running(&self) -> Option<Generation> {
        self.life.running()
    }

    /// Where the app is in its life.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.life.standing()
    }

    /// The number of the last start that was ordered; 0 before the first.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.life.generation()
    }

    /// Whether the supervisor is to end: no event changes anything any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        *self.life.state() == State::Ended
    }

    /// Whether no change waits for a judgement.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.settler.is_quiet()
    }

    /// Asks the settler for its next step, as far as the life can act on it.
    fn pump(&mut self, now: Moment, out: &mut Vec<Action>) {
        if !self.life.can_act() {
            return;
        }
        match self.settler.poll(self.life.start_by(), now) {
            Some(Step::LookAround) => out.push(Action::LookAround),
            Some(Step::Probe(paths)) => {
                let (unused, paths) = paths.into_iter().partition(|path| self.is_unused(path));
                self.untested = unused;
                out.push(Action::Probe(paths));
            }
            Some(Step::Settled(set)) => {
                if let Some(until) = self.undecided_until(&set).filter(|until| now < *until) {
                    self.put_off = Some(set.last);
                    self.settler.postpone(until);
                    return;
                }
                let question = self.question(set.paths.iter().chain(self.refused.paths()));
                let unused = question.unused.clone();
                out.push(Action::Judge(question));
                let postponed = self
                    .judging
                    .take()
                    .is_some_and(|last| last.postponed && last.set.first == set.first);
                self.judging = Some(Judging { set, asked: now, postponed, unused });
            }
            None => {
                let latest = self.life.start_by().is_some_and(|latest| now >= latest);
                if self.settler.is_quiet() || self.settler.only_scans() && latest {
                    self.life.start_due(now, out);
                }
            }
        }
    }

    /// Whether the running generation cannot be stale in this path. Where nothing runs, everything
    /// counts: an app that failed may have looked for a file that was not there.
    #[must_use]
    pub fn is_unused(&self, path: &Path) -> bool {
        self.use_of(path) != Use::Counts
    }

    fn use_of(&self, path: &Path) -> Use {
        self.life.running().map_or(Use::Counts, |_| self.usage.of(path))
    }

    /// Until when this set waits for somebody who may be about to add to it; once for each last event
    /// of it, since an app may open a changed file without rest.
    fn undecided_until(&self, set: &Settled) -> Option<Moment> {
        let may_wait = !set.overdue && self.put_off != Some(set.last);
        self.life.running().filter(|_| may_wait).and_then(|_| self.usage.undecided_until())
    }

    /// What is to be judged, by what is known of each path's use.
    fn question<'a>(&self, paths: impl Iterator<Item = &'a Arc<Path>>) -> Judge {
        let mut judge = Judge::default();
        for path in paths.collect::<BTreeSet<_>>() {
            match self.use_of(path) {
                Use::Counts => judge.paths.push(Arc::clone(path)),
                Use::None => judge.unused.push(Arc::clone(path)),
                Use::Name(entry) => {
                    judge.unused.push(Arc::clone(path));
                    // Paths are in order, so equal entries follow each other.
                    if judge.names.last() != Some(&entry) {
                        judge.names.push(entry);
                    }
                }
            }
        }
        judge
    }

    /// What is left to judge when these paths of the set are the app's own: where they differed, nobody
    /// looked at those that seem to be unused.
    fn question_without(&mut self, own: &[Arc<Path>]) -> Option<Judge> {
        let judging = self.judging.as_mut().filter(|judging| !judging.unused.is_empty())?;
        let before = judging.set.paths.len();
        judging.set.paths.retain(|path| !own.iter().any(|own| path.starts_with(own)));
        let fewer = judging.set.paths.len() < before;
        let paths = judging.set.paths.clone();
        let question = self.question(paths.iter().chain(self.refused.paths()));
        (fewer && question != Judge::default()).then_some(question)
    }

    /// A judgement of the settled set; void when something came meanwhile.
    fn judged(&mut self, judgement: Judgement, now: Moment, out: &mut Vec<Action>) {
        if !self.settler.is_judging() {
            return;
        }
        let Some(judging) = &self.judging else { return };
        let files = judging.set.paths.len();
        let witnessed = judging.set.witnessed.clone();
        match judgement {
            Judgement::Busy { path } => self.busy(&path, now, out),
            Judgement::Refused { why } => {
                // A client that mends the executable is no author of the app's log.
                let certain = |path: &Arc<Path>| self.own_writes.are_certain_of(path);
                let paths = self.judging.take().into_iter().flat_map(|it| it.set.paths);
                self.refused.add(paths.filter(|path| !certain(path)));
                // All of it is compared with the last start again, so nothing of it is adopted.
                self.settler.close(false, now);
                self.refuse(why, now, out);
            }
            Judgement::Unchanged if witnessed.is_some() && self.life.has_failed() => {
                let paths = judging.set.paths.clone();
                self.changed(&Change { paths, ..Change::default() }, now, out);
            }
            Judgement::Unchanged | Judgement::NotUsed(_)
                if self.usage.was_read_amid() || self.refused.are_too_many() =>
            {
                let paths = judging.set.paths.clone();
                self.changed(&Change { paths, ..Change::default() }, now, out);
            }
            Judgement::Unchanged => {
                self.close(false, now, out);
                // Nobody waits for a word on what only a comparison was in doubt of.
                if let Some(path) = witnessed.filter(|_| !self.life.is_start_due()) {
                    out.push(Action::Note(Note::Unchanged { path, files }));
                }
            }
            Judgement::NotUsed(change) => {
                self.close(false, now, out);
                let news = change.paths.iter().filter(|path| self.usage.is_news(path)).count();
                if let Some(path) = change.paths.first().cloned().filter(|_| news > 0) {
                    let files = change.paths.len();
                    out.push(Action::Note(Note::NotUsed { path, files }));
                }
            }
            Judgement::Changed(change) => self.changed(&change, now, out),
        }
    }

    /// The set is done with; `real` = something had changed.
    fn close(&mut self, real: bool, now: Moment, out: &mut Vec<Action>) {
        self.settler.close(real, now);
        self.refused = Refused::default();
        let unused = self.judging.as_mut().map(|judging| std::mem::take(&mut judging.unused));
        // A start makes everything the app's anew.
        out.extend(unused.filter(|it| !real && !it.is_empty()).map(Action::Adopt));
    }

    fn changed(&mut self, change: &Change, now: Moment, out: &mut Vec<Action>) {
        let Some(judging) = &mut self.judging else {
            return;
        };
        if self.life.is_start_due() {
            self.close(true, now, out);
            self.life.start_changed(now, out);
            return;
        }
        let soon = self
            .life
            .last_start()
            .is_some_and(|since| judging.set.first >= since && judging.set.first < since + SOON);
        let when = match (judging.set.by_session, soon) {
            (true, _) => When::InSession,
            (false, true) => When::Soon,
            (false, false) => When::Later,
        };
        let generation = self.life.generation();
        let touched = self.life.has_failed()
            && judging.set.witnessed.as_ref().is_some_and(|path| !change.paths.contains(path));
        match self.own_writes.weigh(change, when, generation, judging.postponed) {
            Verdict::Postpone(patience) => {
                judging.postponed = true;
                self.settler.postpone(judging.set.last + patience);
            }
            // Somebody touched another file of the set: he wants the app started that has failed.
            Verdict::Own(_) if touched || self.refused.are_too_many() => {
                self.close(true, now, out);
                self.start_for(change, Duration::ZERO, now, out);
            }
            Verdict::Own(named) => {
                out.extend(named.into_iter().map(|path| Action::Note(Note::OwnWrites { path })));
                for path in &change.paths {
                    self.usage.leave_out(path);
                }
                match self.question_without(&change.paths) {
                    Some(question) => out.push(Action::Judge(question)),
                    None => self.close(false, now, out),
                }
            }
            Verdict::Counts => {
                let settle = judging.asked.saturating_sub(judging.set.last);
                self.close(true, now, out);
                self.start_for(change, settle, now, out);
            }
        }
    }

    fn start_for(&mut self, change: &Change, settle: Duration, now: Moment, out: &mut Vec<Action>) {
        if let Some(path) = change.paths.first().cloned() {
            let (files, bytes) = (change.paths.len(), change.bytes);
            self.life.restart(Reason::Changed { path, files, bytes }, settle, now, out);
        }
    }

    /// The new executable is unfit: what runs keeps running; what ran last runs again.
    fn refuse(&mut self, why: String, now: Moment, out: &mut Vec<Action>) {
        if self.life.is_start_due() {
            self.life.refused(why, now, out);
        } else {
            out.push(Action::Note(Note::Refused { why, running: self.life.running() }));
        }
    }

    /// The executable is open for writing. Nothing runs meanwhile only when the old generation is
    /// gone already; then its writer is waited for no longer than for anything else.
    fn busy(&mut self, path: &Arc<Path>, now: Moment, out: &mut Vec<Action>) {
        self.settler.busy(path, now);
        if self.life.start_by().is_some_and(|latest| now >= latest) {
            self.fall_back(path, now, out);
        }
    }

    fn fall_back(&mut self, path: &Path, now: Moment, out: &mut Vec<Action>) {
        if self.life.has_last_good() {
            self.life.refused(format!("{} is still being written", path.display()), now, out);
        }
    }

    /// The answer to a person's wish for a restart.
    fn requested(&mut self, judgement: Judgement, now: Moment, out: &mut Vec<Action>) {
        match judgement {
            Judgement::Refused { why } => {
                out.push(Action::Note(Note::Refused { why, running: self.life.running() }));
            }
            Judgement::Busy { path } => {
                let why = format!("{} is still being written", path.display());
                out.push(Action::Note(Note::Refused { why, running: self.life.running() }));
            }
            Judgement::Unchanged | Judgement::NotUsed(_) | Judgement::Changed(_) => {
                self.life.restart(Reason::Requested, Duration::ZERO, now, out);
            }
        }
    }

    fn told(&mut self, told: Vec<Told>, now: Moment, out: &mut Vec<Action>) {
        for told in told {
            match told {
                Told::OwnFile(path) => {
                    self.usage.leave_out(&path);
                    if !self.own_writes.seen_writing(&path) {
                        out.push(Action::Note(Note::OwnWrites { path }));
                    }
                }
                Told::Waiting(path) if self.life.is_start_due() => self.fall_back(&path, now, out),
                Told::Waiting(path) => out.push(Action::Note(Note::WaitingForWriter { path })),
            }
        }
    }
}

/// A file that nobody has opened since the start is not opened for the writer test either.
fn unknown_writer(path: Arc<Path>) -> Probe {
    Probe { path, writer: WriterState::Unknown, vital: false }
}
