//! The build plan: what detect says, and what build reads back from it. Values only.
//!
//! Our entry carries the Procfile, because language buildpacks may delete the sources before our
//! build runs. `watchexec` is provided as an alternative and never required: the lifecycle refuses
//! a provision that nobody requires, and then takes the next alternative. It counts a buildpack as
//! optional only in its last alternative, so the richer one comes first.

use super::procfile::Found;
use libcnb::data::build_plan::{BuildPlan, BuildPlanBuilder, Require};
use libcnb::data::buildpack_plan::BuildpackPlan;
use serde::{Deserialize, Serialize};

/// Name of our own entry.
pub const ENTRY: &str = "relaunch";
/// Name of the entry by which language buildpacks ask for a `watchexec` command.
pub const WATCHEXEC_ENTRY: &str = "watchexec";

/// What the plan asks of our build.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The Procfile that detect found.
    pub procfile: Option<Found>,
    /// Somebody requires the `watchexec` command, and we are the one to provide it.
    pub watchexec: bool,
}

#[derive(Serialize, Deserialize, Default)]
struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    procfile: Option<Found>,
}

/// The plan of detect.
///
/// # Errors
///
/// None in practice: the metadata is a table of strings and numbers.
pub fn offer(procfile: Option<Found>) -> Result<BuildPlan, toml::ser::Error> {
    let mut ours = Require::new(ENTRY);
    ours.metadata(Metadata { procfile })?;
    let mut alternative = Require::new(ENTRY);
    alternative.metadata = ours.metadata.clone();
    Ok(BuildPlanBuilder::new()
        .provides(ENTRY)
        .provides(WATCHEXEC_ENTRY)
        .requires(ours)
        .or()
        .provides(ENTRY)
        .requires(alternative)
        .build())
}

/// What the plan of build asks for. Entries that others made under our name count as empty.
#[must_use]
pub fn request(plan: &BuildpackPlan) -> Request {
    let named = |name: &'static str| plan.entries.iter().filter(move |entry| entry.name == name);
    Request {
        procfile: named(ENTRY)
            .filter_map(|entry| entry.metadata::<Metadata>().ok())
            .find_map(|metadata| metadata.procfile),
        watchexec: named(WATCHEXEC_ENTRY).next().is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the lifecycle makes of the requirements of a plan.
    fn build_plan_of(detected: &BuildPlan) -> BuildpackPlan {
        #[derive(Deserialize)]
        struct Detected {
            requires: toml::Value,
        }
        let detected: Detected = toml::from_str(&toml::to_string(detected).unwrap()).unwrap();
        let mut entries = toml::Table::new();
        entries.insert("entries".to_owned(), detected.requires);
        toml::from_str(&toml::to_string(&entries).unwrap()).unwrap()
    }

    #[test]
    fn the_plan_offers_watchexec_as_an_alternative() {
        let plan = offer(Some(Found::Text("web: app\n".to_owned()))).unwrap();
        let expected = "\
[[provides]]
name = \"relaunch\"

[[provides]]
name = \"watchexec\"

[[requires]]
name = \"relaunch\"

[requires.metadata.procfile]
text = \"\"\"
web: app
\"\"\"

[[or]]

[[or.provides]]
name = \"relaunch\"

[[or.requires]]
name = \"relaunch\"

[or.requires.metadata.procfile]
text = \"\"\"
web: app
\"\"\"
";
        assert_eq!(toml::to_string(&plan).unwrap(), expected);
    }

    #[test]
    fn the_procfile_comes_back_as_it_was() {
        let text = "\u{feff}web: a \"b\" '''c''' \"\"\" \\n\r\n\t\u{1b}\u{7f}\0ü: \u{1F680}\n";
        for procfile in [
            None,
            Some(Found::Text(text.to_owned())),
            Some(Found::NotUtf8Line(3)),
            Some(Found::Unreadable("Permission denied".to_owned())),
        ] {
            let plan = build_plan_of(&offer(procfile.clone()).unwrap());
            let expected = Request { procfile, watchexec: false };
            assert_eq!(request(&plan), expected);
        }
    }

    #[test]
    fn a_required_watchexec_is_seen() {
        let plan = "[[entries]]\nname='watchexec'\n[entries.metadata]\nlaunch=true\n\
                    [[entries]]\nname='relaunch'\n[entries.metadata]\nprocfile=1\n";
        let expected = Request { procfile: None, watchexec: true };
        assert_eq!(request(&toml::from_str(plan).unwrap()), expected);
    }
}
