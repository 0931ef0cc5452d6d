//! `cargo xtask dev PATH [TYPE]`: the user's own app folder, built by the embedded platform and
//! running until Ctrl-C. Changes in the copy's layers restart it, as they would in the container.

use std::path::Path;

use crate::command;
use crate::embedded::{self, Image, Process};
use crate::failure::Failure;
use crate::{package, progress};

/// Builds the app and runs it until it is stopped.
///
/// # Errors
/// The build's, with its output; an unknown process type, with those that there are.
pub fn run(app: &Path, process_type: Option<&str>) -> Result<(), Failure> {
    let app = app.canonicalize().map_err(Failure::file(app))?;
    progress::heading("Package");
    let package = package::package()?;

    progress::heading("Detect and build");
    let work = tempfile::tempdir().map_err(Failure::file("the temporary folder"))?;
    let image = embedded::build_reloading(&app, package.folder, work.path())?;

    let process = choose(&image, process_type)?;
    progress::heading(&format!("Running {}; Ctrl-C ends it", process.process_type));
    println!("    sources:     cp CHANGED {}/", image.app.display());
    let target = image.layers.join("relaunch_live-reload/target/bin");
    println!("    executables: cp CHANGED {}/\n", target.display());
    run_on_terminal(&image, process)
}

fn choose<'a>(image: &'a Image, process_type: Option<&str>) -> Result<&'a Process, Failure> {
    image.process(process_type).ok_or_else(|| {
        let types: Vec<&str> =
            image.processes.iter().map(|process| process.process_type.as_str()).collect();
        Failure::Missing {
            what: match process_type {
                Some(wanted) => format!("The image has no process type {wanted}."),
                None => "The image has no default process type.".into(),
            },
            advice: format!("Name one of these: {}", types.join(", ")),
        }
    })
}

/// The app has the terminal: Ctrl-C goes to the supervisor, which ends the app and then itself.
fn run_on_terminal(image: &Image, process: &Process) -> Result<(), Failure> {
    let variables: Vec<(String, String)> = ["TERM", "LANG", "PORT"]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
        .collect();
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut command = image.command(process, &[], &variables)?;
    ignore_interrupts();
    let status = command.status().map_err(command::start_failure(&command))?;
    println!("\nended: {status}");
    Ok(())
}

/// While the app runs, Ctrl-C is its business; afterwards the temporary folder has to go.
#[allow(unsafe_code)] // nix marks `signal` unsafe for handlers that run code.
fn ignore_interrupts() {
    extern "C" fn nothing(_: nix::libc::c_int) {}
    let handler = nix::sys::signal::SigHandler::Handler(nothing);
    // SAFETY: the handler runs no code, so nothing that is not async-signal-safe. A handler, not
    // SIG_IGN: exec resets handlers, while an ignored signal would stay ignored in the app.
    let _ = unsafe { nix::sys::signal::signal(nix::sys::signal::Signal::SIGINT, handler) };
}
