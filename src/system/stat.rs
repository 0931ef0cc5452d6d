//! A process as `/proc/PID/stat` shows it (proc(5)). What comes in: its id. Reads only.

use std::fs;
use std::io::Read;
use std::path::Path;

/// What its `stat` says of a process.
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
    /// It has a controlling terminal.
    pub terminal: bool,
    /// It is a thread of the kernel.
    pub kernel: bool,
    /// Start in clock ticks since boot: with the pid it names a process for ever.
    pub start: u64,
    /// Dead and waiting to be reaped: no signal reaches it, and it has no children any more.
    pub gone: bool,
}

/// One process of a `/proc`; `None` when it is gone or hidden.
#[must_use]
pub fn process_in(proc: &Path, pid: i32) -> Option<Process> {
    let mut buffer = [0; 1024];
    let mut file = fs::File::open(proc.join(format!("{pid}/stat"))).ok()?;
    let length = file.read(&mut buffer).ok()?;
    parse(pid, buffer.get(..length)?)
}

/// One process of ours; `None` when it is gone or hidden.
#[must_use]
pub fn process(pid: i32) -> Option<Process> {
    process_in(Path::new("/proc"), pid)
}

/// `PF_KTHREAD` of `linux/sched.h`, in the flags field.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// The process of the text of its `stat`; `None` = the text is no such thing. The name may hold
/// anything, parentheses and newlines too: the fields begin after the last one.
#[must_use]
pub fn parse(pid: i32, stat: &[u8]) -> Option<Process> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    // Field 3 (state) is index 0 here.
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
        terminal: number(4)? != 0,
        kernel: fields.get(6)?.parse::<u64>().ok()? & KERNEL_THREAD != 0,
        start: fields.get(19)?.parse().ok()?,
        gone: dead && number(17)? <= 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_does_not_shift_the_fields() {
        let fields = "S 10 20 30 34816 -1 2097152 0 0 0 0 0 0 0 0 20 0 1 0 4711 0";
        let stat = format!("7 (a) Z 1 1 1 (\n) {fields}");
        let expected = Process {
            pid: 7,
            parent: 10,
            group: 20,
            session: 30,
            terminal: true,
            kernel: true,
            start: 4711,
            gone: false,
        };
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
}
