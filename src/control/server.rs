//! The listening socket and its clients, all of them non-blocking and all of them bounded: a slow or
//! hostile one costs some bytes and a few microseconds a turn of the loop, never a restart.
//!
//! | limit | why |
//! | --- | --- |
//! | [`MOST_CLIENTS`] connections, the longest silent gives way | 1,000 idle ones cost as much as 16 |
//! | [`LONGEST_REQUEST`] bytes of request | what is longer is no request |
//! | [`LONGEST_ANSWER`] bytes that wait for a reader | one that does not read is dropped |
//! | [`AT_ONCE`] new connections a turn | files and processes come first |

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::geteuid;

use super::history::Told;
use super::message::{Form, LONGEST_REQUEST, Request, refusal};
use super::place;

/// Names a connection; never used again for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionId(u64);

/// The asked side of the socket.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    connections: Vec<Connection>,
    last: u64,
    /// Accepting failed (no descriptors): not tried again until something else happened, or the
    /// loop would spin on a socket that stays readable.
    deaf: bool,
}

#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    stream: UnixStream,
    request: Vec<u8>,
    answer: Vec<u8>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Its request is not complete.
    Asking,
    /// It is handed out, or answered.
    Answering,
    /// Every new line goes to it.
    Following(Form),
    /// Nothing more will come for it.
    Closing,
    /// To be dropped.
    Gone,
}

impl Server {
    /// Listens under this process's name.
    ///
    /// # Errors
    ///
    /// `/proc` is hidden, the name is taken (`EADDRINUSE`), no sockets or no descriptors.
    pub fn listen() -> io::Result<Self> {
        Self::at(&place::address(std::process::id())?)
    }

    /// Listens under another name.
    ///
    /// # Errors
    ///
    /// As [`Server::listen`].
    pub fn at(address: &SocketAddr) -> io::Result<Self> {
        let listener = UnixListener::bind_addr(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, connections: Vec::new(), last: 0, deaf: false })
    }

    /// What the loop waits for.
    pub fn fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        let listener = (!self.deaf).then(|| PollFd::new(self.listener.as_fd(), PollFlags::POLLIN));
        let clients = self.connections.iter().map(|client| {
            let wants =
                if client.answer.is_empty() { PollFlags::empty() } else { PollFlags::POLLOUT };
            // A client that hangs up is seen by POLLHUP in any case.
            let hears = client.phase == Phase::Asking;
            let wants = if hears { wants | PollFlags::POLLIN } else { wants };
            PollFd::new(client.stream.as_fd(), wants)
        });
        listener.into_iter().chain(clients)
    }

    /// Accepts, reads and writes what can be; returns the complete requests.
    pub fn serve(&mut self) -> Vec<(ConnectionId, Request)> {
        self.accept();
        let mut asked = Vec::new();
        for client in &mut self.connections {
            if let Some(request) = client.read() {
                asked.push((client.id, request));
            }
            client.flush();
            client.notice_hangup();
        }
        self.drop_gone();
        asked
    }

    /// Answers with these lines, then closes.
    pub fn answer(&mut self, id: ConnectionId, lines: impl IntoIterator<Item = String>) {
        self.send(id, lines, Phase::Closing);
    }

    /// Answers with these lines, then sends every line that [`Server::tell`] gets.
    pub fn follow(
        &mut self,
        id: ConnectionId,
        lines: impl IntoIterator<Item = String>,
        form: Form,
    ) {
        self.send(id, lines, Phase::Following(form));
    }

    /// Sends a line to all who follow.
    pub fn tell(&mut self, told: &Told) {
        self.deaf = false;
        for client in &mut self.connections {
            if let Phase::Following(form) = client.phase {
                client.queue(&told.render(form));
                client.flush();
            }
        }
        self.drop_gone();
    }

    fn send(&mut self, id: ConnectionId, lines: impl IntoIterator<Item = String>, next: Phase) {
        let Some(client) = self.connections.iter_mut().find(|it| it.id == id) else { return };
        client.phase = next;
        for line in lines {
            client.queue(&line);
        }
        client.flush();
        self.drop_gone();
    }

    fn drop_gone(&mut self) {
        let before = self.connections.len();
        self.connections.retain(|client| client.phase != Phase::Gone);
        // A descriptor is free again.
        self.deaf &= self.connections.len() == before;
    }

    /// Whether accepting failed and was not tried again since.
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.deaf
    }

    /// Accepting is tried again: a while has passed.
    pub fn hear_again(&mut self) {
        self.deaf = false;
    }

    fn accept(&mut self) {
        for _ in 0..AT_ONCE {
            match self.listener.accept() {
                Ok((stream, _)) => self.take(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(_) => {
                    self.deaf = true;
                    return;
                }
            }
        }
    }

    fn take(&mut self, stream: UnixStream) {
        if stream.set_nonblocking(true).is_err() {
            return;
        }
        if !may_ask(&stream) {
            // Takes no place, or strangers could push out those who may ask.
            let refusal = refusal("only the user of the supervisor and root may ask it");
            let _ = (&stream).write(format!("{refusal}\n").as_bytes());
            return;
        }
        if self.connections.len() >= MOST_CLIENTS {
            // The oldest that does not follow; of followers the oldest.
            let follows = |client: &Connection| matches!(client.phase, Phase::Following(_));
            let idle = self.connections.iter().position(|client| !follows(client));
            self.connections.remove(idle.unwrap_or(0));
        }
        self.last += 1;
        self.connections.push(Connection {
            id: ConnectionId(self.last),
            stream,
            request: Vec::new(),
            answer: Vec::new(),
            phase: Phase::Asking,
        });
    }
}

fn may_ask(stream: &UnixStream) -> bool {
    getsockopt(stream, PeerCredentials)
        .is_ok_and(|peer| peer.uid() == 0 || peer.uid() == geteuid().as_raw())
}

impl Connection {
    /// Reads what is there; the request when it is complete.
    fn read(&mut self) -> Option<Request> {
        if self.phase != Phase::Asking {
            return None;
        }
        let mut bytes = [0; LONGEST_REQUEST];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => {
                    self.phase = Phase::Gone;
                    return None;
                }
                Ok(count) => self.request.extend(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(_) => {
                    self.phase = Phase::Gone;
                    return None;
                }
            }
            if let Some(end) = self.request.iter().position(|byte| *byte == b'\n') {
                return match Request::parse(&self.request[..end]) {
                    Ok(request) => {
                        self.phase = Phase::Answering;
                        Some(request)
                    }
                    Err(why) => {
                        self.refuse(&why);
                        None
                    }
                };
            }
            if self.request.len() >= LONGEST_REQUEST {
                self.refuse(&format!("not a request: longer than {LONGEST_REQUEST} bytes"));
                return None;
            }
        }
    }

    /// A client that has gone reads nothing more, and its end must not wake the loop for ever. One
    /// that only says that it asks nothing more (`socat`, `nc -N`) still reads; what it says after
    /// its request is nobody's business, and is not read.
    fn notice_hangup(&mut self) {
        if self.phase == Phase::Asking || self.phase == Phase::Gone {
            return;
        }
        let mut state = [PollFd::new(self.stream.as_fd(), PollFlags::empty())];
        let gone = PollFlags::POLLHUP | PollFlags::POLLERR;
        let polled = poll(&mut state, PollTimeout::ZERO);
        if polled.is_ok() && state[0].revents().is_some_and(|seen| seen.intersects(gone)) {
            self.phase = Phase::Gone;
        }
    }

    fn refuse(&mut self, why: &str) {
        self.phase = Phase::Closing;
        self.queue(&refusal(why));
    }

    fn queue(&mut self, line: &str) {
        if self.answer.len() + line.len() >= LONGEST_ANSWER {
            self.phase = Phase::Gone;
            return;
        }
        self.answer.extend(line.as_bytes());
        self.answer.push(b'\n');
    }

    fn flush(&mut self) {
        while !self.answer.is_empty() && self.phase != Phase::Gone {
            match self.stream.write(&self.answer) {
                Ok(count) => {
                    self.answer.drain(..count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.phase = Phase::Gone,
            }
        }
        if self.phase == Phase::Closing {
            self.phase = Phase::Gone;
        }
    }
}

/// Connections at a time.
const MOST_CLIENTS: usize = 16;
/// Bytes that may wait for a client to read them: a manifest with its longest list of files, or all
/// that is remembered, several times over.
const LONGEST_ANSWER: usize = 256 * 1_024;
/// Connections accepted in one turn of the loop.
const AT_ONCE: usize = 8;
