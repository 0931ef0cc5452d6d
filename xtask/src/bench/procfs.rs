//! What processes cost, from /proc: the tool is its process and all descendants, but for the app.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// What the processes of a tool hold and have used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Resident memory, summed: pages that two processes share count twice. In bytes.
    pub(super) resident: u64,
    /// The same with shared pages divided among those who share them. In bytes.
    pub(super) proportional: u64,
    /// Time on a processor of the threads that live, in nanoseconds.
    pub(super) running: u64,
    /// The same of children that have ended, in nanoseconds; counted in steps of 10 ms.
    pub(super) ended: u64,
    /// Times that a thread was put on a processor.
    pub(super) wakes: u64,
    /// Open files.
    pub(super) files: u64,
}

impl Cost {
    /// Of all these processes; one that has ended meanwhile counts nothing.
    pub(super) fn of(pids: &BTreeSet<i32>) -> Self {
        let mut cost = Self::default();
        for pid in pids {
            let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}"));
            cost.resident += kilobytes(&read("status").unwrap_or_default(), "VmRSS:");
            cost.proportional += kilobytes(&read("smaps_rollup").unwrap_or_default(), "Pss:");
            cost.ended += ended_children(&read("stat").unwrap_or_default());
            cost.files += fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |it| it.count() as u64);
            for thread in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten()
            {
                let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
                let mut numbers = text.split_whitespace().map(|it| it.parse().unwrap_or(0));
                cost.running += numbers.next().unwrap_or(0);
                cost.wakes += numbers.nth(1).unwrap_or(0);
            }
        }
        cost
    }
}

/// A line of `status` or `smaps_rollup`, in bytes; the kernel writes kB and means 1024.
fn kilobytes(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    number.unwrap_or(0) * 1024
}

/// `cutime` and `cstime` of a `stat` line, in nanoseconds. The name in it may hold blanks.
fn ended_children(stat: &str) -> u64 {
    let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let fields: Vec<u64> =
        after.split(' ').skip(13).take(2).filter_map(|it| it.parse().ok()).collect();
    fields.iter().sum::<u64>() * 10_000_000
}

/// The processes below `root`, itself included, without those in `apps` and below them.
pub(super) fn family(root: i32, apps: &BTreeSet<i32>) -> BTreeSet<i32> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for pid in pids() {
        if let Some((parent, _)) = parent_and_state(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut family, mut next) = (BTreeSet::new(), vec![root]);
    while let Some(pid) = next.pop() {
        if !apps.contains(&pid) && family.insert(pid) {
            next.extend(children.get(&pid).into_iter().flatten());
        }
    }
    family
}

/// Children of this process that have ended and that it has not waited for.
pub(super) fn zombies(parent: i32) -> usize {
    pids().filter(|pid| parent_and_state(*pid) == Some((parent, 'Z'))).count()
}

/// Whether `pid` was started by `parent`, or left to it.
pub(super) fn is_child(pid: i32, parent: i32) -> bool {
    parent_and_state(pid).is_some_and(|(found, _)| found == parent)
}

/// Whether it runs: neither gone nor ended and not yet waited for.
pub(super) fn lives(pid: i32) -> bool {
    parent_and_state(pid).is_some_and(|(_, state)| state != 'Z' && state != 'X')
}

/// The processes that were started with this variable.
pub(super) fn marked(variable: &str) -> BTreeSet<i32> {
    let bears = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|it| it == variable.as_bytes())
    };
    pids().filter(bears).collect()
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn parent_and_state(pid: i32) -> Option<(i32, char)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_children_are_read_behind_a_name_with_blanks() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 0 0 0 0 0 11 12 3 4 20 0 1 0";
        assert_eq!(ended_children(stat), 70_000_000);
    }

    #[test]
    fn a_child_belongs_to_the_family_unless_it_is_the_app() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let (me, app) = (std::process::id().cast_signed(), child.id().cast_signed());
        assert!(family(me, &BTreeSet::new()).contains(&app));
        let without = family(me, &BTreeSet::from([app]));
        assert!(without.contains(&me) && !without.contains(&app));
        child.kill().unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while lives(app) && std::time::Instant::now() < until {
            std::thread::yield_now();
        }
        assert!(!lives(app) && zombies(me) >= 1);
        child.wait().unwrap();
    }

    #[test]
    fn this_process_costs_memory_and_time() {
        let cost = Cost::of(&BTreeSet::from([std::process::id().cast_signed()]));
        assert!(cost.resident > 0 && cost.running > 0 && cost.wakes > 0, "{cost:?}");
    }
}
