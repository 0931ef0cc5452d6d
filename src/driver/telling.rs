//! What the supervisor tells: each line to the log, to those who follow and into the manifest; and
//! its answers to those who ask. Nothing here lies on the way from a change to a start.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use xxhash_rust::xxh3::xxh3_64;

use super::supervisor::Supervisor;
use crate::control::manifest::{Listed, Look, Watching};
use crate::control::message::{ACCEPTED, Form};
use crate::control::{
    ConnectionId, Fingerprint, History, Manifest, Request, Server, StateFile, Told,
};
use crate::core::{Event, Standing};
use crate::log::Line;

/// What is kept for those who ask.
#[derive(Debug)]
pub(super) struct Telling {
    server: Option<Server>,
    history: History,
    manifest: Manifest,
    file: Option<StateFile>,
    /// Of the executable that was started last.
    pub(super) fingerprint: Option<Fingerprint>,
    /// Something happened since the file was written, or a digest was made.
    pub(super) dirty: bool,
    /// XXH3 of the text that was written last.
    written: Option<u64>,
}

impl Telling {
    pub(super) fn new(command: Vec<String>) -> Self {
        Self {
            server: None,
            history: History::default(),
            manifest: Manifest::new(command, SystemTime::now()),
            file: None,
            fingerprint: None,
            dirty: false,
            written: None,
        }
    }

    pub(super) fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// Nobody can ask, since there was no descriptor for a connection.
    pub(super) fn is_deaf(&self) -> bool {
        self.server.as_ref().is_some_and(Server::is_deaf)
    }

    /// Perhaps there is one now.
    pub(super) fn hear_again(&mut self) {
        self.server.iter_mut().for_each(Server::hear_again);
    }

    /// The state folder: what happens there is our own doing.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.file.as_ref().map(StateFile::folder)
    }

    /// Whether something is to be done when nothing else is. Between two generations nothing is.
    pub(super) fn has_work(&self, standing: Standing) -> bool {
        let settled = matches!(standing, Standing::Running | Standing::Held);
        let digests = self.fingerprint.as_ref().is_some_and(Fingerprint::has_work);
        settled && (digests || self.dirty && self.file.is_some())
    }
}

impl Supervisor {
    /// Opens the socket and the state folder: after the first start, which waits for neither.
    pub(super) fn open_control(&mut self, state: Option<&Path>) {
        match Server::listen() {
            Ok(server) => self.telling.server = Some(server),
            Err(cause) => self.warn(&format!(
                "relaunch status, events, reload and wait do not work here: {cause}"
            )),
        }
        let runtime_dir = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        match StateFile::open(state, runtime_dir.as_deref()) {
            Ok(file) => self.telling.file = Some(file),
            Err(error) => self.warn(&error.to_string()),
        }
    }

    /// Tells a line to everybody.
    pub(super) fn say(&mut self, line: Line) {
        self.log.write(&line);
        let told = Told { time: SystemTime::now(), line };
        let telling = &mut self.telling;
        telling.manifest.told(&told.line, told.time);
        if let Some(server) = &mut telling.server {
            server.tell(&told);
        }
        telling.history.push(told);
        telling.dirty = true;
    }

    /// A person or a tool should know this.
    pub(super) fn warn(&mut self, text: &str) {
        self.say(Line::Warning { text: text.to_owned() });
    }

    /// Answers whoever asks.
    pub(super) fn answer(&mut self) {
        let asked = self.telling.server.as_mut().map(Server::serve).unwrap_or_default();
        for (client, request) in asked {
            match request {
                Request::Status {} => {
                    let manifest = self.manifest();
                    self.reply(client, vec![manifest]);
                }
                Request::Events { last, follow, form } => {
                    let lines = self.telling.history.last(last);
                    let lines = newest(lines.map(|told| told.render(form)).collect());
                    match &mut self.telling.server {
                        Some(server) if follow => server.follow(client, lines, form),
                        _ => self.reply(client, lines),
                    }
                }
                Request::Reload {} => {
                    if let Some(server) = &mut self.telling.server {
                        server.follow(client, [ACCEPTED.to_owned()], Form::Json);
                    }
                    self.feed(Event::ReloadAsked);
                }
            }
        }
    }

    /// A slice of the digest, else the manifest's file.
    pub(super) fn work_for_askers(&mut self, budget: Duration) {
        match self.telling.fingerprint.as_mut().filter(|it| it.has_work()) {
            Some(fingerprint) => {
                fingerprint.work(budget);
                self.telling.dirty |= !fingerprint.has_work();
            }
            None => self.write_manifest(),
        }
    }

    fn reply(&mut self, client: ConnectionId, lines: Vec<String>) {
        if let Some(server) = &mut self.telling.server {
            server.answer(client, lines);
        }
    }

    fn write_manifest(&mut self) {
        self.telling.dirty = false;
        let text = self.manifest();
        // A file in a watched tree is seen to be written: a second time would be without end.
        let digest = Some(xxh3_64(text.as_bytes()));
        if self.telling.written == digest {
            return;
        }
        self.telling.written = digest;
        let Some(file) = &self.telling.file else { return };
        if let Err(cause) = file.write(&text) {
            let folder = file.folder().display().to_string();
            self.telling.file = None;
            self.warn(&format!(
                "the manifest is no longer written to {folder}: {cause}; `relaunch status` works all the same"
            ));
        }
    }

    fn manifest(&self) -> String {
        let executable = self.image.as_ref().map(|(image, _)| {
            let fingerprint = self.telling.fingerprint.as_ref();
            let bytes = fingerprint.map_or(0, Fingerprint::bytes);
            (image.path.clone(), bytes, fingerprint.and_then(Fingerprint::sha256))
        });
        let listed = self.watch.listing(MOST_LISTED).filter(|files| {
            let bytes = files.iter().map(|file| file.path.as_os_str().len());
            bytes.sum::<usize>() <= MOST_LISTED_BYTES
        });
        let listed = listed.map(|files| {
            let ours = |path: &Path| self.telling.folder().is_some_and(|it| path.starts_with(it));
            let files = files.into_iter().filter(|file| !ours(&file.path));
            let listed = files.map(|file| Listed {
                path: file.path,
                bytes: file.bytes,
                xxh3: file.xxh3.map(|digest| format!("{digest:016x}")),
            });
            listed.collect()
        });
        self.telling.manifest.to_json(&Look {
            standing: self.core.standing(),
            executable,
            folders: self.watch.folders(),
            files: self.watch.files(),
            listed,
            watching: match (self.watch.has_events(), self.watch.polls()) {
                (true, false) => Watching::Events,
                (true, true) => Watching::Both,
                (false, _) => Watching::Polling,
            },
        })
    }
}

/// The last of these lines that fit into one answer; without it a history of long paths would be
/// more than a client may leave unread, and answered by nothing at all.
fn newest(mut lines: Vec<String>) -> Vec<String> {
    let mut left = MOST_HISTORY_BYTES;
    let kept = lines.iter().rev().take_while(|line| {
        let fits = line.len() <= left;
        left = left.saturating_sub(line.len());
        fits
    });
    let from = lines.len() - kept.count();
    lines.split_off(from)
}

/// Larger trees are summarised in the manifest.
const MOST_LISTED: usize = 100;
/// So are lists whose paths are longer together: the manifest must fit into an answer.
const MOST_LISTED_BYTES: usize = 64 * 1_024;
/// Half of what may wait for a client.
const MOST_HISTORY_BYTES: usize = 128 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_history_that_is_too_long_for_an_answer_the_newest_lines_are_sent() {
        let lines = ["a", "b", "c"].map(|it| it.repeat(MOST_HISTORY_BYTES / 2)).to_vec();
        assert_eq!(newest(lines.clone()), lines[1..]);
        assert_eq!(newest(lines[2..].to_vec()), lines[2..]);
    }
}
