//! The whole product on the real platform: pack, lifecycle, engine, compose, libcnb-test.
//!
//! `cargo xtask test platform` prepares everything and runs this file; behind `--` stands a
//! filter. Without that preparation the tests are ignored.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test program.

mod arguments;
mod bad_input;
mod classic;
mod control;
mod go_sample;
mod harness;
mod interpreted;
mod libcnb;
mod no_shell;
mod paketo;
mod placement;
mod processes;
mod procfiles;
mod repl;
