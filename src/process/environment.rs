//! The environment of the app: the supervisor's own, with two changes. Values only.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::resolve::DEFAULT_PATH;
use crate::settings::GENERATION_VARIABLE;

/// What the app of this generation sees: `TARGET/bin` comes first on `PATH`, so that the app finds
/// synced programs too, and `RELAUNCH_GENERATION` counts the starts from 1.
#[must_use]
pub fn child_environment(
    own: impl IntoIterator<Item = (OsString, OsString)>,
    target: Option<&Path>,
    generation: u64,
) -> Vec<(OsString, OsString)> {
    let mut variables: Vec<_> =
        own.into_iter().filter(|(name, _)| name != GENERATION_VARIABLE).collect();
    if let Some(target) = target {
        let bin = target.join("bin").into_os_string();
        match variables.iter_mut().find(|(name, _)| name == "PATH") {
            Some((_, path)) => *path = first(bin, path),
            None => variables.push(("PATH".into(), first(bin, OsStr::new(DEFAULT_PATH)))),
        }
    }
    variables.push((GENERATION_VARIABLE.into(), generation.to_string().into()));
    variables
}

fn first(folder: OsString, path: &OsStr) -> OsString {
    let (bytes, start) = (path.as_encoded_bytes(), folder.as_encoded_bytes());
    let rest = bytes.strip_prefix(start);
    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b":")) {
        return path.to_owned();
    }
    let mut joined = folder;
    joined.push(":");
    joined.push(path);
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(own: &[(&str, &str)], generation: u64) -> Vec<(String, String)> {
        let own = own.iter().map(|(name, value)| (name.into(), value.into()));
        child_environment(own, Some(Path::new("/target")), generation)
            .into_iter()
            .map(|(name, value)| (name.into_string().unwrap(), value.into_string().unwrap()))
            .collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_target_comes_first_and_the_generation_is_counted() {
        assert_eq!(
            child(&[("PATH", "/bin"), ("RELAUNCH_GENERATION", "9"), ("A", "b")], 2),
            pairs(&[("PATH", "/target/bin:/bin"), ("A", "b"), ("RELAUNCH_GENERATION", "2")])
        );
    }

    #[test]
    fn the_target_is_not_put_there_twice() {
        assert_eq!(child(&[("PATH", "/target/bin:/bin")], 1)[0].1, "/target/bin:/bin");
        assert_eq!(child(&[("PATH", "/target/binary")], 1)[0].1, "/target/bin:/target/binary");
    }

    #[test]
    fn without_a_path_the_default_one_stays_reachable() {
        assert_eq!(child(&[], 1)[0].1, "/target/bin:/bin:/usr/bin");
    }
}
