//! `cargo xtask fuzz`: bytes of strangers for everything that parses bytes of strangers.
//!
//! ```text
//! cargo xtask fuzz [TARGET]... [--seconds N] [--seed N]   60 s for each target unless told
//! cargo xtask fuzz TARGET FILE...                         only these inputs, for a closer look
//! cargo xtask fuzz --keep [TARGET]...                     what was learnt becomes the corpus
//! ```
//!
//! A [`target::Target`] has a parser, a property of it that is stronger than "does not panic", and
//! words that mean something to it. Its corpus lies in `fixtures/fuzz/TARGET/`. From a seed and an
//! input of the corpus [`mutate`] makes the next input; the same seed makes the same ones.
//!
//! The long run is guided by coverage. It needs no nightly compiler: LLVM's `sancov-module` pass is
//! a plain codegen option, and what it calls is in [`coverage`]. cargo-fuzz was not taken, since it
//! wants a nightly compiler and a C++ one; bolero and honggfuzz want tools beside cargo; LLVM's
//! profile counters (`-C instrument-coverage`) tell no operands of comparisons, and those are what
//! finds the words of a grammar. So `fuzz` builds the binary `fuzz` once more with that pass, in a
//! target folder of its own, and runs it once for each target ([`run`]); an input that reaches new
//! code joins the corpus of the run ([`session`]).
//!
//! The short run is in `tests/fuzz.rs` and belongs to `cargo xtask test`: every input of the corpus,
//! and some thousands of new ones for each target, without coverage, since a second build of
//! everything would take longer than the run.
//!
//! An input that breaks a property is made smaller and kept as `fixtures/fuzz/TARGET/found-…`; there
//! it is a test from then on. May come in: the parsers, the corpus; the bytes go nowhere else.

pub mod corpus;
pub mod coverage;
pub mod memory;
mod mutate;
mod run;
mod session;
pub mod target;
mod targets;
pub mod worker;

pub use run::run;
pub use session::short_run;
