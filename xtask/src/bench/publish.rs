//! The ways in which an executable reaches the disk, and when its last byte was there.

use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::command;
use crate::failure::Failure;

use super::marks;
use super::place::{Place, write_executable};

/// How the new executable comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Renamed over the old one from outside the tree: rsync, Go, editors.
    Rename,
    /// Written over the old bytes; only a script may be while it runs.
    InPlace,
    /// Unlinked and written anew: `cp -f`, `install`.
    Recreate,
    /// GNU tar, as Skaffold, Tilt, compose and kubectl cp run it.
    Tar,
    /// rsync.
    Rsync,
    /// Unlinked, written in blocks, then owner, mode and times: the engine's own way.
    DockerCp,
}

/// Blocks of a copy by the engine.
const BLOCK: usize = 32 << 10;

impl Way {
    /// Its name in the tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rename => "rename over",
            Self::InPlace => "in place (script)",
            Self::Recreate => "unlink, create",
            Self::Tar => "tar",
            Self::Rsync => "rsync",
            Self::DockerCp => "docker cp",
        }
    }

    /// Everything that is not part of the update itself.
    pub(super) fn prepare(self, place: &Place, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::InPlace | Self::Recreate | Self::DockerCp => Ok(()),
            Self::Rename | Self::Rsync => write_executable(&place.beside("app"), bytes),
            Self::Tar => {
                write_executable(&place.beside("app"), bytes)?;
                let mut tar = Command::new("tar");
                tar.arg("-cf").arg(place.beside("tar")).arg("-C").arg(place.beside("")).arg("app");
                command::capture(&mut tar).map(drop)
            }
        }
    }

    /// Publishes; when the last byte was there, in nanoseconds of the monotonic clock: before the
    /// last system call where it is ours, else at the last file event of the command.
    pub(super) fn publish(self, place: &Place, bytes: &[u8]) -> Result<i64, Failure> {
        let app = place.app();
        let named = |cause| Failure::file(&app)(cause);
        match self {
            Self::Rename => {
                let last = marks::now();
                fs::rename(place.beside("app"), &app).map_err(named)?;
                Ok(last)
            }
            Self::InPlace => {
                let opened = fs::OpenOptions::new().write(true).truncate(true).open(&app);
                write_closing(opened.map_err(named)?, bytes, usize::MAX).map_err(named)
            }
            Self::Recreate => {
                write_closing(recreate(&app).map_err(named)?, bytes, usize::MAX).map_err(named)
            }
            Self::DockerCp => {
                write_closing(recreate(&app).map_err(named)?, bytes, BLOCK).map_err(named)?;
                let mode = fs::Permissions::from_mode(0o755);
                let metadata = fs::metadata(&app).map_err(named)?;
                let (user, group) = owner(&metadata);
                std::os::unix::fs::chown(&app, Some(user), Some(group)).map_err(named)?;
                fs::set_permissions(&app, mode).map_err(named)?;
                let file = fs::File::open(&app).map_err(named)?;
                let last = marks::now();
                file.set_modified(SystemTime::now()).map_err(named)?;
                Ok(last)
            }
            Self::Tar => {
                let mut tar = Command::new("tar");
                tar.arg("-xf").arg(place.beside("tar")).arg("-C").arg(place.tree());
                observed(place, tar)
            }
            Self::Rsync => {
                let mut rsync = Command::new("rsync");
                rsync.args(["-t", "--ignore-times"]).arg(place.beside("app")).arg(&app);
                observed(place, rsync)
            }
        }
    }
}

fn owner(metadata: &fs::Metadata) -> (u32, u32) {
    use std::os::unix::fs::MetadataExt;
    (metadata.uid(), metadata.gid())
}

fn recreate(app: &Path) -> std::io::Result<fs::File> {
    fs::remove_file(app)?;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(app)
}

/// Writes and closes; the time just before the close.
fn write_closing(mut file: fs::File, bytes: &[u8], block: usize) -> std::io::Result<i64> {
    for part in bytes.chunks(block) {
        file.write_all(part)?;
    }
    let last = marks::now();
    drop(file);
    Ok(last)
}

/// Runs a sync command and takes the time of the last event that the app's file had.
fn observed(place: &Place, mut sync: Command) -> Result<i64, Failure> {
    let kernel = |cause: nix::Error| Failure::file(place.tree())(cause.into());
    let events = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).map_err(kernel)?;
    let wanted =
        AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_ATTRIB;
    events.add_watch(place.tree(), wanted).map_err(kernel)?;
    sync.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = sync.spawn().map_err(command::start_failure(&sync))?;
    let mut last = marks::now();
    loop {
        let ended = child.try_wait().map_err(Failure::file(place.tree()))?;
        if marks::readable(events.as_fd(), Duration::from_millis(u64::from(ended.is_none()))) {
            let now = marks::now();
            let read = events.read_events().map_err(kernel)?;
            if read.iter().any(|event| event.name.as_ref().is_some_and(|name| name == "app")) {
                last = now;
            }
        } else if let Some(status) = ended {
            if status.success() {
                return Ok(last);
            }
            let (line, status) = (command::line(&sync), status.to_string());
            return Err(Failure::Command { line, status, output: String::new() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_leaves_the_new_bytes_and_a_time_that_has_passed() {
        let ways = [Way::Rename, Way::InPlace, Way::Recreate, Way::Tar, Way::Rsync, Way::DockerCp];
        for way in ways {
            let place = Place::new().unwrap();
            write_executable(&place.app(), b"old").unwrap();
            let began = marks::now();
            way.prepare(&place, b"new bytes").unwrap();
            let last = way.publish(&place, b"new bytes").unwrap();
            assert_eq!(fs::read(place.app()).unwrap(), b"new bytes", "{way:?}");
            assert!(began <= last && last <= marks::now(), "{way:?}");
        }
    }
}
