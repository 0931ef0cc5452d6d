//! Every error's text, in full.

use super::*;
use crate::buildpack::lifecycle_file::LifecycleFileError;
use crate::buildpack::rights::RightsError;
use libcnb::layer::LayerError;
use std::io;
use std::path::PathBuf;

const FORM: &str = "A line is TYPE: COMMAND, such as \"web: build/app --port 8080\". Types have \
                    letters, digits, - and _; a comment begins with #.";

fn text(error: BuildpackError) -> String {
    prose(&libcnb::Error::BuildpackError(error))
}

fn procfile_text(error: ProcfileError) -> String {
    text(BuildpackError::Procfile(error))
}

fn denied() -> io::Error {
    io::Error::from_raw_os_error(libc::EACCES)
}

#[test]
fn values_of_build_variables() {
    let invalid = |name: &str| {
        text(BuildpackError::Setting(InvalidSetting {
            source_name: name.to_owned(),
            reason: "\"x\" is wrong".to_owned(),
        }))
    };
    let expected = |name: &str, purpose: &str| {
        format!(
            "{name} has a value that cannot be used\n\
             {purpose} Correct it where it is set (pack build --env, the project descriptor, the \
             builder), or remove it there.\n\n\
             Cause: {name}: \"x\" is wrong"
        )
    };
    for (name, purpose) in [
        ("BP_LIVE_RELOAD_ENABLED", "This build variable turns live reload on or off."),
        ("RELAUNCH_TARGET", "This build variable says where synced files go in the container."),
        (
            "RELAUNCH_SETTLE",
            "This build variable is baked into the image as the default of a setting.",
        ),
    ] {
        assert_eq!(invalid(name), expected(name, purpose));
    }
}

#[test]
fn procfiles() {
    assert_eq!(
        procfile_text(ProcfileError::Unreadable {
            cause: "Is a directory (os error 21)".to_owned()
        }),
        "The Procfile could not be read\n\
         It is a folder, a link to nowhere, or the build user may not read it. Make it a plain \
         file that everybody may read, or remove it.\n\n\
         Cause: Is a directory (os error 21)"
    );
    assert_eq!(
        procfile_text(ProcfileError::NotUtf8 { line: 2 }),
        "The Procfile is not UTF-8 (line 2)\n\
         It was saved in another encoding. Save it as UTF-8."
    );
    assert_eq!(
        procfile_text(ProcfileError::InvalidType { line: 3, process_type: "we\0b".to_owned() }),
        format!(
            "The Procfile has an invalid process type (line 3)\n\
             \"we\\0b\" stands before the colon. {FORM}"
        )
    );
    assert_eq!(
        procfile_text(ProcfileError::NoCommand { line: 4, process_type: "web".to_owned() }),
        format!(
            "The Procfile has a process type without a command (line 4)\n\
             Nothing stands after \"web:\". {FORM}"
        )
    );
    assert_eq!(
        procfile_text(ProcfileError::NoType { line: 5, text: "web app".to_owned() }),
        format!(
            "The Procfile has a line without a process type (line 5)\n\
             It reads \"web app\". {FORM}"
        )
    );
}

#[test]
fn choices_of_processes() {
    assert_eq!(
        text(BuildpackError::Processes(ProcessesError::Nothing)),
        "There is no process to reload\n\
         Live reload is on, but there is no Procfile, and no earlier buildpack declared a \
         process. Add a Procfile to the app folder, with a line such as \"web: build/app\". If \
         another buildpack declares the processes, place this one after it. A buildpack that \
         requires watchexec is left out where nothing before it provides that: place this one \
         first then."
    );
    let unknown = |known: &[&str]| {
        text(BuildpackError::Processes(ProcessesError::UnknownType {
            process_type: "wbe".to_owned(),
            known: known.iter().map(|name| (*name).to_owned()).collect(),
        }))
    };
    assert_eq!(
        unknown(&["web", "task"]),
        "RELAUNCH_PROCESSES names an unknown process type\n\
         Nobody declared \"wbe\". The process types are web, task. Correct the name, or remove \
         the variable, and every suitable type reloads."
    );
    assert_eq!(
        unknown(&[]),
        "RELAUNCH_PROCESSES names an unknown process type\n\
         Nobody declared \"wbe\". There are no process types. Correct the name, or remove the \
         variable, and every suitable type reloads."
    );
}

#[test]
fn files_of_the_platform_and_of_other_buildpacks() {
    let path = PathBuf::from("/layers/group.toml");
    assert_eq!(
        text(BuildpackError::Order(LifecycleFileError::Unreadable {
            path: path.clone(),
            cause: denied()
        })),
        "The order of the buildpacks could not be read\n\
         The lifecycle writes group.toml before the build; something has changed it since. Build \
         again, without the cache if it stays.\n\n\
         Cause: /layers/group.toml: Permission denied (os error 13)"
    );
    assert_eq!(
        text(BuildpackError::Earlier(LifecycleFileError::Unreadable { path, cause: denied() })),
        "The processes of an earlier buildpack could not be read\n\
         Its launch.toml is not what the Buildpack API says. Report this to the author of that \
         buildpack, or leave it out of the build.\n\n\
         Cause: /layers/group.toml: Permission denied (os error 13)"
    );
    let cause: toml::ser::Error = serde::ser::Error::custom("x");
    assert_eq!(
        text(BuildpackError::Plan(cause)),
        "The build plan could not be written\n\
         This is a mistake in the buildpack. Report it together with your Procfile.\n\n\
         Cause: x"
    );
}

#[test]
fn layers_and_rights() {
    let path = PathBuf::from("/p");
    assert_eq!(
        text(BuildpackError::Supervisor { path: path.clone(), cause: denied() }),
        "The supervisor could not be put into its layer\n\
         The buildpack is not complete, or the layers folder is full. Package it with \"cargo \
         libcnb package\", which adds the supervisor beside it.\n\n\
         Cause: /p: Permission denied (os error 13)"
    );
    let folders = "The layers folder is full, or the build user may not write in it. The \
                   lifecycle gives it to the user of the build image: check CNB_USER_ID and \
                   CNB_GROUP_ID there.";
    assert_eq!(
        text(BuildpackError::Target { path: path.clone(), cause: denied() }),
        format!(
            "The folder for synced files could not be made\n{folders}\n\n\
             Cause: /p: Permission denied (os error 13)"
        )
    );
    assert_eq!(
        prose(&libcnb::Error::LayerError(LayerError::WriteLayerError(
            libcnb::layer::WriteLayerError::IoError(denied())
        ))),
        format!(
            "A layer could not be written\n{folders}\n\n\
             Cause: Unexpected I/O error while writing layer: \
             Permission denied (os error 13)"
        )
    );
    assert_eq!(
        text(BuildpackError::Rights(RightsError { path, cause: denied() })),
        "A file could not be made writable for the group\n\
         Live reload lets the run user overwrite what the build made. A file that belongs to \
         another user than that of the build stands in the way: remove it, change its owner, or \
         make it writable for its group.\n\n\
         Cause: /p: Permission denied (os error 13)"
    );
}

#[test]
fn faults_of_the_platform() {
    assert_eq!(
        prose(&libcnb::Error::CannotDetermineAppDirectory(denied())),
        "The platform's input or output could not be used\n\
         Detect and build are run by a platform such as pack, with the folders and files of the \
         Buildpack API. Build with pack or another platform, or report this.\n\n\
         Cause: Couldn't determine app directory: Permission denied (os error 13)"
    );
}
