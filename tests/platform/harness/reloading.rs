//! One restart for each change, whoever syncs it, and none for the same bytes again.

use std::path::{Path, PathBuf};

use super::Container;

/// Where a changed file goes.
pub(crate) struct Ways<'a> {
    /// By root's `docker cp`: the path of the file.
    pub(crate) root: &'a str,
    /// By an exec'ed tar of the run user: the folder of the file.
    pub(crate) run_user: &'a str,
}

/// The page has three texts, one after the other. `change` makes one of another: it names the file
/// that is to be synced.
pub(crate) fn assert_reloads(
    container: &Container,
    pages: [&str; 3],
    change: impl Fn(&str, &str) -> PathBuf,
    ways: &Ways,
) {
    let [first, second, third] = pages;
    container.wait_for_page(first);
    container.assert_ours();

    let by_root = |file: &Path| container.copy(file, ways.root);
    assert_once(container, &change(first, second), second, 2, by_root);
    let by_run_user = |file: &Path| container.copy_by_tar(file, ways.run_user);
    assert_once(container, &change(second, third), third, 3, by_run_user);
    container.wait_for_starts(3);
}

/// A restart that came of the same bytes would be one too many in the end.
fn assert_once(
    container: &Container,
    file: &Path,
    page: &str,
    starts: usize,
    sync: impl Fn(&Path),
) {
    sync(file);
    container.wait_for_page(page);
    container.wait_for_starts(starts);
    sync(file);
    container.wait_for_unchanged(starts - 1);
}
