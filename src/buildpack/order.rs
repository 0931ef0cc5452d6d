//! Where we stand among the buildpacks of this build: the lifecycle's `group.toml`, which lies in
//! the layers folder in every flow. Its text in, who comes before and after us out.
//!
//! The file is no part of the Buildpack API, so its absence is no error: then nobody is known.

use super::lifecycle_file::{self, LifecycleFileError};
use serde::Deserialize;
use std::path::Path;

/// The other buildpacks of the group, by id, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// Those whose build has run.
    pub earlier: Vec<String>,
    /// Those whose build comes after ours, and who can declare our process types anew.
    pub later: Vec<String>,
}

/// Reads `group.toml` in `layers_root`, the folder of all buildpacks' layers.
///
/// # Errors
///
/// A file that cannot be read or is no group.
pub fn read(layers_root: &Path, our_id: &str) -> Result<Order, LifecycleFileError> {
    let group = lifecycle_file::read(layers_root.join("group.toml"))?;
    Ok(group.map_or_else(Order::default, |group| place(group, our_id)))
}

/// The other buildpacks of the group in this text of a `group.toml`.
///
/// # Errors
///
/// It is no group.
pub fn parse(text: &str, our_id: &str) -> Result<Order, toml::de::Error> {
    toml::from_str(text).map(|group| place(group, our_id))
}

/// The folder of a buildpack below the layers folder (Buildpack API, "Layers").
#[must_use]
pub fn folder(id: &str) -> String {
    id.replace('/', "_")
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    group: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    id: String,
}

fn place(group: Group, our_id: &str) -> Order {
    let mut ids: Vec<String> = group.group.into_iter().map(|member| member.id).collect();
    // Of a buildpack that is twice in a group only the first place counts.
    let (earlier, later) = match ids.iter().position(|id| id == our_id) {
        Some(ours) => {
            let later = ids.split_off(ours + 1);
            ids.pop();
            (ids, later)
        }
        None => (ids, Vec::new()),
    };
    Order { earlier, later }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn owned(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn the_group_tells_who_comes_before_and_after() {
        let text = "
            [[group]]
            id = \"acme/go-build\"
            version = \"1\"
            api = \"0.7\"
            homepage = \"h\"
            [[group]]
            id = \"relaunch/live-reload\"
            version = \"2\"
            [[group]]
            id = \"acme/labels\"
            [[group-extensions]]
            id = \"acme/extension\"
        ";
        let expected = Order { earlier: owned(&["acme/go-build"]), later: owned(&["acme/labels"]) };
        assert_eq!(parse(text, "relaunch/live-reload"), Ok(expected));
    }

    #[test]
    fn without_the_file_nobody_is_known() {
        let layers = tempfile::tempdir().unwrap();
        assert_eq!(read(layers.path(), "us").unwrap(), Order::default());
    }

    #[test]
    fn a_broken_file_is_named() {
        let layers = tempfile::tempdir().unwrap();
        let path = layers.path().join("group.toml");
        fs::write(&path, "group = 1").unwrap();
        let error = read(layers.path(), "us").unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
    }
}
