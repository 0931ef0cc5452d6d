//! Listening to readers: who opens, reads and lists below the roots for which evidence of use is
//! asked. Opens nothing itself; the core weighs what it tells.
//!
//! A folder is *heard* when the kernel was asked for its readers' events. It is asked after the
//! folder's first list was made, or our own listing would look like the app's. What may have been
//! missed is said as [`Sign::Unseen`]: at a start, where a root is not heard completely or polled;
//! later, when events were lost, a known folder must be listed again, or a root came back.
//!
//! A folder that is made later is heard from the moment of its first list. What was opened in it
//! before that, within a millisecond of its making, is missed.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::inotify::{CONTENT, Event, ITSELF, Mask, USE};
use super::observation::Observation;
use super::rooting::Root;
use super::scan::Task;
use super::table::FolderId;
use super::watcher::{Watch, can_wait};
use crate::core::{Sign, UseEvent};

impl Watch {
    /// Asks for readers' events below these roots, and no others, from the next start on. A root
    /// that is no folder is not listened to. To be called before [`Watch::freeze`].
    pub fn listen(&mut self, roots: &[PathBuf]) {
        if self.listening == roots {
            return;
        }
        self.listening = roots.to_vec();
        for id in std::mem::take(&mut self.heard) {
            if self.table.exists(id) && !self.is_listened_to(id) {
                self.ask(id, false);
            } else {
                self.heard.insert(id);
            }
        }
        let tops = self.roots.iter().filter_map(Root::folder);
        let folders: Vec<FolderId> = tops.flat_map(|top| self.table.subtree(top)).collect();
        for id in folders {
            self.hear(id);
        }
    }

    /// Lists what is listened to and not listed yet, for so long: what is heard before the first
    /// exec is known under the first generation, too. Ends at a folder with a long list.
    pub fn prepare_listening(&mut self, budget: Duration) {
        let end = Instant::now() + budget;
        while !self.listening.is_empty() && Instant::now() < end {
            let wanted = |task: &Task| self.is_listened_to(task.folder);
            if self.scan.as_ref().is_none_or(|scan| !wanted(&scan.task)) {
                let Some(index) = self.tasks.iter().position(wanted) else { return };
                let Some(task) = self.tasks.remove(index) else { return };
                self.tasks.push_front(task);
                if self.scan.is_some() || can_wait(&self.table.path(task.folder)) {
                    return;
                }
            }
            self.scan_one(end);
        }
    }

    /// Everything in this folder counts anyway: its readers are of no interest until the next start.
    pub fn stop_listening(&mut self, folder: &Path) {
        if let Some(id) = self.table.locate_folder(folder).filter(|id| self.heard.remove(id)) {
            self.deaf.push(id);
            self.ask(id, false);
        }
        self.digests.again();
    }

    /// A file of a heard folder is in use, so our reading it gives nothing away any more.
    pub fn want_digest(&mut self, path: &Path) {
        if let Some((id, name)) = self.table.locate(path).filter(|(id, _)| self.heard.contains(id))
        {
            self.digests.want(id, name);
        }
    }

    /// We are about to open this file ourselves. It counts already, so that the next signs of its
    /// use are left out hides nothing.
    pub fn opening(&mut self, path: &Path) {
        if !self.heard.is_empty() {
            self.opened.insert(path.to_owned());
        }
    }

    /// Before an exec: folders that were deaf are heard again, signs of the last generation are
    /// dropped, and where not everything is heard that is said.
    pub(super) fn begin_listening(&mut self) {
        self.used_unseen.clear();
        if self.listening.is_empty() {
            return;
        }
        self.out.retain(|said| !matches!(said, Observation::Used(_)));
        for id in std::mem::take(&mut self.deaf) {
            if self.table.exists(id) {
                self.hear(id);
            }
        }
        let tasks = self.tasks.iter().chain(self.scan.as_ref().map(|scan| &scan.task));
        let pending = tasks.map(|task| task.folder).any(|id| self.is_listened_to(id));
        if pending || self.recheck || self.polls_anything() || !self.unwatched.is_empty() {
            self.listen_no_more();
        }
        for root in self.listening.clone() {
            let heard = self.roots.iter().find(|it| it.path == root).and_then(Root::folder);
            // Two watched paths may lead to one folder, which is heard as the first of them.
            if !heard.is_some_and(|id| self.heard.contains(&id)) {
                self.unseen(&root);
            }
        }
    }

    /// Below every root something may be used unseen, under this generation.
    pub(super) fn listen_no_more(&mut self) {
        for root in self.listening.clone() {
            self.unseen(&root);
        }
    }

    /// Something below this path may have been used unseen.
    pub(super) fn unseen(&mut self, path: &Path) {
        if self.listening.iter().any(|root| path.starts_with(root)) {
            self.say_use(path, Sign::Unseen);
            if !self.counts_unseen(path) {
                // All below counts now, so our own reading hides nothing and digests are worth it.
                self.used_unseen.insert(path.to_owned());
                self.digests.again();
            }
        }
    }

    /// Whether all counts here since something may have been used unseen.
    fn counts_unseen(&self, path: &Path) -> bool {
        path.ancestors().any(|above| self.used_unseen.contains(above))
    }

    /// Whether our reading in this folder could be taken for the app's, or hide it.
    pub(super) fn must_not_read_in(&self, folder: FolderId) -> bool {
        self.heard.contains(&folder) && !self.counts_unseen(&self.table.path(folder))
    }

    /// A list of this folder begins: our own opening of it must not be taken for use, and if it is
    /// heard already it cannot be told apart.
    pub(super) fn unseen_while_listed(&mut self, id: FolderId) {
        if self.heard.contains(&id) {
            self.unseen(&self.table.path(id));
        }
    }

    /// The folder was listed for the first time, or is to be heard again.
    pub(super) fn hear(&mut self, id: FolderId) {
        if self.table.swept(id) && self.is_listened_to(id) && !self.heard.contains(&id) {
            self.heard.insert(id);
            self.ask(id, true);
        }
    }

    /// A folder came from another root, where nobody listened, with all below it.
    pub(super) fn hear_moved(&mut self, id: FolderId) {
        for id in self.table.subtree(id) {
            if self.is_listened_to(id) && !self.heard.contains(&id) && !self.deaf.contains(&id) {
                self.unseen(&self.table.path(id));
                self.hear(id);
            }
        }
    }

    /// A reader's or a writer's event.
    pub(super) fn take_use(&mut self, event: &Event, folder: FolderId) {
        let is_folder = event.mask.contains(Mask::IN_ISDIR);
        match &event.name {
            // A folder's own watch tells of its listing; that of its parent, heard earlier, would
            // tell of ours, too.
            Some(_) if is_folder => {}
            None => {
                if event.mask.contains(Mask::IN_ACCESS) {
                    self.say_use(&self.table.path(folder), Sign::Listed);
                }
            }
            Some(name) => {
                let path = self.table.path(folder).join(name);
                if self.opened.contains(&path) {
                    return;
                }
                let ignored = self.is_ignored(folder, name.as_bytes(), &path);
                // Nobody tells of an ignored file's close, and nobody asks for its use; that it is
                // read without rest must be known all the same.
                if !event.mask.contains(Mask::IN_OPEN) {
                    self.say_use(&path, Sign::Read);
                } else if !ignored {
                    self.say_use(&path, Sign::Opened);
                }
            }
        }
    }

    fn say_use(&mut self, path: &Path, sign: Sign) {
        self.out.push(Observation::Used(UseEvent { path: path.into(), sign }));
    }

    fn is_listened_to(&self, id: FolderId) -> bool {
        if self.listening.is_empty() || !self.table.exists(id) {
            return false;
        }
        let top = self.table.path(self.table.root_of(id));
        self.listening.contains(&top)
    }

    /// Asks the kernel for readers' events of a folder, or for them no more.
    fn ask(&mut self, id: FolderId, readers: bool) {
        let path = self.table.path(id);
        let is_root = self.roots.iter().any(|root| root.folder() == Some(id));
        let Some(queue) = &self.queue else { return };
        // What fails here failed or will fail for the folder's contents as well, which is said.
        let _ = if readers {
            queue.add(&path, USE, is_root)
        } else {
            queue.replace(&path, CONTENT | ITSELF, is_root)
        };
    }
}
