//! Feeds one target in a process of its own. `cargo xtask fuzz` builds and runs it.

use std::process::ExitCode;

use xtask::fuzz::memory::Counting;
use xtask::fuzz::worker;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    worker::run(&words)
}
