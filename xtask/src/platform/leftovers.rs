//! What the tests left behind in the engine: containers, images, volumes, networks.

use std::collections::BTreeSet;

use super::engine::Engine;
use crate::command;
use crate::failure::Failure;

/// Everything that the engine holds, one line each, such as `volume pack-cache-…`.
pub(super) struct Inventory(BTreeSet<String>);

impl Inventory {
    /// Asks the engine.
    pub(super) fn take(engine: &Engine) -> Result<Self, Failure> {
        let questions: [(&str, &[&str]); 4] = [
            ("container", &["ps", "--all", "--format", "{{.Names}} of {{.Image}}"]),
            ("image", &["images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"]),
            ("volume", &["volume", "ls", "--format", "{{.Name}}"]),
            ("network", &["network", "ls", "--format", "{{.Name}}"]),
        ];
        let mut lines = BTreeSet::new();
        for (kind, question) in questions {
            let answer = command::capture(&mut engine.docker(question))?;
            lines.extend(answer.lines().map(|line| format!("{kind} {line}")));
        }
        Ok(Self(lines))
    }
}

/// Whether nothing was left; says what was.
pub(super) fn check(before: &Inventory, after: &Inventory) -> bool {
    let left: Vec<&String> = after.0.difference(&before.0).collect();
    if left.is_empty() {
        println!("nothing was left behind in the engine");
        return true;
    }
    println!("the tests left behind:");
    for line in &left {
        println!("    {line}");
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(lines: &[&str]) -> Inventory {
        Inventory(lines.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn only_what_is_new_counts_as_left_behind() {
        let before = inventory(&["volume mine", "image old"]);
        assert!(check(&before, &inventory(&["volume mine"])));
        assert!(!check(&before, &inventory(&["volume mine", "volume new"])));
    }
}
