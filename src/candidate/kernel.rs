//! What the kernel itself says about an exec of a file, without any exec: `AT_EXECVE_CHECK`.
//! What comes in: a path.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::OnceLock;

use super::sys;

/// The kernel's answer about an executable, from [`execve_check`] or [`super::dry_exec`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It may be (check) or was (dry exec) executed.
    Fit,
    /// `ETXTBSY`: it (or the interpreter of a script) is open for writing. Kernels 6.11 and 6.12
    /// may never say so.
    TextBusy,
    /// `EACCES`: no exec bit for us, a mount with `noexec`, no regular file; of a dry exec also the
    /// same of its interpreter.
    NotExecutable,
    /// `ENOEXEC`: no format that the kernel or binfmt knows, or another machine's.
    WrongFormat,
    /// `ENOENT`: it or its interpreter is missing.
    Missing,
    /// `ELIBBAD`: its interpreter (dynamic linker) is no usable ELF file.
    BadInterpreter,
    /// The kernel began to load it and killed it with SIGSEGV: impossible addresses or sizes.
    Unloadable,
    /// No answer: kernel too old, forbidden by seccomp, or an error that says nothing about it.
    Unknown,
}

impl Answer {
    /// The answer in the error of an exec.
    pub(super) fn of_errno(errno: i32) -> Self {
        match errno {
            libc::ETXTBSY => Self::TextBusy,
            libc::EACCES => Self::NotExecutable,
            libc::ENOEXEC => Self::WrongFormat,
            libc::ENOENT => Self::Missing,
            libc::ELIBBAD => Self::BadInterpreter,
            _ => Self::Unknown,
        }
    }
}

/// Asks whether `path` may be executed by us now (execveat(2), Linux 6.14 and later): permission
/// and open writers, not the format, nor the interpreter. 35 µs; opens the file; answers any uid in
/// a default container. [`Answer::Fit`], `TextBusy`, `NotExecutable`, `Missing` or `Unknown`.
#[must_use]
pub fn execve_check(path: &Path) -> Answer {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
        return Answer::Unknown;
    };
    if !is_supported() {
        return Answer::Unknown;
    }
    match sys::execveat(&path, sys::AT_EXECVE_CHECK) {
        Ok(()) => Answer::Fit,
        Err(error) => error.raw_os_error().map_or(Answer::Unknown, Answer::of_errno),
    }
}

/// Whether the kernel knows `AT_EXECVE_CHECK`, asked once, with a folder, which nothing can exec.
///
/// A kernel that took no notice of unknown flags would not check but exec, and this process would
/// be gone. So a flag that no kernel knows has to be refused first.
fn is_supported() -> bool {
    const NO_SUCH_FLAG: libc::c_int = 0x4000_0000;
    static SUPPORTED: OnceLock<bool> = OnceLock::new();
    let errno = |flags| sys::execveat(c"/", flags).err().as_ref().and_then(io::Error::raw_os_error);
    *SUPPORTED.get_or_init(|| {
        errno(NO_SUCH_FLAG) == Some(libc::EINVAL)
            && errno(sys::AT_EXECVE_CHECK) == Some(libc::EACCES)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::super::testing::{as_nobody, file, folder, is_root, program};
    use super::*;

    /// What this kernel can say at all; older than 6.14 it says nothing.
    fn expected(answer: Answer) -> Answer {
        if is_supported() { answer } else { Answer::Unknown }
    }

    #[test]
    fn permission_and_writers_are_answered_for_any_uid_and_nothing_runs() {
        let folder = folder();
        let app = file(&folder, "app", &program(), 0o755);
        let plain = file(&folder, "plain", &program(), 0o644);
        let busy = file(&folder, "busy", &program(), 0o755);
        let _open = OpenOptions::new().append(true).open(&busy).unwrap();
        let missing = folder.path().join("missing");
        let ask = || [&app, &plain, &busy, &missing].map(|path| execve_check(path));
        let answers =
            [Answer::Fit, Answer::NotExecutable, Answer::TextBusy, Answer::Missing].map(expected);
        assert_eq!(ask(), answers);
        if is_root() {
            assert_eq!(as_nobody(ask), answers);
        }
    }

    #[test]
    fn the_format_is_not_looked_at() {
        let folder = folder();
        let text = file(&folder, "text", b"no format", 0o755);
        assert_eq!(execve_check(&text), expected(Answer::Fit));
    }
}
