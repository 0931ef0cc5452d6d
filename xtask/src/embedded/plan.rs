//! The resolution of build plans (buildpack spec, "Phase #1: Detection"): every alternative of
//! every buildpack is tried in order; in a plan that fits, each required entry is provided by the
//! same or an earlier buildpack, and each provided entry is required.

use serde::{Deserialize, Serialize};

/// What `bin/detect` wrote: one plan and its alternatives.
#[derive(Debug, Default, Deserialize)]
pub(super) struct BuildPlan {
    #[serde(flatten)]
    first: Sections,
    #[serde(default)]
    or: Vec<Sections>,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct Sections {
    #[serde(default)]
    provides: Vec<Provide>,
    #[serde(default)]
    requires: Vec<Entry>,
}

#[derive(Debug, Clone, Deserialize)]
struct Provide {
    name: String,
}

/// A required entry, as the providing buildpack's build reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    #[serde(default)]
    metadata: toml::Table,
}

/// For each buildpack the entries that it has to provide, from the first combination that fits.
/// Otherwise the reason why the last one did not.
pub(super) fn resolve(plans: &[BuildPlan]) -> Result<Vec<Vec<Entry>>, String> {
    let alternatives: Vec<Vec<&Sections>> =
        plans.iter().map(|plan| std::iter::once(&plan.first).chain(&plan.or).collect()).collect();
    let combinations: usize = alternatives.iter().map(Vec::len).product();
    let mut reason = String::from("there is no buildpack");
    for number in 0..combinations {
        match fit(&combination(&alternatives, number)) {
            Ok(entries) => return Ok(entries),
            Err(why_not) => reason = why_not,
        }
    }
    Err(reason)
}

/// The combination with this number; the last buildpack's alternatives change fastest.
fn combination<'a>(alternatives: &[Vec<&'a Sections>], mut number: usize) -> Vec<&'a Sections> {
    let mut chosen: Vec<&Sections> = Vec::new();
    for options in alternatives.iter().rev() {
        chosen.push(options[number % options.len()]);
        number /= options.len();
    }
    chosen.reverse();
    chosen
}

fn fit(sections: &[&Sections]) -> Result<Vec<Vec<Entry>>, String> {
    let mut entries: Vec<Vec<Entry>> = vec![Vec::new(); sections.len()];
    for (place, section) in sections.iter().enumerate() {
        for entry in &section.requires {
            let provider = sections[..=place]
                .iter()
                .position(|earlier| earlier.provides.iter().any(|p| p.name == entry.name))
                .ok_or_else(|| format!("nothing provides {:?}", entry.name))?;
            entries[provider].push(entry.clone());
        }
    }
    for section in sections {
        for provide in &section.provides {
            let required =
                sections.iter().any(|other| other.requires.iter().any(|e| e.name == provide.name));
            if !required {
                return Err(format!("nothing requires {:?}", provide.name));
            }
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> BuildPlan {
        toml::from_str(text).unwrap()
    }

    fn names(plans: &[BuildPlan]) -> Result<Vec<Vec<String>>, String> {
        let entries = resolve(plans)?;
        let name = |entry: Entry| entry.name;
        Ok(entries.into_iter().map(|own| own.into_iter().map(name).collect()).collect())
    }

    #[test]
    fn an_alternative_that_nobody_requires_is_passed_over() {
        let ours = "provides = [{name = 'a'}, {name = 'w'}]\nrequires = [{name = 'a'}]\n\
                    [[or]]\nprovides = [{name = 'a'}]\nrequires = [{name = 'a'}]";
        assert_eq!(names(&[plan(ours)]), Ok(vec![vec!["a".to_owned()]]));
    }

    #[test]
    fn an_entry_that_a_later_buildpack_requires_goes_to_its_provider() {
        let provider = plan("provides = [{name = 'w'}]");
        let user = plan("requires = [{name = 'w'}]");
        assert_eq!(names(&[provider, user]), Ok(vec![vec!["w".to_owned()], vec![]]));
    }

    #[test]
    fn an_unmet_entry_is_named() {
        let reason = names(&[plan("requires = [{name = 'go'}]")]).unwrap_err();
        assert_eq!(reason, "nothing provides \"go\"");
    }
}
