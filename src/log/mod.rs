//! The lifecycle log: one line on stderr for each thing that happened, as text or JSON.
//!
//! It never disturbs the app, which shares stderr: a line is one write of at most 4096 bytes, and a
//! line that would block (nobody reads the pipe) or that fails (stderr is closed) is dropped and
//! counted. The supervisor itself never stops for its log.

#[cfg(test)]
mod documented;
mod fit;
mod json;
mod line;
mod text;

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::SystemTime;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub use fit::{LONGEST, fit};
pub use json::{SCHEMA, to_json};
pub(crate) use json::{ending_fields, milliseconds, path_text, reason_fields, since_1970};
pub use line::{Level, Line};
pub use text::{Style, to_text};

use crate::settings::LogForm;

/// Writes lines to stderr.
#[derive(Debug)]
pub struct Log {
    form: LogForm,
    style: Style,
    lost: u64,
}

impl Log {
    /// A log of this form. Colours only on a terminal and without `NO_COLOR`; paths below
    /// `folder`, the working folder, are shortened in text.
    #[must_use]
    pub fn new(form: LogForm, folder: PathBuf) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colors = std::io::stderr().is_terminal() && !no_color;
        Self { form, style: Style { colors, folder }, lost: 0 }
    }

    /// Writes one line, or counts it as lost.
    pub fn write(&mut self, line: &Line) {
        if self.lost > 0 {
            let lost = Line::LinesLost { count: self.lost };
            if self.try_write(&lost) {
                self.lost = 0;
            }
        }
        if !self.try_write(line) {
            self.lost += 1;
        }
    }

    fn try_write(&self, line: &Line) -> bool {
        let text = match self.form {
            LogForm::Text => to_text(line, &self.style),
            LogForm::Json => to_json(line, SystemTime::now()),
        };
        let text = fit(text, self.form);
        let stderr = std::io::stderr();
        let mut ready = [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)];
        matches!(poll(&mut ready, PollTimeout::ZERO), Ok(1))
            && stderr.lock().write_all(text.as_bytes()).is_ok()
    }
}
