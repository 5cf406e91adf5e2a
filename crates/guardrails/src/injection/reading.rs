use std::ops::Range;

use super::{Encoding, Normal, sentences::sentences, views};
use crate::scan::boundary_before;

/// How much of a text is taken at once, in bytes, so that memory is bounded.
const BLOCK: usize = 64 * 1024;
/// A block may end this much earlier, where a line does.
const SLACK: usize = 4 * 1024;

/// A part of a text, without disguise and cut into sentences.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) normal: Normal,
    pub(crate) sentences: Vec<Range<usize>>,
    /// How it was encoded, where it was.
    pub(crate) encoding: Option<Encoding>,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    /// It begins at this byte of the whole text.
    At(usize),
    /// It was decoded from these bytes of it.
    From(Range<usize>),
}

impl Reading {
    fn of(text: &str, encoding: Option<Encoding>, place: Place) -> Self {
        let normal = Normal::of(text);
        let sentences = sentences(normal.text());
        Self { normal, sentences, encoding, place }
    }

    pub(crate) fn text(&self) -> &str {
        self.normal.text()
    }

    /// The bytes of the whole text that `span` of this one comes from.
    pub(crate) fn original(&self, span: Range<usize>) -> Range<usize> {
        match &self.place {
            Place::At(base) => {
                let span = self.normal.original(span);
                base + span.start..base + span.end
            }
            Place::From(span) => span.clone(),
        }
    }
}

/// Hands to `each` all of `text`, part by part, each part followed by what its parts decode to, up to `depth` encodings within each other.
pub(crate) fn read(text: &str, depth: usize, each: &mut impl FnMut(&Reading)) {
    let mut start = 0;
    while start < text.len() {
        let end = block_end(text, start);
        let block = &text[start..end];
        each(&Reading::of(block, None, Place::At(start)));
        decode(block, depth, &|span| start + span.start..start + span.end, each);
        start = end;
    }
}

fn decode(text: &str, depth: usize, place: &dyn Fn(Range<usize>) -> Range<usize>, each: &mut impl FnMut(&Reading)) {
    if depth == 0 {
        return;
    }
    for view in views(text) {
        let span = place(view.span.clone());
        each(&Reading::of(&view.text, Some(view.encoding), Place::From(span.clone())));
        decode(&view.text, depth - 1, &|_| span.clone(), &mut *each);
    }
}

fn block_end(text: &str, start: usize) -> usize {
    let limit = boundary_before(text, start + BLOCK);
    if limit == text.len() {
        return limit;
    }
    let from = boundary_before(text, limit - SLACK);
    text[from..limit].rfind('\n').or_else(|| text[from..limit].rfind(' ')).map_or(limit, |found| from + found + 1)
}
