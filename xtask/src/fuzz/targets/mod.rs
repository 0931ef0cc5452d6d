//! The targets, a file each.

use std::fmt::Display;

pub(super) mod answers;
pub(super) mod elf;
pub(super) mod ignore;
pub(super) mod keeper;
pub(super) mod launch;
pub(super) mod line;
pub(super) mod log;
pub(super) mod proc;
pub(super) mod procfile;
pub(super) mod requests;
pub(super) mod script;
pub(super) mod server;
pub(super) mod settings;
pub(super) mod trace;
pub(super) mod words;

/// The error `why` unless this holds.
fn holds(it: bool, why: impl Display) -> Result<(), String> {
    if it { Ok(()) } else { Err(why.to_string()) }
}

/// The error of both values unless they are the same.
fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T, what: &str) -> Result<(), String> {
    holds(found == expected, format_args!("{what}: {found:?} instead of {expected:?}"))
}

/// One line that cannot move the cursor or set a colour.
fn is_plain_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}
