//! `/proc`, where strangers choose the names: `PID/stat`, the table of sockets, the load.

use relaunch_buildpack::control::place::listed;
use relaunch_buildpack::system::stat::parse;
use relaunch_buildpack::watch::factor_of;

use super::super::target::Target;
use super::{holds, same};

pub(crate) const TARGET: Target = Target {
    words: &[
        "7 (a) S 10 20 30 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0",
        ") ",
        "(",
        " Z ",
        " S ",
        "2097152",
        "-1",
        "4294967296",
        "@relaunch/7/",
        "/run/relaunch/7/1",
        "\n",
        "0: 2 0 10000 1 1 22222 @relaunch/7/1\n",
        "0.20 0.18 0.12 3/80 11206",
    ],
    longest: 512,
    short: 50_000,
    ..Target::new(
        "proc",
        "a process's name moves none of its fields, supervisors are listed in order and once, and the load stretches from one to six",
        check,
    )
};

fn check(input: &[u8]) -> Result<(), String> {
    let _ = parse(7, input);
    named(input)?;
    let pids = listed(input, 7);
    holds(pids.is_sorted_by(|one, next| one < next), format_args!("{pids:?}"))?;
    let text = String::from_utf8_lossy(input);
    for pid in pids {
        let name = format!("@relaunch/7/{pid}");
        let there = text.split_whitespace().any(|word| {
            let digits = word.strip_prefix("@relaunch/7/");
            word == name || digits.and_then(|it| it.parse().ok()) == Some(pid)
        });
        holds(there, format_args!("nobody has the name {name}"))?;
    }
    let factor = factor_of(&text, usize::from(*input.first().unwrap_or(&0)));
    holds((1.0..=6.0).contains(&factor), format_args!("a stretch of {factor}"))
}

/// The input as the name of a process, as long as the kernel lets it be.
fn named(input: &[u8]) -> Result<(), String> {
    let name: Vec<u8> = input.iter().copied().filter(|byte| *byte != 0).take(15).collect();
    let fields = b") S 10 20 30 34816 -1 2097152 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0\n";
    let stat = [b"42 (", &name[..], fields].concat();
    let process = parse(42, &stat).ok_or("it is no process")?;
    let ids = (process.pid, process.parent, process.group, process.session, process.start);
    same(&ids, &(42, 10, 20, 30, 4_711), "fields")?;
    same(&(process.terminal, process.kernel, process.gone), &(true, true, false), "fields")
}
