//! The core as a whole: what the settler and the life decide together, and that it is pure.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::settings::OnExit;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn ms(milliseconds: u64) -> Moment {
    Duration::from_secs(1_000) + Duration::from_millis(milliseconds)
}

fn app() -> Arc<Path> {
    Path::new("/w/app").into()
}

fn core() -> Core {
    let policy = Policy {
        pid1: false,
        job_control: false,
        on_exit: OnExit::Auto,
        stop_signal: libc::SIGTERM,
        stop_timeout: Duration::from_secs(10),
        shutdown_timeout: Duration::from_secs(8),
    };
    Core::new(policy, None, Duration::from_secs(10))
}

/// A core whose first generation has run for a long time.
fn running() -> Core {
    running_with(Vec::new())
}

/// The same, with these roots spared.
fn running_with(spared: Vec<Arc<Path>>) -> Core {
    let mut core = core();
    core.handle(Event::Began, Duration::ZERO);
    core.handle(Event::Started { generation: Generation(1), pid: 42, spared }, Duration::ZERO);
    core.handle(Event::Woke, Duration::from_secs(1));
    core
}

fn file(what: What) -> Event {
    told(&app(), what)
}

fn told(path: &Arc<Path>, what: What) -> Event {
    Event::File(FileEvent { path: Arc::clone(path), what })
}

fn used(path: &Arc<Path>, sign: Sign) -> Event {
    Event::Used(UseEvent { path: Arc::clone(path), sign })
}

/// The writer test says that the app itself has this file open.
fn own(path: &Arc<Path>) -> Event {
    let (path, writer) = (Arc::clone(path), WriterState::OwnGeneration);
    Event::Probed(vec![Probe { path, writer, vital: false }])
}

/// From a write of the app's to the answer that it is the app's; within a second of its start.
fn found_to_be_own(core: &mut Core, path: &Arc<Path>) -> Vec<Action> {
    core.handle(told(path, What::Modified), Duration::from_millis(100));
    core.handle(looked(), Duration::from_millis(100));
    core.handle(Event::Woke, Duration::from_millis(130));
    core.handle(own(path), Duration::from_millis(130))
}

fn looked() -> Event {
    Event::LookedAround(Surroundings { stretch: 1, ..Surroundings::default() })
}

fn change() -> Change {
    Change { paths: vec![app()], bytes: 9, beyond_budget: false, executable: true }
}

fn judged(judgement: Judgement) -> Event {
    Event::Judged { forced: false, judgement }
}

fn judge() -> Vec<Action> {
    vec![Action::Judge(Judge { paths: vec![app()], ..Judge::default() })]
}

/// One file renamed in at `at`, to the question for its judgement.
fn settle(core: &mut Core, at: u64) {
    assert_eq!(core.handle(file(What::MovedIn), ms(at)), [Action::LookAround]);
    assert_eq!(core.handle(looked(), ms(at)), []);
    assert_eq!(core.deadline(), Some(ms(at + 10)));
    assert_eq!(core.handle(Event::Woke, ms(at + 10)), judge());
}

/// Its app ended at 0 ms, and nothing of it is left.
fn held(ending: Ending) -> Core {
    let mut core = running();
    core.handle(Event::Exited { generation: Generation(1), ending }, ms(0));
    core.handle(Event::Emptied { generation: Generation(1) }, ms(0));
    core
}

/// It may have failed on what lay there for a moment.
#[test]
fn after_a_crash_a_set_that_ends_as_it_began_starts_the_app() {
    let mut core = held(Ending::Code(1));
    settle(&mut core, 100);
    let out = core.handle(judged(Judgement::Unchanged), ms(110));
    assert_eq!(out, [Action::Start { generation: Generation(2), program: Program::Current }]);
}

#[test]
fn after_an_end_without_fault_the_same_content_starts_nothing() {
    let mut core = held(Ending::Code(0));
    settle(&mut core, 100);
    let out = core.handle(judged(Judgement::Unchanged), ms(110));
    assert_eq!(out, [Action::Note(Note::Unchanged { path: app(), files: 1 })]);
}

/// An app that writes its last words into the watched tree and fails would run for ever.
#[test]
fn what_a_failing_app_writes_each_time_does_not_start_it_for_ever() {
    let mut core = core();
    core.handle(Event::Began, ms(0));
    let path: Arc<Path> = Path::new("/w/last-words").into();
    let (mut at, mut begun) = (0, Generation(0));
    while core.generation() > begun {
        begun = core.generation();
        core.handle(started(begun, 42), ms(at));
        core.handle(told(&path, What::Closed), ms(at));
        core.handle(Event::Exited { generation: begun, ending: Ending::Code(1) }, ms(at + 1));
        core.handle(Event::Emptied { generation: begun }, ms(at + 1));
        core.handle(looked(), ms(at + 1));
        for later in [500, 4_000] {
            let asked = core.handle(Event::Woke, ms(at + later));
            if asked.iter().any(|it| matches!(it, Action::Judge(_))) {
                let change = Change { paths: vec![Arc::clone(&path)], ..Change::default() };
                core.handle(judged(Judgement::Changed(change)), ms(at + later));
            }
            if core.generation() > begun {
                at += later;
                break;
            }
        }
        assert!(begun < Generation(20));
    }
    assert_eq!(begun, Generation(5));
}

/// A core that was asked to restart at 10 ms.
fn stopping() -> Core {
    let mut core = running();
    settle(&mut core, 0);
    let out = core.handle(judged(Judgement::Changed(change())), ms(10));
    let reason = Reason::Changed { path: app(), files: 1, bytes: 9 };
    let signal =
        |signal| Action::Signal { generation: Generation(1), to: Recipient::Group, signal };
    let stopping = Note::Stopping { generation: Generation(1), reason };
    assert_eq!(out, [Action::Note(stopping), signal(libc::SIGTERM), signal(libc::SIGCONT)]);
    core
}

fn start(generation: u64, program: Program) -> Action {
    Action::Start { generation: Generation(generation), program }
}

fn started(generation: Generation, pid: i32) -> Event {
    Event::Started { generation, pid, spared: Vec::new() }
}

fn emptied() -> Event {
    Event::Emptied { generation: Generation(1) }
}

#[test]
fn a_change_is_judged_and_restarts_the_app_once() {
    let mut core = stopping();
    assert_eq!(core.handle(emptied(), ms(30)), [start(2, Program::Current)]);
    let out = core.handle(started(Generation(2), 43), ms(31));
    let times = RestartTimes {
        settle: Duration::from_millis(10),
        stop: Duration::from_millis(20),
        start: Duration::from_millis(1),
    };
    let reason = Reason::Changed { path: app(), files: 1, bytes: 9 };
    let told = Note::Started { generation: Generation(2), pid: 43, reason, times };
    assert_eq!(out, [Action::Note(told)]);
    assert_eq!((core.running(), core.is_quiet()), (Some(Generation(2)), true));
}

#[test]
fn a_change_during_the_stop_settles_before_the_start() {
    let mut core = stopping();
    assert_eq!(core.handle(file(What::MovedIn), ms(25)), []);
    assert_eq!(core.handle(emptied(), ms(30)), [Action::LookAround]);
    assert_eq!(core.handle(looked(), ms(30)), []);
    assert_eq!(core.handle(Event::Woke, ms(35)), judge());
    let out = core.handle(judged(Judgement::Changed(change())), ms(36));
    assert_eq!(out, [start(2, Program::Current)]);
}

#[test]
fn what_breaks_during_the_stop_is_replaced_by_the_last_good_one() {
    let mut core = stopping();
    core.handle(file(What::MovedIn), ms(25));
    core.handle(emptied(), ms(30));
    core.handle(looked(), ms(30));
    core.handle(Event::Woke, ms(35));
    let why = "app is cut".to_owned();
    let out = core.handle(judged(Judgement::Refused { why: why.clone() }), ms(36));
    assert_eq!(out, [Action::Note(Note::FellBack { why }), start(2, Program::LastGood)]);
}

#[test]
fn a_writer_is_waited_for_two_seconds_while_nothing_runs() {
    let mut core = stopping();
    core.handle(file(What::Created), ms(25));
    core.handle(emptied(), ms(30));
    let mut out = core.handle(looked(), ms(30));
    let busy = || Probe { path: app(), writer: WriterState::Foreign, vital: true };
    let mut now = ms(30);
    while !out.iter().any(|it| matches!(it, Action::Start { .. })) {
        out = if out == [Action::Probe(vec![app()])] {
            core.handle(Event::Probed(vec![busy()]), now)
        } else if out == [Action::LookAround] {
            core.handle(looked(), now)
        } else {
            // It writes all the time.
            let asked = core.handle(file(What::Modified), now);
            if asked.is_empty() {
                now = core.deadline().unwrap();
                core.handle(Event::Woke, now)
            } else {
                asked
            }
        };
    }
    let why = "/w/app is still being written".to_owned();
    assert_eq!(out, [Action::Note(Note::FellBack { why }), start(2, Program::LastGood)]);
    assert!((ms(2_030)..ms(2_200)).contains(&now), "{now:?}");
}

#[test]
fn a_retry_waits_for_the_writer_that_made_the_start_fail() {
    let mut core = core();
    assert_eq!(core.handle(Event::Began, ms(0)), [start(1, Program::Current)]);
    let problem = StartProblem { why: "busy".into(), exit_code: 126, obstacle: Obstacle::Writer };
    let failed = Event::StartFailed { generation: Generation(1), problem };
    assert_eq!(core.handle(failed, ms(1)), []);
    assert_eq!(core.handle(file(What::Modified), ms(15)), [Action::LookAround]);
    assert_eq!(core.handle(looked(), ms(15)), []);
    assert_eq!(core.handle(Event::Woke, ms(21)), []);
    assert_eq!(core.handle(file(What::Closed), ms(30)), []);
    assert_eq!(core.deadline(), Some(ms(50)));
}

#[test]
fn a_first_executable_that_is_unfit_is_held_and_told() {
    let mut core = core();
    core.handle(Event::Began, ms(0));
    let problem = StartProblem { why: "busy".into(), exit_code: 126, obstacle: Obstacle::Writer };
    core.handle(Event::StartFailed { generation: Generation(1), problem }, ms(1));
    core.handle(file(What::Closed), ms(15));
    core.handle(looked(), ms(15));
    core.handle(Event::Woke, ms(21));
    core.handle(Event::Woke, ms(35));
    let out = core.handle(judged(Judgement::Refused { why: "app is cut".into() }), ms(36));
    let told =
        Note::StartFailed { generation: Generation(1), why: "app is cut".into(), held: true };
    assert_eq!(out, [Action::Note(told)]);
}

#[test]
fn a_judgement_is_void_when_something_came_meanwhile() {
    let mut core = running();
    settle(&mut core, 0);
    core.handle(file(What::Modified), ms(11));
    assert_eq!(core.handle(judged(Judgement::Changed(change())), ms(12)), []);
    assert_eq!(core.running(), Some(Generation(1)));
}

/// A broken build beside a changed template: the executable came back as it was, and nobody looked at
/// the template again.
#[test]
fn what_changed_beside_a_refused_executable_is_judged_with_the_next_set() {
    let mut core = running();
    let page: Arc<Path> = Path::new("/w/page").into();
    let mut settle = |at: u64, names: &[&Arc<Path>]| {
        for path in names {
            core.handle(told(path, What::MovedIn), ms(at));
        }
        core.handle(looked(), ms(at));
        let asked = core.handle(Event::Woke, ms(at + 60));
        let Some(Action::Judge(question)) = asked.into_iter().next() else {
            panic!("nothing is judged at {at} ms");
        };
        let judgement = match at {
            0 => Judgement::Refused { why: "cut".to_owned() },
            _ => Judgement::Unchanged,
        };
        core.handle(judged(judgement), ms(at + 60));
        question.paths
    };
    assert_eq!(settle(0, &[&app(), &page]), [app(), page.clone()]);
    assert_eq!(settle(500, &[&app()]), [app(), page]);
    assert_eq!(settle(1_000, &[&app()]), [app()]);
}

/// Where its own log alone differed, nobody looked at what seemed to be unused, and it was adopted.
#[test]
fn what_seems_unused_beside_the_apps_own_log_is_judged_without_the_log() {
    let (log, source): (Arc<Path>, Arc<Path>) =
        (Path::new("/w/log").into(), Path::new("/s/x.py").into());
    let mut core = running_with(vec![Path::new("/s").into()]);
    let early = Duration::from_millis;
    let named = found_to_be_own(&mut core, &log);
    assert_eq!(named, [Action::Note(Note::OwnWrites { path: Arc::clone(&log) })]);
    for at in [0, 5_000] {
        // Its first line within a second of a start is needed for the later ones.
        let when = if at == 0 { early(500) } else { ms(at) };
        let mut paths = vec![&log];
        paths.extend((at > 0).then_some(&source));
        for path in paths {
            core.handle(told(path, What::MovedIn), when);
        }
        let seen = Surroundings { stretch: 1, written: Some(at), ..Surroundings::default() };
        core.handle(Event::LookedAround(seen), when);
        let asked = core.handle(Event::Woke, when + Duration::from_millis(60));
        assert!(matches!(&asked[..], [Action::Judge(_)]), "{asked:?}");
        let change = Change { paths: vec![Arc::clone(&log)], ..Change::default() };
        let out = core.handle(judged(Judgement::Changed(change)), when);
        let left = Judge { unused: vec![Arc::clone(&source)], ..Judge::default() };
        let expected = if at == 0 { vec![] } else { vec![Action::Judge(left)] };
        assert_eq!(out, expected);
    }
    let change = Change { paths: vec![source], ..Change::default() };
    let out = core.handle(judged(Judgement::Changed(change)), ms(5_061));
    assert!(matches!(&out[..], [Action::Note(Note::Stopping { .. }), ..]), "{out:?}");
}

/// A file that it rewrites and reads again was held against what else changed with it.
#[test]
fn what_the_app_reads_of_its_own_writes_leaves_the_judgement_of_others_alone() {
    let (state, source): (Arc<Path>, Arc<Path>) =
        (Path::new("/s/state").into(), Path::new("/s/main.go").into());
    let mut core = running_with(vec![Path::new("/s").into()]);
    let early = Duration::from_millis;
    core.handle(used(&state, Sign::Read), early(50));
    found_to_be_own(&mut core, &state);
    // It comes by a rename, so it is judged; the app reads it again in between.
    for path in [&state, &source] {
        core.handle(told(path, What::MovedIn), early(400));
    }
    core.handle(used(&state, Sign::Read), early(401));
    core.handle(looked(), early(401));
    assert!(matches!(&core.handle(Event::Woke, early(460))[..], [Action::Judge(_)]));
    let change = Change { paths: vec![Arc::clone(&state)], ..Change::default() };
    let out = core.handle(judged(Judgement::Changed(change)), early(461));
    let unused = vec![Arc::clone(&source)];
    assert_eq!(out, [Action::Judge(Judge { unused, ..Judge::default() })]);
    let change = Change { paths: vec![Arc::clone(&source)], ..Change::default() };
    let out = core.handle(judged(Judgement::NotUsed(change)), early(462));
    let adopt = Action::Adopt(vec![Arc::clone(&source)]);
    assert_eq!(out, [adopt, Action::Note(Note::NotUsed { path: source, files: 1 })]);
}

/// Its own reading and writing of a file that it keeps open were held against what a person saved.
#[test]
fn what_the_app_does_to_its_open_file_leaves_the_judgement_of_others_alone() {
    let root: Arc<Path> = Path::new("/s").into();
    let mut core = running_with(vec![root]);
    let (database, source): (Arc<Path>, Arc<Path>) =
        (Path::new("/s/db").into(), Path::new("/s/main.go").into());
    let touch_database = |core: &mut Core, at: u64| {
        core.handle(told(&database, What::Modified), ms(at));
        core.handle(used(&database, Sign::Read), ms(at));
    };
    core.handle(used(&database, Sign::Opened), ms(0));
    for at in [0, 1_000] {
        // The first time in one set with it, then known as the app's.
        core.handle(told(&source, What::MovedIn), ms(at));
        core.handle(looked(), ms(at));
        for later in 1..5 {
            touch_database(&mut core, at + later);
        }
        let (mut asked, mut now) = (Vec::new(), at + 5);
        while !matches!(asked.last(), Some(Action::Judge(_))) {
            let answer = match asked.last() {
                Some(Action::LookAround) => looked(),
                Some(Action::Probe(_)) => own(&database),
                _ => Event::Woke,
            };
            let was_tested = matches!(answer, Event::Probed(_));
            asked = core.handle(answer, ms(now));
            if was_tested {
                touch_database(&mut core, now);
            }
            now += 10;
            assert!(now < at + 1_000, "nothing is judged");
        }
        let unused = vec![Arc::clone(&source)];
        let question = Action::Judge(Judge { unused, ..Judge::default() });
        assert_eq!(asked.pop(), Some(question));
        let change = Change { paths: vec![Arc::clone(&source)], ..Change::default() };
        let out = core.handle(judged(Judgement::NotUsed(change)), ms(at + 200));
        let adopt = Action::Adopt(vec![Arc::clone(&source)]);
        let path = Arc::clone(&source);
        assert_eq!(out, [adopt, Action::Note(Note::NotUsed { path, files: 1 })]);
    }
}

#[test]
fn an_unchanged_or_unused_set_restarts_nothing() {
    for (judgement, note) in [
        (Judgement::Unchanged, Note::Unchanged { path: app(), files: 1 }),
        (Judgement::NotUsed(change()), Note::NotUsed { path: app(), files: 1 }),
        (
            Judgement::Refused { why: "cut".into() },
            Note::Refused { why: "cut".into(), running: Some(Generation(1)) },
        ),
    ] {
        let mut core = running();
        settle(&mut core, 0);
        assert_eq!(core.handle(judged(judgement), ms(11)), [Action::Note(note)]);
        assert_eq!((core.running(), core.is_quiet()), (Some(Generation(1)), true));
    }
}

#[test]
fn a_crash_inside_a_change_set_waits_for_the_set() {
    let mut core = running();
    core.handle(file(What::MovedIn), ms(0));
    core.handle(looked(), ms(0));
    let exited = Event::Exited { generation: Generation(1), ending: Ending::Signal(11) };
    core.handle(exited, ms(2));
    assert_eq!(core.handle(emptied(), ms(3)), []);
    assert_eq!(core.handle(Event::Woke, ms(10)), judge());
    let out = core.handle(judged(Judgement::Changed(change())), ms(11));
    assert_eq!(out, [start(2, Program::Current)]);
}

#[test]
fn a_reload_restarts_without_a_change_unless_the_executable_is_unfit() {
    let forced = |judgement| Event::Judged { forced: true, judgement };
    let mut core = running();
    let asked = Action::Judge(Judge { forced: true, ..Judge::default() });
    assert_eq!(core.handle(Event::ReloadAsked, ms(0)), [asked]);
    let why = "cut".to_owned();
    let out = core.handle(forced(Judgement::Refused { why: why.clone() }), ms(1));
    let running = Some(Generation(1));
    assert_eq!(out, [Action::Note(Note::Refused { why, running })]);
    let out = core.handle(forced(Judgement::Unchanged), ms(2));
    let reason = Reason::Requested;
    assert_eq!(out[0], Action::Note(Note::Stopping { generation: Generation(1), reason }));
}

#[test]
fn nothing_is_started_after_a_shutdown() {
    let mut core = stopping();
    core.handle(file(What::MovedIn), ms(12));
    let stop = Stop { signal: libc::SIGTERM };
    let out = core.handle(Event::ShutdownAsked(stop), ms(20));
    assert_eq!(out, [Action::Note(Note::ShuttingDown { signal: libc::SIGTERM })]);
    assert_eq!(core.handle(emptied(), ms(30)), [Action::Exit { code: 143 }]);
    assert!(core.has_ended());
    assert_eq!((core.handle(Event::Woke, ms(9_000)), core.deadline()), (vec![], None));
}

/// Words that would let the outside world in.
const IMPURE: [&str; 8] = [
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "Instant",
    "SystemTime",
];

#[test]
fn no_file_process_clock_or_thread_comes_in() {
    let mut folders = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/core"))];
    let (mut read, mut impure) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).unwrap();
                read += 1;
                impure.extend(
                    IMPURE
                        .iter()
                        .filter(|word| text.contains(**word))
                        .map(|word| format!("{}: {word}", path.display())),
                );
            }
        }
    }
    assert_eq!(impure, Vec::<String>::new());
    assert!(read >= 15, "only {read} files were read");
}

/// The word "unchanged" was said of the executable, because a passing file had been seen meanwhile.
#[test]
fn nobody_hears_of_what_only_a_comparison_doubted() {
    let mut core = running();
    let short_lived: Arc<Path> = Path::new("/w/short-lived").into();
    let event = |what| told(&short_lived, what);
    core.handle(event(What::Created), ms(0));
    core.handle(looked(), ms(0));
    core.handle(file(What::Found), ms(1));
    core.handle(event(What::Deleted), ms(2));
    assert_eq!(core.handle(Event::Woke, ms(102)), [Action::LookAround]);
    assert_eq!(core.handle(looked(), ms(102)), judge());
    assert_eq!(core.handle(judged(Judgement::Unchanged), ms(103)), []);
}

/// A rescan of a large tree kept the app down for as long as it took.
#[test]
fn a_start_that_is_due_waits_for_a_scan_no_longer_than_for_anything_else() {
    for changed in [None, Some(What::MovedIn)] {
        let mut core = running();
        core.handle(Event::ReloadAsked, ms(0));
        core.handle(Event::Judged { forced: true, judgement: Judgement::Unchanged }, ms(0));
        core.handle(Event::ScanBegan, ms(1));
        core.handle(Event::Emptied { generation: Generation(1) }, ms(2));
        if let Some(what) = changed.clone() {
            core.handle(file(what), ms(3));
            core.handle(looked(), ms(3));
        }
        assert_eq!(core.deadline(), Some(ms(2_002)), "{changed:?}");
        let mut orders = core.handle(Event::Woke, ms(2_002));
        while !orders.contains(&Action::Judge(Judge { paths: vec![app()], ..Judge::default() })) {
            orders = match orders.first() {
                Some(Action::LookAround) => core.handle(looked(), ms(2_002)),
                Some(Action::Probe(_)) => {
                    let probe = Probe { path: app(), writer: WriterState::Nobody, vital: true };
                    core.handle(Event::Probed(vec![probe]), ms(2_002))
                }
                _ => break,
            };
        }
        if changed.is_some() {
            orders = core.handle(judged(Judgement::Changed(change())), ms(2_002));
        }
        let start = Action::Start { generation: Generation(2), program: Program::Current };
        assert_eq!(orders, [start], "{changed:?}");
    }
}

/// A copier opens what was compiled and makes its target then; an app may open it without rest.
#[test]
fn a_set_waits_once_for_whoever_has_just_opened_one_of_its_files() {
    let mut core = running_with(vec![Path::new("/s").into()]);
    let compiled: Arc<Path> = Path::new("/s/app").into();
    let file = |what| told(&compiled, what);
    let opened = || used(&compiled, Sign::Opened);
    assert_eq!(core.handle(file(What::Closed), ms(0)), [Action::LookAround]);
    core.handle(looked(), ms(0));
    core.handle(opened(), ms(15));
    assert_eq!(core.handle(Event::Woke, ms(20)), []);
    assert_eq!(core.deadline(), Some(ms(65)));
    core.handle(opened(), ms(60));
    let out = core.handle(Event::Woke, ms(65));
    assert!(matches!(out[..], [Action::Judge(_)]), "{out:?}");
}
