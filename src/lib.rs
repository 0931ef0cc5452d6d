//! Relaunch: live reload for every Cloud Native Buildpacks image.
//!
//! Two programs share this house: the buildpack (`src/main.rs`) and the supervisor
//! (`src/bin/relaunch.rs`).
//!
//! | room | what it is | what may come in |
//! | --- | --- | --- |
//! | `buildpack` | detect and build | libcnb, the file system of the build |
//! | `settings` | one name, three places: build variable, run variable, flag | values only |
//! | `core` | settling and the life of the app, decided | values only: no I/O, no clock, no thread |
//! | `watch` | what changed on the disk, and against what the app runs with | inotify, files, `/proc` |
//! | `candidate` | is this file fit to be exec'ed, is it the one that runs | files, the kernel's answers |
//! | `process` | keeper, generation, signals, reaping, terminal | processes |
//! | `system` | what several rooms ask of the kernel: mounts, `/proc/PID/stat`, pidfds, signal masks | a path, an open file, a process id, a signal set |
//! | `control` | manifest, status, events, reload: the asked and the asking side | sockets, the state folder |
//! | `driver` | the one loop: waits, feeds the core, performs its orders | all of the above |
//! | `log` | lines on stderr, as text or JSON | values, stderr |
//! | `cli` | flags and help | words |

pub mod buildpack;
pub mod candidate;
pub mod cli;
pub mod control;
pub mod core;
pub mod driver;
pub mod log;
pub mod process;
pub mod settings;
pub mod system;
pub mod watch;
