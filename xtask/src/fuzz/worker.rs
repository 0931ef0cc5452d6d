//! The inside of the binary `fuzz`: one target, in a process of its own, since an input may end it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::session::{self, Tally, feed};
use super::target::{self, Target};
use super::{corpus, coverage};
use crate::failure::Failure;

/// The input that is fed at this moment, on the disk: it is there when it ended the process.
#[derive(Debug)]
pub struct Current(Option<File>);

impl Current {
    /// In this file, anew.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(File::create(path).ok())
    }

    /// Takes down an input.
    pub(super) fn note(&mut self, input: &[u8]) {
        let Some(file) = &self.0 else { return };
        let mut bytes = (input.len() as u64).to_le_bytes().to_vec();
        bytes.extend(input);
        let _ = file.write_all_at(&bytes, 0);
    }

    /// The input that was noted last.
    pub(super) fn read(path: &Path) -> Option<Vec<u8>> {
        let bytes = fs::read(path).ok()?;
        let (length, input) = bytes.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        input.get(..length).map(<[u8]>::to_vec)
    }
}

/// Runs `feed TARGET SECONDS SEED CURRENT`, `keep TARGET` or `look TARGET FILE...`.
#[must_use]
pub fn run(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some(target) = words.get(1).and_then(|name| target::named(name)) else {
        return ExitCode::from(2);
    };
    let done = match words[..] {
        ["feed", _, seconds, seed, current] => match (seconds.parse(), seed.parse()) {
            (Ok(seconds), Ok(seed)) => feed_for(target, seconds, seed, Path::new(current)),
            _ => return ExitCode::from(2),
        },
        ["keep", _] => keep(target).map_err(|error| error.to_string()),
        ["look", _, ref files @ ..] => look(target, files),
        _ => return ExitCode::from(2),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn feed_for(target: &Target, seconds: u64, seed: u64, current: &Path) -> Result<(), String> {
    if !coverage::is_on() {
        return Err("this binary was built without coverage; use `cargo xtask fuzz`".to_owned());
    }
    // A panic of what is fed is an answer like any other, and shorter inputs are tried for it.
    std::panic::set_hook(Box::new(|panic| {
        if !session::is_feeding() {
            eprintln!("{panic}");
        }
    }));
    let time = Duration::from_secs(seconds);
    let tally = session::long_run(target, seed, time, Current::at(current), tell)?;
    tell(tally);
    Ok(())
}

fn tell(tally: Tally) {
    let Tally { inputs, edges, entries, time } = tally;
    let seconds = time.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "shown as a whole number of thousands")]
    let rate = inputs as f64 / seconds / 1e3;
    println!(
        "    {seconds:>5.0} s  {inputs:>10} inputs  {rate:>5.0} k/s  {edges:>6} edges  {entries:>5} kept"
    );
}

/// The corpus in the repository: what was written by hand or found, and the fewest others that
/// reach all the rest.
fn keep(target: &Target) -> Result<(), Failure> {
    let folder = corpus::folder(target.name);
    let (old, given): (Vec<_>, Vec<_>) =
        corpus::read(&folder)?.into_iter().partition(|(path, _)| corpus::is(path, corpus::LEARNT));
    let learnt = corpus::read(&corpus::learning(target.name))?;
    let given: Vec<Vec<u8>> = given.into_iter().map(|(_, bytes)| bytes).collect();
    let candidates: Vec<(PathBuf, Vec<u8>)> = old.iter().cloned().chain(learnt).collect();
    let all = given.iter().cloned().chain(candidates.into_iter().map(|(_, bytes)| bytes));
    let kept = session::fewest(target, all.collect());
    for (path, _) in old {
        fs::remove_file(&path).map_err(Failure::file(&path))?;
    }
    let new: Vec<_> = kept.into_iter().filter(|input| !given.contains(input)).take(MOST).collect();
    for input in &new {
        corpus::keep(&folder, corpus::LEARNT, input)?;
    }
    println!("    {}: {} given, {} learnt", target.name, given.len(), new.len());
    Ok(())
}

fn look(target: &Target, files: &[&str]) -> Result<(), String> {
    for path in files {
        let input = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        feed(target, &input).map_err(|why| format!("{path}: {why}"))?;
        println!("    {path}: holds");
    }
    Ok(())
}

/// Files that one target may add to the repository.
const MOST: usize = 40;
