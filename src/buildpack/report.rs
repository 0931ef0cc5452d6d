//! The build output: what a person reads when all is well, and the warnings. Values in, text out.

use super::baking::SettingWarning;
use super::processes::{NO_RELOAD, Processes};
use super::procfile::ProcfileWarning;
use crate::settings::ENABLED_VARIABLE;
use std::fmt::Write;
use std::path::Path;

/// Heading of the output.
pub const HEADLINE: &str = "Relaunch live reload";

/// The line of a build with the switch off.
#[must_use]
pub fn off(watchexec: bool) -> String {
    let command = if watchexec {
        " A watchexec command is there for the processes that call it."
    } else {
        ""
    };
    format!(
        "Live reload is off; {ENABLED_VARIABLE}=true turns it on \
         (pack build --env {ENABLED_VARIABLE}=true).{command}"
    )
}

/// The output of a build with the switch on.
#[must_use]
pub fn on(processes: &Processes, app_dir: &Path, target: &Path) -> String {
    [process_table(processes), sync(app_dir, target)].join("\n")
}

fn process_table(processes: &Processes) -> String {
    let mut text = String::new();
    let width = processes
        .declared
        .iter()
        .map(|declared| declared.process.r#type.len())
        .max()
        .unwrap_or_default();
    if processes.declared.is_empty() {
        line(&mut text, "Live reload is on.");
    } else {
        line(&mut text, "Live reload is on:");
    }
    for declared in &processes.declared {
        let process_type = declared.process.r#type.as_str();
        let notes: Vec<&str> =
            [(declared.process.default, "default"), (!declared.reloads, "does not reload")]
                .into_iter()
                .filter_map(|(holds, note)| holds.then_some(note))
                .collect();
        let notes =
            if notes.is_empty() { String::new() } else { format!("  ({})", notes.join(", ")) };
        let command = &declared.shown;
        line(&mut text, &format!("  {process_type:width$}  {command}{notes}"));
    }
    if !processes.left_alone.is_empty() {
        let types = processes.left_alone.join(", ");
        line(&mut text, &format!("Left as they are: {types}."));
    }
    if processes.default.is_none() && !processes.declared.is_empty() {
        line(&mut text, "No type is the default; name one with --default-process or --entrypoint.");
    }
    text
}

/// Literal paths: sync settings, probes and `docker exec` see no launch environment.
fn sync(app_dir: &Path, target: &Path) -> String {
    let app_dir = app_dir.display();
    let bin = target.join("bin");
    let bin = bin.display();
    format!(
        "Sync what you build into {bin}
  a file there runs in place of the executable of the same name:
    compose.yaml  develop: {{watch: [{{action: sync, path: ./build, target: {bin}}}]}}
    docker        docker cp build/. CONTAINER:{bin}
    Kubernetes    kubectl cp build/APP POD:{bin}/APP
Sync sources that the app itself reads into {app_dir}"
    )
}

/// All warnings, each with a headline; the reader's next step ends each of them.
#[must_use]
pub fn warnings(
    procfile: &[ProcfileWarning],
    settings: &[SettingWarning],
    later: &[String],
    processes: &Processes,
) -> Vec<(String, String)> {
    let procfile = procfile.iter().map(procfile_warning);
    let settings = settings.iter().map(setting_warning);
    procfile.chain(settings).chain(order_warning(later, processes)).collect()
}

fn procfile_warning(warning: &ProcfileWarning) -> (String, String) {
    match warning {
        ProcfileWarning::LeadingBlanks { line, process_type } => (
            format!("Blanks before a process type in the Procfile (line {line})"),
            format!("It was taken as \"{process_type}\". Remove the blanks."),
        ),
        ProcfileWarning::Duplicate { line, process_type } => (
            format!("A process type is there twice in the Procfile (line {line})"),
            format!("The later line of \"{process_type}\" is used. Remove the other one."),
        ),
        ProcfileWarning::Empty => (
            "The Procfile has no process type".to_owned(),
            "Add a line such as \"web: build/app\", or remove the file.".to_owned(),
        ),
    }
}

fn setting_warning(warning: &SettingWarning) -> (String, String) {
    match warning {
        SettingWarning::Unknown { name, nearest } => (
            format!("{name} is no setting"),
            match nearest {
                Some(nearest) => format!("Did you mean {nearest}?"),
                None => "It has no effect. Remove it.".to_owned(),
            },
        ),
        SettingWarning::NotAtBuild { name } => (
            format!("{name} has no effect at build time"),
            "It is for the running container. Remove it from the build.".to_owned(),
        ),
    }
}

fn order_warning(later: &[String], processes: &Processes) -> Option<(String, String)> {
    if later.is_empty() {
        return None;
    }
    let later = later.join(", ");
    let types: Vec<&str> = processes
        .declared
        .iter()
        .map(|declared| declared.process.r#type.as_str())
        .filter(|process_type| *process_type != NO_RELOAD)
        .collect();
    let consequence = if types.is_empty() {
        "Their processes reload only if they call watchexec.".to_owned()
    } else {
        format!(
            "If one of them declares {}, its process replaces ours and does not reload.",
            types.join(" or ")
        )
    };
    Some((
        "Other buildpacks come after this one".to_owned(),
        format!(
            "They are {later}. {consequence} Place this buildpack last: with --post-buildpack or \
             the project descriptor's [[io.buildpacks.post.group]] where the builder's own order \
             is used, at the end of the list where --buildpack is given."
        ),
    ))
}

fn line(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
