//! The last lines of the log, kept for those who come later. Values only.

use std::collections::VecDeque;
use std::time::SystemTime;

use super::message::Form;
use crate::log::{Line, Style, since_1970, to_json, to_text};

/// So many lines are kept: about 30 kB.
const KEPT: usize = 128;

/// A ring of lines.
#[derive(Debug, Default)]
pub struct History {
    lines: VecDeque<Told>,
}

/// A line, and when it was told.
#[derive(Debug, Clone)]
pub struct Told {
    /// When.
    pub time: SystemTime,
    /// What.
    pub line: Line,
}

impl History {
    /// Takes a line in; the oldest gives way.
    pub fn push(&mut self, told: Told) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(told);
    }

    /// The last `count` lines, oldest first.
    pub fn last(&self, count: usize) -> impl Iterator<Item = &Told> {
        self.lines.iter().skip(self.lines.len().saturating_sub(count))
    }
}

impl Told {
    /// The line as it is sent, without a newline.
    #[must_use]
    pub fn render(&self, form: Form) -> String {
        match form {
            Form::Json => to_json(&self.line, self.time),
            Form::Text => {
                let text = to_text(&self.line, &Style::default());
                format!("{} {text}", time_of_day(since_1970(self.time)))
            }
        }
    }
}

/// Hours to milliseconds of a moment in milliseconds since 1970, in UTC.
fn time_of_day(ms: u64) -> String {
    let (seconds, ms) = (ms / 1_000, ms % 1_000);
    let (hours, minutes) = (seconds / 3_600 % 24, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{ms:03}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn told(number: u64) -> Told {
        Told { time: UNIX_EPOCH, line: Line::LinesLost { count: number } }
    }

    #[test]
    fn the_oldest_lines_give_way() {
        let mut history = History::default();
        (0..KEPT as u64 + 5).for_each(|number| history.push(told(number)));
        let lines = |count| history.last(count).map(|it| it.line.clone()).collect::<Vec<_>>();
        assert_eq!(lines(2), [131, 132].map(|count| Line::LinesLost { count }));
        assert_eq!(lines(usize::MAX).first(), Some(&Line::LinesLost { count: 5 }));
    }

    #[test]
    fn a_line_of_text_begins_with_the_time_of_day() {
        let told = Told { time: UNIX_EPOCH + Duration::from_millis(90_061_001), ..told(3) };
        let expected = "01:01:01.001 relaunch: 3 lines were lost, since nobody read this log";
        assert_eq!(told.render(Form::Text), expected);
    }
}
