//! A generation: one start of the app and everything that descends from it.

use std::fmt;

/// The number of a start, from 1; the app sees it as `RELAUNCH_GENERATION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

impl Generation {
    /// The one that comes after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How the leader of a generation ended; see wait(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code, 0 to 255.
    Code(u8),
    /// By this signal, 1 to 64.
    Signal(i32),
    /// Nobody could say: its keeper was killed and another process reaped it.
    Unknown,
}

impl Ending {
    /// The code a shell would report: n, or 128+n for a signal; 1 where it is unknown.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
            Self::Unknown => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_a_shell() {
        let codes = [Ending::Code(7), Ending::Signal(9), Ending::Signal(64), Ending::Unknown]
            .map(Ending::exit_code);
        assert_eq!(codes, [7, 137, 192, 1]);
    }
}
