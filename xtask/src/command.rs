//! Child processes: started, waited for, and quoted in errors the way a person would type them.

use std::fmt::Write as _;
use std::process::{Command, Output, Stdio};

use crate::failure::Failure;

/// Runs to the end with the terminal's own output.
///
/// # Errors
/// The program cannot be started or ends with another code than 0.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.stdin(Stdio::null()).status().map_err(start_failure(command))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Command { line: line(command), status: status.to_string(), output: String::new() })
}

/// Runs to the end and hands over what it printed.
///
/// # Errors
/// As [`run`]; the output stands in the error.
pub fn capture(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(start_failure(command))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Failure::Command {
        line: line(command),
        status: output.status.to_string(),
        output: both(&output),
    })
}

/// Whether it ran and ended with code 0; for questions such as "is an engine there?".
#[must_use]
pub fn succeeds(command: &mut Command) -> bool {
    capture(command).is_ok()
}

/// The command as a person would type it.
#[must_use]
pub fn line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let _ = write!(line, " {}", argument.to_string_lossy());
    }
    line
}

/// Names the program in an error of starting it.
pub(crate) fn start_failure(command: &Command) -> impl FnOnce(std::io::Error) -> Failure {
    let program = command.get_program().to_string_lossy().into_owned();
    move |cause| Failure::Start { program, cause }
}

fn both(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}
