//! Clients that mean no good: a thousand that say nothing, a hundred thousand malformed messages.
//! Neither restarts nor memory may feel them.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use relaunch_buildpack::control::place;

use crate::ask;
use crate::world::{Run, Setup};

fn connect(run: &Run) -> std::io::Result<UnixStream> {
    UnixStream::connect_addr(&place::address(run.supervisor())?)
}

/// Resident pages of the supervisor.
fn pages(run: &Run) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/statm", run.supervisor())).unwrap();
    text.split(' ').nth(1).unwrap().parse().unwrap()
}

fn descriptors(run: &Run) -> usize {
    fs::read_dir(format!("/proc/{}/fd", run.supervisor())).unwrap().count()
}

/// The median of some reloads, from the wish to the exec.
fn reload(run: &Run) -> Duration {
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let mut stream = connect(run).unwrap();
            let begin = Instant::now();
            stream.write_all(b"{\"ask\":\"reload\"}\n").unwrap();
            let mut told = String::new();
            while !told.contains("\"event\":\"started\"") {
                let mut bytes = [0; 4096];
                let count = stream.read(&mut bytes).unwrap();
                assert!(count > 0, "dropped after {told}");
                told.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            }
            begin.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

/// Room for what an allocator keeps: 1 MB.
const ROOM: u64 = 256;
/// A loaded machine makes single restarts slower; a flood that mattered would stop them.
const MUCH_SLOWER: u32 = 10;

#[test]
fn a_thousand_idle_connections_change_nothing() {
    let run = Setup::elf().start();
    run.wait_for("start 1");
    let (before, calm) = (pages(&run), reload(&run));
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(connect(&run).unwrap());
    }
    let flooded = reload(&run);
    assert!(flooded < calm * MUCH_SLOWER, "{calm:?}, then {flooded:?}");
    assert!(pages(&run) < before + ROOM, "{before} pages, then {}", pages(&run));
    assert!(descriptors(&run) < 40, "{} descriptors", descriptors(&run));
    drop(idle);
    assert_eq!(ask(&run, &["status"]).code, Some(0));
}

#[test]
fn a_hundred_thousand_malformed_messages_change_nothing() {
    let run = Setup::elf().start();
    run.wait_for("start 1");
    let (before, calm) = (pages(&run), reload(&run));
    let long = [b'x'; 3_000];
    let messages: [&[u8]; 8] = [
        b"\n",
        b"{}\n",
        b"{\"ask\":\"stop\"}\n",
        b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
        b"\xff\xfe\x00\n",
        b"{\"ask\":\"events\",\"last\":-1}\n",
        b"{\"ask\":\"events\",\"last\":1e999,\"follow\":true,\"form\":\"json\"}\n",
        &long,
    ];
    let flooded = std::thread::scope(|scope| {
        let floods: Vec<_> = (0..4).map(|_| scope.spawn(|| flood(&run, &messages))).collect();
        let flooded = reload(&run);
        for flood in floods {
            flood.join().unwrap();
        }
        flooded
    });
    assert!(flooded < calm * MUCH_SLOWER, "{calm:?}, then {flooded:?}");
    assert!(pages(&run) < before + ROOM, "{before} pages, then {}", pages(&run));
    assert_eq!(ask(&run, &["status"]).code, Some(0));
}

/// A quarter of them. The supervisor may drop a connection at any time; what it may not do is
/// answer anything but an error.
fn flood(run: &Run, messages: &[&[u8]]) {
    for number in 0..25_000 {
        let Ok(mut stream) = connect(run) else { continue };
        let _ = stream.write_all(messages[number % messages.len()]);
        if number % 100 == 0 {
            let mut told = String::new();
            let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
            let _ = stream.read_to_string(&mut told);
            assert!(told.is_empty() || told.starts_with("{\"error\":"), "{told}");
        }
    }
}
