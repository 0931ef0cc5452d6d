//! The project's own commands. `cargo xtask COMMAND`:
//!
//! | file | concept |
//! | --- | --- |
//! | `package` | the packaged buildpack: static binaries, libcnb's folder layout |
//! | `embedded/` | a small platform without containers: real detect, real build, launch |
//! | `platform/` | the real platform: engine, base images, pack, lifecycle, builder, compose |
//! | `demo`, `dev`, `test` | one command each |
//! | `tier` | one tier of `test`: how it runs and what it counts |
//! | `bench/` | Relaunch and its peers side by side: docs/benchmark.md |
//! | `replay/` | recorded traces through the core in virtual time |
//! | `simulate/` | a fake world that tests the core's promises on random schedules |
//! | `fuzz/` | bytes of strangers for every parser, guided by coverage |
//! | `measure` | size and idle memory of the supervisor |
//! | `running` | a started app whose lines can be waited for |
//! | `workspace`, `command`, `progress`, `failure` | paths, child processes, output, errors |
//!
//! The library half exists so that the project's tests can use the embedded platform.

pub mod bench;
pub mod command;
pub mod demo;
pub mod dev;
pub mod embedded;
pub mod failure;
pub mod fuzz;
pub mod measure;
pub mod package;
pub mod platform;
pub mod progress;
pub mod replay;
pub mod running;
pub mod simulate;
pub mod soak;
pub mod test;
pub mod tier;
pub mod workspace;
