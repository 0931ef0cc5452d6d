//! /proc hidden, or subreapers not to be had: a generation ends all the same.

use super::Case;
use super::world::{Output, World, eventually, orphaned, start_on};
use nix::sys::signal::kill;
use nix::unistd::Pid;
use relaunch_buildpack::process::{Place, Report, reap_children, shows_processes};

pub(crate) const CASES: &[Case] = &[
    ("with_proc_hidden_a_term_ignoring_tree_is_killed", a_term_ignoring_tree),
    ("with_proc_hidden_escaped_orphans_are_killed", escaped_orphans),
    ("with_proc_hidden_an_app_that_obeys_leaves_nothing", an_app_that_obeys),
    ("with_proc_hidden_a_dead_supervisors_app_is_ended", a_dead_supervisors_app),
    ("without_subreapers_it_is_said_and_orphans_end_too", without_subreapers),
];

/// An empty folder over /proc, for this process and its children.
struct Hidden;

impl Hidden {
    fn new() -> Self {
        let own = if nix::unistd::geteuid().is_root() { 0 } else { libc::CLONE_NEWUSER };
        let private = libc::MS_REC | libc::MS_PRIVATE;
        let none = std::ptr::null();
        // SAFETY: strings end with a zero, and null pointers are allowed where they are passed.
        unsafe {
            assert_eq!(libc::unshare(libc::CLONE_NEWNS | own), 0);
            assert_eq!(libc::mount(none, c"/".as_ptr(), none, private, none.cast()), 0);
            let (what, place) = (c"none".as_ptr(), c"/proc".as_ptr());
            assert_eq!(libc::mount(what, place, c"tmpfs".as_ptr(), 0, none.cast()), 0);
        }
        assert!(!shows_processes());
        Self
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // SAFETY: the string ends with a zero.
        unsafe { libc::umount2(c"/proc".as_ptr(), libc::MNT_DETACH) };
    }
}

fn exists(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None).is_ok()
}

const TREE: &str = "trap '' TERM; (echo $$; sleep 60) & echo ready; while :; do wait; done";

fn a_term_ignoring_tree() {
    let mut world = World::new();
    let mut output = Output::capture();
    let hidden = Hidden::new();
    let mut generation = world.started(&["/bin/sh", "-c", TREE]);
    let lines = [output.line(), output.line()];
    assert!(lines.contains(&"ready".to_owned()), "{lines:?}");
    let leader = generation.leader().unwrap();
    let reports = world.end(&mut generation);
    assert_eq!(reports.last(), Some(&Report::Empty));
    assert!(!exists(leader));
    drop(hidden);
}

fn escaped_orphans() {
    let mut world = World::new();
    let mut output = Output::capture();
    let hidden = Hidden::new();
    let line =
        "trap '' TERM; (setsid sh -c 'setsid sleep 60 & echo $!' &); while :; do sleep 60; done";
    let mut generation = world.started(&["/bin/sh", "-c", line]);
    let (orphan, leader) = (output.pid(), generation.leader().unwrap());
    assert_eq!([exists(orphan), exists(leader)], [true, true]);
    let reports = world.end(&mut generation);
    assert_eq!(reports.last(), Some(&Report::Empty));
    assert_eq!([exists(orphan), exists(leader)], [false, false]);
    drop(hidden);
}

fn an_app_that_obeys() {
    let mut world = World::new();
    let mut output = Output::capture();
    let hidden = Hidden::new();
    let line = "sleep 60 & echo ready; wait";
    let mut generation = world.started(&["/bin/sh", "-c", line]);
    assert_eq!(output.line(), "ready");
    generation.signal_group(super::world::signal(libc::SIGTERM)).unwrap();
    let reports = world.until_empty(&mut generation);
    assert_eq!(reports.last(), Some(&Report::Empty));
    drop(hidden);
}

fn a_dead_supervisors_app() {
    let hidden = Hidden::new();
    let [helper, leader] = orphaned();
    eventually("nothing of the app is left", || {
        let _ = reap_children();
        !exists(helper) && !exists(leader)
    });
    drop(hidden);
}

/// From now on `PR_SET_CHILD_SUBREAPER` fails for this process and its children, as under a seccomp
/// filter or a sandbox that does not know it.
fn deny_subreapers() {
    const fn statement(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
        #[expect(clippy::cast_possible_truncation, reason = "the codes have 16 bits")]
        libc::sock_filter { code: code as u16, jt, jf, k }
    }
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    let number = |value: i64| u32::try_from(value).unwrap();
    let mut program = [
        // The call's number, then the low half of its first argument (struct seccomp_data).
        statement(load, 0, 0, 0),
        statement(equal, 0, 3, number(libc::SYS_prctl)),
        statement(load, 0, 0, 16),
        statement(equal, 0, 1, number(libc::PR_SET_CHILD_SUBREAPER.into())),
        statement(answer, 0, 0, libc::SECCOMP_RET_ERRNO | number(libc::EPERM.into())),
        statement(answer, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let filter = libc::sock_fprog {
        len: u16::try_from(program.len()).unwrap(),
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the filter and its program live during the calls.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let mode = libc::SECCOMP_MODE_FILTER;
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const filter), 0);
    }
}

fn without_subreapers() {
    let mut world = World::new();
    let mut output = Output::capture();
    deny_subreapers();
    let line =
        "trap '' TERM; (setsid sh -c 'setsid sleep 60 & echo $!' &); while :; do sleep 60; done";
    let mut generation = start_on(&["/bin/sh", "-c", line], Place::OwnSession);
    let started = |report: &Report| matches!(report, Report::Started { .. });
    let reports = world.until(&mut generation, started);
    assert!(reports.contains(&Report::NoSubreaper { errno: libc::EPERM }), "{reports:?}");
    let (orphan, leader) = (output.pid(), generation.leader().unwrap());
    assert_eq!([exists(orphan), exists(leader)], [true, true]);
    world.end(&mut generation);
    drop(generation);
    eventually("the orphan is gone", || {
        let _ = reap_children();
        !exists(orphan)
    });
}
