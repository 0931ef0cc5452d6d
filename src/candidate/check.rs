//! The candidate check: every question of this room in order, the answer in one value. What comes
//! in: the path that would be exec'ed.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::AtFlags;
use nix::unistd::{AccessFlags, faccessat};

use super::dry::dry_exec;
use super::elf::{Elf, ElfFault, Kind, inspect};
use super::identity::{Identity, identity, identity_of_file};
use super::kernel::{Answer, execve_check};
use super::machine::Machine;
use super::refusal::{Fault, Refusal};
use super::script::{HEAD, Shebang};
use super::writer::{Writer, open_regular, writer_of_file};

/// A candidate that nothing speaks against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// What it was while it was examined; exec what still has this identity.
    pub identity: Identity,
    /// What it is.
    pub format: Format,
    /// `Nobody` or, where neither lease nor kernel could tell, `Unknown`.
    pub writer: Writer,
}

/// The format of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A native program, or a foreign one that the kernel runs.
    Elf(Elf),
    /// A script with its `#!` line.
    Script(Shebang),
    /// Something that only binfmt knows.
    Other,
    /// We may execute it but not read it.
    Unreadable,
}

/// Whether `path` is fit to be exec'ed, without stopping anything: it exists, is regular, has an
/// exec bit for us, nobody writes it, no byte of it misses, it is for this machine, its interpreter
/// exists. Opens the file. A dry exec happens only where the header alone would refuse, because the
/// kernel (binfmt) may run what the header calls foreign.
///
/// # Errors
///
/// The first [`Refusal`] in that order.
pub fn check(path: &Path) -> Result<Fit, Refusal> {
    examine(path).map_err(|fault| Refusal { path: path.to_owned(), fault })
}

/// The last look just before the stop: one dry exec. Passes where the kernel does not answer.
///
/// # Errors
///
/// The kernel's answer as a [`Refusal`].
pub fn check_last(path: &Path) -> Result<(), Refusal> {
    let fault = match dry_exec(path) {
        Answer::Fit | Answer::Unknown => return Ok(()),
        Answer::TextBusy => Fault::Busy,
        Answer::Unloadable => Fault::Unloadable,
        answer => explain(path, answer).unwrap_or_else(|fault| fault),
    };
    Err(Refusal { path: path.to_owned(), fault })
}

fn examine(path: &Path) -> Result<Fit, Fault> {
    let now = exists(path)?;
    is_executable(path, now.mode)?;
    let file = match open_regular(path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
        Err(error) => return Err(by_error(error)),
    };
    let writer = nobody_writes(path, file.as_ref())?;
    let Some(file) = file else {
        return Ok(Fit { identity: now, format: Format::Unreadable, writer });
    };
    let format = format(&file)?;
    kernel_runs(path, &format)?;
    let identity = identity_of_file(&file).map_err(by_error)?;
    Ok(Fit { identity, format, writer })
}

fn exists(path: &Path) -> Result<Identity, Fault> {
    let kind = fs::metadata(path).map_err(by_error)?.file_type();
    if kind.is_file() {
        return identity(path).map_err(by_error);
    }
    let what = match kind {
        _ if kind.is_dir() => "a folder",
        _ if kind.is_fifo() => "a FIFO",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(Fault::NotRegular { what })
}

fn is_executable(path: &Path, mode: u32) -> Result<(), Fault> {
    match faccessat(nix::fcntl::AT_FDCWD, path, AccessFlags::X_OK, AtFlags::AT_EACCESS) {
        Ok(()) => Ok(()),
        Err(nix::Error::EACCES) => Err(Fault::NotExecutable { mode: mode & 0o7777 }),
        Err(error) => Err(by_error(error.into())),
    }
}

/// The lease where it answers, the kernel's exec check where it does not.
fn nobody_writes(path: &Path, file: Option<&File>) -> Result<Writer, Fault> {
    match file.map_or(Writer::Unknown, writer_of_file) {
        Writer::Somebody => Err(Fault::Busy),
        Writer::Nobody => Ok(Writer::Nobody),
        Writer::Unknown if execve_check(path) == Answer::TextBusy => Err(Fault::Busy),
        Writer::Unknown => Ok(Writer::Unknown),
    }
}

fn format(file: &File) -> Result<Format, Fault> {
    let size = file.metadata().map_err(by_error)?.len();
    if size == 0 {
        return Err(Fault::Empty);
    }
    match inspect(file, size) {
        Ok(Kind::Elf(elf)) => return Ok(Format::Elf(elf)),
        Ok(Kind::NotElf) => {}
        Err(ElfFault::Truncated { size, needed }) => return Err(Fault::Truncated { size, needed }),
        Err(ElfFault::Malformed { what }) => return Err(Fault::Malformed { what }),
        Err(ElfFault::Io(error)) => return Err(by_error(error)),
    }
    let mut head = [0; HEAD];
    let count = std::os::unix::fs::FileExt::read_at(file, &mut head, 0).map_err(by_error)?;
    Ok(Shebang::parse(&head[..count]).map_or(Format::Other, Format::Script))
}

/// Machine and interpreter. What only the header says against is put to the kernel.
fn kernel_runs(path: &Path, format: &Format) -> Result<(), Fault> {
    let (fault, interpreter) = match format {
        Format::Elf(elf) if elf.machine == Machine::HOST => (None, elf.interpreter.as_ref()),
        Format::Elf(elf) => (Some(other_machine(elf.machine)), None),
        Format::Script(shebang) => (None, Some(&shebang.interpreter)),
        Format::Other => (Some(Fault::NoFormat), None),
        Format::Unreadable => (None, None),
    };
    if let Some(interpreter) = interpreter.filter(|path| is_missing(path)) {
        return Err(Fault::MissingInterpreter { interpreter: interpreter.clone() });
    }
    let Some(fault) = fault else {
        return Ok(());
    };
    match dry_exec(path) {
        Answer::Fit => Ok(()),
        Answer::TextBusy => Err(Fault::Busy),
        _ => Err(fault),
    }
}

/// What the kernel's answer to a dry exec means for this file.
fn explain(path: &Path, answer: Answer) -> Result<Fault, Fault> {
    // What is wrong with the file itself explains more than any errno.
    let now = exists(path)?;
    is_executable(path, now.mode)?;
    let format = open_regular(path).map_err(by_error).and_then(|file| format(&file))?;
    let interpreter: Option<PathBuf> = match &format {
        Format::Elf(elf) => elf.interpreter.clone(),
        Format::Script(shebang) => Some(shebang.interpreter.clone()),
        Format::Other | Format::Unreadable => None,
    };
    Ok(match (answer, interpreter, format) {
        (Answer::Missing, Some(interpreter), _) => Fault::MissingInterpreter { interpreter },
        (Answer::WrongFormat, _, Format::Elf(elf)) if elf.machine != Machine::HOST => {
            other_machine(elf.machine)
        }
        (Answer::WrongFormat, _, Format::Elf(_)) => {
            Fault::Malformed { what: "something that this kernel does not load" }
        }
        (Answer::NotExecutable, None, _) => Fault::NotExecutable { mode: now.mode & 0o7777 },
        (_, Some(interpreter), _) => Fault::UnusableInterpreter { interpreter },
        _ => Fault::NoFormat,
    })
}

fn other_machine(found: Machine) -> Fault {
    Fault::OtherMachine { found, host: Machine::HOST }
}

fn is_missing(path: &Path) -> bool {
    fs::metadata(path).is_err_and(|error| matches!(by_error(error), Fault::Missing))
}

fn by_error(error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Fault::Missing,
        _ => Fault::Io(error),
    }
}

#[cfg(test)]
mod tests;
