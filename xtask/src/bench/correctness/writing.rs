//! How the bytes of a case come: in pieces, again and again, at awkward times.

use std::io::Write;
use std::time::Duration;

use crate::failure::Failure;

use super::scene::{Scene, pause};

/// Replaces the app by a new file written in pieces; the descriptor stays open throughout and a
/// while longer.
pub(super) fn in_pieces(
    scene: &Scene,
    pieces: usize,
    gap: u64,
    stays_open: u64,
) -> Result<(), Failure> {
    let bytes = scene.bytes("v2")?;
    scene.remove()?;
    let mut file = scene.create()?;
    for piece in bytes.chunks(bytes.len().div_ceil(pieces)) {
        file.write_all(piece).map_err(Failure::file(scene.run.place.app()))?;
        pause(gap);
    }
    pause(stays_open);
    Ok(())
}

/// Closes and opens the file for each piece.
pub(super) fn reopening(scene: &Scene, pieces: usize, gap: u64) -> Result<(), Failure> {
    let bytes = scene.bytes("v2")?;
    scene.remove()?;
    drop(scene.create()?);
    for piece in bytes.chunks(bytes.len().div_ceil(pieces)) {
        scene.append(piece)?;
        pause(gap);
    }
    Ok(())
}

/// Writes over the bytes that are there, in pieces.
pub(super) fn over_a_script(scene: &Scene) -> Result<(), Failure> {
    let mut file = scene.create()?;
    for piece in scene.bytes("v2")?.chunks(8 << 10) {
        file.write_all(piece).map_err(Failure::file(scene.run.place.app()))?;
        pause(200);
    }
    Ok(())
}

/// Eight updates, each complete.
pub(super) fn updates(scene: &Scene, gap: u64) -> Result<(), Failure> {
    for version in 2..=9 {
        scene.publish(&format!("v{version}"))?;
        pause(gap);
    }
    Ok(())
}

/// Four data files, then the app.
pub(super) fn five_files(scene: &Scene, gap: u64) -> Result<(), Failure> {
    // Made beforehand: to stamp a build takes longer than the gap.
    let app = scene.prepare("published", "v2")?;
    for number in 1..=4 {
        let path = scene.run.place.tree().join(format!("file{number}"));
        std::fs::write(&path, "new").map_err(Failure::file(&path))?;
        pause(gap);
    }
    scene.rename_over(&app)
}

/// A second update as soon as the first one runs.
pub(super) fn while_starting(scene: &mut Scene) -> Result<(), Failure> {
    scene.publish("v2")?;
    // A tool that misses it gets the second update all the same.
    scene.run.start_of("v2", Duration::from_secs(3));
    scene.publish("v3")
}

/// A second update while the app takes half a second to stop for the first.
pub(super) fn while_stopping(scene: &Scene) -> Result<(), Failure> {
    scene.publish("v2")?;
    pause(250);
    scene.publish("v3")
}

/// An executable that ends at once, then a good one.
pub(super) fn a_crash_between(scene: &mut Scene) -> Result<(), Failure> {
    scene.publish("x2")?;
    scene.run.start_of("x2", Duration::from_secs(3));
    pause(1_500);
    scene.publish("v3")
}

/// A file that ends before its own headers say, closed.
pub(super) fn cut_off(scene: &Scene) -> Result<(), Failure> {
    let bytes = scene.bytes("v2")?;
    let beside = scene.run.place.beside("cut");
    super::super::place::write_executable(&beside, &bytes[..bytes.len() / 3])?;
    scene.rename_over(&beside)
}
