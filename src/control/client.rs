//! A conversation with one supervisor: connect, ask, read lines until a deadline.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use serde_json::Value;

use super::message::Request;
use super::place;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error(
        "no supervisor runs here; ask inside the container that runs it (docker exec, kubectl exec), or start one with `relaunch run`"
    )]
    None,
    /// Several listen, and none was named.
    #[error("{} supervisors run here; name one with --pid: {}", .0.len(), listed(.0))]
    Several(Vec<u32>),
    /// The supervisor with this process id does not listen.
    #[error("no supervisor with pid {0} runs here; `relaunch status` finds those that do")]
    NotThis(u32),
    /// It is another user's.
    #[error("{0}; ask as that user, or as root (docker exec --user)")]
    Refused(String),
    /// The deadline passed.
    #[error("it did not happen within {0:?}")]
    TimedOut(Duration),
    /// The conversation broke off.
    #[error("the supervisor ended, or dropped this connection: {0}")]
    Broken(String),
    /// `/proc` is hidden, so nobody can be found.
    #[error("/proc cannot be read ({0}), and without it no supervisor can be found")]
    Hidden(io::Error),
}

fn listed(pids: &[u32]) -> String {
    pids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The supervisor to ask: the named one, or the only one.
///
/// # Errors
///
/// There is none, or more than one.
pub fn find(pid: Option<u32>) -> Result<u32, AskError> {
    if let Some(pid) = pid {
        return Ok(pid);
    }
    match place::all().map_err(AskError::Hidden)?[..] {
        [] => Err(AskError::None),
        [only] => Ok(only),
        ref several => Err(AskError::Several(several.to_vec())),
    }
}

/// A connection whose request was sent.
#[derive(Debug)]
pub struct Conversation {
    stream: BufReader<UnixStream>,
    /// The beginning of a line whose end was not there at the deadline.
    line: Vec<u8>,
}

impl Conversation {
    /// Asks the supervisor with this process id.
    ///
    /// # Errors
    ///
    /// It does not listen, or the name is another process's.
    pub fn begin(pid: u32, request: Request) -> Result<Self, AskError> {
        let address = place::address(pid).map_err(AskError::Hidden)?;
        let mut stream = UnixStream::connect_addr(&address).map_err(|_| AskError::NotThis(pid))?;
        let peer = getsockopt(&stream, PeerCredentials).map_err(|error| broken(&error.into()))?;
        if u32::try_from(peer.pid()) != Ok(pid) {
            let why = format!("process {} has taken the name of supervisor {pid}", peer.pid());
            return Err(AskError::Refused(why));
        }
        // Whoever may not ask is told so and dropped, perhaps before this: then the answer says why.
        let _ = stream.write_all(request.to_line().as_bytes());
        Ok(Self::over(stream))
    }

    /// Over a connection whose request was sent.
    #[must_use]
    pub fn over(stream: UnixStream) -> Self {
        Self { stream: BufReader::new(stream), line: Vec::new() }
    }

    /// The next line; `None` = nothing until the deadline, or the answer is over when there is none.
    ///
    /// # Errors
    ///
    /// The supervisor refuses, or the conversation broke off.
    pub fn line(&mut self, until: Option<Instant>) -> Result<Option<String>, AskError> {
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            self.stream.get_ref().set_read_timeout(left).map_err(|error| broken(&error))?;
            let room = (LONGEST_LINE + 1).saturating_sub(self.line.len()) as u64;
            match self.stream.by_ref().take(room).read_until(b'\n', &mut self.line) {
                _ if self.line.len() > LONGEST_LINE => {
                    return Err(AskError::Broken("a line without an end".to_owned()));
                }
                Ok(0) => return Ok(None),
                Ok(_) if self.line.ends_with(b"\n") => {
                    let line =
                        String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
                    return refused(&line).map(|()| Some(line.trim_end().to_owned()));
                }
                Ok(_) => return Err(AskError::Broken("half a line".to_owned())),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The deadline, which the beginning of the loop sees.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(broken(&error)),
            }
        }
    }

    /// The next line as JSON; a conversation that is over is an error.
    ///
    /// # Errors
    ///
    /// As [`Conversation::line`]; the deadline passed.
    pub fn value(&mut self, until: Instant) -> Result<Option<Value>, AskError> {
        let Some(line) = self.line(Some(until))? else {
            if Instant::now() < until {
                return Err(AskError::Broken("no more lines".to_owned()));
            }
            return Ok(None);
        };
        let value = serde_json::from_str(&line);
        value.map(Some).map_err(|error| AskError::Broken(error.to_string()))
    }
}

/// No answer of a supervisor is longer: whoever sends more has only taken its name.
pub const LONGEST_LINE: usize = 1 << 20;

/// An answer that says why there is none.
fn refused(line: &str) -> Result<(), AskError> {
    let value: Option<Value> = serde_json::from_str(line).ok();
    match value.as_ref().and_then(|value| value.get("error")).and_then(Value::as_str) {
        Some(why) => Err(AskError::Refused(why.to_owned())),
        None => Ok(()),
    }
}

fn broken(error: &io::Error) -> AskError {
    AskError::Broken(error.to_string())
}
