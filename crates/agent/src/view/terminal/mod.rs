//! A run as text.

mod event;
mod paint;
mod steps;
mod wrap;

use super::{Story, words};
use crate::Record;
use paint::Paint;
use wrap::Writer;

/// Writes runs for a terminal. Of what models and tools wrote no control character gets through.
///
/// ```
/// use jarre_agent::view::Terminal;
/// use jarre_agent::{Event, Record, SCHEMA};
/// use jarre_core::Timestamp;
///
/// let event = Event::Cancelled { reason: "enough\u{1b}[2J".to_owned() };
/// let record = Record { schema: SCHEMA, seq: 7, at: Timestamp::UNIX_EPOCH, previous: String::new(), event };
/// assert_eq!(Terminal::new(60).line(&record), "00:00:00     7 asked to end: enough⟨U+001B⟩[2J");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    width: usize,
    paint: Paint,
    most_lines: usize,
}

impl Terminal {
    /// For a terminal of so many columns, at least 20, without colours.
    pub fn new(width: usize) -> Self {
        Self { width: width.max(20), paint: Paint { is_on: false }, most_lines: 24 }
    }

    /// With ANSI colours (ECMA-48, SGR), or without.
    pub fn with_color(self, color: bool) -> Self {
        Self { paint: Paint { is_on: color }, ..self }
    }

    /// Shows so many lines of an output at most, beginning and end; 24 unless set.
    pub fn with_most_lines(self, most_lines: usize) -> Self {
        Self { most_lines, ..self }
    }

    /// The whole run: its state, plan and steps.
    pub fn story(&self, story: &Story) -> String {
        let mut writer = Writer::new(self.width, self.most_lines, self.paint);
        if story.is_empty() {
            writer.line(0, "no run");
        } else {
            steps::head(story, &mut writer);
            for (place, step) in story.steps.iter().enumerate() {
                steps::step(story, place, step, &mut writer);
            }
            steps::end(story, &mut writer);
        }
        writer.finish()
    }

    /// One line that tells of a record, without a line break, no wider than the terminal: for a run that is followed.
    pub fn line(&self, record: &Record) -> String {
        let date = words::date(record.at);
        let time = date.get(date.len().saturating_sub(9)..date.len() - 1).unwrap_or_default();
        let (look, told) = event::told(&record.event);
        let head = format!("{time} {:>5} ", record.seq);
        let told = wrap::fitted(&told, self.width.saturating_sub(head.len()));
        format!("{}{}", self.paint.with(paint::DIM, &head), self.paint.with(look, &told))
    }
}
