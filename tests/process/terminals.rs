//! Job control on a real pseudo-terminal, as a session leader (PID 1 of a container with a
//! terminal) and under a shell.
//!
//! The case plays the person at the keyboard: it reads what appears and presses keys. A forked
//! process on the other side plays the supervisor; its panics appear on the terminal.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::{Pid, setpgid, setsid, tcsetpgrp};
use relaunch_buildpack::process::{
    Generation, Place, Report, Sender, Status, Terminal, become_subreaper,
};

use super::Case;
use super::world::{Output, PATIENCE, World, own_path, signal, start_on};

pub(crate) const CASES: &[Case] = &[
    ("ctrl_c_ends_the_app_and_one_more_the_supervisor", ctrl_c),
    ("modes_come_back_after_an_app_that_died_raw", modes_come_back),
    ("a_session_leader_continues_what_ctrl_z_stopped", ctrl_z_under_nobody),
    ("under_a_shell_ctrl_z_and_fg_work", ctrl_z_under_a_shell),
    ("an_init_above_is_no_shell", under_an_init),
    ("an_app_reads_the_terminal", an_app_reads_the_terminal),
    ("on_a_terminal_a_double_forker_is_killed", || hostile("plain")),
    ("on_a_terminal_a_double_forker_in_new_groups_is_killed", || hostile("setpgid")),
    ("in_the_background_no_terminal_is_given", in_the_background),
    ("without_a_terminal_there_is_none", without_a_terminal),
];

/// The person's side.
pub(crate) struct Person {
    keys: File,
    screen: Output,
    session: i32,
}

impl Person {
    /// Runs `session` as the leader of a session on a new terminal.
    fn watch(session: fn()) -> Self {
        // What the session leaves for a moment is waited for at the end of the case.
        become_subreaper().unwrap();
        let pty = nix::pty::openpty(None, None).unwrap();
        // SAFETY: one thread.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            drop(pty.master);
            setsid().unwrap();
            sit_at(&pty.slave);
            let result = std::panic::catch_unwind(session);
            println!("session over");
            // SAFETY: ends the copy.
            unsafe { libc::_exit(i32::from(result.is_err())) };
        }
        drop(pty.slave);
        Self {
            keys: File::from(pty.master.try_clone().unwrap()),
            screen: Output::from(pty.master),
            session: pid,
        }
    }

    /// Runs a program as the leader of a session on a new terminal.
    pub(crate) fn run(words: &[&str]) -> Self {
        become_subreaper().unwrap();
        let pty = nix::pty::openpty(None, None).unwrap();
        let words: Vec<_> =
            words.iter().map(|word| std::ffi::CString::new(*word).unwrap()).collect();
        // SAFETY: one thread.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            drop(pty.master);
            setsid().unwrap();
            sit_at(&pty.slave);
            drop(pty.slave);
            let _ = nix::unistd::execv(&words[0], &words);
            // SAFETY: ends the copy.
            unsafe { libc::_exit(127) };
        }
        drop(pty.slave);
        // No child inherits the other side: it would keep the terminal from hanging up.
        let cloexec = nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC);
        nix::fcntl::fcntl(&pty.master, cloexec).unwrap();
        Self {
            keys: File::from(pty.master.try_clone().unwrap()),
            screen: Output::from(pty.master),
            session: pid,
        }
    }

    pub(crate) const fn session(&self) -> i32 {
        self.session
    }

    /// Reads on until a line begins so; the rest of it.
    pub(crate) fn see_start(&mut self, wanted: &str) -> String {
        let mut seen = Vec::new();
        for _ in 0..40 {
            let line = self.screen.line();
            if let Some(rest) = line.strip_prefix(wanted) {
                return rest.to_owned();
            }
            seen.push(line);
        }
        panic!("no {wanted:?} in {seen:#?}");
    }

    /// Closes the terminal's other side; returns the leader of the session.
    pub(crate) fn hang_up(self) -> i32 {
        self.session
    }

    pub(crate) fn reap(pid: i32) -> i32 {
        let mut status = 0;
        // SAFETY: the pointer is to a local.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        status
    }

    /// Reads to the end, and waits for the end of the session's leader; its status.
    pub(crate) fn ends(mut self) -> i32 {
        let mut rest = Vec::new();
        // The last process that has the terminal open is gone when reading it fails (EIO).
        let _ = std::io::Read::read_to_end(&mut self.keys, &mut rest);
        Self::reap(self.session)
    }

    pub(crate) fn ends_with(self, code: i32) {
        let status = self.ends();
        assert!(libc::WIFEXITED(status), "{status}");
        assert_eq!(libc::WEXITSTATUS(status), code);
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads on until this line; keys are echoed in front of it.
    pub(crate) fn see(&mut self, wanted: &str) {
        let mut seen = Vec::new();
        for _ in 0..40 {
            let line = self.screen.line();
            if line.ends_with(wanted) {
                return;
            }
            assert!(line != "session over", "no {wanted:?} in {seen:#?}");
            seen.push(line);
        }
        panic!("no {wanted:?} in {seen:#?}");
    }

    fn finish(mut self) {
        self.see("session over");
        let mut status = 0;
        // SAFETY: the pointer is to a local.
        unsafe { libc::waitpid(self.session, &raw mut status, 0) };
        assert_eq!(status, 0);
    }
}

/// Makes the terminal the controlling one, and all three streams.
fn sit_at(slave: &OwnedFd) {
    // SAFETY: an integer argument.
    assert_eq!(unsafe { libc::ioctl(slave.as_raw_fd(), libc::TIOCSCTTY, 0) }, 0);
    nix::unistd::dup2_stdin(slave).unwrap();
    nix::unistd::dup2_stdout(slave).unwrap();
    nix::unistd::dup2_stderr(slave).unwrap();
}

fn start(world: &mut World, terminal: &mut Terminal, line: &str) -> Generation {
    let place = terminal.place();
    assert_eq!(place, Place::Foreground(0));
    let mut generation = start_on(&["/bin/sh", "-c", line], place);
    world.until(&mut generation, |report| matches!(report, Report::Started { .. }));
    terminal.given_to(generation.leader().unwrap());
    generation
}

fn leader(world: &mut World, generation: &mut Generation) -> Status {
    let reports = world.until(generation, |report| matches!(report, Report::Leader(_)));
    let Report::Leader(status) = reports[0] else { panic!("{reports:?}") };
    status
}

fn ctrl_c() {
    let mut person = Person::watch(|| {
        let mut world = World::new();
        let mut terminal = Terminal::find().unwrap();
        let line = "trap 'exit 3' INT; echo ready; while :; do sleep 0.02; done";
        let mut generation = start(&mut world, &mut terminal, line);
        // Reads no signals meanwhile: whatever comes stays queued.
        let deadline = Instant::now() + PATIENCE;
        while world.pending.is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
            world.pending.extend(generation.reports(&[]));
        }
        let ended = world.pending.pop_front();
        assert_eq!(ended, Some(Report::Leader(Status::Exited(3))));
        assert!(terminal.take_back() && terminal.is_foreground());
        let interrupts = |world: &World| {
            let received = world.signals.read().unwrap();
            let own = received.iter().filter(|one| one.signal == signal(libc::SIGINT));
            own.map(|one| one.sender).collect::<Vec<_>>()
        };
        assert_eq!(interrupts(&world), []);
        world.until_empty(&mut generation);
        println!("holding");
        super::world::eventually("the second one came", || interrupts(&world) == [Sender::Kernel]);
    });
    person.see("ready");
    person.press("\x03");
    person.see("holding");
    person.press("\x03");
    person.finish();
}

fn modes_come_back() {
    let person = Person::watch(|| {
        let mut world = World::new();
        let mut terminal = Terminal::find().unwrap();
        let modes = || tcgetattr(std::io::stdin().as_fd()).unwrap();
        let before = modes();
        let line = "stty raw -echo; kill -9 $$";
        let mut generation = start(&mut world, &mut terminal, line);
        let status = leader(&mut world, &mut generation);
        assert_eq!(status, Status::Signaled(signal(libc::SIGKILL)));
        assert!(!modes().local_flags.contains(LocalFlags::ICANON));
        assert!(terminal.take_back());
        assert_eq!(modes(), before);
        world.end(&mut generation);
    });
    person.finish();
}

fn ctrl_z_under_nobody() {
    let mut person = Person::watch(|| {
        let mut world = World::new();
        let mut terminal = Terminal::find().unwrap();
        assert!(!terminal.has_job_control());
        let mut generation = start(&mut world, &mut terminal, "echo ready; read word; exit 4");
        let stopped = Status::Stopped(signal(libc::SIGTSTP));
        assert_eq!(leader(&mut world, &mut generation), stopped);
        generation.signal_group(signal(libc::SIGCONT)).unwrap();
        assert_eq!(leader(&mut world, &mut generation), Status::Continued);
        println!("continued");
        assert_eq!(leader(&mut world, &mut generation), Status::Exited(4));
        world.end(&mut generation);
        assert!(terminal.take_back());
    });
    person.see("ready");
    person.press("\x1a");
    person.see("continued");
    person.press("word\n");
    person.finish();
}

/// A small init puts its child in the foreground too, and never continues it.
fn under_an_init() {
    let person = Person::watch(|| {
        // SAFETY: one thread.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let own = nix::unistd::getpid();
            setpgid(own, own).unwrap();
            let _world = World::new();
            tcsetpgrp(std::io::stdin(), own).unwrap();
            let control = Terminal::find().unwrap().has_job_control();
            // SAFETY: ends the copy.
            unsafe { libc::_exit(i32::from(control)) };
        }
        let mut status = 0;
        // SAFETY: the pointer is to a local.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        assert_eq!(status, 0);
    });
    person.finish();
}

/// The job that the shell below runs.
fn job() {
    let mut world = World::new();
    let mut terminal = Terminal::find().unwrap();
    assert!(terminal.has_job_control());
    let mut generation = start(&mut world, &mut terminal, "echo ready; read word; exit 4");
    let stopped = Status::Stopped(signal(libc::SIGTSTP));
    assert_eq!(leader(&mut world, &mut generation), stopped);
    assert!(terminal.suspend(generation.leader()).unwrap());
    generation.signal_group(signal(libc::SIGCONT)).unwrap();
    assert_eq!(leader(&mut world, &mut generation), Status::Continued);
    // The copy that was for the others of the job died with the CONT.
    let received = world.signals.read().unwrap();
    assert!(received.iter().all(|one| one.signal != signal(libc::SIGTSTP)));
    println!("again");
    assert_eq!(leader(&mut world, &mut generation), Status::Exited(4));
    world.end(&mut generation);
    assert!(terminal.take_back());
}

fn ctrl_z_under_a_shell() {
    let mut person = Person::watch(|| {
        // As interactive shells do.
        for number in [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU] {
            // SAFETY: SIG_IGN runs nothing.
            unsafe { libc::signal(number, libc::SIG_IGN) };
        }
        // SAFETY: one thread.
        let pid = unsafe { libc::fork() };
        let job_group = Pid::from_raw(pid);
        if pid == 0 {
            setpgid(job_group, job_group).unwrap();
            tcsetpgrp(std::io::stdin(), nix::unistd::getpid()).unwrap();
            let result = std::panic::catch_unwind(job);
            // SAFETY: ends the copy.
            unsafe { libc::_exit(i32::from(result.is_err())) };
        }
        let wait = || {
            let mut status = 0;
            // SAFETY: the pointer is to a local.
            unsafe { libc::waitpid(pid, &raw mut status, libc::WUNTRACED) };
            status
        };
        let status = wait();
        assert!(libc::WIFSTOPPED(status), "{status}");
        // The shell finds its terminal cooked, and in its job's hands.
        assert_eq!(nix::unistd::tcgetpgrp(std::io::stdin()), Ok(job_group));
        tcsetpgrp(std::io::stdin(), nix::unistd::getpgrp()).unwrap();
        // fg:
        tcsetpgrp(std::io::stdin(), job_group).unwrap();
        nix::sys::signal::killpg(job_group, nix::sys::signal::Signal::SIGCONT).unwrap();
        assert_eq!(wait(), 0);
    });
    person.see("ready");
    person.press("\x1a");
    person.see("again");
    person.press("word\n");
    person.finish();
}

fn an_app_reads_the_terminal() {
    let mut person = Person::watch(|| {
        let mut world = World::new();
        let mut terminal = Terminal::find().unwrap();
        let line = "echo ready; read word; echo \"read $word\"";
        let mut generation = start(&mut world, &mut terminal, line);
        world.until_empty(&mut generation);
        assert!(terminal.take_back());
    });
    person.see("ready");
    person.press("hello\n");
    person.see("read hello");
    person.finish();
}

/// Groups in the supervisor's own session are not signalled as a whole.
fn hostile(kind: &str) {
    let sessions: [fn(); 2] = [|| end_forker("plain"), || end_forker("setpgid")];
    let mut person = Person::watch(sessions[usize::from(kind == "setpgid")]);
    person.see("ready");
    person.finish();
}

fn end_forker(kind: &str) {
    let mut world = World::new();
    let mut terminal = Terminal::find().unwrap();
    let place = terminal.place();
    let mut generation = start_on(&[&own_path(), "--role", "double-fork", kind], place);
    world.until(&mut generation, |report| matches!(report, Report::Started { .. }));
    assert_eq!(leader(&mut world, &mut generation), Status::Exited(0));
    terminal.take_back();
    let began = Instant::now();
    assert_eq!(world.end(&mut generation), [Report::Empty]);
    println!("killed in {:?}", began.elapsed());
}

fn in_the_background() {
    let person = Person::watch(|| {
        let mut world = World::new();
        let mut terminal = Terminal::find().unwrap();
        let mut other = std::process::Command::new("sleep");
        std::os::unix::process::CommandExt::process_group(&mut other, 0);
        let mut other = other.arg("60").spawn().unwrap();
        let group = Pid::from_raw(other.id().cast_signed());
        tcsetpgrp(std::io::stdin(), group).unwrap();
        assert_eq!(terminal.place(), Place::OwnSession);
        assert!(!terminal.take_back());
        assert_eq!(nix::unistd::tcgetpgrp(std::io::stdin()), Ok(group));
        // An app started now has no controlling terminal at all.
        let line = "! (: < /dev/tty) 2>/dev/null";
        assert_eq!(world.run(&["/bin/sh", "-c", line]), Status::Exited(0));
        other.kill().unwrap();
        other.wait().unwrap();
        assert!(terminal.take_back() && terminal.is_foreground());
    });
    person.finish();
}

fn without_a_terminal() {
    setsid().unwrap();
    assert!(Terminal::find().is_none());
}
