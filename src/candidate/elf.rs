//! What an ELF file says about itself, and whether all of it is there. Pure: bytes come in by
//! offset, with the file's size.
//!
//! The kernel reads the headers and maps the rest, so neither `AT_EXECVE_CHECK` nor a dry exec sees
//! a program that is cut off behind its headers (measured): it would start and die of SIGBUS. Every
//! table and every piece of content has its bounds in the headers; the largest of them is the size
//! that the file must have. Content behind the last segment counts as well: Go's linker writes the
//! section table first, so only the sections' own bounds show that the symbols at the end miss.
//!
//! Only the header, the two tables and the interpreter's path are read, never the whole file.

mod header;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::machine::{Class, Machine};
use header::{Fields, Header, Layout};

/// Something that gives bytes by their offset: a file, or bytes in memory.
pub trait ReadAt {
    /// Reads some bytes at `offset` into `buffer`; 0 means that nothing is there.
    ///
    /// # Errors
    ///
    /// The error of `pread(2)`.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let found = self.get(from..).unwrap_or_default();
        let count = found.len().min(buffer.len());
        buffer[..count].copy_from_slice(&found[..count]);
        Ok(count)
    }
}

/// What the first bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An ELF program that is all there.
    Elf(Elf),
    /// Something else: a script, or a format that only binfmt knows.
    NotElf,
}

/// The facts of an ELF program that matter to its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elf {
    /// The machine that it was built for.
    pub machine: Machine,
    /// The dynamic linker (`PT_INTERP`); none in a static program.
    pub interpreter: Option<PathBuf>,
}

/// Why an ELF file cannot be the program that its writer meant.
#[derive(Debug, thiserror::Error)]
pub enum ElfFault {
    /// It ends before its own headers say that it ends.
    #[error("is cut off: {size} of {needed} bytes")]
    Truncated {
        /// The file's size in bytes.
        size: u64,
        /// The smallest size in bytes that holds all that was seen of its tables and contents.
        needed: u64,
    },
    /// The kernel would not load it (`load_elf_binary` in the kernel's `fs/binfmt_elf.c`).
    #[error("is not a program: its ELF header has {what}")]
    Malformed {
        /// A noun phrase: what is wrong in the header.
        what: &'static str,
    },
    /// It could not be read.
    #[error("cannot be read")]
    Io(#[from] io::Error),
}

const MAGIC: &[u8] = b"\x7fELF";
const PT_LOAD: u32 = 1;
const PT_INTERP: u32 = 3;
const SHT_NULL: u32 = 0;
const SHT_NOBITS: u32 = 8;
/// `PATH_MAX`, which the kernel allows for the interpreter with its NUL.
const LONGEST_INTERPRETER: u64 = 4_096;
/// Entries of a section table that are looked at; a linked program has some dozens.
const MOST_SECTIONS: u64 = 65_536;

/// Reads the headers of `file`, which is `size` bytes long.
///
/// # Errors
///
/// [`ElfFault`]; a file that is no ELF file at all is not an error.
pub fn inspect<R: ReadAt + ?Sized>(file: &R, size: u64) -> Result<Kind, ElfFault> {
    let mut start = [0; 64];
    let count = read_up_to(file, &mut start, 0)?;
    let begin = &start[..count];
    if count == 0 || !begin.starts_with(&MAGIC[..count.min(MAGIC.len())]) {
        return Ok(Kind::NotElf);
    }
    if count < 16 {
        return Err(ElfFault::Truncated { size, needed: 64 });
    }
    let layout = Layout::of(begin)?;
    if (count as u64) < layout.header_size() {
        return Err(ElfFault::Truncated { size, needed: layout.header_size() });
    }
    let header = Header::parse(layout, begin)?;
    let mut bounds = Bounds { size, needed: layout.header_size() };
    let interpreter = segments(file, &header, &mut bounds)?;
    sections(file, &header, &mut bounds)?;
    bounds.verdict()?;
    Ok(Kind::Elf(Elf { machine: header.machine, interpreter }))
}

/// Follows the program header table; returns the interpreter.
fn segments<R: ReadAt + ?Sized>(
    file: &R,
    header: &Header,
    bounds: &mut Bounds,
) -> Result<Option<PathBuf>, ElfFault> {
    let layout = header.layout;
    // Both tables' ends first: when this one is cut off, the message still names the true size.
    bounds.add(header.sections_at, header.section_count * layout.section_size())?;
    bounds.add(header.segments_at, header.segment_count * layout.segment_size())?;
    if header.segments_at + header.segment_count * layout.segment_size() > bounds.size {
        return Err(bounds.fault());
    }
    let (mut interpreter, mut loadable) = (None, false);
    let mut entry = [0; 56];
    for index in 0..header.segment_count {
        let entry = &mut entry[..layout.segment_bytes()];
        read_all(file, entry, header.segments_at + index * layout.segment_size(), bounds)?;
        let entry = Fields { bytes: entry, layout };
        let (kind, offset, length) = match layout.class {
            Class::Bits32 => (entry.u32(0), entry.word(4), entry.word(16)),
            Class::Bits64 => (entry.u32(0), entry.word(8), entry.word(32)),
        };
        if length > 0 {
            bounds.add(offset, length)?;
        }
        loadable |= kind == PT_LOAD;
        if kind == PT_INTERP && interpreter.is_none() {
            interpreter = Some((offset, length));
        }
    }
    if !loadable {
        return Err(ElfFault::Malformed { what: "no segment to load" });
    }
    match interpreter {
        Some((offset, length)) if offset.saturating_add(length) <= bounds.size => {
            interpreter_path(file, offset, length, bounds).map(Some)
        }
        // Cut off before the interpreter's path: the verdict follows from the bounds.
        _ => Ok(None),
    }
}

fn interpreter_path<R: ReadAt + ?Sized>(
    file: &R,
    offset: u64,
    length: u64,
    bounds: &Bounds,
) -> Result<PathBuf, ElfFault> {
    let malformed = ElfFault::Malformed { what: "an impossible interpreter" };
    if !(2..=LONGEST_INTERPRETER).contains(&length) {
        return Err(malformed);
    }
    let mut path = vec![0; usize::try_from(length).unwrap_or(0)];
    read_all(file, &mut path, offset, bounds)?;
    // A writer that has the size right and the content still to come leaves zeros here.
    match path.iter().position(|&byte| byte == 0) {
        Some(end) if end > 0 && path.last() == Some(&0) => {
            Ok(PathBuf::from(OsStr::from_bytes(&path[..end])))
        }
        _ => Err(malformed),
    }
}

/// Follows the section header table. The kernel never reads it, so what is strange in it (and not
/// beyond the end) is no fault.
fn sections<R: ReadAt + ?Sized>(
    file: &R,
    header: &Header,
    bounds: &mut Bounds,
) -> Result<(), ElfFault> {
    let layout = header.layout;
    if bounds.needed > bounds.size {
        return Ok(());
    }
    let mut buffer = [0; 64];
    for index in 0..header.section_count.min(MOST_SECTIONS) {
        let entry = &mut buffer[..layout.section_bytes()];
        read_all(file, entry, header.sections_at + index * layout.section_size(), bounds)?;
        let entry = Fields { bytes: entry, layout };
        let (kind, offset, length) = match layout.class {
            Class::Bits32 => (entry.u32(4), entry.word(16), entry.word(20)),
            Class::Bits64 => (entry.u32(4), entry.word(24), entry.word(32)),
        };
        if kind != SHT_NULL && kind != SHT_NOBITS && length > 0 {
            bounds.add(offset, length)?;
        }
    }
    Ok(())
}

/// The largest end of anything that the headers name.
struct Bounds {
    size: u64,
    needed: u64,
}

impl Bounds {
    fn add(&mut self, offset: u64, length: u64) -> Result<(), ElfFault> {
        if length == 0 {
            return Ok(());
        }
        // The kernel's offsets are signed; what exceeds them lies in no file.
        let end = offset.checked_add(length).filter(|&end| i64::try_from(end).is_ok());
        let end = end.ok_or(ElfFault::Malformed { what: "an impossible offset" })?;
        self.needed = self.needed.max(end);
        Ok(())
    }

    fn verdict(&self) -> Result<(), ElfFault> {
        if self.needed > self.size { Err(self.fault()) } else { Ok(()) }
    }

    fn fault(&self) -> ElfFault {
        ElfFault::Truncated { size: self.size, needed: self.needed }
    }
}

fn read_up_to<R: ReadAt + ?Sized>(file: &R, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut count = 0;
    while count < buffer.len() {
        match file.read_at(&mut buffer[count..], offset.saturating_add(count as u64)) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// Reads a whole piece that lies within the file's size; a file that has shrunk since is cut off.
fn read_all<R: ReadAt + ?Sized>(
    file: &R,
    buffer: &mut [u8],
    offset: u64,
    bounds: &Bounds,
) -> Result<(), ElfFault> {
    let count = read_up_to(file, buffer, offset)?;
    if count == buffer.len() {
        return Ok(());
    }
    Err(ElfFault::Truncated { size: offset + count as u64, needed: bounds.needed })
}

#[cfg(test)]
mod tests;
