//! Feeding one target: the short run and the long one. What comes in: a target, its corpus, a seed;
//! the long run also counts on [`coverage`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::coverage::{self, Comparison};
use super::memory;
use super::mutate::Mutator;
use super::target::Target;
use super::{corpus, worker};
use crate::failure::Failure;
use crate::simulate::random::Random;

/// An input that may be changed into the next.
struct Entry {
    bytes: Vec<u8>,
    compared: Vec<Comparison>,
}

/// What a long run did.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) inputs: u64,
    pub(super) edges: usize,
    pub(super) entries: usize,
    pub(super) time: Duration,
}

/// Feeds the whole corpus and then so many new inputs as the target's short run has; the same ones
/// every time. The number of inputs.
///
/// # Errors
/// What did not hold, for which input, and where that is kept.
pub fn short_run(target: &Target) -> Result<u32, String> {
    let inputs = corpus::read(&corpus::folder(target.name)).map_err(|error| error.to_string())?;
    if inputs.is_empty() {
        return Err(format!("there is no corpus in {}", corpus::folder(target.name).display()));
    }
    for (path, input) in &inputs {
        feed(target, input).map_err(|why| format!("{}: {why}", path.display()))?;
    }
    for number in 0..target.short {
        let mut random = Random::new(number.into());
        let input = next(target, &mut random, &inputs, |(_, bytes)| (bytes, &[]));
        if let Err(why) = feed(target, &input) {
            let (input, why) = smaller(target, input, why);
            return Err(report(target, &input, &why));
        }
    }
    Ok(target.short + u32::try_from(inputs.len()).unwrap_or(0))
}

/// Feeds for so long; every input that reaches new code joins the corpus of this run.
///
/// # Errors
/// What did not hold, for which input, and where that is kept.
pub(super) fn long_run(
    target: &Target,
    seed: u64,
    time: Duration,
    mut current: worker::Current,
    mut tell: impl FnMut(Tally),
) -> Result<Tally, String> {
    let mut random = Random::new(seed);
    let mut reached = Reached::default();
    let mut entries = Vec::new();
    let mut tally = Tally::default();
    let begin = Instant::now();
    let mut told = begin;
    let mut given = given(target).map_err(|error| error.to_string())?;
    loop {
        let input = match given.pop() {
            Some(input) => input,
            None if begin.elapsed() >= time => return Ok(tally),
            None => next(target, &mut random, &entries, |it: &Entry| (&it.bytes, &it.compared)),
        };
        current.note(&input);
        coverage::reset();
        let fed = feed(target, &input);
        let new = reached.add();
        if let Err(why) = fed {
            let (input, why) = smaller(target, input, why);
            return Err(report(target, &input, &why));
        }
        if new || entries.is_empty() {
            if tally.inputs > 0 && given.is_empty() {
                let _ = corpus::keep(&corpus::learning(target.name), corpus::LEARNT, &input);
            }
            entries.push(Entry { bytes: input, compared: coverage::comparisons() });
        }
        tally.inputs += 1;
        tally =
            Tally { edges: reached.edges, entries: entries.len(), time: begin.elapsed(), ..tally };
        if told.elapsed() > BETWEEN_LINES {
            told = Instant::now();
            tell(tally);
        }
    }
}

/// The kept corpus, what earlier runs learnt, and nothing at all.
fn given(target: &Target) -> Result<Vec<Vec<u8>>, Failure> {
    let mut inputs = corpus::read(&corpus::folder(target.name))?;
    inputs.extend(corpus::read(&corpus::learning(target.name))?);
    let inputs = inputs.into_iter().map(|(_, bytes)| bytes);
    Ok(inputs.chain([Vec::new()]).collect())
}

/// The fewest inputs that reach all the code that `inputs` reach: the one with the most first.
pub(super) fn fewest(target: &Target, inputs: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut left: Vec<(Vec<u8>, Vec<usize>)> = inputs
        .into_iter()
        .map(|input| {
            coverage::reset();
            let _ = feed(target, &input);
            let mut edges = Vec::new();
            coverage::passed(|edge, _| edges.push(edge));
            (input, edges)
        })
        .collect();
    let mut reached = vec![false; coverage::edges()];
    let mut kept = Vec::new();
    loop {
        let gain = |edges: &[usize]| edges.iter().filter(|edge| !reached[**edge]).count();
        let rank = |(input, edges): &(Vec<u8>, Vec<usize>)| (gain(edges), usize::MAX - input.len());
        let best = (0..left.len()).max_by_key(|at| rank(&left[*at]));
        let Some(at) = best.filter(|at| gain(&left[*at].1) > 0) else { return kept };
        let (input, edges) = left.swap_remove(at);
        for edge in edges {
            reached[edge] = true;
        }
        kept.push(input);
    }
}

/// A changed input of one of these.
fn next<T>(
    target: &Target,
    random: &mut Random,
    entries: &[T],
    parts: impl Fn(&T) -> (&[u8], &[Comparison]),
) -> Vec<u8> {
    let last = entries.len() as u64 - 1;
    let mut pick = |from| usize::try_from(random.range(from, last)).unwrap_or(0);
    // The newest ones are where new code was reached last.
    let one = if pick(0) % 2 == 0 { pick(0) } else { pick(last - last.min(16)) };
    let other = pick(0);
    let (bytes, compared) = parts(&entries[one]);
    let mut input = bytes.to_vec();
    let mutator = Mutator { target, other: parts(&entries[other]).0, compared };
    mutator.change(random, &mut input);
    input
}

/// Feeds one input: the property, no panic, and no more memory than an input of its length may
/// cost.
pub(super) fn feed(target: &Target, input: &[u8]) -> Result<(), String> {
    FEEDING.store(true, Ordering::Relaxed);
    memory::reset();
    let fed = catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
    let most = memory::most();
    FEEDING.store(false, Ordering::Relaxed);
    fed.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("?");
        Err(format!("it panicked: {text}"))
    })?;
    if most > MEMORY + input.len() * MEMORY_PER_BYTE {
        return Err(format!("{} bytes of input cost {most} bytes of memory", input.len()));
    }
    Ok(())
}

/// Whether a panic is one of what is fed.
pub(super) fn is_feeding() -> bool {
    FEEDING.load(Ordering::Relaxed)
}

static FEEDING: AtomicBool = AtomicBool::new(false);

/// A shorter input that breaks the property too, as far as a short search finds one.
fn smaller(target: &Target, mut input: Vec<u8>, mut why: String) -> (Vec<u8>, String) {
    let mut piece = input.len().div_ceil(2).max(1);
    let mut tries = 0;
    loop {
        let mut at = 0;
        while at < input.len() && tries < TRIES {
            let mut shorter = input.clone();
            shorter.drain(at..(at + piece).min(shorter.len()));
            tries += 1;
            match feed(target, &shorter) {
                Err(still) => (input, why) = (shorter, still),
                Ok(()) => at += piece,
            }
        }
        if piece == 1 {
            return (input, why);
        }
        piece = piece.div_ceil(2);
    }
}

/// Keeps the input, and says so.
fn report(target: &Target, input: &[u8], why: &str) -> String {
    let kept = match corpus::keep(&corpus::folder(target.name), corpus::FOUND, input) {
        Ok(path) => format!("kept as {}", path.display()),
        Err(error) => format!("not kept: {error}"),
    };
    let shown = &input[..input.len().min(SHOWN)];
    let (name, property) = (target.name, target.property);
    format!(
        "{name}: {why}\nwhat must hold: {property}\ninput of {} bytes, {kept}:\n{}\nonce more: cargo xtask fuzz {name} FILE",
        input.len(),
        shown.escape_ascii()
    )
}

/// The edges that were passed, each with the orders of magnitude of how often.
#[derive(Default)]
struct Reached {
    often: Vec<u8>,
    edges: usize,
}

impl Reached {
    /// Takes the counters in; true = something new among them.
    fn add(&mut self) -> bool {
        self.often.resize(coverage::edges(), 0);
        let mut new = false;
        let (often, edges) = (&mut self.often, &mut self.edges);
        coverage::passed(|edge, count| {
            // The counters of this very code go on; one of them may have come round to zero.
            let Some(magnitude) = count.checked_ilog2().map(|power| 1 << power) else { return };
            *edges += usize::from(often[edge] == 0);
            new |= often[edge] & magnitude == 0;
            often[edge] |= magnitude;
        });
        new
    }
}

/// Lines of progress.
const BETWEEN_LINES: Duration = Duration::from_secs(5);
/// Any input may cost so much: thread-local buffers, tables that are made once.
const MEMORY: usize = 4 << 20;
/// A byte of JSON or TOML becomes a value of some dozens of bytes, in several copies.
const MEMORY_PER_BYTE: usize = 1_024;
/// Shorter inputs that are tried.
const TRIES: u32 = 2_000;
/// Bytes of an input that are printed.
const SHOWN: usize = 400;
