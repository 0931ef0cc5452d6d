//! The writer test: who has this file open for writing?

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::candidate::{Answer, Writer, execve_check, writer};
use crate::core::{Probe, WriterState};

/// Tests each path. `vital` is what the next start would exec, and the script that it would run;
/// `own` lists the processes of the running generation.
pub(super) fn probe(
    paths: Vec<Arc<Path>>,
    vital: impl Iterator<Item = PathBuf>,
    own: impl FnOnce() -> Vec<i32> + Copy,
) -> Vec<Probe> {
    let needed: Vec<_> = vital.filter_map(|path| fs::metadata(path).ok()).collect();
    let test = |path: Arc<Path>| {
        let meta = fs::metadata(&path).ok();
        let vital = meta.as_ref().is_some_and(|path| needed.iter().any(|it| same_inode(path, it)));
        let writer = match &meta {
            Some(meta) if meta.is_file() => state(&path, meta, vital, own),
            // Nothing that could be written is there: whoever wrote it was done with it.
            _ => WriterState::Nobody,
        };
        Probe { path, writer, vital }
    };
    paths.into_iter().map(test).collect()
}

fn state(
    path: &Path,
    meta: &fs::Metadata,
    vital: bool,
    own: impl FnOnce() -> Vec<i32>,
) -> WriterState {
    let writer = writer(path);
    if writer == Writer::Nobody {
        return WriterState::Nobody;
    }
    if !vital && own().into_iter().any(|pid| writes(pid, meta)) {
        return WriterState::OwnGeneration;
    }
    match writer {
        Writer::Somebody => WriterState::Foreign,
        // Only the kernel's exec check speaks for files of another owner.
        Writer::Unknown if vital => match execve_check(path) {
            Answer::TextBusy => WriterState::Foreign,
            Answer::Fit => WriterState::Nobody,
            _ => WriterState::Unknown,
        },
        Writer::Nobody | Writer::Unknown => WriterState::Unknown,
    }
}

/// Whether the process has the file open for writing, by `/proc/PID/fd` and `fdinfo`.
fn writes(pid: i32, file: &fs::Metadata) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors.flatten().any(|descriptor| {
        fs::metadata(descriptor.path()).is_ok_and(|open| same_inode(&open, file))
            && opened_for_writing(pid, &descriptor.file_name())
    })
}

/// The access mode is the last octal digit pair of `flags:` in proc(5)'s fdinfo.
fn opened_for_writing(pid: i32, descriptor: &std::ffi::OsStr) -> bool {
    let path = format!("/proc/{pid}/fdinfo/{}", descriptor.display());
    let Ok(info) = fs::read_to_string(path) else { return false };
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & libc::O_ACCMODE != libc::O_RDONLY)
}

fn same_inode(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}
