//! The app that tests and the demo run: a small HTTP server with bad habits on request.
//!
//! | file | concept |
//! | --- | --- |
//! | `version` | the marker inside the binary that makes "another build" without compiling |
//! | `binary` | where the compiled app lies; compiles it once when nobody did |
//! | `options` | what the app is told by its environment and its arguments |
//! | `server` | the page with version, generation and pid |
//! | `helpers` | children in a session of their own, double forks |
//! | `ending` | ends by itself: an exit code or a signal after a time; deafness to TERM |
//! | `files` | writes a log or opens files very often |
//!
//! Tests use [`version`] and [`binary`]; the rest is the app itself.

pub mod binary;
pub mod ending;
pub mod files;
pub mod helpers;
pub mod options;
pub mod server;
pub mod version;
