use std::ops::Range;

use crate::{Block, BlockKind, Span};

/// Collects the blocks of a text and keeps their promise: in order, not overlapping, none empty, none with white space at its ends.
#[derive(Debug)]
pub(super) struct Blocks<'t> {
    text: &'t str,
    list: Vec<Block>,
}

impl<'t> Blocks<'t> {
    /// No blocks yet, of `text`.
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, list: Vec::new() }
    }

    /// Adds the block at `range`, cut down to what no earlier block has and white space around it left out; nothing where that is all.
    ///
    /// # Panics
    /// Where `range` splits a character or leaves the text.
    pub(super) fn push(&mut self, kind: BlockKind, range: Range<usize>) {
        let taken = self.list.last().map_or(0, |block| block.span.end);
        let span = Span::new(range.start.max(taken), range.end.max(taken));
        assert!(span.of(self.text).is_some(), "a block at {span:?} is not of its text");
        if let Some(span) = span.trimmed(self.text) {
            self.list.push(Block { kind, span, page: None });
        }
    }

    /// The blocks.
    pub(super) fn finish(self) -> Vec<Block> {
        self.list
    }
}

/// `text` with each run of white space made one space, and none at the ends.
pub(super) fn collapsed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}
