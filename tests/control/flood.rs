//! Clients that mean no good: a thousand that say nothing, a hundred thousand malformed messages.
//! Neither restarts nor memory may feel them.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use relaunch_buildpack::control::message::{Form, Request};
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

/// The fastest of some reloads, from the wish to the exec: what else the machine does makes them
/// slower, never faster.
fn reload(run: &Run) -> Duration {
    let times = (0..9).map(|_| {
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
    });
    times.min().unwrap()
}

/// Floods and measurements one after the other.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Room for what an allocator keeps: 1 MB.
const ROOM: u64 = 256;
/// While four clients keep the cores busy; a flood that mattered would stop restarts altogether.
const MUCH_SLOWER: u32 = 20;
/// As before, but for what the machine does beside it.
const AS_BEFORE: u32 = 5;

#[test]
fn a_thousand_idle_connections_change_nothing() {
    let _alone = alone();
    let run = Setup::elf().start();
    run.wait_for("start 1");
    let (before, calm) = (pages(&run), reload(&run));
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(connect(&run).unwrap());
    }
    let flooded = reload(&run);
    assert!(flooded < calm * AS_BEFORE, "{calm:?}, then {flooded:?}");
    assert!(pages(&run) < before + ROOM, "{before} pages, then {}", pages(&run));
    assert!(descriptors(&run) < 40, "{} descriptors", descriptors(&run));
    drop(idle);
    assert_eq!(ask(&run, &["status"]).code, Some(0));
}

#[test]
fn a_hundred_thousand_malformed_messages_change_nothing() {
    let _alone = alone();
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
    let (flooded, written) = std::thread::scope(|scope| {
        let floods: Vec<_> = (0..4).map(|_| scope.spawn(|| flood(&run, &messages))).collect();
        let flooded = reload(&run);
        let written: u32 = floods.into_iter().map(|flood| flood.join().unwrap()).sum();
        (flooded, written)
    });
    assert!(written > 99_000, "{written} messages were written");
    let after = reload(&run);
    assert!(flooded < calm * MUCH_SLOWER, "{calm:?}, then {flooded:?}");
    assert!(after < calm * AS_BEFORE, "{calm:?}, then {after:?}");
    assert!(pages(&run) < before + ROOM, "{before} pages, then {}", pages(&run));
    println!("reload {calm:?}, {flooded:?} meanwhile, {after:?} after; {written} messages");
    assert_eq!(ask(&run, &["status"]).code, Some(0));
}

/// A quarter of them. The supervisor may drop a connection at any time; what it may not do is
/// answer anything but an error. How many could be written.
fn flood(run: &Run, messages: &[&[u8]]) -> u32 {
    let mut written = 0;
    for number in 0..25_000 {
        let mut stream = connect(run).unwrap();
        written += u32::from(stream.write_all(messages[number % messages.len()]).is_ok());
        if number % 100 == 0 {
            let mut told = String::new();
            let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
            let _ = stream.read_to_string(&mut told);
            assert!(told.is_empty() || told.starts_with("{\"error\":"), "{told}");
        }
    }
    written
}

/// Ticks of the processor that the supervisor has used.
fn ticks(run: &Run) -> i64 {
    let text = fs::read_to_string(format!("/proc/{}/stat", run.supervisor())).unwrap();
    let fields: Vec<i64> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .filter_map(|field| field.parse().ok())
        .collect();
    // utime and stime are fields 14 and 15; the state is no number, so field 4 is the first here.
    fields[10] + fields[11]
}

#[test]
fn a_follower_that_leaves_much_unread_and_goes_wakes_nobody() {
    let _alone = alone();
    // Its end was found by reading what it had written, a byte for each turn of the loop.
    let run = Setup::elf().start();
    run.wait_for("start 1");
    for _ in 0..50 {
        let follow = Request::Events { last: 0, follow: true, form: Form::Json };
        let mut stream = connect(&run).unwrap();
        stream.write_all(follow.to_line().as_bytes()).unwrap();
        assert_eq!(ask(&run, &["status"]).code, Some(0), "the follower is known by then");
        stream.set_nonblocking(true).unwrap();
        while stream.write(&[b'x'; 4_096]).is_ok() {}
    }
    let before = ticks(&run);
    assert_eq!(ask(&run, &["wait", "--change", "--timeout", "300ms"]).code, Some(124));
    let after = ticks(&run);
    assert!(after - before < 10, "{} ticks of 10 ms to see them go", after - before);
}

#[test]
fn a_client_that_asks_nothing_more_still_gets_its_answer() {
    // It was taken for one that had gone, as `socat` and `nc -N` are.
    let run = Setup::elf().start();
    run.wait_for("start 1");
    for _ in 0..20 {
        let mut stream = connect(&run).unwrap();
        stream.write_all(Request::Status {}.to_line().as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).unwrap();
        assert!(told.contains("\"schema\":1,") && told.ends_with("}\n"), "{told:?}");
    }
}
