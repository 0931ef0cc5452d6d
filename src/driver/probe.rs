//! The writer test: who has this file open for writing?

use std::cell::LazyCell;
use std::collections::HashSet;
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
    own: impl FnOnce() -> Vec<i32>,
) -> Vec<Probe> {
    let needed: Vec<_> = vital.filter_map(|it| fs::metadata(it).ok().as_ref().map(inode)).collect();
    // Thousands of files may ask; most often none does.
    let own = LazyCell::new(|| own().into_iter().flat_map(writes).collect::<HashSet<_>>());
    let test = |path: Arc<Path>| {
        let meta = fs::metadata(&path).ok();
        let vital = meta.as_ref().is_some_and(|meta| needed.contains(&inode(meta)));
        let writer = match &meta {
            Some(meta) if meta.is_file() => state(&path, vital, || own.contains(&inode(meta))),
            // Nothing that could be written is there: whoever wrote it was done with it.
            _ => WriterState::Nobody,
        };
        Probe { path, writer, vital }
    };
    paths.into_iter().map(test).collect()
}

fn state(path: &Path, vital: bool, is_own: impl FnOnce() -> bool) -> WriterState {
    let writer = writer(path);
    if writer == Writer::Nobody {
        return WriterState::Nobody;
    }
    if !vital && is_own() {
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

/// Device and inode of the files that the process has open for writing, by `/proc/PID/fd` and
/// `fdinfo`.
fn writes(pid: i32) -> Vec<(u64, u64)> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    descriptors
        .filter_map(|descriptor| Some((fs::metadata(descriptor.path()).ok()?, descriptor)))
        .filter(|(open, it)| open.is_file() && opened_for_writing(pid, &it.file_name()))
        .map(|(open, _)| inode(&open))
        .collect()
}

/// The access mode is the last octal digit pair of `flags:` in proc(5)'s fdinfo.
fn opened_for_writing(pid: i32, descriptor: &std::ffi::OsStr) -> bool {
    let path = format!("/proc/{pid}/fdinfo/{}", descriptor.display());
    let Ok(info) = fs::read_to_string(path) else { return false };
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & libc::O_ACCMODE != libc::O_RDONLY)
}

fn inode(file: &fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
