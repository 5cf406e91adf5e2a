use std::ops::Range;

use super::offsets::Offsets;
use crate::scan::boundary_before;

/// A text on its way through a group: what came, how much of it was copied or replaced, and where the result comes from.
#[derive(Default)]
pub(super) struct Rewrite {
    /// The input from `base` on.
    text: String,
    base: usize,
    done: usize,
    pub(super) offsets: Offsets,
}

impl Rewrite {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The bytes that came.
    pub(super) fn pushed(&self) -> usize {
        self.base + self.text.len()
    }

    /// The bytes that were copied or replaced.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// Puts `with` in the place of what is left of `span`, which is the last of so many records; where an earlier replacement has taken all
    /// of it, nothing is left to do. A span that does not fit the text is widened to one that does.
    pub(super) fn replace(&mut self, span: &Range<usize>, with: &str, records: usize, out: &mut String) {
        let end = self.boundary_after(span.end.max(span.start));
        if end < self.done || (end == self.done && span.start < self.done) {
            return;
        }
        self.copy(span.start, out);
        self.offsets.replace(self.done..end, with.len(), records);
        out.push_str(with);
        self.done = end;
    }

    /// Releases the input up to `to` as it is.
    pub(super) fn copy(&mut self, to: usize, out: &mut String) {
        let to = self.base + boundary_before(&self.text, to.saturating_sub(self.base));
        if to > self.done {
            out.push_str(&self.text[self.done - self.base..to - self.base]);
            self.offsets.copy(to - self.done);
            self.done = to;
        }
    }

    fn boundary_after(&self, at: usize) -> usize {
        let at = at.clamp(self.done, self.pushed());
        (at..self.pushed()).find(|&at| self.text.is_char_boundary(at - self.base)).unwrap_or(self.pushed())
    }

    /// Drops the text that is done.
    pub(super) fn forget(&mut self) {
        let cut = self.done - self.base;
        // Moving what is left costs its length: only once that is the smaller part.
        if cut > self.text.len() / 2 {
            self.text.drain(..cut);
            self.base += cut;
        }
    }
}
