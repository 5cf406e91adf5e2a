use jarre_report::{excerpt, visible};
use unicode_width::UnicodeWidthChar;

use super::paint::{PLAIN, Paint};

/// Writes lines no wider than the terminal.
pub(super) struct Writer {
    width: usize,
    most_lines: usize,
    paint: Paint,
    written: String,
}

impl Writer {
    pub(super) fn new(width: usize, most_lines: usize, paint: Paint) -> Self {
        Self { width, most_lines, paint, written: String::new() }
    }

    /// Text on as many lines as it needs, so many columns from the left.
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        self.painted(indent, PLAIN, text);
    }

    /// As [`line`](Self::line), in a colour.
    pub(super) fn painted(&mut self, indent: usize, look: &str, text: &str) {
        for line in wrapped(&visible(text), self.room(indent)) {
            self.put(indent, look, &line);
        }
    }

    /// Text that may be long: its beginning and its end.
    pub(super) fn text(&mut self, indent: usize, text: &str) {
        self.colored(indent, text, |_| PLAIN);
    }

    /// As [`text`](Self::text), each line in the colour that `look` gives it.
    pub(super) fn colored(&mut self, indent: usize, text: &str, look: impl Fn(&str) -> &'static str) {
        let room = self.room(indent);
        // Of a line no more is looked at than could ever be shown.
        let longest = room.saturating_mul(self.most_lines).saturating_add(1);
        let total = text.trim_end().lines().count();
        let (head, tail) = if total > self.most_lines { (self.most_lines / 2, self.most_lines / 2) } else { (total, 0) };
        for (place, line) in text.trim_end().lines().enumerate() {
            if place == head && total > head + tail {
                self.put(indent, super::paint::DIM, &format!("[{} lines left out]", total - head - tail));
            }
            if place < head || place >= total - tail {
                let cut: String = line.chars().take(longest).collect();
                let mut pieces = wrapped(&visible(&cut), room);
                if pieces.len() > self.most_lines {
                    pieces.truncate(self.most_lines);
                    pieces.push("[the line goes on]".to_owned());
                }
                for piece in pieces {
                    self.put(indent, look(line), &piece);
                }
            }
        }
    }

    pub(super) fn blank(&mut self) {
        self.written.push('\n');
    }

    pub(super) fn finish(self) -> String {
        self.written
    }

    fn put(&mut self, indent: usize, look: &str, line: &str) {
        self.written.push_str(&" ".repeat(indent));
        self.written.push_str(&self.paint.with(look, line));
        self.written.push('\n');
    }

    fn room(&self, indent: usize) -> usize {
        self.width.saturating_sub(indent).max(8)
    }
}

/// The text on one line, cut to so many columns.
pub(super) fn fitted(text: &str, columns: usize) -> String {
    let text = excerpt(text, columns.saturating_mul(4)).replace('\t', " ");
    if width(&text) <= columns {
        return text;
    }
    let mut left = columns.saturating_sub(1);
    let fits = |character: &char| {
        let needed = character.width().unwrap_or(0);
        let fits = needed <= left;
        left = left.saturating_sub(needed);
        fits
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    kept.push('…');
    kept
}

fn width(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// The text in lines of at most so many columns, broken between words where there are any. Nothing is lost but spaces where a line ends.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.replace('\t', "    ").lines() {
        let (mut current, mut used) = (String::new(), 0);
        for word in line.split_inclusive(' ') {
            let needed = width(word.trim_end());
            if used + needed > columns && used > 0 {
                lines.push(std::mem::take(&mut current).trim_end().to_owned());
                used = 0;
            }
            for character in word.chars() {
                let needed = character.width().unwrap_or(0);
                if used + needed > columns && character != ' ' {
                    lines.push(std::mem::take(&mut current));
                    used = 0;
                }
                current.push(character);
                used += needed;
            }
        }
        lines.push(current.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two three\n\nfour", 8), ["one two", "three", "", "four"]);
        assert_eq!(wrapped("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrapped("名前名前", 5), ["名前", "名前"]);
        assert_eq!(fitted("one two three", 8), "one two…");
        assert_eq!(fitted("名前名前", 4), "名…");
        assert_eq!(fitted("short", 0), "…");
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_nothing_is_lost(text in "[a-zé名 \n]{0,60}", columns in 2..20_usize) {
            let lines = wrapped(&text, columns);
            prop_assert!(lines.iter().all(|line| width(line) <= columns), "{lines:?}");
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
            prop_assert!(width(&fitted(&text, columns)) <= columns);
        }
    }
}
