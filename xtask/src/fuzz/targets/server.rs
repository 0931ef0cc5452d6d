//! The socket itself: the real server, and clients that the input drives.
//!
//! | byte | what a client does | or the supervisor |
//! | --- | --- | --- |
//! | 0 | connects | |
//! | 1 | writes a piece of the input | |
//! | 2 | asks one of the four requests | |
//! | 3 | | serves a turn and answers what was asked |
//! | 4 | | tells a line |
//! | 5 | says that it asks nothing more | |
//! | 6 | is gone | |
//! | 7 | reads a little | |

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::SystemTime;

use nix::poll::{PollFd, PollTimeout, poll};
use relaunch_buildpack::control::message::{ACCEPTED, Form};
use relaunch_buildpack::control::{Request, Server, Told};
use relaunch_buildpack::log::Line;

use super::super::target::Target;
use super::holds;

pub(crate) const TARGET: Target = Target {
    words: &["{\"ask\":\"status\"}\n", "{\"ask\":\"reload\"}\n", "\n", "{"],
    longest: 512,
    short: 4_000,
    ..Target::new(
        "server",
        "every client is answered or dropped, at most 16 are kept, nothing but whole lines of ours is sent, and a server whom nobody asks is not woken",
        check,
    )
};

thread_local! {
    static SERVER: RefCell<Option<(Server, SocketAddr)>> = const { RefCell::new(None) };
}

fn check(input: &[u8]) -> Result<(), String> {
    SERVER.with_borrow_mut(|kept| {
        if kept.is_none() {
            let thread = std::thread::current().id();
            let name = format!("relaunch-fuzz/{}/{thread:?}", std::process::id());
            let address = SocketAddr::from_abstract_name(name).map_err(|it| it.to_string())?;
            let server = Server::at(&address).map_err(|it| it.to_string())?;
            *kept = Some((server, address));
        }
        let (server, address) = kept.as_mut().ok_or("there is no server")?;
        let lived = World { server, address, clients: Vec::new(), connects: 0 }.live(input);
        if lived.is_err() {
            // What went wrong must not go on for the next input.
            *kept = None;
        }
        lived
    })
}

struct World<'a> {
    server: &'a mut Server,
    address: &'a SocketAddr,
    clients: Vec<Client>,
    connects: usize,
}

struct Client {
    stream: UnixStream,
    heard: Vec<u8>,
    /// The whole of what it wrote is this request.
    asked: Option<Request>,
    written: usize,
}

impl World<'_> {
    fn live(&mut self, input: &[u8]) -> Result<(), String> {
        let mut bytes = input.iter().copied();
        while let Some(step) = bytes.next() {
            let which = usize::from(step >> 3);
            match step & 7 {
                0 => self.connect()?,
                1 => {
                    let piece: Vec<u8> = bytes.by_ref().take(which).collect();
                    self.write(which, &piece, None);
                }
                2 => {
                    let request = REQUESTS[which % REQUESTS.len()];
                    self.write(which / REQUESTS.len(), request.to_line().as_bytes(), Some(request));
                }
                3 => self.serve()?,
                4 => self.tell(),
                5 => {
                    if let Some(client) = self.client(which) {
                        let _ = client.stream.shutdown(Shutdown::Write);
                    }
                }
                6 => {
                    if !self.clients.is_empty() {
                        self.clients.swap_remove(which % self.clients.len());
                    }
                }
                _ => {
                    if let Some(client) = self.client(which) {
                        client.hear(which)?;
                    }
                }
            }
        }
        self.end()
    }

    fn client(&mut self, which: usize) -> Option<&mut Client> {
        let count = self.clients.len();
        self.clients.get_mut(which % count.max(1))
    }

    fn connect(&mut self) -> Result<(), String> {
        if self.clients.len() == MOST {
            return Ok(());
        }
        let stream = UnixStream::connect_addr(self.address).map_err(|it| it.to_string())?;
        stream.set_nonblocking(true).map_err(|it| it.to_string())?;
        self.connects += 1;
        self.clients.push(Client { stream, heard: Vec::new(), asked: None, written: 0 });
        Ok(())
    }

    fn write(&mut self, which: usize, bytes: &[u8], request: Option<Request>) {
        if let Some(client) = self.client(which)
            && client.stream.write_all(bytes).is_ok()
        {
            client.asked = request.filter(|_| client.written == 0).or(client.asked);
            client.written += bytes.len();
        }
    }

    /// As the driver does.
    fn serve(&mut self) -> Result<(), String> {
        for (id, request) in self.server.serve() {
            match request {
                Request::Status {} => self.server.answer(id, [STATUS.to_owned()]),
                Request::Events { last, follow, form } => {
                    let lines = (0..last.min(3)).map(|_| told().render(form)).collect::<Vec<_>>();
                    if follow {
                        self.server.follow(id, lines, form);
                    } else {
                        self.server.answer(id, lines);
                    }
                }
                Request::Reload {} => {
                    self.server.follow(id, [ACCEPTED.to_owned()], Form::Json);
                }
            }
        }
        // The listener is one of them.
        holds(self.server.fds().count() <= 1 + KEPT, "too many connections are kept")
    }

    fn tell(&mut self) {
        self.server.tell(&told());
    }

    /// Enough turns to accept and to answer everybody.
    fn rest(&mut self) -> Result<(), String> {
        (0..self.connects / AT_ONCE + 4).try_for_each(|_| self.serve())
    }

    /// Nobody says anything any more.
    fn end(&mut self) -> Result<(), String> {
        self.rest()?;
        let mut waiting: Vec<PollFd<'_>> = self.server.fds().collect();
        let woken = poll(&mut waiting, PollTimeout::ZERO).map_err(|errno| errno.to_string())?;
        holds(woken == 0, format_args!("{woken} descriptors wake a server that has served"))?;
        for client in &mut self.clients {
            client.hear(usize::MAX)?;
            client.check()?;
        }
        self.clients.clear();
        self.rest()?;
        holds(self.server.fds().count() == 1, "connections are kept whose clients are gone")
    }
}

impl Client {
    fn hear(&mut self, most: usize) -> Result<(), String> {
        let mut bytes = [0; 4_096];
        let mut left = most;
        while left > 0 {
            let most = left.min(bytes.len());
            match self.stream.read(&mut bytes[..most]) {
                Ok(0) => break,
                Ok(count) => {
                    self.heard.extend(&bytes[..count]);
                    left -= count;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // It was dropped with something of its unread.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let text = std::str::from_utf8(&self.heard).map_err(|error| error.to_string())?;
        let refused = |line: &str| line.starts_with("{\"error\":");
        let line = told();
        let lines = [Form::Json, Form::Text].map(|form| line.render(form));
        for line in text.split_inclusive('\n') {
            let Some(line) = line.strip_suffix('\n') else {
                return Err(format!("half a line: {line:?}"));
            };
            let ours = line == STATUS || line == ACCEPTED || lines.iter().any(|it| it == line);
            holds(ours || refused(line), format_args!("nobody said {line:?}"))?;
        }
        let dropped = text.is_empty();
        match self.asked {
            Some(Request::Status {}) => holds(
                dropped || text == format!("{STATUS}\n"),
                format_args!("status was answered by {text:?}"),
            ),
            Some(Request::Reload {}) => holds(
                dropped || text.starts_with(ACCEPTED),
                format_args!("reload was answered by {text:?}"),
            ),
            Some(Request::Events { .. }) | None => Ok(()),
        }
    }
}

fn told() -> Told {
    Told { time: SystemTime::UNIX_EPOCH, line: Line::LinesLost { count: 3 } }
}

const STATUS: &str = "{\"schema\":1}";
const REQUESTS: [Request; 4] = [
    Request::Status {},
    Request::Reload {},
    Request::Events { last: 2, follow: false, form: Form::Text },
    Request::Events { last: 2, follow: true, form: Form::Json },
];
/// Clients at a time.
const MOST: usize = 24;
/// Connections that the server promises to keep at most.
const KEPT: usize = 16;
/// Connections that it takes in a turn.
const AT_ONCE: usize = 8;
