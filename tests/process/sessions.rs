//! The whole supervisor on a real pseudo-terminal, as a person runs it: as the leader of a session
//! (PID 1 of a container with a terminal), under a shell with job control, under an init.

use super::Case;
use super::terminals::Person;
use super::world::{eventually, lives};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) const CASES: &[Case] = &[
    ("ctrl_c_twice_ends_app_and_supervisor", ctrl_c_twice),
    ("ctrl_c_while_the_app_ignores_it_leaves_both", ctrl_c_is_the_apps),
    ("ctrl_backslash_ends_app_and_while_holding_the_supervisor", ctrl_backslash),
    ("under_script_keys_reach_the_app_and_the_code_comes_back", under_script),
    ("ctrl_z_while_holding_does_not_freeze", ctrl_z_while_holding),
    ("ctrl_z_without_job_control_goes_on", ctrl_z_without_job_control),
    ("a_repl_reads_and_answers", a_repl),
    ("a_terminal_that_hangs_up_ends_everything", hang_up),
    ("a_hup_from_outside_the_namespace_is_the_apps", hup_from_outside),
    ("a_background_job_does_not_read_the_terminal", background_job),
    ("fg_brings_a_background_job_its_terminal", fg_of_a_background_job),
    ("ctrl_z_and_fg_under_a_shell", ctrl_z_and_fg),
    ("a_shell_whose_terminal_closes_ends_everything", shell_hangs_up),
];

const RELAUNCH: &str = env!("CARGO_BIN_EXE_relaunch");

/// `relaunch run` on a line of shell, alone on a terminal.
fn alone(line: &str) -> Person {
    Person::run(&[RELAUNCH, "run", "--on-exit=hold", "--", "/bin/sh", "-c", line])
}

/// An interactive shell with job control.
fn shell() -> Person {
    let mut person = Person::run(&["/bin/bash", "--norc", "--noprofile", "-i"]);
    person.press("PS1=; bind 'set enable-bracketed-paste off'; echo at''hand\n");
    person.see("athand");
    person
}

/// `fg`; returns when the shell has left its line editor, which would take what is typed next.
fn bring_forward(person: &mut Person) {
    person.press("echo here is''fg; fg\n");
    person.see("here isfg");
    // The shell shows the command in its own spelling.
    person.see("2> /dev/null");
}

/// The pid that the line `NAME=PID` tells.
fn told_pid(person: &mut Person, name: &str) -> i32 {
    person.see_start(&format!("{name}=")).trim().parse().unwrap()
}

fn ctrl_c_twice() {
    let mut person =
        alone("trap 'echo got it; exit 3' INT; echo ready; while :; do sleep 0.02; done");
    person.see("ready");
    person.press("\x03");
    person.see("got it");
    person.see("; waiting for the next change");
    person.press("\x03");
    person.ends_with(3);
}

/// An app of its own mind takes the key, one without dies of it.
fn ctrl_backslash() {
    let mut person = alone(
        "ulimit -c 0; trap 'echo got it' QUIT; echo ready; read word; trap - QUIT; kill -QUIT $$; read word",
    );
    person.see("ready");
    person.press("\x1c");
    person.see("got it");
    person.press("word\n");
    person.see("; waiting for the next change");
    person.press("\x1c");
    person.ends_with(131);
}

/// script(1) puts a second terminal between the person and the supervisor. It asks `$SHELL`, and a
/// dash that stays above would die of the key itself; so the shell is named, and makes way.
fn under_script() {
    let app = r#"trap "echo got it; exit 3" INT; echo ready; read word; echo "read $word"; while :; do sleep 0.02; done"#;
    let line = format!("exec {RELAUNCH} run --on-exit=hold -- /bin/sh -c '{app}'");
    let script = ["/usr/bin/script", "--quiet", "--return", "--command", &line, "/dev/null"];
    let mut person = Person::run(&[&["/usr/bin/env", "SHELL=/bin/sh"], &script[..]].concat());
    person.see("ready");
    person.press("hello\n");
    person.see("read hello");
    person.press("\x03");
    person.see("got it");
    person.see("; waiting for the next change");
    person.press("\x1a");
    person.press("\x03");
    person.ends_with(3);
}

fn ctrl_c_is_the_apps() {
    let mut person = alone("trap 'echo again' INT; echo ready; read a; read b; echo $b; exit 4");
    person.see("ready");
    person.press("\x03");
    person.see("again");
    person.press("one\ntwo\n");
    person.see("two");
    person.see("; waiting for the next change");
    person.press("\x03");
    person.ends_with(4);
}

fn ctrl_z_while_holding() {
    let mut person = alone("exit 5");
    person.see("; waiting for the next change");
    person.press("\x1a");
    person.press("\x03");
    person.ends_with(5);
}

fn ctrl_z_without_job_control() {
    let mut person = alone("echo ready; read word; echo \"read $word\"; exit 6");
    person.see("ready");
    person.press("\x1a");
    person.press("hello\n");
    person.see("read hello");
    person.see("; waiting for the next change");
    person.press("\x03");
    person.ends_with(6);
}

fn a_repl() {
    let line = "echo ready; while read -r word; do echo \"= $word\"; done; echo over; exit 0";
    let mut person = alone(line);
    person.see("ready");
    for word in ["one", "two", "three"] {
        person.press(&format!("{word}\n"));
        person.see(&format!("= {word}"));
    }
    // The end of input.
    person.press("\x04");
    person.see("over");
    person.see("; waiting for the next change");
    person.press("\x03");
    person.ends_with(0);
}

fn hang_up() {
    let mut person = alone("echo app=$$; while :; do sleep 0.02; done");
    let app = told_pid(&mut person, "app");
    let supervisor = person.hang_up();
    eventually("nothing runs any more", || !lives(app) && !lives(supervisor));
    Person::reap(supervisor);
}

fn hup_from_outside() {
    let line = "trap 'echo reloaded' HUP; echo ready; while :; do sleep 0.02; done";
    let words = ["/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let run = [RELAUNCH, "run", "--", "/bin/sh", "-c", line];
    let mut person = Person::run(&[&words[..], &run[..]].concat());
    person.see("ready");
    let list = format!("/proc/{0}/task/{0}/children", person.session());
    let supervisor: i32 = std::fs::read_to_string(list).unwrap().trim().parse().unwrap();
    kill(Pid::from_raw(supervisor), Signal::SIGHUP).unwrap();
    person.see("reloaded");
    kill(Pid::from_raw(supervisor), Signal::SIGTERM).unwrap();
    person.ends();
}

fn background_job() {
    let mut person = shell();
    person.press(&format!("{RELAUNCH} run -- /bin/cat 2>/dev/null &\n"));
    // The job is stopped as any job that reads from the background.
    person.press("until jobs | grep -q Stopped; do :; done; echo it is stop''ped\n");
    person.see("it is stopped");
    person.press("echo still $((20 + 3))\n");
    person.see("still 23");
    person.press("kill -TERM %1; kill -CONT %1; wait; echo g''one\n");
    person.see("gone");
    person.press("exit 0\n");
    person.ends();
}

fn fg_of_a_background_job() {
    let mut person = shell();
    let line = "read word; echo \"read $word\"; exit 0";
    person.press(&format!("{RELAUNCH} run --on-exit=exit -- /bin/sh -c '{line}' 2>/dev/null &\n"));
    person.press("until jobs | grep -q Stopped; do :; done; echo it is stop''ped\n");
    person.see("it is stopped");
    bring_forward(&mut person);
    person.press("hello\n");
    person.see("read hello");
    person.press("echo shell $((20 + 3))\n");
    person.see("shell 23");
    person.press("exit 0\n");
    person.ends();
}

fn ctrl_z_and_fg() {
    let mut person = shell();
    let line = "echo app=$$; read word; echo \"read $word\"; exit 0";
    person.press(&format!("{RELAUNCH} run --on-exit=exit -- /bin/sh -c '{line}' 2>/dev/null\n"));
    let app = told_pid(&mut person, "app");
    person.press("\x1a");
    // What is typed before the shell says so may be read by the app on its way to its stop.
    person.see_start("[1]+  Stopped");
    person.press("echo shell $((20 + 3))\n");
    person.see("shell 23");
    assert!(super::world::status_field(&app.to_string(), "State").starts_with('T'));
    bring_forward(&mut person);
    person.press("hello\n");
    person.see("read hello");
    person.press("exit 0\n");
    person.ends();
}

fn shell_hangs_up() {
    let mut person = shell();
    person.press(&format!(
        "{RELAUNCH} run -- /bin/sh -c 'echo app=$$; while :; do sleep 0.02; done' 2>/dev/null\n"
    ));
    let app = told_pid(&mut person, "app");
    let bash = person.hang_up();
    eventually("nothing runs any more", || !lives(app) && !lives(bash));
    Person::reap(bash);
}
