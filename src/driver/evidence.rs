//! What evidence of use rests on besides the watch: what kind of program the command is, and what
//! its processes are, run and hold open now. Reads `/proc`, the head of the executable and names
//! beside it; opens no watched file that is not in use.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::program::{Command, Program};
use crate::candidate::is_interpreter;
use crate::core::usage::{Scope, spared};
use crate::settings::{RestartOn, Settings};

/// What was said of the watched roots, as far as evidence of use depends on it.
#[derive(Debug)]
pub(super) struct Grounds {
    roots: Vec<PathBuf>,
    /// Those that the user named; `None` = they were chosen by rule, and only the target is named.
    by_user: bool,
    wanted: bool,
}

impl Grounds {
    pub(super) fn new(settings: &Settings, roots: &[PathBuf]) -> Self {
        Self {
            roots: roots.to_vec(),
            by_user: !settings.watch.is_empty(),
            wanted: settings.restart_on == RestartOn::Used,
        }
    }

    /// The roots in which a file that nobody opens is not in use, when this command runs now.
    pub(super) fn spared(&self, command: &Command) -> Vec<PathBuf> {
        if !self.wanted || self.roots.len() < 2 {
            return Vec::new();
        }
        let Ok(program) = command.resolve() else { return Vec::new() };
        let Ok(real) = program.path.canonicalize() else { return Vec::new() };
        if command.is_interpreted(Some(&program)) || !is_native(&real) || is_environment(&real) {
            return Vec::new();
        }
        let target = command.target();
        let in_target = |root: &&PathBuf| target.is_some_and(|target| root.starts_with(target));
        let named = if self.by_user {
            self.roots.clone()
        } else {
            self.roots.iter().filter(in_target).cloned().collect()
        };
        spared(&Scope {
            roots: &self.roots,
            named: &named,
            target,
            executable: [&program.path, &real],
            arguments: &arguments(&program, command.folder()),
        })
    }
}

/// The paths that arguments may name: an argument with a slash, or one that is there; behind the
/// first `=`, too.
fn arguments(program: &Program, folder: &Path) -> Vec<PathBuf> {
    let words = program.arguments.iter().skip(1).filter_map(|word| word.to_str());
    let parts = words.flat_map(|word| [Some(word), word.split_once('=').map(|(_, value)| value)]);
    parts
        .flatten()
        .filter(|part| !part.is_empty())
        .filter_map(|part| {
            let path = folder.join(part);
            let real = path.canonicalize();
            (part.contains('/') || real.is_ok()).then(|| [Some(path), real.ok()])
        })
        .flatten()
        .flatten()
        .collect()
}

/// Whether the kernel runs the file itself, and not an interpreter that it names.
fn is_native(path: &Path) -> bool {
    use std::io::Read;
    let mut head = [0; 4];
    fs::File::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok())
        && head == *b"\x7fELF"
}

/// Whether the executable is that of a Python environment, whatever its name: `python -m venv
/// --copies` puts a native python into the app folder.
fn is_environment(path: &Path) -> bool {
    let folders = path.ancestors().skip(1).take(2);
    folders.into_iter().any(|folder| folder.join("pyvenv.cfg").exists())
}

/// What the processes of a generation hold, to be asked about many paths.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    /// One of them runs an interpreter, or has one in it: no evidence holds.
    pub(super) interprets: bool,
    /// Device and inode of open and mapped files.
    files: HashSet<(u64, u64)>,
}

impl Holdings {
    /// Looks at these processes. One that may not be looked at is taken for an interpreter.
    pub(super) fn of(pids: &[i32]) -> Self {
        let mut holdings = Self::default();
        for pid in pids {
            holdings.interprets |= holdings.take(*pid).is_none();
        }
        holdings
    }

    fn take(&mut self, pid: i32) -> Option<()> {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let Ok(executable) = fs::read_link(folder.join("exe")) else {
            // Gone meanwhile, or somebody else's.
            return (!folder.exists()).then_some(());
        };
        self.interprets |= is_interpreter(executable.as_os_str());
        for descriptor in fs::read_dir(folder.join("fd")).ok()?.flatten() {
            if let Ok(open) = fs::metadata(descriptor.path()) {
                self.files.insert((open.dev(), open.ino()));
            }
        }
        let maps = fs::read_to_string(folder.join("maps")).ok()?;
        for mapped in maps.lines().filter_map(Mapped::parse) {
            self.interprets |= LIBRARIES.iter().any(|name| mapped.name.starts_with(name));
            self.files.insert((mapped.device, mapped.inode));
        }
        Some(())
    }

    /// Whether one of them has this file open or mapped.
    pub(super) fn hold(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|meta| {
            // Overlay file systems show another device in maps than stat(2) does.
            self.files.contains(&(meta.dev(), meta.ino()))
        })
    }
}

/// One line of `/proc/PID/maps`, proc(5).
struct Mapped<'a> {
    device: u64,
    inode: u64,
    /// Of the file, without its folder.
    name: &'a str,
}

impl<'a> Mapped<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace().skip(3);
        let (major, minor) = fields.next()?.split_once(':')?;
        let inode = fields.next()?.parse().ok().filter(|inode| *inode != 0)?;
        let number = |hex| u32::from_str_radix(hex, 16).ok();
        let device = libc::makedev(number(major)?, number(minor)?);
        Some(Self { device, inode, name: line.rsplit('/').next()? })
    }
}

/// Libraries that make a native program an interpreter: what they run, they may look at without
/// opening it.
const LIBRARIES: [&str; 9] = [
    "libpython",
    "libruby",
    "libperl",
    "libphp",
    "liblua",
    "libjvm",
    "libnode",
    "libmono",
    "libcoreclr",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_read_and_an_anonymous_one_is_none() {
        let line = "7f10-7f20 r-xp 00002000 fd:01 1234    /usr/lib/libpython3.11.so.1.0";
        let mapped = Mapped::parse(line).unwrap();
        let expected = (libc::makedev(0xfd, 1), 1234, "libpython3.11.so.1.0");
        assert_eq!((mapped.device, mapped.inode, mapped.name), expected);
        assert!(Mapped::parse("7ffc-7ffd rw-p 00000000 00:00 0   [stack]").is_none());
        assert!(Mapped::parse("").is_none());
    }

    #[test]
    fn our_own_open_file_is_held_and_we_interpret_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let [held, other] = ["held", "other"].map(|name| folder.path().join(name));
        fs::write(&other, "x").unwrap();
        let _open = fs::File::create(&held).unwrap();
        let holdings = Holdings::of(&[i32::try_from(std::process::id()).unwrap()]);
        let found = (holdings.interprets, holdings.hold(&held), holdings.hold(&other));
        assert_eq!(found, (false, true, false));
    }

    #[test]
    fn an_environments_python_is_known_by_its_place() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        let program = folder.path().join("bin/anything");
        assert!(!is_environment(&program));
        fs::write(folder.path().join("pyvenv.cfg"), "").unwrap();
        assert!(is_environment(&program));
    }
}
