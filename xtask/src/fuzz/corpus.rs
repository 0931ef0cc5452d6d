//! The corpus of a target: a folder with one input a file. Reads and writes files.
//!
//! | name | what it is |
//! | --- | --- |
//! | `found-…` | broke a property once; a regression test |
//! | `learnt-…` | reached code that no other input reaches; made anew by `--keep` |
//! | any other | written by hand |

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::workspace;

/// Broke a property once.
pub const FOUND: &str = "found";
/// Reached code that no other input reaches.
pub const LEARNT: &str = "learnt";

/// Where the corpus of a target lies in the repository.
#[must_use]
pub fn folder(target: &str) -> PathBuf {
    workspace::root().join("fixtures/fuzz").join(target)
}

/// Where the long run keeps what it learns about a target, from one run to the next.
#[must_use]
pub fn learning(target: &str) -> PathBuf {
    workspace::target().join("fuzz/learnt").join(target)
}

/// The files of a folder in the order of their names, with their bytes; none when it is missing.
///
/// # Errors
/// A file that cannot be read.
pub fn read(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(Failure::file(folder)(cause)),
    };
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(Failure::file(folder))?;
    paths.sort();
    let inputs = paths.into_iter().map(|path| match fs::read(&path) {
        Ok(bytes) => Ok((path, bytes)),
        Err(cause) => Err(Failure::file(&path)(cause)),
    });
    inputs.collect()
}

/// Writes an input under a name made of `kind` and its bytes.
///
/// # Errors
/// It cannot be written.
pub fn keep(folder: &Path, kind: &str, input: &[u8]) -> Result<PathBuf, Failure> {
    fs::create_dir_all(folder).map_err(Failure::file(folder))?;
    let path = folder.join(format!("{kind}-{:016x}", hash(input)));
    fs::write(&path, input).map_err(Failure::file(&path))?;
    Ok(path)
}

/// Whether the file has a name of this kind.
#[must_use]
pub fn is(path: &Path, kind: &str) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('-'))
}

/// FNV-1a: names only have to differ.
fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
