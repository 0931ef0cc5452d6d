//! Signals by name and number, realtime ones too; see signal(7).

use std::fmt;

/// A signal's number on Linux, 1 to 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SignalNumber(i32);

impl SignalNumber {
    /// The usual request to stop.
    pub const TERM: Self = Self(libc::SIGTERM);
    /// Ends a process that does not stop.
    pub const KILL: Self = Self(libc::SIGKILL);
    /// Continues a stopped process, so that it can act on another signal.
    pub const CONT: Self = Self(libc::SIGCONT);
    /// Keyboard interrupt.
    pub const INT: Self = Self(libc::SIGINT);
    /// Keyboard quit.
    pub const QUIT: Self = Self(libc::SIGQUIT);

    /// The signal of this number; `None` outside 1 to 64.
    #[must_use]
    pub const fn new(number: i32) -> Option<Self> {
        if number >= 1 && number <= LAST { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for SignalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&signal_name(self.0))
    }
}

/// `TERM`, `SIGTERM`, `15`, `RTMIN+3`, `RTMAX-1`, in any case.
///
/// # Errors
///
/// A sentence that names the right form.
pub fn parse_signal(value: &str) -> Result<SignalNumber, String> {
    let wanted = value.to_ascii_uppercase();
    let wanted = wanted.strip_prefix("SIG").unwrap_or(&wanted);
    let number = NAMES
        .iter()
        .find(|(_, name)| *name == wanted)
        .map(|(number, _)| *number)
        .or_else(|| wanted.parse().ok())
        .or_else(|| realtime(wanted));
    number.and_then(SignalNumber::new).ok_or_else(|| {
        format!("\"{value}\" is not a signal; write it as TERM, SIGINT, 15 or RTMIN+3")
    })
}

/// `SIGTERM`, `SIGRTMIN+3`, or `signal 99` for what has no name.
#[must_use]
pub fn signal_name(number: i32) -> String {
    if let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == number) {
        return format!("SIG{name}");
    }
    match number - FIRST_REALTIME {
        0 => "SIGRTMIN".to_owned(),
        offset if offset > 0 && number <= LAST => format!("SIGRTMIN+{offset}"),
        _ => format!("signal {number}"),
    }
}

fn realtime(name: &str) -> Option<i32> {
    if let Some(offset) = name.strip_prefix("RTMIN") {
        let offset: i32 =
            if offset.is_empty() { 0 } else { offset.strip_prefix('+')?.parse().ok()? };
        return FIRST_REALTIME.checked_add(offset).filter(|number| (34..=LAST).contains(number));
    }
    let offset = name.strip_prefix("RTMAX")?;
    let offset: i32 = if offset.is_empty() { 0 } else { offset.strip_prefix('-')?.parse().ok()? };
    LAST.checked_sub(offset).filter(|number| (FIRST_REALTIME..=LAST).contains(number))
}

/// `SIGRTMIN` of glibc: the two below it belong to its threads.
const FIRST_REALTIME: i32 = 34;
const LAST: i32 = 64;

const NAMES: [(i32, &str); 31] = [
    (libc::SIGHUP, "HUP"),
    (libc::SIGINT, "INT"),
    (libc::SIGQUIT, "QUIT"),
    (libc::SIGILL, "ILL"),
    (libc::SIGTRAP, "TRAP"),
    (libc::SIGABRT, "ABRT"),
    (libc::SIGBUS, "BUS"),
    (libc::SIGFPE, "FPE"),
    (libc::SIGKILL, "KILL"),
    (libc::SIGUSR1, "USR1"),
    (libc::SIGSEGV, "SEGV"),
    (libc::SIGUSR2, "USR2"),
    (libc::SIGPIPE, "PIPE"),
    (libc::SIGALRM, "ALRM"),
    (libc::SIGTERM, "TERM"),
    (libc::SIGSTKFLT, "STKFLT"),
    (libc::SIGCHLD, "CHLD"),
    (libc::SIGCONT, "CONT"),
    (libc::SIGSTOP, "STOP"),
    (libc::SIGTSTP, "TSTP"),
    (libc::SIGTTIN, "TTIN"),
    (libc::SIGTTOU, "TTOU"),
    (libc::SIGURG, "URG"),
    (libc::SIGXCPU, "XCPU"),
    (libc::SIGXFSZ, "XFSZ"),
    (libc::SIGVTALRM, "VTALRM"),
    (libc::SIGPROF, "PROF"),
    (libc::SIGWINCH, "WINCH"),
    (libc::SIGIO, "IO"),
    (libc::SIGPWR, "PWR"),
    (libc::SIGSYS, "SYS"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_round_trip() {
        for number in (1..=31).chain(34..=64) {
            assert_eq!(parse_signal(&signal_name(number)).unwrap().get(), number);
            assert_eq!(parse_signal(&number.to_string()).unwrap().get(), number);
        }
    }

    #[test]
    fn other_spellings_are_taken() {
        let parsed = ["term", "SigInt", "RTMIN", "RTMAX-1", "RTMAX"]
            .map(|value| parse_signal(value).unwrap().get());
        assert_eq!(parsed, [15, 2, 34, 63, 64]);
    }

    #[test]
    fn anything_else_is_refused_with_the_right_form() {
        for value in ["", "0", "65", "-9", "TERMINATE", "RTMIN+31", "RTMIN-1", "RTMAX-31"] {
            assert_eq!(
                parse_signal(value).unwrap_err(),
                format!("\"{value}\" is not a signal; write it as TERM, SIGINT, 15 or RTMIN+3")
            );
        }
    }
}
