//! The report: made from the raw samples alone, so that it can be made again without measuring.
//!
//! | file | concept |
//! | --- | --- |
//! | `table` | a table in Markdown, and how a sample becomes a cell |
//! | `page` | `docs/benchmark.md` |
//! | `plots` | `docs/plots/*.svg` |
//! | `readme` | the part of the README between two marks |

mod page;
mod plots;
mod readme;
mod table;

use std::path::Path;

use crate::failure::Failure;
use crate::workspace;

use super::results::Results;

/// Every table, for the terminal.
pub(super) fn text(results: &Results) -> String {
    page::tables(results)
}

/// Writes the page, its plots and the part of the README.
pub(super) fn write(results: &Results) -> Result<(), Failure> {
    let docs = workspace::root().join("docs");
    let drawn = plots::draw(results, &docs.join("plots"))?;
    put(&docs.join("benchmark.md"), &page::page(results, &drawn))?;
    let readme = workspace::root().join("README.md");
    let text = std::fs::read_to_string(&readme).map_err(Failure::file(&readme))?;
    let text = readme::replaced(&text, results).ok_or_else(|| Failure::Format {
        path: readme.clone(),
        reason: "the marks around the benchmark's part are missing".to_owned(),
    })?;
    put(&readme, &text)?;
    println!("written: docs/benchmark.md, docs/plots, the benchmark's part of README.md");
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(Failure::file(path))
}
