//! The digest of the executable that runs, made in slices while nothing else is to be done: never on
//! the way from a change to a start. Reads one open file.

use std::fmt::Write;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// A digest in the making, or made.
#[derive(Debug)]
pub struct Fingerprint {
    bytes: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Making {
        file: File,
        hasher: Box<Sha256>,
        at: u64,
    },
    Made(String),
    /// Larger than [`LARGEST`], or it could not be read.
    None,
}

impl Fingerprint {
    /// Of this file, held open since before its exec.
    #[must_use]
    pub fn of(file: &File) -> Self {
        let bytes = file.metadata().map_or(0, |meta| meta.len());
        let state = match file.try_clone() {
            Ok(file) if bytes <= LARGEST => {
                State::Making { file, hasher: Box::new(Sha256::new()), at: 0 }
            }
            Ok(_) | Err(_) => State::None,
        };
        Self { bytes, state }
    }

    /// Bytes of the file at its start.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 in hexadecimal, as `sha256sum` prints it; `None` = not yet, too large, or not to be
    /// read.
    #[must_use]
    pub fn sha256(&self) -> Option<&str> {
        match &self.state {
            State::Made(text) => Some(text),
            State::Making { .. } | State::None => None,
        }
    }

    /// More is to be done.
    #[must_use]
    pub fn has_work(&self) -> bool {
        matches!(self.state, State::Making { .. })
    }

    /// Works for about this long.
    pub fn work(&mut self, budget: Duration) {
        let end = Instant::now() + budget;
        let mut buffer = [0; 16 * 1_024];
        while let State::Making { file, hasher, at } = &mut self.state {
            match file.read_at(&mut buffer, *at) {
                Ok(0) => {
                    let text =
                        hasher.finalize_reset().iter().fold(String::new(), |mut text, byte| {
                            let _ = write!(text, "{byte:02x}");
                            text
                        });
                    self.state = State::Made(text);
                }
                Ok(count) => {
                    hasher.update(&buffer[..count]);
                    *at += count as u64;
                }
                Err(_) => self.state = State::None,
            }
            if Instant::now() >= end {
                return;
            }
        }
    }
}

/// Larger executables have no digest: 256 MB take about a second and a half of a core.
const LARGEST: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_digest_that_sha256sum_prints() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app");
        std::fs::write(&path, b"abc").unwrap();
        let mut fingerprint = Fingerprint::of(&File::open(&path).unwrap());
        assert_eq!((fingerprint.bytes(), fingerprint.sha256()), (3, None));
        while fingerprint.has_work() {
            fingerprint.work(Duration::ZERO);
        }
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(fingerprint.sha256(), Some(expected));
    }
}
