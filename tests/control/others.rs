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
         echo $one, $two; cat err; kill $one $two; wait; exit $code",
    );
    assert_eq!(answer.code, Some(5), "{answer:?}");
    let lines: Vec<_> = answer.out.lines().collect();
    let [.., pids, said] = lines[..] else { panic!("{answer:?}") };
    assert_eq!(said, format!("relaunch: 2 supervisors run here; name one with --pid: {pids}"));
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
