//! The version marker: patching it makes another build of the same size, appending another size.

use std::io;
use std::path::Path;

/// Bytes of the marker before the version.
const KEY_LENGTH: usize = 24;
/// Bytes that a version may have; dots fill the rest.
pub const VERSION_LENGTH: usize = 16;

/// The marker as it lies in the binary, and nowhere else in it. The first build is called `v1`.
static MARKER: [u8; KEY_LENGTH + VERSION_LENGTH] = *b"relaunch-test-app-build:v1..............";

/// The version of the running build.
#[must_use]
pub fn current() -> String {
    // The compiler must not know the bytes: they are changed in the finished file.
    let marker = std::hint::black_box(&MARKER);
    String::from_utf8_lossy(&marker[KEY_LENGTH..]).trim_end_matches('.').to_owned()
}

/// Why a binary cannot be given another version.
#[derive(Debug)]
pub enum StampError {
    /// The version is longer than [`VERSION_LENGTH`] bytes, or ends in a dot.
    Version(String),
    /// The bytes hold no marker, or several.
    Marker(usize),
    /// Reading or writing failed.
    Io(io::Error),
}

impl std::fmt::Display for StampError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version(version) => write!(
                f,
                "version {version:?} does not fit: at most {VERSION_LENGTH} bytes, no dot at the end"
            ),
            Self::Marker(count) => write!(f, "expected one version marker, found {count}"),
            Self::Io(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for StampError {}

/// The same binary as another build: the same bytes but for the version.
///
/// # Errors
/// The version does not fit, or `binary` does not hold exactly one marker.
pub fn stamped(binary: &[u8], version: &str) -> Result<Vec<u8>, StampError> {
    if version.len() > VERSION_LENGTH || version.ends_with('.') {
        return Err(StampError::Version(version.to_owned()));
    }
    let places: Vec<usize> = binary
        .windows(KEY_LENGTH)
        .enumerate()
        .filter_map(|(place, window)| (window == &MARKER[..KEY_LENGTH]).then_some(place))
        .filter(|place| place + MARKER.len() <= binary.len())
        .collect();
    let [place] = places[..] else {
        return Err(StampError::Marker(places.len()));
    };
    let mut bytes = binary.to_vec();
    let field = &mut bytes[place + KEY_LENGTH..][..VERSION_LENGTH];
    field.fill(b'.');
    field[..version.len()].copy_from_slice(version.as_bytes());
    Ok(bytes)
}

/// The same as another build that is `extra` bytes longer.
///
/// # Errors
/// As [`stamped`].
pub fn stamped_longer(binary: &[u8], version: &str, extra: usize) -> Result<Vec<u8>, StampError> {
    let mut bytes = stamped(binary, version)?;
    bytes.resize(bytes.len() + extra, 0);
    Ok(bytes)
}

/// Writes another build of `from` to `to`, in place, with the mode of `from`.
///
/// # Errors
/// As [`stamped`], and every error of reading and writing.
pub fn write_stamped(from: &Path, to: &Path, version: &str) -> Result<(), StampError> {
    let bytes = std::fs::read(from).map_err(StampError::Io)?;
    std::fs::write(to, stamped(&bytes, version)?).map_err(StampError::Io)?;
    let mode = std::fs::metadata(from).map_err(StampError::Io)?.permissions();
    std::fs::set_permissions(to, mode).map_err(StampError::Io)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build() -> Vec<u8> {
        [b"\x7fELF..".as_slice(), &MARKER, b"\0rest"].concat()
    }

    #[test]
    fn another_build_has_the_same_size_and_another_version() {
        let other = stamped(&build(), "v2").unwrap();
        let expected =
            [b"\x7fELF..".as_slice(), &MARKER[..KEY_LENGTH], b"v2..............", b"\0rest"]
                .concat();
        assert_eq!(other, expected);
    }

    #[test]
    fn a_stamped_build_can_be_stamped_again() {
        let other = stamped(&stamped(&build(), "a-longer-one").unwrap(), "v3").unwrap();
        assert_eq!(other, stamped(&build(), "v3").unwrap());
    }

    #[test]
    fn a_longer_build_ends_in_zeros() {
        let longer = stamped_longer(&build(), "v2", 3).unwrap();
        let expected = [stamped(&build(), "v2").unwrap(), vec![0; 3]].concat();
        assert_eq!(longer, expected);
    }

    #[test]
    fn a_version_that_does_not_fit_is_refused() {
        let error = stamped(&build(), "seventeen-letters").unwrap_err();
        assert_eq!(
            error.to_string(),
            "version \"seventeen-letters\" does not fit: at most 16 bytes, no dot at the end"
        );
    }

    #[test]
    fn a_file_without_a_marker_is_refused() {
        let error = stamped(b"#!/bin/sh", "v2").unwrap_err();
        assert_eq!(error.to_string(), "expected one version marker, found 0");
    }

    #[test]
    fn the_first_build_is_v1() {
        assert_eq!(current(), "v1");
    }
}
