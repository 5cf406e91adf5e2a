use std::ops::Range;

/// A text made out of another, which knows where each of its bytes came from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mapped {
    text: String,
    pieces: Vec<Piece>,
}

/// A part of the text that came from one place.
#[derive(Clone, Debug)]
struct Piece {
    /// Where it begins in the text; it ends where the next one begins.
    at: usize,
    from: Range<usize>,
    /// Whether its bytes are, one by one, those of where it came from.
    same: bool,
}

impl Mapped {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), pieces: Vec::new() }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Adds what stands at `from`, byte for byte, but for the case of ASCII letters.
    pub(crate) fn keep(&mut self, text: &str, from: usize) {
        let span = from..from + text.len();
        match self.pieces.last_mut() {
            Some(last) if last.same && last.from.end == from => last.from.end = span.end,
            _ if text.is_empty() => {}
            _ => self.pieces.push(Piece { at: self.text.len(), from: span, same: true }),
        }
        self.text.push_str(text);
    }

    /// As [`keep`](Self::keep), with ASCII letters in lower case.
    pub(crate) fn keep_lower(&mut self, text: &str, from: usize) {
        let start = self.text.len();
        self.keep(text, from);
        self.text[start..].make_ascii_lowercase();
    }

    /// Adds `text` for what stands at `from`.
    pub(crate) fn put(&mut self, text: &str, from: Range<usize>) {
        if !text.is_empty() {
            self.pieces.push(Piece { at: self.text.len(), from, same: false });
            self.text.push_str(text);
        }
    }

    /// As [`put`](Self::put), of one character.
    pub(crate) fn put_char(&mut self, char: char, from: Range<usize>) {
        self.put(char.encode_utf8(&mut [0; 4]), from);
    }

    /// What `span` of the text came from.
    pub(crate) fn original(&self, span: Range<usize>) -> Range<usize> {
        let start =
            self.piece(span.start).map_or(0, |piece| if piece.same { piece.from.start + span.start - piece.at } else { piece.from.start });
        let last = span.end.saturating_sub(1).max(span.start);
        let end = self.piece(last).map_or(0, |piece| if piece.same { piece.from.start + span.end - piece.at } else { piece.from.end });
        // Reversed pieces aside, what comes later came from later.
        start.min(end)..end.max(start)
    }

    /// The piece that holds the byte at `at`.
    fn piece(&self, at: usize) -> Option<&Piece> {
        self.pieces[..self.pieces.partition_point(|piece| piece.at <= at)].last()
    }
}

#[cfg(test)]
mod tests {
    use super::Mapped;

    #[test]
    fn a_place_leads_back_to_where_it_came_from() {
        let mut mapped = Mapped::default();
        mapped.keep("ab", 0);
        mapped.put("x", 2..5);
        mapped.keep("cd", 5);
        assert_eq!(mapped.text(), "abxcd");
        assert_eq!(mapped.original(0..2), 0..2);
        assert_eq!(mapped.original(1..3), 1..5);
        assert_eq!(mapped.original(3..5), 5..7);
        assert_eq!(mapped.original(4..5), 6..7);
        assert_eq!(mapped.original(2..2), 2..5);
    }
}
