//! Planted faults: what the simulator must be able to find. They are injected between the world and
//! the core, or into the world's answers; the core's own code has none.

use relaunch_buildpack::core::{
    Action, Event, FileEvent, Judgement, Sign, Surroundings, UseEvent, What, WriterState,
};

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Every MODIFY is told as a close: open files seem complete.
    ModifiedAsClosed,
    /// The writer test never sees a foreign writer.
    ForeignAsNobody,
    /// The app's own open files are taken for a foreign writer's.
    OwnAsForeign,
    /// A look around and the writer test are answered before what happened meanwhile is read.
    AnswersAhead,
    /// An executable that is being written is taken for a changed one.
    BusyAsChanged,
    /// An executable that is cut is taken for a changed one.
    RefusedAsChanged,
    /// What changed beside a refused executable is not compared again.
    RefusedForgotten,
    /// An overflow is not noticed.
    ScanForgotten,
    /// What a rescan or a recheck finds is lost.
    FoundLost,
    /// Contents are compared by their sizes.
    JudgedBySize,
    /// Attributes count as content.
    TouchCounts,
    /// The baseline is taken after the exec.
    BaselineLate,
    /// A generation is called empty when its leader has ended.
    EmptiedEarly,
    /// File events that come during a stop are dropped.
    DeafWhileStopping,
    /// Every start is performed twice.
    StartTwice,
    /// A request to end is dropped during a stop.
    ShutdownForgotten,
    /// The second look at started files is left out.
    RecheckForgotten,
    /// The end of a sync session is not noticed.
    SessionEndForgotten,
    /// The last good executable was not held open.
    LastGoodForgotten,
    /// Nobody is ever killed.
    KillForgotten,
    /// Signals that came before the app are sent to it right after its exec.
    KeptAtExec,
    /// Every app seems to handle every signal.
    ReadyAssumed,
    /// No app seems to handle any.
    NeverReady,
    /// Names that are gone are not reported.
    DeletionsLost,
    /// Renames inside the tree are not reported.
    RenamesLost,
    /// Of a folder that got another name only that is told, and nothing of its files.
    FoldersLost,
    /// The end of the app is not noticed.
    ExitLost,
    /// Sync sessions are never seen.
    SessionsUnseen,
    /// Every sync session seems to have begun long before the first write.
    SessionsOld,
    /// What happens while the app is down after a failure is taken for a doubt of the watch.
    DoubtedWhileHeld,
    /// The policy bounds every set by 5 ms.
    Impatient,
    /// Nobody is heard reading.
    ReadingUnheard,
    /// Nobody is heard listing.
    ListingUnheard,
    /// Where the watch was deaf, nothing is said of it.
    DeafnessUnsaid,
    /// Writers are taken for readers.
    WritersAsReaders,
    /// A reader's close is taken for a writer's.
    ReadersAsWriters,
    /// What the old generation used counts under the new one.
    UseKept,
    /// The driver reads files that nobody uses, and takes that for use.
    ProbesAsUse,
    /// The next change of an unused file is compared with what it was at the start.
    RebaseForgotten,
    /// The root of the executable is spared, too.
    SparedTooMuch,
}

pub(super) const FAULTS: [Fault; 40] = [
    Fault::ModifiedAsClosed,
    Fault::ForeignAsNobody,
    Fault::OwnAsForeign,
    Fault::AnswersAhead,
    Fault::BusyAsChanged,
    Fault::RefusedAsChanged,
    Fault::RefusedForgotten,
    Fault::ScanForgotten,
    Fault::FoundLost,
    Fault::JudgedBySize,
    Fault::TouchCounts,
    Fault::BaselineLate,
    Fault::EmptiedEarly,
    Fault::DeafWhileStopping,
    Fault::StartTwice,
    Fault::ShutdownForgotten,
    Fault::RecheckForgotten,
    Fault::SessionEndForgotten,
    Fault::LastGoodForgotten,
    Fault::KillForgotten,
    Fault::KeptAtExec,
    Fault::ReadyAssumed,
    Fault::NeverReady,
    Fault::DeletionsLost,
    Fault::RenamesLost,
    Fault::FoldersLost,
    Fault::ExitLost,
    Fault::SessionsUnseen,
    Fault::SessionsOld,
    Fault::DoubtedWhileHeld,
    Fault::Impatient,
    Fault::ReadingUnheard,
    Fault::ListingUnheard,
    Fault::DeafnessUnsaid,
    Fault::WritersAsReaders,
    Fault::ReadersAsWriters,
    Fault::UseKept,
    Fault::ProbesAsUse,
    Fault::RebaseForgotten,
    Fault::SparedTooMuch,
];

/// What the core gets instead of an event; `stopping` = a generation was asked to end and lives;
/// `held` = the app has failed and nothing of it is left.
pub(super) fn tamper(
    fault: Option<Fault>,
    event: Event,
    stopping: bool,
    held: bool,
) -> Option<Event> {
    let Some(fault) = fault else { return Some(event) };
    match (fault, event) {
        (Fault::ModifiedAsClosed, Event::File(mut file)) => {
            if matches!(file.what, What::Modified | What::Created) {
                file.what = What::Closed;
            }
            Some(Event::File(file))
        }
        (Fault::FoundLost, Event::File(file)) if file.what == What::Found => None,
        (Fault::DeletionsLost, Event::File(file)) if file.what == What::Deleted => None,
        (Fault::RenamesLost, Event::File(file))
            if matches!(file.what, What::MovedWithin { .. }) =>
        {
            None
        }
        (Fault::DeafWhileStopping, Event::File(_))
        | (Fault::ShutdownForgotten, Event::ShutdownAsked(_))
            if stopping =>
        {
            None
        }
        (Fault::ForeignAsNobody | Fault::OwnAsForeign, Event::Probed(mut probes)) => {
            for probe in &mut probes {
                probe.writer = match (fault, probe.writer) {
                    (Fault::ForeignAsNobody, WriterState::Foreign) => WriterState::Nobody,
                    (Fault::OwnAsForeign, WriterState::OwnGeneration) => WriterState::Foreign,
                    (_, writer) => writer,
                };
            }
            Some(Event::Probed(probes))
        }
        (Fault::BusyAsChanged, Event::Judged { forced, judgement: Judgement::Busy { path } }) => {
            let change =
                relaunch_buildpack::core::Change { paths: vec![path], ..Default::default() };
            Some(Event::Judged { forced, judgement: Judgement::Changed(change) })
        }
        (
            Fault::RefusedAsChanged,
            Event::Judged { forced, judgement: Judgement::Refused { .. } },
        ) => {
            let paths = vec![super::writer::name(super::writer::APP)];
            let change = relaunch_buildpack::core::Change { paths, ..Default::default() };
            Some(Event::Judged { forced, judgement: Judgement::Changed(change) })
        }
        (fault, Event::Used(sign)) => tamper_with_sign(fault, sign),
        (Fault::SessionEndForgotten, Event::SessionEnded { .. }) => None,
        (Fault::DoubtedWhileHeld, Event::File(mut file)) if held => {
            file.what = What::Found;
            Some(Event::File(file))
        }
        (Fault::SessionsUnseen, Event::LookedAround(seen)) => {
            Some(Event::LookedAround(Surroundings { sessions: Vec::new(), ..seen }))
        }
        (Fault::SessionsOld, Event::LookedAround(mut seen)) => {
            for session in &mut seen.sessions {
                session.age_ms = session.age_ms.max(1_000);
            }
            Some(Event::LookedAround(seen))
        }
        (Fault::ExitLost, Event::Exited { .. } | Event::Emptied { .. }) if !stopping => None,
        (_, event) => Some(event),
    }
}

/// What the core gets instead of a sign of use.
fn tamper_with_sign(fault: Fault, mut used: UseEvent) -> Option<Event> {
    match (fault, used.sign) {
        (Fault::ReadingUnheard, Sign::Read | Sign::Opened)
        | (Fault::ListingUnheard, Sign::Listed)
        | (Fault::DeafnessUnsaid, Sign::Unseen) => None,
        (Fault::ReadersAsWriters, Sign::Read) => {
            Some(Event::File(FileEvent { path: used.path, what: What::Closed }))
        }
        (Fault::WritersAsReaders, Sign::Opened) => {
            used.sign = Sign::Read;
            Some(Event::Used(used))
        }
        _ => Some(Event::Used(used)),
    }
}

/// What is performed instead of an action.
pub(super) fn tamper_with_action(fault: Option<Fault>, action: Action) -> Vec<Action> {
    match (fault, &action) {
        (Some(Fault::StartTwice), Action::Start { .. }) => vec![action.clone(), action],
        (Some(Fault::RecheckForgotten), Action::Recheck)
        | (Some(Fault::KillForgotten), Action::KillAll { .. }) => Vec::new(),
        _ => vec![action],
    }
}
