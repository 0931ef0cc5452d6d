//! Where a supervisor listens, and which supervisors there are. Reads `/proc`.

use std::fs;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::SocketAddr;

/// The address of the supervisor with this process id in this process namespace.
///
/// # Errors
///
/// `/proc` is hidden, so the namespace has no number.
pub fn address(pid: u32) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name(namespace()?, pid))
}

/// The supervisors that listen in this process namespace, by process id, in ascending order.
///
/// # Errors
///
/// `/proc` is hidden.
pub fn all() -> io::Result<Vec<u32>> {
    let table = fs::read("/proc/net/unix")?;
    Ok(listed(&table, namespace()?))
}

/// The number of our process namespace, as `/proc/self/ns/pid` tells it (namespaces(7)).
fn namespace() -> io::Result<u64> {
    fs::metadata("/proc/self/ns/pid").map(|meta| meta.ino())
}

fn name(namespace: u64, pid: u32) -> String {
    format!("{PREFIX}{namespace}/{pid}")
}

/// The names of supervisors in `/proc/net/unix`, where abstract names begin with `@`. Names may hold
/// any bytes, newlines too: what is listed here need not be a supervisor.
#[must_use]
pub fn listed(table: &[u8], namespace: u64) -> Vec<u32> {
    let prefix = format!("@{PREFIX}{namespace}/");
    let mut pids: Vec<u32> = String::from_utf8_lossy(table)
        .lines()
        .filter_map(|line| line.split_whitespace().nth(7)?.strip_prefix(&prefix)?.parse().ok())
        .collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

const PREFIX: &str = "relaunch/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supervisors_of_this_namespace_are_listed_once_each() {
        let table = b"\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 22222 @relaunch/4026531836/77
0000000000000000: 00000003 00000000 00000000 0001 03 22223 @relaunch/4026531836/77
0000000000000000: 00000002 00000000 00010000 0001 01 22224 @relaunch/4026531836/1
0000000000000000: 00000002 00000000 00010000 0001 01 22225 @relaunch/4026532999/5
0000000000000000: 00000002 00000000 00010000 0001 01 22226 /run/relaunch/4026531836/9
0000000000000000: 00000002 00000000 00010000 0001 01 22227
";
        assert_eq!(listed(table, 4_026_531_836), [1, 77]);
    }
}
