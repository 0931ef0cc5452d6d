//! Scale: the same app in front of ever more files and folders. Start-up, memory and latency.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::failure::Failure;

use super::cost::bytes;
use super::marks::milliseconds;
use super::peers::Installed;
use super::place::{Place, fresh, write_executable};
use super::results::{Key, Unit};
use super::run::Run;
use super::{Bench, Section, latency};

/// Folders, and files in each.
const TREES: [(usize, usize); 6] =
    [(1, 10), (10, 100), (10, 1_000), (10, 10_000), (1_000, 10), (10_000, 10)];
/// Updates at each size.
const UPDATES: usize = 2;
/// Between them, as in the latency section.
const PAUSE: Duration = Duration::from_millis(1_200);

pub(super) fn measure(bench: &mut Bench) -> Result<(), Failure> {
    for (folders, files) in TREES {
        let tree = Tree::grow(folders, files)?;
        let name = name(folders, files);
        println!("    {name} ({} rounds)", bench.effort.scale_rounds);
        for _ in 0..bench.effort.scale_rounds {
            for installed in bench.tools.clone() {
                one(bench, &installed, &tree.0, &name)?;
            }
        }
    }
    Ok(())
}

/// `100000 files in 10 folders`
pub(super) fn name(folders: usize, files: usize) -> String {
    let s = if folders == 1 { "" } else { "s" };
    format!("{} files in {folders} folder{s}", folders * files)
}

/// Files and folders in a name.
pub(super) fn numbers(name: &str) -> Option<(f64, f64)> {
    let mut words = name.split(' ');
    let files = words.next()?.parse().ok()?;
    Some((files, words.nth(2)?.parse().ok()?))
}

fn one(bench: &mut Bench, installed: &Installed, tree: &Path, name: &str) -> Result<(), Failure> {
    let place = Place::around(tree)?;
    let _ = fs::remove_file(place.app());
    write_executable(&place.app(), &bench.programs.build("v1", 0)?)?;
    let mut run = Run::start(installed, place, &[], &[])?;
    let [start, memory, latency] =
        ["start-up", "memory", "latency"].map(|what| format!("{what}: {name}"));
    let key = |workload, unit| Key {
        section: Section::Scale.name(),
        workload,
        tool: installed.tool,
        unit,
    };
    match run.first_start() {
        Ok(mark) => {
            let time = milliseconds(mark.at - run.began);
            bench.results.sample(key(&start, Unit::Milliseconds), time);
        }
        Err(reason) => {
            bench.results.miss(key(&start, Unit::Milliseconds), reason);
            return Ok(());
        }
    }
    run.ready();
    for update in 0..UPDATES {
        thread::sleep(PAUSE);
        if update == 0 {
            // Tools that give memory back at rest have done so by now.
            bench.results.sample(key(&memory, Unit::Bytes), bytes(run.cost().resident));
        }
        match latency::reload(&bench.programs, &mut run, &format!("v{}", update + 2))? {
            Some(time) => bench.results.sample(key(&latency, Unit::Milliseconds), time),
            None => bench.results.miss(key(&latency, Unit::Milliseconds), "no new process in 4 s"),
        }
    }
    Ok(())
}

/// A tree that goes with its value.
struct Tree(PathBuf);

impl Tree {
    fn grow(folders: usize, files: usize) -> Result<Self, Failure> {
        let tree = Self(fresh());
        for folder in 0..folders {
            let folder = tree.0.join(format!("folder{folder}"));
            fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
            for file in 0..files {
                let path = folder.join(format!("file{file}"));
                fs::write(&path, "text").map_err(Failure::file(&path))?;
            }
        }
        Ok(tree)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_its_numbers() {
        assert_eq!(name(1, 10), "10 files in 1 folder");
        assert_eq!(numbers(&name(10, 10_000)), Some((100_000.0, 10.0)));
        assert_eq!(numbers("few"), None);
    }
}
