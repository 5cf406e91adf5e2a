use std::sync::Arc;

use jarre_transformer::Tokenizer;

/// The bytes that tokens stand for, each by itself.
pub(super) struct Vocabulary {
    tokenizer: Arc<Tokenizer>,
    spelling: Spelling,
}

/// How a vocabulary writes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    /// A letter for each byte, as GPT-2 does.
    ByteLevel,
    /// Text with `▁` for a space, and bytes as `<0x0A>`, as SentencePiece does.
    Pieces,
}

impl Vocabulary {
    pub(super) fn new(tokenizer: Arc<Tokenizer>) -> Self {
        // The letter that byte-level vocabularies have for a space.
        let space = tokenizer.id("Ġ").and_then(|id| tokenizer.decode(&[id]).ok());
        let spelling = if space.as_deref() == Some(" ") { Spelling::ByteLevel } else { Spelling::Pieces };
        Self { tokenizer, spelling }
    }

    /// The bytes of a token; none where the vocabulary has no such token.
    pub(super) fn bytes(&self, id: u32) -> Vec<u8> {
        let Some(token) = self.tokenizer.token(id) else { return Vec::new() };
        match self.spelling {
            // Added tokens are written as they are.
            Spelling::ByteLevel => token.chars().map(byte_of).collect::<Option<_>>().unwrap_or_else(|| token.into_bytes()),
            Spelling::Pieces => byte_piece(&token).map_or_else(|| token.replace('▁', " ").into_bytes(), |byte| vec![byte]),
        }
    }

    /// A token as text: where its bytes are no text by themselves, as `bytes:\xe2\x80`.
    pub(super) fn text(&self, id: u32) -> String {
        String::from_utf8(self.bytes(id)).unwrap_or_else(|error| {
            use std::fmt::Write;
            error.into_bytes().iter().fold("bytes:".to_owned(), |mut text, byte| {
                write!(text, "\\x{byte:02x}").expect("text can be written to");
                text
            })
        })
    }
}

/// The byte that GPT-2's alphabet writes as `letter`: printable ones as themselves, the others in order from U+0100 on.
fn byte_of(letter: char) -> Option<u8> {
    let code = u32::from(letter);
    match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => u8::try_from(code).ok(),
        0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        0x121..=0x142 => u8::try_from(code - 0x121 + 0x7f).ok(),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// The byte of a token such as `<0x0A>`.
fn byte_piece(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    let is_byte = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_byte { u8::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_each_byte_once() {
        let bytes: Vec<u8> = (0..0x200).filter_map(char::from_u32).filter_map(byte_of).collect();
        let mut sorted = bytes.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..=255).collect::<Vec<u8>>());
        assert_eq!(['Ġ', 'Ċ', 'a', 'Ń'].map(byte_of), [Some(b' '), Some(b'\n'), Some(b'a'), Some(0xad)]);
        assert_eq!(byte_of(' '), None);
    }

    #[test]
    fn byte_pieces_are_two_digits() {
        assert_eq!(byte_piece("<0x0A>"), Some(10));
        for other in ["<0xA>", "<0x0AB>", "0x0A", "<0x+1>", "<|end|>"] {
            assert_eq!(byte_piece(other), None, "{other}");
        }
    }
}
