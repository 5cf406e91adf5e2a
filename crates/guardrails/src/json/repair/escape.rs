use super::{reader::Reader, string::Text};
use crate::json::{FixKind, Refusal};

impl Reader<'_> {
    /// Reads the escape at the cursor into a string.
    pub(super) fn escape(&mut self, text: &mut Text) -> Result<(), Refusal> {
        let at = self.cursor.at;
        text.read.push_str(&self.cursor.text[text.from..at]);
        // In a text that was escaped once more, two backslashes are one.
        let mark = at + usize::from(self.double_escaped(text));
        let (read, length) = match self.cursor.character(mark + 1) {
            None => (None, 0),
            Some('u') => self.unicode(mark + 2),
            Some(letter) => (simple(letter).map(|read| (read, true)), letter.len_utf8()),
        };
        let end = mark + 1 + length;
        match read {
            Some((character, standard)) => {
                text.read.push(character);
                if !standard {
                    self.tell(text, FixKind::Escape, at)?;
                }
            }
            None => self.other_escape(text, mark, end)?,
        }
        self.cursor.at = self.cursor.at.max(end);
        text.from = self.cursor.at;
        Ok(())
    }

    /// The character that four digits at a place name, or eight in a pair of surrogates, and whether that is one; and the length with the `u`.
    fn unicode(&self, at: usize) -> (Option<(char, bool)>, usize) {
        let Some(first) = self.hex(at, 4) else { return (None, 1) };
        if let Some(character) = char::from_u32(first) {
            return (Some((character, true)), 5);
        }
        let second = self.cursor.starts(at + 4, "\\u").then(|| self.hex(at + 6, 4)).flatten();
        match second {
            Some(second) if first < 0xdc00 && (0xdc00..0xe000).contains(&second) => {
                let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                (char::from_u32(joined).map(|character| (character, true)), 11)
            }
            _ => (Some((char::REPLACEMENT_CHARACTER, false)), 5),
        }
    }

    fn hex(&self, at: usize, digits: usize) -> Option<u32> {
        (at..at + digits).try_fold(0, |number, place| Some(number * 16 + char::from(self.cursor.byte(place)?).to_digit(16)?))
    }

    /// Reads an escape of no JSON. Letters keep their backslash, for they are paths (`C:\Users`), patterns (`\d`) or formulas.
    fn other_escape(&mut self, text: &mut Text, mark: usize, end: usize) -> Result<(), Refusal> {
        let left = &self.cursor.text[mark + 1..];
        // Cut off inside: what it was is not known.
        if left.len() < 5 && (left.is_empty() || left.starts_with('u') && left[1..].bytes().all(|byte| byte.is_ascii_hexdigit())) {
            self.cursor.at = self.cursor.text.len();
            return Ok(());
        }
        self.tell(text, FixKind::Escape, self.cursor.at)?;
        let letter = left.chars().next().expect("something is left");
        match letter {
            'x' if self.hex(mark + 2, 2).is_some() => {
                text.read.extend(self.hex(mark + 2, 2).and_then(char::from_u32));
                self.cursor.at = end + 2;
            }
            '\n' => {}
            '\'' | '`' | '_' | '*' | '#' | '&' | '~' | '<' | '>' | '!' | '“' | '”' | '‘' | '’' => text.read.push(letter),
            _ => {
                text.read.push('\\');
                text.read.push(letter);
            }
        }
        Ok(())
    }
}

/// The character that a letter after a backslash stands for (RFC 8259, section 7).
fn simple(letter: char) -> Option<char> {
    Some(match letter {
        '"' | '\\' | '/' => letter,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        _ => return None,
    })
}
