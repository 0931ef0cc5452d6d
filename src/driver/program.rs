//! The command of the user, and what it leads to at the moment of a start.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::candidate::is_interpreter;
use crate::process::{NotRunnable, Shell, resolve, shell_command};
use crate::settings::TARGET_VARIABLE;

/// The command as the user wrote it.
#[derive(Debug, Clone)]
pub(super) struct Command {
    words: Vec<OsString>,
    shell: bool,
    target: Option<PathBuf>,
    search: Option<OsString>,
    folder: PathBuf,
}

/// What a start execs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// Absolute path of the executable.
    pub(super) path: PathBuf,
    /// All words, `argv[0]` as the user wrote it.
    pub(super) arguments: Vec<OsString>,
    /// It is the synced file of that name.
    pub(super) stand_in: bool,
    /// What an interpreter was told to run, as far as it was there.
    pub(super) script: Option<PathBuf>,
}

/// Why the command leads to nothing that could be run.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoProgram {
    /// The executable is not there or not executable.
    #[error("{0}")]
    NotRunnable(#[from] NotRunnable),
    /// A line wants a shell.
    #[error("the image has neither bash nor sh to run the line with")]
    NoShell,
}

impl NoProgram {
    /// 127 not found, 126 not executable.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::NotRunnable(cause) => cause.exit_code(),
            Self::NoShell => 127,
        }
    }
}

impl Command {
    /// The command in the environment and the working folder of this process.
    pub(super) fn here(words: Vec<OsString>, shell: bool) -> Self {
        let target = env::var_os(TARGET_VARIABLE).filter(|target| !target.is_empty());
        Self {
            words,
            shell,
            target: target.map(PathBuf::from),
            search: env::var_os("PATH"),
            folder: env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
        }
    }

    pub(super) fn target(&self) -> Option<&Path> {
        self.target.as_deref()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All words, or the line and its arguments.
    pub(super) fn words(&self) -> &[OsString] {
        &self.words
    }

    /// The words are a line for a shell.
    pub(super) fn is_shell_line(&self) -> bool {
        self.shell
    }

    /// The executable as the user wrote it.
    pub(super) fn name(&self) -> String {
        self.words.first().map(|word| word.display().to_string()).unwrap_or_default()
    }

    /// What it leads to now.
    pub(super) fn resolve(&self) -> Result<Program, NoProgram> {
        if self.shell {
            let shell = Shell::find(self.search.as_deref()).ok_or(NoProgram::NoShell)?;
            let (line, arguments) = match self.words.split_first() {
                Some((line, arguments)) => (line.clone(), arguments),
                None => (OsString::new(), &[][..]),
            };
            let arguments = shell_command(&shell, &line, arguments);
            return Ok(Program { path: shell.path, arguments, stand_in: false, script: None });
        }
        let name = self.words.first().cloned().unwrap_or_default();
        let found = resolve(&name, self.target(), self.search.as_deref())?;
        let path = self.folder.join(found.path);
        let script = self.script(&path);
        Ok(Program { path, arguments: self.words.clone(), stand_in: found.stand_in, script })
    }

    /// Whether a start now would exec this file, or would if it were there.
    pub(super) fn may_run(&self, path: &Path) -> bool {
        if self.shell {
            return false;
        }
        let stands_in = self
            .target()
            .zip(self.words.first().and_then(|word| Path::new(word).file_name()))
            .is_some_and(|(target, name)| target.join("bin").join(name) == path);
        stands_in || self.resolve().is_ok_and(|program| program.path == path)
    }

    /// Whether the program's sources are what changes: a shell line, or a known interpreter.
    pub(super) fn is_interpreted(&self, program: Option<&Program>) -> bool {
        self.shell
            || program.is_some_and(|program| is_script(&program.path))
            || program
                .and_then(|program| program.path.file_name())
                .or_else(|| Path::new(self.words.first()?).file_name())
                .is_some_and(is_interpreter)
    }
}

/// Whether the file begins with `#!`: gunicorn, flask, rails are scripts with an interpreter.
fn is_script(path: &Path) -> bool {
    let mut head = [0; 2];
    File::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok()) && head == *b"#!"
}
