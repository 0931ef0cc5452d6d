//! Schedules: which writers are at work when, how the app behaves, what else happens. All of it
//! follows from the seed.
//!
//! A *calm* schedule has one well-behaved writer at a time and a rest after each, so that the number
//! of starts is known. A *wild* one has everything at once; what must hold is what holds always.

use std::time::Duration;

use super::app::Manners;
use super::author::Author;
use super::random::Random;
use super::writer::{PATTERNS, Pattern, Writer};

/// What happens in one run of the simulator.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    pub(super) writers: Vec<Writer>,
    /// Somebody's session lives through all of it and writes nothing.
    pub(super) bystander: bool,
    /// The change sets whose number of starts is known; empty in a wild schedule.
    pub(super) sets: Vec<Set>,
    /// From when to when the tree never goes quiet.
    pub(super) storm: Option<(Duration, Duration)>,
    pub(super) manners: Manners,
    /// The kernel's queue holds so many events.
    pub(super) queue: usize,
    /// There are no events: everything is compared in this period.
    pub(super) poll: Option<Duration>,
    /// The driver reads so late, at most.
    pub(super) late_us: u64,
    /// The root beside is watched only from then on.
    pub(super) late_watch: Option<Duration>,
    pub(super) reloads: Vec<Duration>,
    /// When somebody sends HUP.
    pub(super) hangups: Vec<Duration>,
    pub(super) shutdown: Option<Duration>,
    /// When the last thing happens.
    pub(super) end: Duration,
}

/// A change set of a calm schedule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Set {
    pub(super) pattern: Pattern,
    pub(super) begin: Duration,
    pub(super) end: Duration,
}

impl Schedule {
    /// The schedule of a seed.
    pub(super) fn new(random: &mut Random) -> Self {
        match random.range(0, 199) {
            0 => Self::storm(random),
            1..100 => Self::calm(random),
            _ => Self::wild(random),
        }
    }

    /// Some rewrite files without end.
    fn storm(random: &mut Random) -> Self {
        let mut author = Author::new(random);
        let begin = Duration::from_secs(3);
        let count = author.random.range(1, 4);
        // No window ends their pauses.
        let pause = 4 * count;
        let writers: Vec<_> = (0..count).map(|number| author.storm(number, pause, begin)).collect();
        let goes_on_until = writers.iter().map(Writer::end).min().unwrap_or_default();
        let end = writers.iter().map(Writer::end).max().unwrap_or_default();
        Self { writers, storm: Some((begin, goes_on_until)), end, ..Self::quiet() }
    }

    /// Nothing happens.
    fn quiet() -> Self {
        let manners = Manners {
            slow_ms: 5,
            ignores_term: 0,
            helpers: 0,
            crashes: 0,
            own_log: false,
            own_state: false,
            new_names: false,
            heartbeat: false,
            handles_hup: 100,
            curious: false,
        };
        Self {
            writers: Vec::new(),
            bystander: false,
            sets: Vec::new(),
            storm: None,
            manners,
            queue: 16_384,
            poll: None,
            late_us: 300,
            late_watch: None,
            reloads: Vec::new(),
            hangups: Vec::new(),
            shutdown: None,
            end: Duration::ZERO,
        }
    }

    fn calm(random: &mut Random) -> Self {
        let manners = Manners {
            slow_ms: random.pick(&[1, 20, 300]),
            ignores_term: 0,
            helpers: random.pick(&[0, 50]),
            crashes: 0,
            own_log: random.chance(40),
            own_state: false,
            new_names: false,
            heartbeat: false,
            handles_hup: 100,
            curious: false,
        };
        let count = random.range(1, 4);
        let mut author = Author::new(random);
        let (mut writers, mut sets) = (Vec::new(), Vec::new());
        let mut begin = Duration::from_secs(5);
        for _ in 0..count {
            let pattern = author.random.pick(&PATTERNS);
            let own = author.write(pattern, begin);
            let end = own.iter().map(Writer::end).max().unwrap_or(begin);
            sets.push(Set { pattern, begin, end });
            if author.random.chance(30) {
                writers.extend(health_check(&own, end, author.random));
            }
            writers.extend(own);
            begin = end + author.random.millis(5_000, 9_000);
        }
        let bystander = random.chance(15);
        if bystander {
            writers.push(stays(Duration::from_secs(5), random));
        }
        Self { writers, bystander, sets, manners, end: begin, ..Self::quiet() }
    }

    fn wild(random: &mut Random) -> Self {
        let poll = random.chance(8).then(|| random.millis(200, 2_000));
        let manners = Manners {
            slow_ms: random.pick(&[1, 50, 400, 900]),
            ignores_term: random.pick(&[0, 0, 20]),
            helpers: random.pick(&[0, 30]),
            crashes: random.pick(&[0, 0, 25]),
            // A comparison tells of no open file, so a log without end is a change without end.
            own_log: poll.is_none() && random.chance(30),
            own_state: poll.is_none() && random.chance(10),
            new_names: random.chance(30),
            heartbeat: random.chance(50),
            handles_hup: random.pick(&[100, 70]),
            curious: random.chance(60),
        };
        let queue = if poll.is_some() { &[0; 4] } else { &[16_384, 16_384, 4, 12] };
        let queue = usize::try_from(random.pick(queue)).unwrap_or(4);
        let late_us = random.pick(&[100, 300, 5_000, 40_000, 200_000]);
        let mut author = Author::new(random);
        let mut writers = Vec::new();
        let spread = author.random.pick(&[300, 2_000, 8_000]);
        // Some begin before the first start.
        let first = author.random.pick(&[0, 2, 2]);
        for _ in 0..author.random.range(1, 5) {
            let begin = Duration::from_secs(first) + author.random.millis(0, spread);
            match author.random.range(0, 14) {
                3 => writers.push(author.remove(begin)),
                0 if poll.is_none() => writers.push(author.foreign_log(begin)),
                1 => writers.push(author.mapped(begin)),
                2 => writers.push(author.broken(begin)),
                4 => writers.push(author.heel(begin)),
                5 => writers.push(author.touch(begin)),
                11 => writers.push(author.revert(begin)),
                12 => writers.push(author.pages(begin)),
                13 => writers.push(author.reader(begin)),
                14 => writers.push(author.move_folder(begin)),
                _ => {
                    let pattern = author.random.pick(&PATTERNS);
                    let own = author.write(pattern, begin);
                    let session = author.random.chance(25);
                    writers.extend(
                        own.into_iter().map(|it| Writer { session: it.session || session, ..it }),
                    );
                }
            }
        }
        let end = writers.iter().map(Writer::end).max().unwrap_or_default();
        let reload = |random: &mut Random| Duration::from_secs(2) + random.millis(0, 4_000);
        let reloads = if random.chance(20) { vec![reload(random)] } else { Vec::new() };
        let shutdown = random.chance(15).then(|| random.millis(1, 10_000));
        let late_watch = random.chance(20).then(|| random.millis(1, 3_000));
        let hangups = if random.chance(30) {
            (0..random.range(1, 6)).map(|_| random.millis(0, 10_000)).collect()
        } else {
            Vec::new()
        };
        let bystander = random.chance(10);
        if bystander {
            writers.push(stays(Duration::from_secs(first), random));
        }
        let rest = Self { bystander, late_watch, hangups, shutdown, end, ..Self::quiet() };
        Self { writers, manners, queue, poll, late_us, reloads, ..rest }
    }
}

/// A health check in the middle of what somebody writes. One that began before the first write could
/// be its author, so far as anybody can tell.
fn health_check(writers: &[Writer], end: Duration, random: &mut Random) -> Option<Writer> {
    let first = writers.iter().map(Writer::first_write).min()? + TICK;
    let room = u64::try_from(end.checked_sub(first)?.as_millis()).ok()?;
    let begin = first + random.millis(0, room);
    Some(Writer::check(begin, random.millis(1, 60)))
}

/// A session that begins before anything is written and outlives the schedule.
fn stays(first: Duration, random: &mut Random) -> Writer {
    let begin = first.saturating_sub(random.millis(10, 1_000));
    Writer::check(begin, Duration::from_mins(5))
}

/// A session that began so little after the first write may seem to have begun before it.
const TICK: Duration = Duration::from_millis(22);
