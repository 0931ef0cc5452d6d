//! Why a candidate is refused, as data and as one clause of a log line.

use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::machine::Machine;

/// A refused candidate. Displayed as one clause: `build/app is cut off: 40960 of 93184 bytes`.
#[derive(Debug)]
pub struct Refusal {
    /// The candidate, as the caller named it.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.fault)
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            Fault::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl Refusal {
    /// Whether it may pass without any further change of the file, so that it is worth another look
    /// soon: a writer that closes, descriptors or memory that come free. Everything else waits for
    /// the next change.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match &self.fault {
            Fault::Busy => true,
            Fault::Io(error) => matches!(
                error.raw_os_error(),
                Some(libc::EAGAIN | libc::EINTR | libc::EMFILE | libc::ENFILE | libc::ENOMEM)
            ),
            _ => false,
        }
    }
}

/// What is wrong with a candidate; displayed as the rest of a clause about it.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nothing is there, or a link that leads nowhere.
    #[error("does not exist")]
    Missing,
    /// It is something else than a regular file.
    #[error("is {what}, not a file that can be executed")]
    NotRegular {
        /// With its article: `a folder`, `a socket`.
        what: &'static str,
    },
    /// No exec bit for us, or a mount with `noexec`.
    #[error("is not executable (mode {mode:04o})")]
    NotExecutable {
        /// The permission bits.
        mode: u32,
    },
    /// Somebody has it (or the interpreter of a script) open for writing.
    #[error("is still open for writing")]
    Busy,
    /// No byte in it.
    #[error("is empty")]
    Empty,
    /// An ELF file that ends before its headers say so.
    #[error("is cut off: {size} of {needed} bytes")]
    Truncated {
        /// Bytes that are there.
        size: u64,
        /// Bytes that its headers need at least.
        needed: u64,
    },
    /// An ELF file that no kernel would load.
    #[error("is not a program: its ELF header has {what}")]
    Malformed {
        /// A noun phrase.
        what: &'static str,
    },
    /// The kernel began to load it and gave up.
    #[error("cannot be loaded: the kernel killed it while mapping its segments")]
    Unloadable,
    /// Built for another machine, and the kernel does not run it.
    #[error("is built for {found}, and this machine is {host}")]
    OtherMachine {
        /// As in its header.
        found: Machine,
        /// As this supervisor.
        host: Machine,
    },
    /// The dynamic linker of a program or the interpreter of a script is not there.
    #[error("needs {}, which is missing{}", quoted(.interpreter), line_ending(.interpreter))]
    MissingInterpreter {
        /// As the file names it.
        interpreter: PathBuf,
    },
    /// The kernel does not take the interpreter: no exec bit, another machine, no program.
    #[error("needs {}, which cannot be executed", quoted(.interpreter))]
    UnusableInterpreter {
        /// As the file names it.
        interpreter: PathBuf,
    },
    /// Neither an ELF file nor a `#!` line, and nothing that the kernel runs (`ENOEXEC`).
    #[error("is neither an ELF program nor a script with a #! line")]
    NoFormat,
    /// It cannot be examined.
    #[error("cannot be examined: {0}")]
    Io(io::Error),
}

/// Plain where it is plain, escaped where it holds what no screen shows.
fn quoted(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => format!("\"{}\"", path.as_os_str().as_bytes().escape_ascii()),
    }
}

fn line_ending(path: &Path) -> &'static str {
    let carriage_return = path.as_os_str().as_encoded_bytes().ends_with(b"\r");
    if carriage_return { " (the #! line has a Windows line ending)" } else { "" }
}
