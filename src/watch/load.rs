//! How busy the machine is: under load every writer pauses longer, so windows must stretch.

use std::cell::OnceCell;
use std::fs;

/// The stretch of settling windows, from 1 (a core for every runnable task) to 6.
///
/// Both ends are those of docs/settling.md.
#[derive(Debug, Clone, Default)]
pub struct Load {
    /// Counted when it is first asked for: the answer costs several files, and the first start
    /// needs none.
    cores: OnceCell<usize>,
}

impl Load {
    /// Looks at nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The stretch now; 1 where `/proc/loadavg` cannot be read. One small read; the first time,
    /// also the cores that this process may use (`sched_getaffinity` and the cgroup's quota).
    #[must_use]
    pub fn factor(&self) -> f64 {
        let count = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cores = *self.cores.get_or_init(count);
        fs::read_to_string("/proc/loadavg").map_or(1.0, |text| factor_of(&text, cores))
    }
}

/// The stretch by the fourth field of `/proc/loadavg` (`runnable/all`, see proc(5)). The reader
/// itself is one of the runnable tasks and does not count.
#[must_use]
pub fn factor_of(loadavg: &str, cores: usize) -> f64 {
    let runnable = loadavg
        .split_ascii_whitespace()
        .nth(3)
        .and_then(|field| field.split_once('/'))
        .and_then(|(runnable, _)| runnable.parse::<u32>().ok())
        .unwrap_or(1)
        .saturating_sub(1);
    let cores = u32::try_from(cores).unwrap_or(u32::MAX).max(1);
    (f64::from(runnable) / f64::from(cores)).clamp(1.0, 6.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_grows_with_runnable_tasks_from_one_to_six() {
        let line = |runnable: u32| format!("0.20 0.18 0.12 {runnable}/80 11206\n");
        let factors = [1, 3, 4, 6, 90].map(|runnable| factor_of(&line(runnable), 2));
        let tenths = factors.map(|factor| (factor * 10.0).round());
        assert_eq!(tenths.map(|tenth| format!("{tenth}")), ["10", "10", "15", "25", "60"]);
    }

    #[test]
    fn what_cannot_be_read_does_not_stretch() {
        assert!((factor_of("nonsense", 0) - 1.0).abs() < f64::EPSILON);
        assert!((1.0..=6.0).contains(&Load::new().factor()));
    }
}
