//! What keeper and supervisor say to each other: one message of 12 bytes a packet, and the order to
//! start, which is a packet of descriptors.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, recv, recvmsg, send, sendmsg,
};

use super::Status;
use crate::settings::SignalNumber;

/// From the keeper, or from its child before exec, to the supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// The keeper could not become a subreaper: orphans will escape to the supervisor.
    NoSubreaper(i32),
    /// The app's process exists; sent by itself, so that nothing of the app runs before its pid is
    /// known, even if the keeper dies at this moment. Its group follows before its exec.
    Forked(i32),
    /// The exec succeeded.
    Started,
    /// fork or exec failed with this errno.
    StartFailed(i32),
    /// The leader's state changed.
    Leader(Status),
    /// The leader is reaped next, though others are left: nobody may use its number any more.
    Reaped,
    /// No descendant is left.
    Empty,
}

/// Bytes of a message.
pub const SIZE: usize = 12;

impl Message {
    /// The bytes that cross.
    #[must_use]
    pub fn encode(self) -> [u8; SIZE] {
        let words = match self {
            Self::NoSubreaper(errno) => [0, errno, 0],
            Self::Forked(pid) => [1, pid, 0],
            Self::Started => [2, 0, 0],
            Self::StartFailed(errno) => [3, errno, 0],
            Self::Leader(Status::Exited(code)) => [4, 0, code.into()],
            Self::Leader(Status::Signaled(signal)) => [4, 1, signal.get()],
            Self::Leader(Status::Stopped(signal)) => [4, 2, signal.get()],
            Self::Leader(Status::Continued) => [4, 3, 0],
            Self::Empty => [5, 0, 0],
            Self::Reaped => [6, 0, 0],
        };
        let mut bytes = [0; SIZE];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// The message of these bytes; `None` = no message of ours.
    #[must_use]
    pub fn decode(bytes: [u8; SIZE]) -> Option<Self> {
        let word = |at: usize| {
            i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let (kind, first, second) = (word(0), word(4), word(8));
        Some(match kind {
            0 => Self::NoSubreaper(first),
            1 => Self::Forked(first),
            2 => Self::Started,
            3 => Self::StartFailed(first),
            4 => Self::Leader(match first {
                0 => Status::Exited(u8::try_from(second).ok()?),
                1 => Status::Signaled(SignalNumber::new(second)?),
                2 => Status::Stopped(SignalNumber::new(second)?),
                _ => Status::Continued,
            }),
            5 => Self::Empty,
            6 => Self::Reaped,
            _ => return None,
        })
    }
}

/// Sends one message. Async-signal-safe; allocates nothing.
///
/// # Errors
///
/// `EPIPE` when the supervisor is gone.
pub(super) fn send_message(socket: BorrowedFd<'_>, message: Message) -> io::Result<()> {
    send(socket.as_raw_fd(), &message.encode(), MsgFlags::MSG_NOSIGNAL)?;
    Ok(())
}

/// What the supervisor finds in the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Incoming {
    Message(Message),
    Nothing,
    /// Every process that held the other end is gone.
    End,
}

/// Takes one message without blocking. Any error counts as the end: nothing can come any more.
pub(super) fn receive_message(socket: BorrowedFd<'_>) -> Incoming {
    let mut bytes = [0; SIZE];
    loop {
        return match recv(socket.as_raw_fd(), &mut bytes, MsgFlags::MSG_DONTWAIT) {
            Ok(SIZE) => match Message::decode(bytes) {
                Some(message) => Incoming::Message(message),
                None => continue,
            },
            Err(nix::Error::EINTR) => continue,
            Err(nix::Error::EAGAIN) => Incoming::Nothing,
            _ => Incoming::End,
        };
    }
}

/// Sends the order to start: its memory file and, perhaps, the executable held open.
///
/// # Errors
///
/// `EPIPE` when the keeper is gone.
pub(super) fn send_order(
    socket: BorrowedFd<'_>,
    order: &OwnedFd,
    held: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let descriptors: Vec<RawFd> =
        [order.as_raw_fd()].into_iter().chain(held.map(|file| file.as_raw_fd())).collect();
    sendmsg::<()>(
        socket.as_raw_fd(),
        &[IoSlice::new(&[START])],
        &[ControlMessage::ScmRights(&descriptors)],
        MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT,
        None,
    )?;
    Ok(())
}

/// Asks the keeper for a round of killing by its own means, where /proc shows the supervisor
/// nothing. A keeper that is behind with earlier requests needs no other.
pub(super) fn send_kill(socket: BorrowedFd<'_>) {
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    let _ = send(socket.as_raw_fd(), &[KILL], flags);
}

const START: u8 = b'S';
const KILL: u8 = b'K';

/// What the supervisor wants of the keeper.
pub(super) enum Request {
    /// Start the app: the order's memory file and, perhaps, the executable.
    Start(Vec<OwnedFd>),
    /// Kill what can be found.
    Kill,
}

/// Receives a request in the keeper; `None` when the supervisor is gone.
pub(super) fn receive_request(socket: BorrowedFd<'_>) -> Option<Request> {
    let mut byte = [0];
    let mut data = [IoSliceMut::new(&mut byte)];
    let mut space = nix::cmsg_space!([RawFd; 2]);
    let received =
        recvmsg::<()>(socket.as_raw_fd(), &mut data, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)
            .ok()?;
    if received.bytes == 0 {
        return None;
    }
    let mut files = Vec::new();
    for message in received.cmsgs().ok()? {
        if let ControlMessageOwned::ScmRights(descriptors) = message {
            files.extend(descriptors.into_iter().map(own));
        }
    }
    Some(if byte == [KILL] { Request::Kill } else { Request::Start(files) })
}

/// Drops the requests to kill that came meanwhile. Nothing else comes once the app was started.
pub(super) fn drop_kills(socket: BorrowedFd<'_>) {
    let mut byte = [0];
    while recv(socket.as_raw_fd(), &mut byte, MsgFlags::MSG_DONTWAIT) == Ok(1) {}
}

#[allow(unsafe_code)] // A descriptor that arrives by SCM_RIGHTS is a bare number in nix.
fn own(descriptor: RawFd) -> OwnedFd {
    // SAFETY: the kernel just installed it for this process, and nothing else knows it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_comes_out_as_it_went_in() {
        let signal = |number| SignalNumber::new(number).unwrap();
        for message in [
            Message::NoSubreaper(22),
            Message::Forked(4711),
            Message::Started,
            Message::StartFailed(2),
            Message::Leader(Status::Exited(255)),
            Message::Leader(Status::Signaled(signal(64))),
            Message::Leader(Status::Stopped(signal(20))),
            Message::Leader(Status::Continued),
            Message::Reaped,
            Message::Empty,
        ] {
            assert_eq!(Message::decode(message.encode()), Some(message));
        }
    }
}
