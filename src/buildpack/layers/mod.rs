//! The layers of the image, one file each.

pub mod supervisor;
pub mod target;
