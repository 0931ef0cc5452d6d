//! A conversation with one supervisor: connect, ask, read lines until a deadline.

use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::{Duration, Instant};

use nix::sys::socket::sockopt::{PeerCredentials, SendTimeout};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr, getsockopt, setsockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::unistd::geteuid;
use serde_json::Value;

use super::message::Request;
use super::place;
use super::screen::printable;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error(
        "no supervisor runs here; ask inside the container that runs it (docker exec, kubectl exec), or start one with `relaunch run`"
    )]
    None,
    /// Several listen, and none was named.
    #[error("{} supervisors run here; name one with --pid:\n{}", .0.len(), listed(.0))]
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

/// A line for each supervisor: its process id and its command line.
fn listed(pids: &[u32]) -> String {
    let line = |pid: &u32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<_> = words.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        let line = printable(words.join(" ").trim_end());
        format!("{pid:>8}  {}", line.chars().take(WIDE).collect::<String>())
    };
    pids.iter().map(line).collect::<Vec<_>>().join("\n")
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
    let ours = geteuid().as_raw();
    let (mut found, mut refused) = (Vec::new(), None);
    for pid in place::all().map_err(AskError::Hidden)? {
        // Anybody can take a name in this form: only what its own process listens to is one.
        match connect(pid) {
            Ok((_, owner)) => found.push((pid, owner)),
            Err(error @ AskError::Refused(_)) => refused = Some(error),
            Err(_) => {}
        }
    }
    if ours != 0 && found.iter().any(|(_, owner)| *owner == ours) {
        // Whom we may not ask anyway must not keep us from our own.
        found.retain(|(_, owner)| *owner == ours);
    }
    match found[..] {
        [] => Err(refused.unwrap_or(AskError::None)),
        [(only, _)] => Ok(only),
        ref several => Err(AskError::Several(several.iter().map(|(pid, _)| *pid).collect())),
    }
}

/// A connection to the process with this id, and the user that it runs as.
fn connect(pid: u32) -> Result<(UnixStream, u32), AskError> {
    let address = place::address(pid).map_err(AskError::Hidden)?;
    let stream = connect_soon(&address).map_err(|_| AskError::NotThis(pid))?;
    let peer = getsockopt(&stream, PeerCredentials).map_err(|error| broken(&error.into()))?;
    if u32::try_from(peer.pid()) != Ok(pid) {
        let why = format!("process {} has taken the name of supervisor {pid}", peer.pid());
        return Err(AskError::Refused(why));
    }
    let ours = geteuid().as_raw();
    // A supervisor of root says for itself that it answers root alone.
    if ours != 0 && peer.uid() != 0 && peer.uid() != ours {
        let why = format!("process {pid} belongs to the user with the id {}", peer.uid());
        return Err(AskError::Refused(why));
    }
    Ok((stream, peer.uid()))
}

/// Connects, but not to somebody who never accepts: there connect(2) would wait for ever.
fn connect_soon(address: &SocketAddr) -> io::Result<UnixStream> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let socket = socket::socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    setsockopt(&socket, SendTimeout, &TimeVal::milliseconds(ACCEPTED_WITHIN))?;
    let name = UnixAddr::new_abstract(address.as_abstract_name().unwrap_or_default())?;
    socket::connect(socket.as_raw_fd(), &name)?;
    Ok(UnixStream::from(socket))
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
        let (mut stream, _) = connect(pid)?;
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

/// A supervisor accepts within a millisecond; its queue is long enough for every storm of clients.
const ACCEPTED_WITHIN: i64 = 500;
/// Characters of a command line in a list.
const WIDE: usize = 100;

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
