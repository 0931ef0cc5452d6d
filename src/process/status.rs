//! What became of a child, as data. Values only.

use crate::settings::SignalNumber;

/// A change of a child's state, as `waitid(2)` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Ended by `exit(2)` with this code, 0 to 255.
    Exited(u8),
    /// Ended by this signal, realtime ones included; a core dump makes no difference.
    Signaled(SignalNumber),
    /// Stopped by this signal (job control); it still exists.
    Stopped(SignalNumber),
    /// Continued after a stop.
    Continued,
}

impl Status {
    /// Whether the process is gone.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Exited(_) | Self::Signaled(_))
    }

    /// The code that stands for this end towards a parent: n, or 128 + n for a signal (the rule of
    /// the shells, POSIX XCU 2.8.2); `None` for a process that still exists.
    #[must_use]
    pub fn exit_code(self) -> Option<u8> {
        match self {
            Self::Exited(code) => Some(code),
            // 128 + 64 = 192 at most.
            Self::Signaled(signal) => u8::try_from(128 + signal.get()).ok(),
            Self::Stopped(_) | Self::Continued => None,
        }
    }
}

/// A child of the calling process whose state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Child {
    /// Its process id.
    pub pid: i32,
    /// What became of it.
    pub status: Status,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_follow_the_shells() {
        let signal = |number| SignalNumber::new(number).unwrap();
        let codes = [
            Status::Exited(0),
            Status::Exited(255),
            Status::Signaled(signal(9)),
            Status::Signaled(signal(64)),
            Status::Stopped(signal(20)),
            Status::Continued,
        ]
        .map(Status::exit_code);
        assert_eq!(codes, [Some(0), Some(255), Some(137), Some(192), None, None]);
    }
}
