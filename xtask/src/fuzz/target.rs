//! A target: what is fed, and what must hold. Values only.

use super::targets;
use crate::simulate::random::Random;

/// Something that parses bytes of strangers.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in `fixtures/fuzz/`.
    pub name: &'static str,
    /// What must hold for every input, in a sentence.
    pub property: &'static str,
    /// Words that mean something to the parser.
    pub words: &'static [&'static str],
    /// Inputs are at most so many bytes.
    pub longest: usize,
    /// New inputs of the short run: about a second.
    pub short: u32,
    /// A change that knows the format; does nothing where there is none.
    pub(super) shape: fn(&mut Random, &mut [u8]),
    /// Feeds one input. The error says what did not hold.
    pub(super) check: fn(&[u8]) -> Result<(), String>,
}

impl Target {
    /// Any target with the defaults.
    pub(super) const fn new(
        name: &'static str,
        property: &'static str,
        check: fn(&[u8]) -> Result<(), String>,
    ) -> Self {
        Self { name, property, words: &[], longest: 2_048, short: 20_000, shape: no_shape, check }
    }
}

/// Every target.
pub const ALL: &[Target] = &[
    targets::requests::TARGET,
    targets::server::TARGET,
    targets::answers::TARGET,
    targets::elf::TARGET,
    targets::script::TARGET,
    targets::procfile::TARGET,
    targets::line::TARGET,
    targets::launch::TARGET,
    targets::settings::TARGET,
    targets::ignore::TARGET,
    targets::words::TARGET,
    targets::trace::TARGET,
    targets::keeper::TARGET,
    targets::proc::TARGET,
    targets::log::TARGET,
];

/// The target of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|target| target.name == name)
}

fn no_shape(_: &mut Random, _: &mut [u8]) {}
