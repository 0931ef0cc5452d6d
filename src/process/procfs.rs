//! Single processes and their children as /proc shows them. Reads only.

use std::fs;
use std::io::Read;
use std::thread;
use std::time::Duration;

use super::sys::bit;

/// A process as `/proc/PID/stat` showed it; see proc(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// The id of its parent; 0 = outside this namespace.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session.
    pub session: i32,
    /// Start in clock ticks since boot: with the pid it names a process for ever.
    pub start: u64,
    /// Dead and waiting to be reaped: no signal reaches it, and it has no children any more.
    pub gone: bool,
}

/// Whether /proc shows processes: it may not be mounted, or be covered.
#[must_use]
pub fn is_visible() -> bool {
    process(nix::unistd::getpid().as_raw()).is_some()
}

/// One process; `None` when it is gone or hidden.
pub(super) fn process(pid: i32) -> Option<Process> {
    let mut buffer = [0; 1024];
    let mut file = fs::File::open(format!("/proc/{pid}/stat")).ok()?;
    let length = file.read(&mut buffer).ok()?;
    parse(pid, buffer.get(..length)?)
}

/// The process of the text of its `stat`; `None` = the text is no such thing. The name may hold
/// anything, parentheses and newlines too: the fields begin after the last one.
#[must_use]
pub fn parse(pid: i32, stat: &[u8]) -> Option<Process> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let fields: Vec<&str> =
        str::from_utf8(stat.get(end + 1..)?).ok()?.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<i64>().ok();
    let id = |at| number(at).and_then(|value| i32::try_from(value).ok());
    // A first thread that ended before the others shows as a zombie of a living process.
    let dead = matches!(fields.first(), Some(&("Z" | "X" | "x")));
    Some(Process {
        pid,
        parent: id(1)?,
        group: id(2)?,
        session: id(3)?,
        start: fields.get(19)?.parse().ok()?,
        gone: dead && number(17)? <= 1,
    })
}

/// Looks up children: by the kernel's lists where it has them (`CONFIG_PROC_CHILDREN`), else from
/// one scan of all processes, made when it is first needed.
pub(super) struct Children {
    scan: Option<Vec<Process>>,
}

impl Children {
    /// A look-up for one walk.
    pub(super) fn new() -> Self {
        let listed = fs::exists("/proc/thread-self/children").unwrap_or(false);
        Self { scan: (!listed).then(all) }
    }

    /// A look-up that never uses the kernel's lists.
    #[cfg(test)]
    pub(super) fn by_scan() -> Self {
        Self { scan: Some(all()) }
    }

    /// Pids of the children of all threads of a process, in the order in which they came to it;
    /// empty when it is gone.
    pub(super) fn of(&self, parent: i32) -> Vec<i32> {
        if let Some(scan) = &self.scan {
            let children = scan.iter().filter(|process| process.parent == parent);
            return children.map(|process| process.pid).collect();
        }
        let mut children = Vec::new();
        for thread in numbers(&format!("/proc/{parent}/task")) {
            let list = fs::read_to_string(format!("/proc/{parent}/task/{thread}/children"));
            let list = list.unwrap_or_default();
            children
                .extend(list.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
        }
        children
    }
}

/// Whether a process began with this entry (`NAME=value`) in its environment. In the middle of an
/// exec it shows none for a moment, so an empty one is looked at again.
pub(super) fn began_with(pid: i32, entry: &[u8]) -> bool {
    for _ in 0..LOOKS {
        match fs::read(format!("/proc/{pid}/environ")) {
            Ok(environment) if environment.is_empty() => thread::sleep(PAUSE),
            Ok(environment) => return environment.split(|byte| *byte == 0).any(|one| one == entry),
            Err(_) => return false,
        }
    }
    false
}

const LOOKS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(1);

/// The name of a process's first thread, at most 15 bytes.
pub(super) fn name(pid: i32) -> Vec<u8> {
    let mut name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.pop();
    name
}

/// Whether a process ignores a signal; `false` when it is hidden.
pub(super) fn ignores(pid: i32, signal: i32) -> bool {
    set_of(&status(pid), "SigIgn:") & bit(signal) != 0
}

/// Whether a process handles, ignores or blocks a signal, so that its default effect does not come
/// to pass; `false` when it is hidden.
pub(super) fn is_ready_for(pid: i32, signal: i32) -> bool {
    is_ready(&status(pid), signal)
}

fn is_ready(status: &str, signal: i32) -> bool {
    let [caught, ignored, blocked] =
        ["SigCgt:", "SigIgn:", "SigBlk:"].map(|name| set_of(status, name));
    // The C library blocks everything while it starts a process: a shell script that does little
    // else was seen so in a quarter of all looks. Who blocks what he waits for leaves SEGV out.
    let blocked = if blocked & bit(libc::SIGSEGV) == 0 { blocked } else { 0 };
    (caught | ignored | blocked) & bit(signal) != 0
}

fn status(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default()
}

/// A set of signals in the text of a `status`; empty where it has none.
fn set_of(status: &str, name: &str) -> u64 {
    let set = status.lines().find_map(|line| line.strip_prefix(name));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0)
}

fn all() -> Vec<Process> {
    numbers("/proc").filter_map(process).collect()
}

fn numbers(folder: &str) -> impl Iterator<Item = i32> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_does_not_shift_the_fields() {
        let fields = "S 10 20 30 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0";
        let stat = format!("7 (a) Z 1 1 1 (\n) {fields}");
        let expected =
            Process { pid: 7, parent: 10, group: 20, session: 30, start: 4711, gone: false };
        assert_eq!(parse(7, stat.as_bytes()), Some(expected));
    }

    #[test]
    fn a_zombie_is_gone_unless_other_threads_live() {
        let stat = |threads| format!("7 (a) Z 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 {threads} 0 1 0");
        let gone = [0, 1, 2].map(|threads| parse(7, stat(threads).as_bytes()).unwrap().gone);
        assert_eq!(gone, [true, true, false]);
    }

    #[test]
    fn an_endless_or_empty_stat_is_no_process() {
        assert_eq!(parse(7, b""), None);
        assert_eq!(parse(7, b"7 (a) S 1"), None);
    }

    #[test]
    fn ready_is_who_handles_ignores_or_blocks_a_signal_and_not_who_starts_a_process() {
        let usr1 = "0000000000000200";
        let status = |name| format!("Name:\tapp\nSigQ:\t0/7\n{name}:\t{usr1}\n");
        for name in ["SigCgt", "SigIgn", "SigBlk"] {
            let ready = [libc::SIGUSR1, libc::SIGUSR2].map(|it| is_ready(&status(name), it));
            assert_eq!(ready, [true, false], "{name}");
        }
        assert!(!is_ready(&status("SigPnd"), libc::SIGUSR1));
        // As glibc 2.36 blocks signals for a vfork.
        assert!(!is_ready("SigBlk:\tfffffffe7ffbfeff\n", libc::SIGUSR1));
        assert!(!is_ready("", libc::SIGUSR1));
    }
}
