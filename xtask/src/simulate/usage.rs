//! What the app does with the files beside its own root: it reads and lists some of them, and must
//! not be stale in any of those.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use relaunch_buildpack::core::{Event, Generation, UseEvent};

use super::disk::{Content, Form, Name};
use super::fault::Fault;
use super::kernel::{Kind, Told};
use super::watch::unseen;
use super::world::{Step, World};
use super::writer::{BESIDE, first_content, spared};

/// What the running generation knows of the files beside.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Every content of a file that it has read.
    read: BTreeMap<Name, BTreeSet<u32>>,
    /// The names in each folder that it has listed.
    listed: BTreeMap<Name, BTreeSet<Name>>,
    /// The signs that the driver was told under it.
    signs: Vec<UseEvent>,
    /// What it knew, and what was on the disk, when the late watch came up under it.
    when_watched: Option<Box<WhenWatched>>,
}

#[derive(Debug)]
struct WhenWatched {
    read: BTreeMap<Name, BTreeSet<u32>>,
    listed: BTreeMap<Name, BTreeSet<Name>>,
    disk: BTreeMap<Name, Content>,
}

/// Something that the app does with a file beside.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look {
    Read(&'static str),
    List(&'static str),
}

impl World {
    /// The driver's part before an exec: signs of the last generation are dropped, and what cannot
    /// be heard under the next one is said.
    pub(super) fn begin_listening(&mut self) -> Vec<Event> {
        for event in self.watch.read(&mut self.queue, &self.disk, self.fault) {
            match event {
                Event::Used(_) => {}
                event => self.news.push_back(event),
            }
        }
        let deaf = self.schedule.poll.is_some()
            || self.schedule.late_watch.is_some_and(|from| self.now < from);
        deaf.then(unseen).into_iter().collect()
    }

    /// The roots that the driver says are spared.
    pub(super) fn spared(&self) -> Vec<Name> {
        let too_much = self.fault == Some(Fault::SparedTooMuch);
        [spared("")].into_iter().chain(too_much.then(|| super::writer::name(""))).collect()
    }

    /// The app begins to read; what the driver says of signs. `unheard` = see above.
    pub(super) fn begin_looking(
        &mut self,
        generation: Generation,
        unheard: Vec<Event>,
    ) -> Vec<Event> {
        let old = std::mem::take(&mut self.known);
        let mut looks = vec![(Duration::from_millis(10), Look::Read(BESIDE[0]))];
        if self.schedule.manners.curious {
            let mut at = || self.random.millis(0, 6_000);
            looks.push((at(), Look::Read(BESIDE[1])));
            looks.push((at(), Look::Read(BESIDE[0])));
            looks.push((at(), Look::List("sub")));
        }
        for (after, look) in looks {
            self.at(self.now + after, Step::Look(generation, look));
        }
        let mut said = unheard;
        if self.fault == Some(Fault::UseKept) {
            said.extend(old.signs.into_iter().map(Event::Used));
        }
        said
    }

    /// The app reads or lists.
    pub(super) fn look(&mut self, generation: Generation, look: Look) {
        let alive = self.living(generation).is_some_and(|index| self.processes[index].leader);
        if !alive {
            return;
        }
        let told = match look {
            Look::Read(file) => {
                let name = spared(file);
                if let Some(content) = self.disk.content(&name) {
                    self.known.read.entry(name.clone()).or_default().insert(content.version);
                }
                self.disk.read(&name)
            }
            Look::List(folder) => {
                let folder = spared(folder);
                let names = self.disk.below(&folder).into_iter().collect();
                self.known.listed.insert(folder.clone(), names);
                vec![Told { name: folder, kind: Kind::List }]
            }
        };
        self.queue(told);
    }

    /// The driver was told this.
    pub(super) fn note_sign(&mut self, event: &Event) {
        if let Event::Used(sign) = event {
            self.known.signs.push(sign.clone());
        }
    }

    /// The driver's own reading of files that it had been told to leave closed.
    pub(super) fn pry(&mut self, unused: &[Name]) {
        if self.fault == Some(Fault::ProbesAsUse) {
            let told = unused.iter().flat_map(|name| self.disk.read(name)).collect();
            self.queue(told);
        }
    }

    /// Whether this entry came or went since the app was started.
    pub(super) fn came_or_went(&self, entry: &Name) -> bool {
        let was = self.baseline.keys().any(|name| name.starts_with(entry));
        let is = !self.disk.below(entry).is_empty();
        was != is
    }

    /// What lies there now is what the app may read from now on.
    pub(super) fn rebase(&mut self, unused: &[Name]) {
        if self.fault == Some(Fault::RebaseForgotten) {
            return;
        }
        for path in unused {
            // By the table, as the driver does: what was not told of yet is a change of its own.
            let now = self.watch.below(path).into_iter().map(|it| {
                let content = self.disk.content(&it).or_else(|| self.baseline.get(&it).copied());
                (it, content.unwrap_or(Content { version: 0, size: 0, form: Form::Whole }))
            });
            let now: Vec<(Name, Content)> = now.collect();
            self.baseline.retain(|name, _| !name.starts_with(path));
            self.baseline.extend(now);
        }
    }

    /// The late watch is up, and compares.
    pub(super) fn note_watched(&mut self) {
        let (read, listed) = (self.known.read.clone(), self.known.listed.clone());
        let disk = self.contents();
        self.known.when_watched = Some(Box::new(WhenWatched { read, listed, disk }));
    }

    /// A file beside that the running generation is stale in.
    pub(super) fn stale_beside(&self) -> Option<String> {
        // What came and went before the late watch was up left no trace: it compares with what was
        // there when the last app, or the first one, began.
        let planted = BESIDE.iter().enumerate();
        let planted: BTreeMap<Name, Content> =
            planted.map(|(number, file)| (spared(file), first_content(number))).collect();
        let was_as_before = |then: &WhenWatched, name: &Name| {
            let below = |all: &BTreeMap<Name, Content>| -> Vec<(Name, Content)> {
                let below = all.iter().filter(|(it, _)| it.starts_with(name));
                below.map(|(it, content)| (Name::clone(it), *content)).collect()
            };
            [below(&self.loaded), below(&planted)].contains(&below(&then.disk))
        };
        let watched = self.known.when_watched.as_deref();
        let gone_version = |name: &Name, version: u32| {
            watched.is_some_and(|then| {
                then.read.get(name).is_some_and(|it| it.contains(&version))
                    && then.disk.get(name).map(|it| it.version) != Some(version)
                    && was_as_before(then, name)
            })
        };
        let stale = self.known.read.iter().find(|(name, read)| {
            let now = self.disk.content(name).map(|content| content.version);
            read.iter().any(|version| Some(*version) != now && !gone_version(name, *version))
        });
        if let Some((name, read)) = stale {
            return Some(format!("{} was read as {read:?} and is another now", name.display()));
        }
        let gone_list = |folder: &Name, names: &BTreeSet<Name>| {
            watched.is_some_and(|then| {
                then.listed.get(folder) == Some(names)
                    && !then.disk.keys().filter(|it| it.starts_with(folder)).eq(names)
                    && was_as_before(then, folder)
            })
        };
        let changed = self.known.listed.iter().find(|(folder, names)| {
            !gone_list(folder, names)
                && self.disk.below(folder).into_iter().collect::<BTreeSet<_>>() != **names
        });
        changed
            .map(|(folder, _)| format!("{} was listed and has other names now", folder.display()))
    }
}
