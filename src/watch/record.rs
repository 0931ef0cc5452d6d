//! `relaunch trace`: writes down what the kernel says of some folders, as it says it, so that a
//! change set that went wrong can be sent with a bug report and becomes a test.
//!
//! A line is `microseconds TAB path TAB FLAG[,FLAG...]`: the time since the first event, the path
//! below the parent of its root, the flags of inotify(7) without `IN_`. Left out, as nothing of
//! settling depends on them: ACCESS, and the opening and closing of folders. Lines that begin with
//! `#` are remarks. May come in: the file system, the kernel's queue, the writer of the lines.

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::inotify::{CONTENT, Event, Mask, Queue, Wd};

/// A recording of everything below its roots.
#[derive(Debug)]
pub struct Recorder {
    queue: Queue,
    folders: HashMap<Wd, Folder>,
    began: Option<Instant>,
    /// Folders below the roots that could not be watched, until that was written down.
    missing: usize,
    /// The rename of a folder whose watch was taken away.
    leaving: Option<u32>,
}

/// A watched folder: where it lies, and how the trace calls it.
#[derive(Debug, Clone)]
struct Folder {
    path: PathBuf,
    name: PathBuf,
}

/// Why a folder cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is no queue of events to be had.
    #[error(
        "the kernel gives no event queue ({0}); raise fs.inotify.max_user_instances, or end other watchers"
    )]
    NoQueue(Errno),
    /// A root cannot be watched.
    #[error("{path} cannot be recorded: {cause}")]
    Root {
        /// The root.
        path: PathBuf,
        /// The kernel's answer.
        cause: Errno,
    },
}

impl Recorder {
    /// Watches these folders and all below them.
    ///
    /// # Errors
    ///
    /// No queue, or a root that is no folder, is not there or may not be read.
    pub fn new(roots: &[PathBuf]) -> Result<Self, RecordError> {
        let queue = Queue::new().map_err(RecordError::NoQueue)?;
        let folders = HashMap::new();
        let mut recorder = Self { queue, folders, began: None, missing: 0, leaving: None };
        for root in roots {
            let named = root.canonicalize().unwrap_or_else(|_| root.clone());
            let name = named.file_name().map_or_else(|| PathBuf::from("root"), PathBuf::from);
            let top = Folder { path: named.clone(), name };
            recorder.add(&top).map_err(|cause| RecordError::Root { path: root.clone(), cause })?;
        }
        Ok(recorder)
    }

    /// How many folders are watched.
    #[must_use]
    pub fn folders(&self) -> usize {
        self.folders.len()
    }

    /// Readable when something happened.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.queue.fd()
    }

    /// Waits for events and writes each as a line. Returns only when `out` is closed: a recording
    /// is ended by a signal, and every line is complete when it is written.
    ///
    /// # Errors
    ///
    /// The error of the write.
    pub fn run(&mut self, out: &mut impl Write) -> io::Result<()> {
        loop {
            let _ = poll(&mut [PollFd::new(self.fd(), PollFlags::POLLIN)], PollTimeout::NONE);
            self.take(out)?;
        }
    }

    /// Writes what waits in the queue.
    ///
    /// # Errors
    ///
    /// The error of the write.
    pub fn take(&mut self, out: &mut impl Write) -> io::Result<()> {
        let mut text = Vec::new();
        for event in self.queue.drain().events {
            self.line(&event, &mut text);
        }
        match std::mem::take(&mut self.missing) {
            0 => {}
            count => text.extend(
                format!("# {count} folders cannot be watched: events are missing here\n").bytes(),
            ),
        }
        out.write_all(&text)?;
        out.flush()
    }

    fn line(&mut self, event: &Event, text: &mut Vec<u8>) {
        if event.mask.contains(Mask::IN_Q_OVERFLOW) {
            text.extend(b"# the queue overflowed: events are missing here\n");
            return;
        }
        let Some(folder) = self.folders.get(&event.wd).cloned() else { return };
        let is_folder = event.mask.contains(Mask::IN_ISDIR);
        if is_folder && event.mask.intersects(Mask::IN_OPEN | Mask::IN_CLOSE_NOWRITE) {
            return;
        }
        let Some(name) = &event.name else {
            if event.mask.contains(Mask::IN_IGNORED) {
                self.folders.remove(&event.wd);
            }
            return;
        };
        let began = *self.began.get_or_insert_with(Instant::now);
        let name_in_trace = folder.name.join(name);
        let at = began.elapsed().as_micros();
        let flags: Vec<&str> = FLAGS
            .iter()
            .filter(|(flag, _)| event.mask.contains(*flag))
            .map(|(_, name)| *name)
            .collect();
        write_line(at, &name_in_trace, &flags.join(","), text);
        if is_folder && event.mask.contains(Mask::IN_MOVED_FROM) {
            let was_watched = self.remove(&folder.path.join(name));
            self.leaving = was_watched.then_some(event.cookie);
        }
        if is_folder && event.mask.intersects(Mask::IN_CREATE | Mask::IN_MOVED_TO) {
            let new = Folder { path: folder.path.join(name), name: name_in_trace };
            if self.add(&new).is_err() {
                text.extend(b"# that folder is gone or cannot be watched\n");
            } else if event.mask.contains(Mask::IN_CREATE) || self.leaving != Some(event.cookie) {
                found(&new, at, text);
            }
        }
    }

    /// Forgets a folder that got another name, and those below; under a name in the tree they are
    /// watched anew. `false` = it was not watched.
    fn remove(&mut self, top: &Path) -> bool {
        let (queue, before) = (&self.queue, self.folders.len());
        self.folders.retain(|wd, folder| {
            let gone = folder.path.starts_with(top);
            if gone {
                queue.remove(*wd);
            }
            !gone
        });
        self.folders.len() < before
    }

    /// Watches a folder and those below; what cannot be watched below it is counted.
    fn add(&mut self, top: &Folder) -> Result<(), Errno> {
        let wd = self.queue.add(&top.path, RECORDED, true)?;
        let entries = std::fs::read_dir(&top.path);
        self.folders.insert(wd, top.clone());
        for entry in entries.into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let name = entry.file_name();
                let below = Folder { path: top.path.join(&name), name: top.name.join(&name) };
                self.missing += usize::from(self.add(&below).is_err());
            }
        }
        Ok(())
    }
}

/// What already lies in a folder that came, when nobody was told of its making, as the kernel would
/// have told. What comes between the watch and this list is written twice, which changes nothing.
fn found(top: &Folder, at: u128, text: &mut Vec<u8>) {
    for entry in std::fs::read_dir(&top.path).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let below = Folder { path: top.path.join(&name), name: top.name.join(&name) };
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        write_line(at, &below.name, if is_folder { "CREATE,ISDIR" } else { "CREATE" }, text);
        if is_folder {
            found(&below, at, text);
        }
    }
}

fn write_line(at: u128, name: &Path, flags: &str, text: &mut Vec<u8>) {
    text.extend(format!("{at}\t{}\t{flags}\n", one_field(name)).bytes());
}

/// A path that fits between two tabs.
fn one_field(path: &Path) -> String {
    path.to_string_lossy().replace(['\t', '\n'], "?")
}

/// What is asked for: openings as well, since a creation that is opened next is being written.
const RECORDED: Mask = CONTENT.union(Mask::IN_OPEN).union(Mask::IN_CLOSE_NOWRITE);

/// The flags that a trace has, as inotify(7) names them.
const FLAGS: [(Mask, &str); 10] = [
    (Mask::IN_CREATE, "CREATE"),
    (Mask::IN_OPEN, "OPEN"),
    (Mask::IN_MODIFY, "MODIFY"),
    (Mask::IN_ATTRIB, "ATTRIB"),
    (Mask::IN_CLOSE_WRITE, "CLOSE_WRITE"),
    (Mask::IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"),
    (Mask::IN_MOVED_FROM, "MOVED_FROM"),
    (Mask::IN_MOVED_TO, "MOVED_TO"),
    (Mask::IN_DELETE, "DELETE"),
    (Mask::IN_ISDIR, "ISDIR"),
];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The lines of what `work` does, without their times.
    fn recorded(work: impl FnOnce(&Path)) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("tree");
        fs::create_dir_all(root.join("old")).unwrap();
        let mut recorder = Recorder::new(std::slice::from_ref(&root)).unwrap();
        work(&root);
        let mut text = Vec::new();
        recorder.take(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        text.lines().map(|line| line.split_once('\t').map_or(line, |it| it.1).to_owned()).collect()
    }

    #[test]
    fn a_write_is_recorded_with_all_that_settling_goes_by() {
        let lines = recorded(|root| fs::write(root.join("old/app"), "x").unwrap());
        let words = ["CREATE", "OPEN", "MODIFY", "CLOSE_WRITE"];
        assert_eq!(lines, words.map(|word| format!("tree/old/app\t{word}")));
    }

    #[test]
    fn a_folder_that_moved_goes_on_under_its_new_name() {
        let lines = recorded(|root| fs::rename(root.join("old"), root.join("new")).unwrap());
        let moved = ["tree/old\tMOVED_FROM,ISDIR", "tree/new\tMOVED_TO,ISDIR"];
        assert_eq!(lines, moved);
    }

    #[test]
    fn what_came_into_a_new_folder_before_its_watch_is_recorded() {
        let lines = recorded(|root| {
            fs::create_dir_all(root.join("new/sub")).unwrap();
            fs::write(root.join("new/sub/app"), "x").unwrap();
        });
        let made = ["tree/new\tCREATE,ISDIR", "tree/new/sub\tCREATE,ISDIR"];
        assert_eq!(lines, [made[0], made[1], "tree/new/sub/app\tCREATE"]);
    }

    #[test]
    fn a_root_that_is_no_folder_is_named() {
        let error = Recorder::new(&[PathBuf::from("/nowhere")]).unwrap_err().to_string();
        assert_eq!(error, "/nowhere cannot be recorded: ENOENT: No such file or directory");
    }
}
