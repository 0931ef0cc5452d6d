//! What had changed when the executable was refused: whoever mends it with the bytes that run must not
//! hide what came with the broken one, so it is judged again with the next set. Values only.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The paths of the sets that were refused since the last start.
#[derive(Debug, Default)]
pub(super) struct Refused {
    paths: BTreeSet<Arc<Path>>,
    too_many: bool,
}

impl Refused {
    /// One more set was refused.
    pub(super) fn add(&mut self, paths: impl IntoIterator<Item = Arc<Path>>) {
        self.paths.extend(paths);
        if self.paths.len() > MOST {
            *self = Self { paths: BTreeSet::new(), too_many: true };
        }
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Arc<Path>> {
        self.paths.iter()
    }

    /// They were not remembered one by one, so one of them may differ whatever the others say.
    pub(super) fn are_too_many(&self) -> bool {
        self.too_many
    }
}

/// An app that writes ever new names beside a build that stays broken must not fill the memory: about
/// 1 MB, and 30 ms to compare.
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ever_new_names_do_not_fill_it_and_are_not_forgotten() {
        let mut refused = Refused::default();
        for number in 0..=MOST {
            assert!(!refused.are_too_many());
            refused.add([Arc::from(Path::new(&format!("/w/dump-{number}")))]);
        }
        assert_eq!((refused.paths().count(), refused.are_too_many()), (0, true));
    }
}
