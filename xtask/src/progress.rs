//! What a person sees while something takes long: one line before, none after unless it was slow.

use std::time::Instant;

use crate::failure::Failure;

/// Says what happens, does it, and says how long it took when that was over a second.
///
/// # Errors
/// Those of `work`.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    println!("    {what}");
    let start = Instant::now();
    let result = work();
    let seconds = start.elapsed().as_secs_f64();
    if seconds > 1.0 {
        println!("        {seconds:.1} s");
    }
    result
}

/// The heading of a part of a command's output.
pub fn heading(text: &str) {
    println!("\n==> {text}");
}
