//! Who asks: nobody to answer, several to answer, another user.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::Answer;
use crate::world::Setup;

/// A shell in a process namespace of its own, where no supervisor of another test is found.
fn alone(script: &str) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.args(["sh", "-c", script, "sh", env!("CARGO_BIN_EXE_relaunch")]);
    command.current_dir(folder.path()).output().unwrap().into()
}

#[test]
fn where_no_supervisor_runs_it_is_said_with_what_to_do() {
    let err = "relaunch: no supervisor runs here; ask inside the container that runs it (docker exec, kubectl exec), or start one with `relaunch run`\n".to_owned();
    assert_eq!(alone("\"$1\" status"), Answer { code: Some(3), out: String::new(), err });
}

#[test]
fn the_only_supervisor_is_found_without_any_variable() {
    let answer = alone(
        "\"$1\" run -- sleep 1000 2> log & supervisor=$!
         until env -i \"$1\" status > out 2> err; do kill -0 $supervisor || exit 99; done
         cat out; kill $supervisor; wait $supervisor; exit 0",
    );
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.out.starts_with("state     running: generation 1, pid "), "{answer:?}");
}

#[test]
fn several_supervisors_are_listed() {
    let answer = alone(
        "\"$1\" run -- sleep 1000 2> log1 & one=$!
         \"$1\" run -- sleep 1000 2> log2 & two=$!
         code=0
         until [ $code = 5 ]; do kill -0 $one || exit 99; \"$1\" status 2> err; code=$?; done
         echo $one $two; cat err; kill $one $two; wait; exit $code",
    );
    assert_eq!(answer.code, Some(5), "{answer:?}");
    let lines: Vec<_> = answer.out.lines().collect();
    let [.., pids, said, first, second] = lines[..] else { panic!("{answer:?}") };
    assert_eq!(said, "relaunch: 2 supervisors run here; name one with --pid:");
    let program = env!("CARGO_BIN_EXE_relaunch");
    let expected: Vec<_> = pids
        .split(' ')
        .map(|pid| format!("{pid:>8}  {program} run -- sleep 1000").chars().take(110).collect())
        .collect::<Vec<String>>();
    assert_eq!([first, second], expected[..]);
}

#[test]
fn another_user_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        return; // Only root can become another user.
    }
    let run = Setup::elf().start();
    let program = run.path("relaunch");
    fs::copy(env!("CARGO_BIN_EXE_relaunch"), &program).unwrap();
    fs::set_permissions(run.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    command.arg(program).args(["status", "--pid", &run.supervisor().to_string()]);
    let err = "relaunch: only the user of the supervisor and root may ask it; ask as that user, or as root (docker exec --user)\n".to_owned();
    let expected = Answer { code: Some(6), out: String::new(), err };
    assert_eq!(Answer::from(command.output().unwrap()), expected);
}

/// A program of Python for the shells of [`alone`]: takes the name of the supervisor with the pid in
/// `$1`, and any other name that is given.
const SQUATTER: &str = "
import os, socket, sys
space = os.stat('/proc/self/ns/pid').st_ino
kept = []
for name in [b'relaunch/%d/%d' % (space, int(sys.argv[1]))] + [os.fsencode(it) for it in sys.argv[2:]]:
    one = socket.socket(socket.AF_UNIX)
    one.bind(b'\\0' + name)
    one.listen(0)
    kept.append(one)
print('ready', flush=True)
sys.stdin.read()
";

/// A supervisor, and beside it a stranger with sockets of these names; what `status` says.
fn beside_a_stranger(names: &str) -> Answer {
    alone(&format!(
        "cat > squatter.py <<'END'\n{SQUATTER}\nEND
         \"$1\" run -- sleep 1000 2> log & supervisor=$!
         until \"$1\" status > out 2> err; do kill -0 $supervisor || exit 99; done
         mkfifo in; exec 3<> in
         python3 squatter.py {names} < in > ready & until grep -qs ready ready; do kill -0 $! || exit 98; done
         \"$1\" status; code=$?; kill $! $supervisor; wait; exit $code"
    ))
}

#[test]
fn a_stranger_who_takes_a_name_of_ours_hides_no_supervisor() {
    // A name in the form of ours was a second supervisor, and `status` of a healthy app failed.
    let answer = beside_a_stranger("1");
    assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""), "{answer:?}");
    assert!(answer.out.starts_with("state     running: generation 1, pid "), "{answer:?}");
}

#[test]
fn a_socket_whose_name_is_no_text_hides_no_supervisor() {
    // The table of sockets was read as UTF-8, and a single such name made it unreadable.
    let answer =
        beside_a_stranger(r#"77 "$(printf 'x\377\nforged: 2 0 10000 1 1 1 @relaunch/1/1')""#);
    assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""), "{answer:?}");
}

#[test]
fn a_stopped_supervisor_is_not_waited_for_without_end() {
    let run = Setup::elf().start();
    run.wait_for("start 1");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(run.supervisor()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
    let answer = crate::ask(&run, &["status"]);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGCONT).unwrap();
    assert_eq!(answer.code, Some(124), "{answer:?}");
    assert_eq!(crate::ask(&run, &["status"]).code, Some(0));
}
