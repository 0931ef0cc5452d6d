//! What can be told: the core's notes, and what only the driver knows. Values only.

use std::path::PathBuf;

use crate::core::Note;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The core decided or learned something.
    Core(Note),
    /// The supervisor is set up.
    Watching {
        /// The watched files and folders.
        roots: Vec<PathBuf>,
    },
    /// A synced file runs instead of the command's executable.
    StandIn {
        /// The synced file.
        path: PathBuf,
        /// The executable as the command names it.
        instead_of: String,
    },
    /// The synced file is gone, the command's own executable runs again.
    StandInGone {
        /// The executable as the command names it.
        back_to: String,
    },
    /// Something is not as it should be, and what is done about it.
    Warning {
        /// One sentence.
        text: String,
    },
    /// Lines could not be written, since nobody read them.
    LinesLost {
        /// How many.
        count: u64,
    },
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// All is well.
    Info,
    /// Worth a look.
    Warning,
    /// The app is not, or not as wished, running.
    Error,
}

impl Line {
    /// How much it matters.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::Core(note) => match note {
                Note::Started { .. }
                | Note::Unchanged { .. }
                | Note::NotUsed { .. }
                | Note::Stopping { .. }
                | Note::OwnWrites { .. }
                | Note::StartRecovered { .. }
                | Note::ShuttingDown { .. } => Level::Info,
                Note::Killing { .. }
                | Note::Unkillable { .. }
                | Note::WaitingForWriter { .. }
                | Note::SignalDropped { .. } => Level::Warning,
                Note::StartFailed { .. }
                | Note::StartDelayed { .. }
                | Note::Refused { .. }
                | Note::FellBack { .. }
                | Note::Exited { .. } => Level::Error,
            },
            Self::Watching { .. } | Self::StandIn { .. } | Self::StandInGone { .. } => Level::Info,
            Self::Warning { .. } | Self::LinesLost { .. } => Level::Warning,
        }
    }
}
