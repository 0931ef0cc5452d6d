//! What the app does to files while it runs: a log, a database, very many opens.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Time between two writes.
const PACE: Duration = Duration::from_millis(10);

/// Reads a file or lists a folder; one that is not there is none.
pub fn read_once(path: &Path) {
    if path.is_dir() {
        let _ = std::fs::read_dir(path).map(Iterator::count);
    } else {
        let _ = std::fs::read(path);
    }
}

/// Appends a line to `path` every 10 ms; the file stays open.
pub fn write_log(path: PathBuf) {
    keep_writing(path, true, |file, round| writeln!(file, "line {round}"));
}

/// Rewrites the first 4 KiB of `path` every 10 ms; the file stays open.
pub fn write_database(path: PathBuf) {
    keep_writing(path, false, |file, round| {
        let byte = u8::try_from(round % 251).unwrap_or_default();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[byte; 4096])
    });
}

/// Opens and reads `path` 10,000 times a second, as far as the machine can.
pub fn open_often(path: PathBuf) {
    thread::spawn(move || {
        loop {
            for _ in 0..10 {
                read_some(&path);
            }
            thread::sleep(Duration::from_millis(1));
        }
    });
}

fn keep_writing(
    path: PathBuf,
    append: bool,
    write: impl Fn(&mut File, u64) -> std::io::Result<()> + Send + 'static,
) {
    thread::spawn(move || {
        let mut options = OpenOptions::new();
        let opened = options.create(true).write(true).append(append).open(&path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) => return println!("cannot write {}: {error}", path.display()),
        };
        for round in 0.. {
            if let Err(error) = write(&mut file, round) {
                return println!("cannot write {}: {error}", path.display());
            }
            thread::sleep(PACE);
        }
    });
}

fn read_some(path: &Path) {
    let mut block = [0; 64];
    if let Ok(mut file) = File::open(path) {
        let _ = file.read(&mut block);
    }
}
