//! The watch on real files: whole lists of observations.

mod baselines;
mod events;
mod folders;
mod hearing;
mod limits;
mod roots;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Difference, Ignore, Observation, Watch};
use crate::core::What;

const DEADLINE: Duration = Duration::from_mins(1);
const SLICE: Duration = Duration::from_millis(2);
const BUDGET: u64 = 64 << 20;

/// A folder to play in, and the watch over it.
struct Field {
    _keep: tempfile::TempDir,
    top: PathBuf,
    watch: Watch,
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let keep = tempfile::tempdir().unwrap();
    let top = keep.path().canonicalize().unwrap();
    (keep, top)
}

impl Field {
    /// These files (`a/b`) and folders (`a/`) made, the whole folder watched and swept.
    fn with(paths: &[&str]) -> Self {
        Self::watching(paths, &["."], &[])
    }

    fn watching(paths: &[&str], roots: &[&str], ignore: &[&str]) -> Self {
        let mut field = Self::unswept(paths, roots, ignore);
        field.watch.epoch = i64::MAX;
        field.tells(&[]);
        field.watch.rebase_all();
        field
    }

    /// The watch made, nothing listed yet.
    fn unswept(paths: &[&str], roots: &[&str], ignore: &[&str]) -> Self {
        let (keep, top) = folder();
        for path in paths {
            make(&top, path);
        }
        let roots: Vec<PathBuf> = roots
            .iter()
            .map(|root| if *root == "." { top.clone() } else { top.join(root) })
            .collect();
        let ignore: Vec<String> = ignore.iter().map(ToString::to_string).collect();
        let watch = Watch::new(&roots, Ignore::new(&ignore), None);
        Self::of(keep, top, watch)
    }

    fn of(keep: tempfile::TempDir, top: PathBuf, watch: Watch) -> Self {
        Self { _keep: keep, top, watch }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.top.join(path)
    }

    /// Everything until nothing is left to read or to list. Events are queued by the very call
    /// that causes them, so there is nothing to wait for.
    fn observed(&mut self) -> Vec<Observation> {
        let deadline = Instant::now() + DEADLINE;
        let mut all = Vec::new();
        loop {
            all.extend(self.watch.read());
            let more = self.watch.work(SLICE);
            if !more && !self.watch.has_observations() && !readable(&self.watch) {
                return all;
            }
            assert!(Instant::now() < deadline, "the watch does not come to rest");
        }
    }

    /// [`Field::observed`] in short.
    fn told(&mut self) -> Vec<String> {
        let all = self.observed();
        all.iter().map(|one| self.short(one)).collect()
    }

    /// Exactly this is told, in this order. A close may come late: a process that another test
    /// forks holds every descriptor until its exec.
    #[track_caller]
    fn tells(&mut self, expected: &[&str]) {
        assert_eq!(self.told_at_least(expected.len()), expected);
    }

    #[track_caller]
    fn tells_in_any_order(&mut self, expected: &[&str]) {
        let mut told = self.told_at_least(expected.len());
        told.sort();
        assert_eq!(told, expected);
    }

    fn told_at_least(&mut self, count: usize) -> Vec<String> {
        let deadline = Instant::now() + DEADLINE;
        let mut told = self.told();
        while told.len() < count && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
            told.extend(self.told());
        }
        told
    }

    /// Waits for something to be told by polling.
    fn told_later(&mut self) -> Vec<String> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let told = self.told();
            if !told.is_empty() {
                return told;
            }
            assert!(Instant::now() < deadline, "nothing was told");
            let next = self.watch.deadline().unwrap();
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    fn short(&self, one: &Observation) -> String {
        let name = |path: &Path| match path.strip_prefix(&self.top) {
            Ok(below) if below.as_os_str().is_empty() => ".".to_owned(),
            Ok(below) => below.display().to_string(),
            Err(_) => path.display().to_string(),
        };
        match one {
            Observation::File(event) => match &event.what {
                What::MovedWithin { from } => {
                    format!("MovedWithin {} -> {}", name(from), name(&event.path))
                }
                What::FolderMoved { from } => {
                    format!("FolderMoved {} -> {}", name(from), name(&event.path))
                }
                what => format!("{what:?} {}", name(&event.path)),
            },
            Observation::Used(event) => format!("{:?} {}", event.sign, name(&event.path)),
            Observation::Overflow => "Overflow".to_owned(),
            Observation::Warning(warning) => {
                warning.to_string().replace(&format!("{}/", self.top.display()), "")
            }
        }
    }

    fn differs(&mut self, path: &str) -> Difference {
        let path = self.at(path);
        self.watch.differs(&path, &mut BUDGET.clone())
    }

    /// As the driver does: as long as there is something to digest.
    fn digest(&mut self) {
        while self.watch.has_undigested() {
            self.watch.digest(SLICE);
        }
    }

    /// All digests made; files must have got old enough for it.
    fn digested(&mut self, paths: &[&str]) {
        let deadline = Instant::now() + DEADLINE;
        let has = |watch: &Watch, path: &Path| {
            let place = watch.table.locate(path);
            place.is_some_and(|(id, name)| watch.table.get(id, &name).unwrap().digest.is_some())
        };
        while !paths.iter().all(|path| has(&self.watch, &self.at(path))) {
            self.watch.digests.again();
            self.digest();
            assert!(Instant::now() < deadline, "no digests");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn make(top: &Path, path: &str) {
    let whole = top.join(path);
    if path.ends_with('/') {
        fs::create_dir_all(whole).unwrap();
    } else {
        fs::create_dir_all(whole.parent().unwrap()).unwrap();
        fs::write(whole, format!("content of {path}")).unwrap();
    }
}

fn readable(watch: &Watch) -> bool {
    watch.fd().is_some_and(|fd| {
        poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], PollTimeout::ZERO).unwrap() > 0
    })
}
