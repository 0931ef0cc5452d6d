//! The order to start an app: what runs, with which words and environment. It crosses to the keeper
//! in a memory file, since arguments and environment may be larger than any socket message (the
//! kernel allows a quarter of the stack limit, 2 MiB and more).

use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use nix::sys::memfd::{MFdFlags, memfd_create};

/// Where an app stands towards the terminal of the supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a session of its own, without a controlling terminal.
    OwnSession,
    /// In the foreground of the terminal behind this descriptor (0, 1 or 2).
    Foreground(i32),
    /// In a group of its own in the supervisor's session, in the background: the kernel stops it
    /// when it reads the terminal, until a shell brings the job to the foreground.
    Background,
}

impl Place {
    /// Above the descriptors of terminals, which are counted from 1.
    const BACKGROUND: u32 = 4;

    fn encode(self) -> u32 {
        match self {
            Self::OwnSession => 0,
            Self::Foreground(fd) => fd.cast_unsigned() + 1,
            Self::Background => Self::BACKGROUND,
        }
    }

    fn decode(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::OwnSession),
            Self::BACKGROUND => Some(Self::Background),
            fd => i32::try_from(fd).ok().map(|fd| Self::Foreground(fd - 1)),
        }
    }
}

/// How to start one generation.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The executable; looked up by nobody: a relative path is below the current folder.
    pub path: &'a Path,
    /// The executable held open, run instead of `path` (execveat(2)); for an executable that is no
    /// longer, or no longer good, under its name. May have been opened with `O_PATH`, except for a
    /// script: its interpreter reads it through the descriptor.
    pub held: Option<BorrowedFd<'a>>,
    /// All words, `argv[0]` first.
    pub arguments: &'a [OsString],
    /// The whole environment.
    pub environment: &'a [(OsString, OsString)],
    /// Its place at the terminal.
    pub place: Place,
}

impl Order<'_> {
    /// The order as a memory file, at its beginning.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a NUL inside a word; the system's error when memory is short.
    pub(super) fn to_file(self) -> io::Result<OwnedFd> {
        let mut bytes = Vec::new();
        for count in
            [self.place.encode(), u32::try_from(self.arguments.len()).map_err(io::Error::other)?]
        {
            bytes.extend(count.to_le_bytes());
        }
        word(&mut bytes, &[self.path.as_os_str()])?;
        for argument in self.arguments {
            word(&mut bytes, &[argument])?;
        }
        for (name, value) in self.environment {
            word(&mut bytes, &[name, OsStr::new("="), value])?;
        }
        let mut file = File::from(memory_file()?);
        file.write_all(&bytes)?;
        file.rewind()?;
        Ok(file.into())
    }
}

/// Hardened machines refuse memory files that could be executed (`vm.memfd_noexec` = 2), and Linux
/// before 6.3 does not know how to say that this one cannot.
fn memory_file() -> io::Result<OwnedFd> {
    let plain = MFdFlags::MFD_CLOEXEC;
    let sealed = plain | MFdFlags::from_bits_retain(libc::MFD_NOEXEC_SEAL);
    match memfd_create(c"order", sealed) {
        Err(nix::Error::EINVAL) => Ok(memfd_create(c"order", plain)?),
        made => Ok(made?),
    }
}

fn word(bytes: &mut Vec<u8>, parts: &[&OsStr]) -> io::Result<()> {
    for part in parts {
        if part.as_bytes().contains(&0) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("NUL inside {:?}", part.display()),
            ));
        }
        bytes.extend(part.as_bytes());
    }
    bytes.push(0);
    Ok(())
}

/// Bytes before the words of an order.
pub const HEAD: usize = 8;

/// An order as the keeper received it.
#[derive(Debug)]
pub struct Received {
    /// The app's place at the terminal.
    pub place: Place,
    argument_count: usize,
    words: Vec<u8>,
}

impl Received {
    /// Reads the memory file.
    ///
    /// # Errors
    ///
    /// `InvalidData` for a file that [`Order::to_file`] did not make.
    pub(super) fn from_file(file: OwnedFd) -> io::Result<Self> {
        let mut file = File::from(file);
        let mut head = [0; HEAD];
        file.read_exact(&mut head)?;
        let mut words = Vec::new();
        file.read_to_end(&mut words)?;
        Self::new(head, words).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The order of these bytes: place and number of arguments, then the words, each with its NUL.
    /// `None` = there is no such place.
    #[must_use]
    pub fn new(head: [u8; HEAD], words: Vec<u8>) -> Option<Self> {
        let [place, argument_count] = [0, 4]
            .map(|at| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
        let place = Place::decode(place)?;
        Some(Self { place, argument_count: argument_count as usize, words })
    }

    /// The path and the two null-terminated lists of execve(2), pointing into this order.
    #[must_use]
    pub fn lists(&self) -> Option<(&CStr, Pointers, Pointers)> {
        let mut words = self
            .words
            .split_inclusive(|byte| *byte == 0)
            .filter_map(|word| CStr::from_bytes_with_nul(word).ok());
        let path = words.next()?;
        let arguments = terminated(words.by_ref().take(self.argument_count));
        Some((path, arguments, terminated(words)))
    }
}

/// Pointers to words, the last one null.
pub type Pointers = Vec<*const libc::c_char>;

fn terminated<'a>(words: impl Iterator<Item = &'a CStr>) -> Pointers {
    words.map(CStr::as_ptr).chain([ptr::null()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(arguments: &[OsString]) -> Order<'_> {
        Order {
            path: Path::new("/bin/app"),
            held: None,
            arguments,
            environment: &[],
            place: Place::Foreground(0),
        }
    }

    #[test]
    fn an_order_comes_out_as_it_went_in() {
        let arguments = ["app".into(), OsString::new(), "a b".into()];
        let environment = [("A".into(), "1=2".into()), ("B".into(), OsString::new())];
        let file = Order { environment: &environment, ..order(&arguments) }.to_file().unwrap();
        let received = Received::from_file(file).unwrap();
        assert_eq!(received.place, Place::Foreground(0));
        assert_eq!(received.words, b"/bin/app\0app\0\0a b\0A=1=2\0B=\0");
        let (path, arguments, environment) = received.lists().unwrap();
        assert_eq!((path, arguments.len(), environment.len()), (c"/bin/app", 4, 3));
    }

    #[test]
    fn every_place_comes_out_as_it_went_in() {
        let places = [0, 1, 2].map(Place::Foreground);
        for place in places.into_iter().chain([Place::OwnSession, Place::Background]) {
            assert_eq!(Place::decode(place.encode()), Some(place));
        }
        // Found by fuzzing: it overflowed.
        assert_eq!(Place::decode(1 << 31), None);
    }

    #[test]
    fn a_nul_inside_a_word_is_refused() {
        let error = order(&["a\0b".into()]).to_file().unwrap_err();
        assert_eq!(error.to_string(), r#"NUL inside "a\0b""#);
    }
}
