//! A recorded trace: reading its lines, and saying in the core's words what they prove.
//!
//! The words are those that the watch uses: a CREATE is a file being written when it is opened
//! next, else a link; a rename inside the tree is a `MOVED_FROM` directly followed by its
//! `MOVED_TO`. What the watch does not ask the kernel for (openings, closings of readers, folders'
//! own attributes) says nothing here either, and neither does what its built-in rules ignore.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, fs, io};

use relaunch_buildpack::core::What;
use relaunch_buildpack::watch::Ignore;

/// One recorded change set.
#[derive(Debug)]
pub(crate) struct Trace {
    /// In the order of the kernel's queue.
    pub(crate) events: Vec<Recorded>,
}

/// One line, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// Time since the first event.
    pub(crate) at: Duration,
    /// The path it is about.
    pub(crate) path: Arc<Path>,
    /// What the core is told; `None` = the watch would not see it.
    pub(crate) what: Option<What>,
    /// Bytes or names changed, so that a judgement would find a difference.
    pub(crate) alters: bool,
}

/// Why a trace cannot be replayed.
#[derive(Debug)]
pub(crate) enum TraceError {
    /// The file or folder cannot be read.
    Read { path: PathBuf, cause: io::Error },
    /// A line is not `microseconds TAB path TAB flags`.
    Line { path: PathBuf, number: usize },
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, cause } => write!(f, "cannot read {}: {cause}", path.display()),
            Self::Line { path, number } => write!(
                f,
                "{}:{number}: expected microseconds, path and flags, separated by tabs",
                path.display()
            ),
        }
    }
}

impl Trace {
    /// Reads a trace.
    pub(crate) fn read(path: &Path) -> Result<Self, TraceError> {
        let text = fs::read_to_string(path)
            .map_err(|cause| TraceError::Read { path: path.to_owned(), cause })?;
        Self::parse(&text).map_err(|number| TraceError::Line { path: path.to_owned(), number })
    }

    /// Reads the text of a trace; the error is the number of the line that is none.
    pub(crate) fn parse(text: &str) -> Result<Self, usize> {
        let mut lines = Vec::new();
        let ignore = Ignore::new(&[]);
        for (index, text) in text.lines().enumerate() {
            if !text.trim().is_empty() && !text.starts_with('#') {
                let line = Line::parse(text).ok_or(index + 1)?;
                if !line.path.iter().any(|name| ignore.covers_name(name.as_bytes())) {
                    lines.push(line);
                }
            }
        }
        Ok(Self { events: translate(&lines) })
    }

    /// When the last event came, whatever it was.
    pub(crate) fn end(&self) -> Duration {
        self.events.iter().map(|event| event.at).max().unwrap_or_default()
    }
}

struct Line {
    at: Duration,
    path: Arc<Path>,
    flags: Vec<String>,
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('\t');
        let (at, path, flags) = (fields.next()?, fields.next()?, fields.next()?);
        let flags = flags.split([',', '|']).map(|flag| flag.trim().trim_start_matches("IN_"));
        Some(Self {
            at: Duration::from_micros(at.trim().parse().ok()?),
            path: Path::new("/").join(path).into(),
            flags: flags.map(str::to_owned).collect(),
        })
    }

    fn is(&self, flag: &str) -> bool {
        self.flags.iter().any(|it| it == flag)
    }
}

fn translate(lines: &[Line]) -> Vec<Recorded> {
    // For each line, the one that is next about the same path.
    let mut next: Vec<Option<usize>> = vec![None; lines.len()];
    let mut seen: HashMap<&Path, usize> = HashMap::new();
    for (index, line) in lines.iter().enumerate().rev() {
        next[index] = seen.insert(&line.path, index);
    }
    let said = lines.iter().enumerate().map(|(index, line)| {
        let before = index.checked_sub(1).and_then(|before| lines.get(before));
        let after = lines.get(index + 1);
        let same = next[index].and_then(|next| lines.get(next));
        let what = if line.is("ISDIR") {
            folder(line, before, after)
        } else {
            file(line, before, after, same)
        };
        let alters = ["CREATE", "MODIFY", "DELETE", "MOVED_TO", "MOVED_FROM"];
        Recorded {
            at: line.at,
            path: Arc::clone(&line.path),
            alters: what.is_some() && alters.iter().any(|flag| line.is(flag)),
            what,
        }
    });
    said.collect()
}

fn file(
    line: &Line,
    before: Option<&Line>,
    after: Option<&Line>,
    same: Option<&Line>,
) -> Option<What> {
    let opened = ["OPEN", "MODIFY", "CLOSE_WRITE"];
    if line.is("CREATE") {
        let written = same.is_some_and(|next| opened.iter().any(|flag| next.is(flag)));
        Some(if written { What::Created } else { What::Linked })
    } else if line.is("MODIFY") {
        Some(What::Modified)
    } else if line.is("CLOSE_WRITE") {
        Some(What::Closed)
    } else if line.is("MOVED_TO") {
        Some(match before.filter(|it| it.is("MOVED_FROM") && !it.is("ISDIR")) {
            Some(from) => What::MovedWithin { from: Arc::clone(&from.path) },
            None => What::MovedIn,
        })
    } else if line.is("MOVED_FROM") {
        // The rename is told by its second half.
        (!after.is_some_and(|it| it.is("MOVED_TO") && !it.is("ISDIR"))).then_some(What::MovedAway)
    } else if line.is("DELETE") {
        Some(What::Deleted)
    } else if line.is("ATTRIB") {
        Some(What::Attributes)
    } else {
        None
    }
}

fn folder(line: &Line, before: Option<&Line>, after: Option<&Line>) -> Option<What> {
    if line.is("MOVED_TO") {
        Some(match before.filter(|it| it.is("MOVED_FROM") && it.is("ISDIR")) {
            Some(from) => What::FolderMoved { from: Arc::clone(&from.path) },
            // The watch would scan it; what is in it the trace does not tell.
            None => What::Found,
        })
    } else if line.is("MOVED_FROM") {
        (!after.is_some_and(|it| it.is("MOVED_TO") && it.is("ISDIR"))).then_some(What::FolderGone)
    } else if line.is("DELETE") {
        Some(What::FolderGone)
    } else {
        None
    }
}
