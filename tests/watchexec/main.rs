//! The real supervisor under the name `watchexec`, called as buildpacks and Procfiles call it, and
//! with every option of the table in `docs/watchexec.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Every function here is a test.

#[path = "../supervisor/apps.rs"]
#[allow(dead_code, reason = "shared with the supervisor's tests, which use the rest")]
mod apps;
mod calls;
#[path = "../supervisor/heard.rs"]
#[allow(dead_code, reason = "shared with the supervisor's tests, which use the rest")]
mod heard;
mod options;
mod place;
