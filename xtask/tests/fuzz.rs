//! The short run of `cargo xtask fuzz`: the kept corpus and some thousands of new inputs for each
//! target, the same ones every time. `cargo test --package xtask --test fuzz -- TARGET` chooses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Every function here is a test.

use xtask::fuzz::memory::Counting;
use xtask::fuzz::{short_run, target};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

macro_rules! targets {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        mod no_bytes_break {
            $(
                #[test]
                fn $name() {
                    super::run(stringify!($name));
                }
            )*
        }
    };
}

targets! {
    requests server answers elf script procfile line launch settings ignore words trace keeper proc log
}

fn run(name: &str) {
    let target = target::named(name).unwrap();
    if let Err(why) = short_run(target) {
        panic!("{why}");
    }
}

#[test]
fn every_target_has_its_short_run() {
    let names: Vec<_> = target::ALL.iter().map(|target| target.name).collect();
    assert_eq!(names, NAMES);
}
