//! The machine on which was measured, as far as it matters.

use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::command;
use crate::failure::Failure;

/// Size and software of a machine, and the day.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Machine {
    /// `2026-11-25`
    pub(super) date: String,
    pub(super) cores: usize,
    /// As the processor names itself.
    pub(super) processor: String,
    /// In bytes.
    pub(super) memory: u64,
    pub(super) kernel: String,
    /// The distribution's own name.
    pub(super) system: String,
    /// Tasks that were running or wanted to, at the beginning.
    pub(super) load: String,
}

impl Machine {
    /// Looks at this one.
    pub(super) fn look() -> Result<Self, Failure> {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let date = command::capture(Command::new("date").args(["--utc", "+%F"]))?;
        let kilobytes = value(&read("/proc/meminfo"), "MemTotal:")
            .and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
        Ok(Self {
            date: date.trim().to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: value(&read("/proc/cpuinfo"), "model name\t:").unwrap_or("unknown".into()),
            memory: kilobytes.unwrap_or(0) * 1024,
            kernel: release(&read("/proc/sys/kernel/osrelease")),
            system: value(&read("/etc/os-release"), "PRETTY_NAME=")
                .map_or("unknown".to_owned(), |it| it.trim_matches('"').to_owned()),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        })
    }

    #[cfg(test)]
    pub(super) fn example() -> Self {
        Self {
            date: "2026-11-25".to_owned(),
            cores: 2,
            processor: "Some CPU".to_owned(),
            memory: 24 << 30,
            kernel: "6.18".to_owned(),
            system: "Debian 12".to_owned(),
            load: "0.10".to_owned(),
        }
    }
}

/// Version numbers alone: what a builder appended says nothing to others.
fn release(text: &str) -> String {
    text.trim().split('-').next().unwrap_or_default().to_owned()
}

fn value(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(|it| it.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_cores_memory_and_a_kernel() {
        let machine = Machine::look().unwrap();
        assert!(machine.cores > 0 && machine.memory > 0 && !machine.kernel.is_empty());
    }

    #[test]
    fn a_kernel_is_its_number() {
        assert_eq!(release("6.18.44-something-1\n"), "6.18.44");
    }
}
