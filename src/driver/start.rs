//! The start: check, baseline, exec under a keeper, in this order, so that whatever changes between
//! them is seen as a difference later.

use std::env;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use super::image::Image;
use super::program::{Command, Program};
use crate::candidate::{Fault, Format, check};
use crate::core::{Obstacle, StartProblem};
use crate::process::{Generation, Keeper, Order, Place, child_environment};

/// A start that was ordered; the keeper's report tells whether the exec succeeded.
pub(super) struct Ordered {
    pub(super) generation: Generation,
    /// What is exec'ed now; `None` = the last good executable again.
    pub(super) new: Option<(Image, Program)>,
    pub(super) path: PathBuf,
    /// The process will run an interpreter, not this file.
    pub(super) is_script: bool,
}

/// Starts what the command leads to now.
pub(super) fn start_current(
    number: u64,
    command: &Command,
    keeper: io::Result<Keeper>,
    place: Place,
) -> Result<Ordered, StartProblem> {
    let program = command.resolve().map_err(|cause| StartProblem {
        why: cause.to_string(),
        exit_code: cause.exit_code(),
        obstacle: Obstacle::Candidate,
    })?;
    let fit = check(&program.path).map_err(|refusal| StartProblem {
        exit_code: if program.path.exists() { 126 } else { 127 },
        obstacle: match refusal.fault {
            Fault::Busy => Obstacle::Writer,
            _ if refusal.is_temporary() => Obstacle::Shortage,
            _ => Obstacle::Candidate,
        },
        why: refusal.to_string(),
    })?;
    let image = Image::before_exec(&program.path).map_err(|cause| StartProblem {
        why: format!("{} cannot be looked at: {cause}", program.path.display()),
        exit_code: 126,
        // It was there a moment ago: somebody is replacing it.
        obstacle: Obstacle::Writer,
    })?;
    let is_script = !matches!(fit.format, Format::Elf(_));
    let generation = exec(number, command, &program, None, keeper, place)?;
    let path = program.path.clone();
    Ok(Ordered { generation, new: Some((image, program)), path, is_script })
}

/// Starts the executable that ran last, from its held descriptor.
pub(super) fn start_last_good(
    number: u64,
    command: &Command,
    (image, program): &(Image, Program),
    keeper: io::Result<Keeper>,
    place: Place,
) -> Result<Ordered, StartProblem> {
    let intact = image.held.as_ref().is_some_and(|held| held.is_intact().unwrap_or(false));
    if !intact {
        let why = format!("the last good {} was overwritten", program.path.display());
        let problem = StartProblem { why, exit_code: 126, obstacle: Obstacle::Candidate };
        return Err(problem);
    }
    let is_script = image.held.as_ref().is_some_and(crate::candidate::Held::must_stay_open);
    let generation = exec(number, command, program, Some(image), keeper, place)?;
    Ok(Ordered { generation, new: None, path: program.path.clone(), is_script })
}

fn exec(
    number: u64,
    command: &Command,
    program: &Program,
    held: Option<&Image>,
    keeper: io::Result<Keeper>,
    place: Place,
) -> Result<Generation, StartProblem> {
    let environment = child_environment(env::vars_os(), command.target(), number);
    let order = Order {
        path: &program.path,
        held: held.and_then(|image| image.held.as_ref()).map(|held| held.file().as_fd()),
        arguments: &program.arguments,
        environment: &environment,
        place,
    };
    let started =
        keeper.and_then(|keeper| keeper.start(&order)).or_else(|cause| match cause.kind() {
            // It was killed while it waited.
            io::ErrorKind::BrokenPipe => Keeper::prepare()?.start(&order),
            _ => Err(cause),
        });
    started.map_err(|cause| broken(&program.path, &cause))
}

/// A failure of ours, not of the file: no memory, no descriptors, a keeper that was killed.
fn broken(path: &Path, cause: &io::Error) -> StartProblem {
    StartProblem {
        why: format!("{} cannot be started: {cause}", path.display()),
        exit_code: 126,
        obstacle: Obstacle::Shortage,
    }
}

/// What the errno of a failed exec means for the user; the check before it left little.
pub(super) fn exec_problem(path: &Path, errno: i32) -> StartProblem {
    let cause = io::Error::from_raw_os_error(errno);
    StartProblem {
        why: format!("{} cannot be executed: {cause}", path.display()),
        exit_code: if errno == libc::ENOENT { 127 } else { 126 },
        obstacle: match errno {
            libc::ETXTBSY => Obstacle::Writer,
            libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE => Obstacle::Shortage,
            _ => Obstacle::Candidate,
        },
    }
}
