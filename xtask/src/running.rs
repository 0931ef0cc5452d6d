//! A started app whose lines can be waited for, and that is stopped with its owner.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::command::start_failure;
use crate::failure::Failure;

/// How long a stop may take: more than the supervisor's own `--shutdown-timeout`.
const STOP: Duration = Duration::from_secs(12);

/// A child process with its lines so far.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    echo: bool,
}

impl Running {
    /// Starts it; with `echo` every line also goes to our own output.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command, echo: bool) -> Result<Self, Failure> {
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(start_failure(command))?;
        let (sender, lines) = channel();
        if let Some(output) = child.stdout.take() {
            read_lines(output, sender.clone());
        }
        if let Some(output) = child.stderr.take() {
            read_lines(output, sender);
        }
        Ok(Self { child, lines, seen: Vec::new(), echo })
    }

    /// The process that was started.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that `wanted` accepts, among those not yet waited past.
    ///
    /// # Errors
    /// None came in time, or the output ended; every line so far stands in the error.
    pub fn wait_for(
        &mut self,
        what: &str,
        within: Duration,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<String, Failure> {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                return Err(self.unexpected(format!("Waited {within:?} in vain for {what}.")));
            };
            let found = wanted(&line);
            self.keep(line);
            if let (true, Some(line)) = (found, self.seen.last()) {
                return Ok(line.clone());
            }
        }
    }

    /// Every line so far, also those that nobody waited for.
    pub fn seen(&mut self) -> &[String] {
        while let Ok(line) = self.lines.try_recv() {
            self.keep(line);
        }
        &self.seen
    }

    /// An error with every line so far.
    pub fn unexpected(&mut self, expected: impl Into<String>) -> Failure {
        Failure::Unexpected { expected: expected.into(), seen: self.seen().join("\n") }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(pid_of(&self.child), signal);
    }

    /// Sends TERM and waits for the end; kills what does not end in time.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait(STOP)
    }

    /// Waits for the end; kills what does not end in time.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status;
            }
            // The state of a child has no descriptor in std; 5 ms are below what a person sees.
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let killed = ExitStatus::from_raw(Signal::SIGKILL as i32);
        self.child.wait().unwrap_or(killed)
    }

    fn keep(&mut self, line: String) {
        if self.echo {
            println!("    {line}");
        }
        self.seen.push(line);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.stop();
        }
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

fn read_lines(output: impl Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
}
