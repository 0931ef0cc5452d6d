//! The files: names, inodes, contents and who has them open. Each operation returns the events that
//! inotify would queue for it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::kernel::{Kind, Told};

pub(super) type Name = Arc<Path>;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    /// Which bytes.
    pub(super) version: u32,
    /// How many; few different sizes, so that equal ones are common.
    pub(super) size: u32,
    pub(super) form: Form,
}

/// Whether an executable with these bytes would run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Whole,
    /// Cut: the ELF header tells.
    Truncated,
    /// Half old, half new: nothing tells but the open writer.
    Mixed,
}

/// Who has a file open for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Writer(usize),
    App,
}

#[derive(Debug, Clone)]
pub(super) struct Inode {
    pub(super) content: Content,
    pub(super) writers: Vec<Who>,
    /// It has further links: CREATE told of a whole file.
    pub(super) linked: bool,
    /// The last change raised no event.
    pub(super) silent: bool,
    /// Counts every change of inode or content, as ctime does.
    pub(super) changed: u64,
}

/// What `stat` tells of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) inode: usize,
    pub(super) changed: u64,
}

#[derive(Debug, Default)]
pub(super) struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<Name, usize>,
    cookies: u32,
    clock: u64,
    /// The inode that the app was exec'ed from: nobody may open it for writing.
    pub(super) running: Option<usize>,
}

impl Disk {
    pub(super) fn names(&self) -> Vec<Name> {
        self.names.keys().cloned().collect()
    }

    pub(super) fn inode_of(&self, name: &Path) -> Option<usize> {
        self.names.get(name).copied()
    }

    pub(super) fn inode(&self, inode: usize) -> &Inode {
        &self.inodes[inode]
    }

    pub(super) fn content(&self, name: &Path) -> Option<Content> {
        self.inode_of(name).map(|inode| self.inodes[inode].content)
    }

    pub(super) fn stat(&self, name: &Path) -> Option<Stat> {
        let inode = self.inode_of(name)?;
        Some(Stat { inode, changed: self.inodes[inode].changed })
    }

    pub(super) fn writers(&self, name: &Path) -> &[Who] {
        self.inode_of(name).map_or(&[], |inode| &self.inodes[inode].writers)
    }

    fn touch(&mut self, inode: usize) {
        self.clock += 1;
        self.inodes[inode].changed = self.clock;
    }

    fn add(&mut self, content: Content, linked: bool) -> usize {
        self.inodes.push(Inode { content, writers: Vec::new(), linked, silent: false, changed: 0 });
        let inode = self.inodes.len() - 1;
        self.touch(inode);
        inode
    }

    fn name_of(&self, inode: usize) -> Option<Name> {
        self.names.iter().find(|(_, it)| **it == inode).map(|(name, _)| Arc::clone(name))
    }

    fn tell(&self, inode: usize, kind: Kind) -> Vec<Told> {
        self.name_of(inode).map(|name| Told { name, kind }).into_iter().collect()
    }

    /// unlink(2).
    pub(super) fn unlink(&mut self, name: &Name) -> Vec<Told> {
        if self.names.remove(name).is_none() {
            return Vec::new();
        }
        vec![Told { name: Arc::clone(name), kind: Kind::Delete }]
    }

    /// open(2) with `O_CREAT` of a name that is unlinked before when it exists.
    pub(super) fn create(&mut self, name: &Name, content: Content, who: Who) -> (usize, Vec<Told>) {
        let mut told = self.unlink(name);
        let inode = self.add(Content { form: Form::Truncated, size: 0, ..content }, false);
        self.inodes[inode].writers.push(who);
        self.names.insert(Arc::clone(name), inode);
        told.push(Told { name: Arc::clone(name), kind: Kind::Create });
        told.extend(self.opened(name));
        (inode, told)
    }

    /// Who opens is told where somebody listens.
    pub(super) fn opened(&self, name: &Name) -> Vec<Told> {
        self.heard(name, Kind::Open)
    }

    /// open(2), read(2) and close(2) of a reader.
    pub(super) fn read(&self, name: &Name) -> Vec<Told> {
        [self.opened(name), self.read_open(name)].concat()
    }

    /// read(2) and close(2) of what a reader has opened.
    pub(super) fn read_open(&self, name: &Name) -> Vec<Told> {
        self.heard(name, Kind::Read)
    }

    fn heard(&self, name: &Name, kind: Kind) -> Vec<Told> {
        let heard = is_beside(name) && self.names.contains_key(name);
        heard.then(|| Told { name: Arc::clone(name), kind }).into_iter().collect()
    }

    /// open(2) for writing in place; `None` = no such file, or it is being run (`ETXTBSY`).
    pub(super) fn open(&mut self, name: &Name, cut: bool, who: Who) -> Option<(usize, Vec<Told>)> {
        let inode = self.inode_of(name).filter(|&inode| self.running != Some(inode))?;
        self.inodes[inode].writers.push(who);
        let mut told = self.opened(name);
        if cut {
            let content = Content { form: Form::Truncated, size: 0, ..self.inodes[inode].content };
            told.extend(self.write(inode, content));
        }
        Some((inode, told))
    }

    /// write(2).
    pub(super) fn write(&mut self, inode: usize, content: Content) -> Vec<Told> {
        self.inodes[inode].content = content;
        self.inodes[inode].silent = false;
        self.touch(inode);
        self.tell(inode, Kind::Modify)
    }

    /// A store through a mapping, which raises no event.
    pub(super) fn store(&mut self, name: &Name, content: Content) {
        if let Some(inode) = self.inode_of(name) {
            self.inodes[inode].content = content;
            self.inodes[inode].silent = true;
            self.touch(inode);
        }
    }

    /// close(2) of a descriptor for writing.
    pub(super) fn close(&mut self, inode: usize, who: Who) -> Vec<Told> {
        let writers = &mut self.inodes[inode].writers;
        let Some(index) = writers.iter().position(|it| *it == who) else { return Vec::new() };
        writers.remove(index);
        self.tell(inode, Kind::CloseWrite)
    }

    /// chmod(2), utimensat(2).
    pub(super) fn attributes(&mut self, name: &Name) -> Vec<Told> {
        let Some(inode) = self.inode_of(name) else { return Vec::new() };
        self.touch(inode);
        self.tell(inode, Kind::Attrib)
    }

    /// rename(2) inside the tree.
    pub(super) fn rename(&mut self, from: &Name, to: &Name) -> Vec<Told> {
        let Some(inode) = self.names.remove(from) else { return Vec::new() };
        self.names.insert(Arc::clone(to), inode);
        self.touch(inode);
        self.cookies += 1;
        let cookie = self.cookies;
        vec![
            Told { name: Arc::clone(from), kind: Kind::MovedFrom { cookie } },
            Told { name: Arc::clone(to), kind: Kind::MovedTo { cookie } },
        ]
    }

    /// rename(2) of a folder inside the tree, with all that is in it. A folder that is not empty
    /// cannot be renamed over.
    pub(super) fn rename_folder(&mut self, from: &Name, to: &Name) -> Vec<Told> {
        let moving: Vec<Name> = self.below(from);
        if moving.is_empty() || !self.below(to).is_empty() {
            return Vec::new();
        }
        for old in moving {
            if let (Ok(rest), Some(inode)) = (old.strip_prefix(from), self.names.remove(&old)) {
                self.names.insert(Arc::from(to.join(rest)), inode);
            }
        }
        self.cookies += 1;
        let cookie = self.cookies;
        vec![
            Told { name: Arc::clone(from), kind: Kind::FolderFrom { cookie } },
            Told { name: Arc::clone(to), kind: Kind::FolderTo { cookie } },
        ]
    }

    /// The names in a folder.
    pub(super) fn below(&self, folder: &Path) -> Vec<Name> {
        self.names.keys().filter(|name| name.starts_with(folder)).cloned().collect()
    }

    /// rename(2) of a whole file from outside the tree.
    pub(super) fn move_in(&mut self, name: &Name, content: Content) -> Vec<Told> {
        let inode = self.add(content, false);
        self.names.insert(Arc::clone(name), inode);
        self.cookies += 1;
        let cookie = self.cookies;
        vec![Told { name: Arc::clone(name), kind: Kind::MovedTo { cookie } }]
    }

    /// link(2) of a whole file, after unlink(2) of what had the name.
    pub(super) fn link(&mut self, name: &Name, content: Content) -> Vec<Told> {
        let mut told = self.unlink(name);
        let inode = self.add(content, true);
        self.names.insert(Arc::clone(name), inode);
        told.push(Told { name: Arc::clone(name), kind: Kind::Create });
        told
    }

    /// A file that is there from the beginning.
    pub(super) fn plant(&mut self, name: &Name, content: Content) {
        let inode = self.add(content, false);
        self.names.insert(Arc::clone(name), inode);
    }
}

/// Whether a name lies beside the app's own root, where the watch asks who reads.
pub(super) fn is_beside(name: &Path) -> bool {
    name.starts_with(SPARED)
}

/// The root that is watched beside the one of the executable.
pub(super) const SPARED: &str = "/s";
