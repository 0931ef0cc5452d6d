//! Start and exit: what the child inherits, how failures and ends come back.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Case;
use super::world::{Output, World, own_path, signal, start_on, status_field};
use relaunch_buildpack::process::{Keeper, Order, Place, Report, Shell, Status, shell_command};

pub(crate) const CASES: &[Case] = &[
    ("every_exit_code_comes_back", every_exit_code_comes_back),
    ("every_signal_comes_back", every_signal_comes_back),
    ("exec_errors_come_back", exec_errors_come_back),
    ("a_child_starts_clean", a_child_starts_clean),
    ("what_the_supervisor_was_given_passes_through", what_was_given_passes_through),
    ("an_app_reads_the_stdin_that_the_supervisor_was_given", an_app_reads_stdin),
    ("orders_pass_where_memory_files_must_not_run", orders_pass_where_memory_files_must_not_run),
    ("large_orders_pass", large_orders_pass),
    ("a_held_executable_runs", a_held_executable_runs),
    ("a_held_script_runs", a_held_script_runs),
    ("a_nul_in_a_word_is_refused", a_nul_in_a_word_is_refused),
    ("a_shell_line_is_the_app_itself", a_shell_line_is_the_app_itself),
];

fn every_exit_code_comes_back() {
    let mut world = World::new();
    for code in 0..=255_u8 {
        let line = format!("exit {code}");
        let status = world.run(&["/bin/sh", "-c", &line]);
        assert_eq!((status, status.exit_code()), (Status::Exited(code), Some(code)));
    }
}

fn every_signal_comes_back() {
    let mut world = World::new();
    let mut ignored_by_default = Vec::new();
    for number in 1..=64 {
        // Stops are no ends.
        if [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU].contains(&number) {
            continue;
        }
        let words = [&own_path(), "--role", "die-of", &number.to_string()];
        match world.run(&words) {
            // SIGPIPE is ignored by the runtime of the role itself.
            Status::Exited(99) => ignored_by_default.push(number),
            status => assert_eq!(status, Status::Signaled(signal(number))),
        }
    }
    let expected = [libc::SIGPIPE, libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
    assert_eq!(ignored_by_default, expected);
}

fn exec_errors_come_back() {
    let mut world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str, mode| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let busy = file("busy", "#!/bin/sh\n", 0o755);
    let _writer = File::options().append(true).open(&busy).unwrap();
    for (path, errno) in [
        ("/nowhere/app".to_owned(), libc::ENOENT),
        (file("no-interpreter", "#!/nowhere/sh\n", 0o755), libc::ENOENT),
        (file("no-exec-bit", "#!/bin/sh\n", 0o644), libc::EACCES),
        ("/".to_owned(), libc::EACCES),
        (file("no-shebang", "echo wrong\n", 0o755), libc::ENOEXEC),
        (file("empty", "", 0o755), libc::ENOEXEC),
        (busy, libc::ETXTBSY),
    ] {
        let mut generation = start_on(&[&path], Place::OwnSession);
        let reports = world.until(&mut generation, |_| true);
        assert_eq!(reports, [Report::StartFailed { errno }], "{path}");
        assert_eq!((generation.leader(), generation.processes()), (None, vec![]));
    }
}

fn a_child_starts_clean() {
    // Leaks that a supervisor could have: an open descriptor, ignored and blocked signals.
    let _leak = nix::unistd::dup(File::open("/dev/null").unwrap()).unwrap();
    for number in [1, 2, 15, 17, 32, 33, 34, 64] {
        let ignore = [1_u64, 0, 0, 0];
        // SAFETY: the kernel reads at most 32 bytes: SIG_IGN, no flags, no mask.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, number, &raw const ignore, 0, 8) };
    }
    let mut world = World::new();
    let mut output = Output::capture();
    let status = world.run(&[&own_path(), "--role", "show"]);
    let lines = [(); 4].map(|()| output.line());
    let folder = std::env::current_dir().unwrap().display().to_string();
    assert_eq!(lines, ["[0, 1, 2]", "0 0", "true true", &folder]);
    assert_eq!(status, Status::Exited(0));
}

/// Limits, priorities and rights are whoever started the supervisor's choice for the app.
fn what_was_given_passes_through() {
    let limit = libc::rlimit { rlim_cur: 333, rlim_max: 4000 };
    // SAFETY: integers, and a pointer to a local.
    unsafe {
        libc::umask(0o027);
        assert_eq!(libc::setpriority(libc::PRIO_PROCESS, 0, 3), 0);
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        // Class 3 (idle) of ioprio_set(2), for this process.
        assert_eq!(libc::syscall(libc::SYS_ioprio_set, 1, 0, 3 << 13), 0);
    }
    fs::write("/proc/self/oom_score_adj", "500").unwrap();
    let mut world = World::new();
    let mut output = Output::capture();
    assert_eq!(world.run(&[&own_path(), "--role", "show-limits"]), Status::Exited(0));
    let told = output.line();
    assert_eq!(told, "umask 0027, nice 3, files 333, new rights 1, io 24576, oom 500");
}

fn an_app_reads_stdin() {
    let (reader, writer) = nix::unistd::pipe().unwrap();
    nix::unistd::dup2_stdin(&reader).unwrap();
    nix::unistd::write(&writer, b"typed before\n").unwrap();
    let mut world = World::new();
    let mut output = Output::capture();
    let line = "read word; echo \"read $word\"; cat; echo over";
    let mut generation = world.started(&["/bin/sh", "-c", line]);
    assert_eq!(output.line(), "read typed before");
    // No process of ours keeps the other end open.
    nix::unistd::write(&writer, b"typed later\n").unwrap();
    drop(writer);
    assert_eq!([output.line(), output.line()], ["typed later", "over"]);
    world.until_empty(&mut generation);
}

/// `vm.memfd_noexec` = 2 is set for a PID namespace: as PID 1 for our own, which goes with us.
fn orders_pass_where_memory_files_must_not_run() {
    if std::process::id() == 1 {
        fs::write("/proc/sys/vm/memfd_noexec", "2").unwrap();
    }
    let mut world = World::new();
    assert_eq!(world.run(&["/bin/sh", "-c", "exit 5"]), Status::Exited(5));
}

fn large_orders_pass() {
    let mut world = World::new();
    let mut output = Output::capture();
    // The stack limit of 8 MiB allows 2 MiB, counting a pointer for each word.
    let count = 1200;
    let environment: Vec<(OsString, OsString)> =
        (0..count).map(|number| (format!("V{number:04}").into(), "x".repeat(995).into())).collect();
    let mut arguments: Vec<OsString> =
        [&own_path(), "--role", "count-environment"].map(OsString::from).to_vec();
    let own = own_path();
    let order = |arguments: &[OsString]| {
        let order = Order {
            path: Path::new(&own),
            held: None,
            arguments,
            environment: &environment,
            place: Place::OwnSession,
        };
        Keeper::prepare().unwrap().start(&order).unwrap()
    };
    let mut generation = order(&arguments);
    world.until_empty(&mut generation);
    assert_eq!(output.line(), format!("3 {}", count * 1000));
    // One word may have 128 KiB at most: the kernel's answer comes back as any other.
    arguments.push("y".repeat(200_000).into());
    let mut generation = order(&arguments);
    let reports = world.until(&mut generation, |_| true);
    assert_eq!(reports, [Report::StartFailed { errno: libc::E2BIG }]);
}

fn run_held(path: &Path, file: &File, words: &[&str]) -> Vec<Report> {
    let mut world = World::new();
    let arguments: Vec<OsString> = words.iter().map(Into::into).collect();
    let order = Order {
        path,
        held: Some(file.as_fd()),
        arguments: &arguments,
        environment: &[],
        place: Place::OwnSession,
    };
    let mut generation = Keeper::prepare().unwrap().start(&order).unwrap();
    world.until_empty(&mut generation)[1..].to_vec()
}

fn a_held_executable_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app");
    fs::copy("/bin/sh", &path).unwrap();
    let held = File::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let reports = run_held(&path, &held, &["app", "-c", "exit 7"]);
    assert_eq!(reports, [Report::Leader(Status::Exited(7)), Report::Empty]);
}

fn a_held_script_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app");
    fs::write(&path, "#!/bin/sh\nexit $1\n").unwrap();
    let held = File::open(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(&path).unwrap();
    let reports = run_held(&path, &held, &["app", "8"]);
    assert_eq!(reports, [Report::Leader(Status::Exited(8)), Report::Empty]);
}

fn a_nul_in_a_word_is_refused() {
    World::new();
    let arguments = ["app\0".into()];
    let order = Order {
        path: Path::new("/bin/true"),
        held: None,
        arguments: &arguments,
        environment: &[],
        place: Place::OwnSession,
    };
    let error = Keeper::prepare().unwrap().start(&order).unwrap_err();
    assert_eq!(error.to_string(), r#"NUL inside "app\0""#);
}

fn a_shell_line_is_the_app_itself() {
    let mut world = World::new();
    for (name, path) in [("bash", "/bin/bash"), ("sh", "/bin/sh")] {
        let shell = Shell { name, path: path.into() };
        let words = shell_command(&shell, "sleep".as_ref(), &["60".into()]);
        let mut words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
        words[0] = path;
        let mut generation = world.started(&words);
        let leader = generation.leader().unwrap().to_string();
        super::world::eventually("the shell became the app", || {
            status_field(&leader, "Name") == "sleep"
        });
        world.end(&mut generation);
    }
}
