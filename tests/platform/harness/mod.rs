//! What the tests stand on. Every value here removes what it made when it goes.
//!
//! | file | concept |
//! | --- | --- |
//! | `host` | what was prepared, and commands on the host |
//! | `app` | copies of the fixture apps |
//! | `image` | `pack build` and its image |
//! | `container` | a running container: log, page, files |
//! | `compose` | a compose project with its watch |
//! | `reloading` | one restart for each change, none for the same bytes |
//! | `builder` | a builder that has Relaunch in its order |

pub(crate) mod app;
pub(crate) mod builder;
pub(crate) mod compose;
pub(crate) mod container;
pub(crate) mod host;
pub(crate) mod image;
pub(crate) mod reloading;

pub(crate) use app::App;
pub(crate) use container::Container;
pub(crate) use image::{Build, RELAUNCH};
pub(crate) use reloading::{Ways, assert_reloads};
