//! Prose for every error: what happened, the likely reason, what to do, the raw cause last.
//! Errors in, text out; the caller prints it.

use super::BuildpackError;
use super::processes::ProcessesError;
use super::procfile::ProcfileError;
use crate::settings::{ENABLED_VARIABLE, InvalidSetting, PROCESSES_VARIABLE, TARGET_VARIABLE};

/// The text of an error; its first line is the headline.
#[must_use]
pub fn prose(error: &libcnb::Error<BuildpackError>) -> String {
    match error {
        libcnb::Error::BuildpackError(error) => buildpack_prose(error),
        libcnb::Error::LayerError(cause) => with_cause(
            "A layer could not be written",
            "The layers folder is full, or the build user may not write in it. The lifecycle \
             gives it to the user of the build image: check CNB_USER_ID and CNB_GROUP_ID there.",
            cause,
        ),
        other => with_cause(
            "The platform's input or output could not be used",
            "Detect and build are run by a platform such as pack, with the folders and files of \
             the Buildpack API. Build with pack or another platform, or report this.",
            other,
        ),
    }
}

fn buildpack_prose(error: &BuildpackError) -> String {
    match error {
        BuildpackError::Setting(error) => setting(error),
        BuildpackError::Procfile(error) => procfile(error),
        BuildpackError::Processes(error) => processes(error),
        BuildpackError::Order(cause) => with_cause(
            "The order of the buildpacks could not be read",
            "The lifecycle writes group.toml before the build; something has changed it since. \
             Build again, without the cache if it stays.",
            cause,
        ),
        BuildpackError::Earlier(cause) => with_cause(
            "The processes of an earlier buildpack could not be read",
            "Its launch.toml is not what the Buildpack API says. Report this to the author of \
             that buildpack, or leave it out of the build.",
            cause,
        ),
        BuildpackError::Plan(cause) => with_cause(
            "The build plan could not be written",
            "This is a mistake in the buildpack. Report it together with your Procfile.",
            cause,
        ),
        BuildpackError::Supervisor { path, cause } => with_cause(
            "The supervisor could not be put into its layer",
            "The buildpack is not complete, or the layers folder is full. Package it with \
             \"cargo libcnb package\", which adds the supervisor beside it.",
            &format!("{}: {cause}", path.display()),
        ),
        BuildpackError::Target { path, cause } => with_cause(
            "The folder for synced files could not be made",
            "The layers folder is full, or the build user may not write in it. The lifecycle \
             gives it to the user of the build image: check CNB_USER_ID and CNB_GROUP_ID there.",
            &format!("{}: {cause}", path.display()),
        ),
        BuildpackError::Rights(cause) => with_cause(
            "A file could not be made writable for the group",
            "Live reload lets the run user overwrite what the build made. A file that belongs to \
             another user than that of the build stands in the way: remove it, change its owner, \
             or make it writable for its group.",
            cause,
        ),
    }
}

fn setting(error: &InvalidSetting) -> String {
    let headline = format!("{} has a value that cannot be used", error.source_name);
    let mend = match error.source_name.as_str() {
        ENABLED_VARIABLE => "This build variable turns live reload on or off.",
        TARGET_VARIABLE => "This build variable says where synced files go in the container.",
        _ => "This build variable is baked into the image as the default of a setting.",
    };
    with_cause(
        &headline,
        &format!(
            "{mend} Correct it where it is set (pack build --env, the project descriptor, the \
             builder), or remove it there."
        ),
        error,
    )
}

fn procfile(error: &ProcfileError) -> String {
    let form = "A line is TYPE: COMMAND, such as \"web: build/app --port 8080\". Types have \
                letters, digits, - and _; a comment begins with #.";
    match error {
        ProcfileError::Unreadable { cause } => with_cause(
            "The Procfile could not be read",
            "It is a folder, a link to nowhere, or the build user may not read it. Make it a \
             plain file that everybody may read, or remove it.",
            cause,
        ),
        ProcfileError::NotUtf8 { line } => without_cause(
            &format!("The Procfile is not UTF-8 (line {line})"),
            "It was saved in another encoding. Save it as UTF-8.",
        ),
        ProcfileError::InvalidType { line, process_type } => without_cause(
            &format!("The Procfile has an invalid process type (line {line})"),
            &format!("\"{}\" stands before the colon. {form}", process_type.escape_debug()),
        ),
        ProcfileError::NoCommand { line, process_type } => without_cause(
            &format!("The Procfile has a process type without a command (line {line})"),
            &format!("Nothing stands after \"{process_type}:\". {form}"),
        ),
        ProcfileError::NoType { line, text } => without_cause(
            &format!("The Procfile has a line without a process type (line {line})"),
            &format!("It reads \"{}\". {form}", text.escape_debug()),
        ),
    }
}

fn processes(error: &ProcessesError) -> String {
    match error {
        ProcessesError::Nothing => without_cause(
            "There is no process to reload",
            "Live reload is on, but there is no Procfile, and no earlier buildpack declared a \
             process. Add a Procfile to the app folder, with a line such as \"web: build/app\". \
             If another buildpack declares the processes, place this one after it. A buildpack \
             that requires watchexec is left out where nothing before it provides that: place \
             this one first then.",
        ),
        ProcessesError::UnknownType { process_type, known } => {
            let known = if known.is_empty() {
                "There are no process types".to_owned()
            } else {
                format!("The process types are {}", known.join(", "))
            };
            without_cause(
                &format!("{PROCESSES_VARIABLE} names an unknown process type"),
                &format!(
                    "Nobody declared \"{process_type}\". {known}. Correct the name, or remove the \
                     variable, and every suitable type reloads."
                ),
            )
        }
    }
}

fn without_cause(headline: &str, body: &str) -> String {
    format!("{headline}\n{body}")
}

fn with_cause(headline: &str, body: &str, cause: &impl std::fmt::Display) -> String {
    format!("{headline}\n{body}\n\nCause: {cause}")
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;
