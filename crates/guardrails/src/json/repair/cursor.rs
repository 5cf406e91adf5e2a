/// A place in a text, and what can be seen from there. Every look at a byte goes through [`byte`](Self::byte), where tests count it.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    /// The text up to where a document may go.
    pub(super) text: &'a str,
    pub(super) at: usize,
    #[cfg(test)]
    pub(super) looks: std::cell::Cell<usize>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self {
            text,
            at,
            #[cfg(test)]
            looks: std::cell::Cell::new(0),
        }
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
        self.text.as_bytes().get(at).copied()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    pub(super) fn character(&self, at: usize) -> Option<char> {
        match self.byte(at)? {
            byte if byte.is_ascii() => Some(byte as char),
            _ => self.text[at..].chars().next(),
        }
    }

    pub(super) fn starts(&self, at: usize, with: &str) -> bool {
        self.text.as_bytes()[at.min(self.text.len())..].starts_with(with.as_bytes())
    }

    /// The length of the space at a place, and whether JSON knows it; none where something else stands.
    pub(super) fn space(&self, at: usize) -> Option<(usize, bool)> {
        match self.byte(at)? {
            b' ' | b'\n' | b'\r' | b'\t' => Some((1, true)),
            b'\\' => matches!(self.byte(at + 1), Some(b'n' | b'r' | b't')).then_some((2, false)),
            byte if byte.is_ascii() => byte.is_ascii_whitespace().then_some((1, false)),
            _ => self
                .character(at)
                .filter(|&found| found.is_whitespace() || matches!(found, '\u{feff}' | '\u{200b}' | '\u{2060}'))
                .map(|found| (found.len_utf8(), false)),
        }
    }

    /// The place after the spaces at `at`.
    pub(super) fn blank(&self, mut at: usize) -> usize {
        while let Some((length, _)) = self.space(at) {
            at += length;
        }
        at
    }

    /// Whether a comment begins at a place.
    pub(super) fn comment(&self, at: usize) -> bool {
        match self.byte(at) {
            Some(b'#') => true,
            Some(b'/') => matches!(self.byte(at + 1), Some(b'/' | b'*')),
            _ => false,
        }
    }

    /// The length of the dots at a place that stand for something left out.
    pub(super) fn ellipsis(&self, at: usize) -> Option<usize> {
        let dots = if self.starts(at, "...") { 3 } else { usize::from(self.starts(at, "…")) * "…".len() };
        (dots > 0).then_some(dots)
    }
}

/// Whether a character belongs to a word: a name, a literal or a number.
pub(super) fn in_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$' | '-' | '.' | '@')
}
