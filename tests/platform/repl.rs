//! A person at a terminal, `docker run -it`: an interactive app reads, keys act on it, the window
//! changes its size, and the terminal comes back when the app is gone.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::processes::Place;

/// The engine's client on a terminal of its own.
struct Person {
    client: Child,
    keys: File,
    window: OwnedFd,
    screen: Receiver<String>,
    seen: String,
}

impl Person {
    fn run(mut docker: Command) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let terminal = openpty(Some(&size), None).unwrap();
        let stream = || Stdio::from(terminal.slave.try_clone().unwrap());
        let client = docker.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap();
        let mut output = File::from(terminal.master.try_clone().unwrap());
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                let _ = sender.send(String::from_utf8_lossy(&bytes[..length]).into_owned());
            }
        });
        let (keys, window) = (File::from(terminal.master), terminal.slave);
        Self { client, keys, window, screen, seen: String::new() }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads on until this appears; what was seen before it does not count again.
    fn see(&mut self, wanted: &str) {
        while !self.seen.contains(wanted) {
            let more = self.screen.recv_timeout(PATIENCE);
            self.seen += &more.unwrap_or_else(|_| panic!("no {wanted:?} in {:?}", self.seen));
        }
        let (_, rest) = self.seen.split_once(wanted).unwrap();
        self.seen = rest.to_owned();
    }

    fn widen(&self, columns: &str) {
        let window = Stdio::from(self.window.try_clone().unwrap());
        assert!(
            Command::new("stty").args(["cols", columns]).stdin(window).status().unwrap().success()
        );
        // The client is not in the foreground of this terminal, so the kernel tells it nothing.
        kill(Pid::from_raw(self.client.id().cast_signed()), Signal::SIGWINCH).unwrap();
    }
}

/// More than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn a_repl_answers_takes_keys_and_a_new_size_and_gives_the_terminal_back() {
    let place = Place::new();
    let flags = ["--interactive", "--tty"];
    let (docker, container) = place.attached(&flags, &["--on-exit=hold", "--", "python3", "-q"]);
    let mut person = Person::run(docker);
    person.see(">>> ");
    person.press("print(6 * 7)\n");
    person.see("\n42");
    // Python keeps an interrupt that comes on its way to a prompt until the next line is typed.
    person.see(">>> ");
    // An interrupt is the app's, and so is a stop that nobody would ever undo.
    person.press("\x03");
    person.see("KeyboardInterrupt");
    person.see(">>> ");
    person.press("\x1a");
    person.press("print(7 * 7)\n");
    person.see("\n49");
    person.widen("97");
    let ask = "import os, time\nwhile os.get_terminal_size().columns != 97: time.sleep(0.01)\n\n";
    person.press(ask);
    person.press("print(8 * 8)\n");
    person.see("\n64");
    // The next generation has the terminal, too.
    container.execute(&["/relaunch", "reload"]);
    person.see("generation 2 started");
    person.see(">>> ");
    person.press("print(9 * 9)\n");
    person.see("\n81");
    // The end of input means nothing but at a prompt.
    person.see(">>> ");
    person.press("\x04");
    person.see("waiting for the next change");
    // Nothing runs: one more ends the supervisor, with the app's last code.
    person.press("\x03");
    let status = person.client.wait().unwrap();
    assert_eq!(status.code(), Some(0), "{}", container.log());
}
