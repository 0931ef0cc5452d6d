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
    sync_twice(container, &change(first, second), second, by_root);
    container.wait_for_starts(2);
    let by_run_user = |file: &Path| container.copy_by_tar(file, ways.run_user);
    sync_twice(container, &change(second, third), third, by_run_user);
    container.wait_for_starts(3);
}

/// The second time with the page up: a restart for the same bytes would be one too many then.
fn sync_twice(container: &Container, file: &Path, page: &str, sync: impl Fn(&Path)) {
    sync(file);
    container.wait_for_page(page);
    let unchanged = container.unchanged();
    sync(file);
    container.wait_for_unchanged(unchanged + 1);
}
