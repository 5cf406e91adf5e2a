use std::fmt;

use crate::error::Result;

/// Tokens that may be read before their text is given out though it ends in an incomplete character: then the model writes none.
const PATIENCE: usize = 32;

/// Turns tokens into text as they come: a character whose bytes are spread over several tokens is given out when it is complete.
///
/// Tokenizers treat the first token of a text otherwise than the others (most drop a leading space), so a new token is decoded behind those
/// that gave out text last. Cost of a token: two decodings of a few tokens, however long the text is.
///
/// A byte that belongs to no character becomes U+FFFD. Tokens that decode to nothing, as special tokens do, give nothing out.
pub struct TextStream<F> {
    decode: F,
    /// Tokens behind which text is decoded, `settled` of them, and those whose text is not complete.
    window: Vec<u32>,
    settled: usize,
    /// Bytes of the window's text that were given out.
    emitted: usize,
}

impl<F: Fn(&[u32]) -> Result<String>> TextStream<F> {
    /// A stream whose tokens `decode` turns into text.
    pub fn new(decode: F) -> Self {
        Self { decode, window: Vec::new(), settled: 0, emitted: 0 }
    }

    /// Takes the next token and gives out the text that is complete with it.
    ///
    /// # Errors
    /// Where decoding fails.
    pub fn push(&mut self, token: u32) -> Result<String> {
        self.window.push(token);
        let text = (self.decode)(&self.window)?;
        let out_of_patience = self.window.len() - self.settled > PATIENCE;
        if text.ends_with(char::REPLACEMENT_CHARACTER) && !out_of_patience {
            return Ok(String::new());
        }
        let emit = text.get(self.emitted..).unwrap_or_default().to_owned();
        if !emit.is_empty() {
            self.settle()?;
        } else if out_of_patience {
            self.window.truncate(self.settled);
        }
        Ok(emit)
    }

    /// The rest of the text, where the last character is incomplete.
    ///
    /// # Errors
    /// Where decoding fails.
    pub fn finish(self) -> Result<String> {
        let text = (self.decode)(&self.window)?;
        Ok(text.get(self.emitted..).unwrap_or_default().to_owned())
    }

    /// Lets the tokens whose text was given out take the place of those behind which it was decoded.
    fn settle(&mut self) -> Result<()> {
        self.window.drain(..self.settled);
        self.settled = self.window.len();
        self.emitted = (self.decode)(&self.window)?.len();
        Ok(())
    }
}

impl<F> fmt::Debug for TextStream<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextStream").field("window", &self.window).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    /// Token `i` is `pieces[i]`; bytes that make no character become U+FFFD, as in byte-level BPE.
    fn bytes_of(pieces: &[Vec<u8>], tokens: &[u32]) -> Vec<u8> {
        tokens.iter().flat_map(|&token| pieces[token as usize].clone()).collect()
    }

    fn lossy(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Byte fallback as in SentencePiece: a run of bytes is text where all of it is, and one mark for each byte otherwise.
    fn all_or_nothing(bytes: &[u8]) -> String {
        std::str::from_utf8(bytes).map_or_else(|_| "\u{fffd}".repeat(bytes.len()), str::to_owned)
    }

    fn stream(pieces: &[Vec<u8>], decode: impl Fn(&[u8]) -> String) -> (Vec<String>, String) {
        let mut stream = TextStream::new(|tokens: &[u32]| Ok(decode(&bytes_of(pieces, tokens))));
        let emitted = (0..pieces.len() as u32).map(|token| stream.push(token).unwrap()).collect();
        (emitted, stream.finish().unwrap())
    }

    fn cut(bytes: &[u8], lens: &[usize]) -> Vec<Vec<u8>> {
        let mut rest = bytes;
        let mut pieces = Vec::new();
        for &len in lens.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(len.min(rest.len()));
            pieces.push(piece.to_vec());
            rest = after;
        }
        pieces
    }

    #[test]
    fn a_character_comes_with_its_last_byte() {
        let pieces = cut("a€🦀!".as_bytes(), &[1]);
        for decode in [lossy, all_or_nothing as fn(&[u8]) -> String] {
            let (emitted, rest) = stream(&pieces, decode);
            assert_eq!(emitted, ["a", "", "", "€", "", "", "", "🦀", "!"]);
            assert_eq!(rest, "");
        }
    }

    #[test]
    fn an_incomplete_character_at_the_end_is_marked() {
        let (emitted, rest) = stream(&cut(b"a\xe2\x82", &[1]), lossy);
        assert_eq!((emitted.concat().as_str(), rest.as_str()), ("a", "\u{fffd}"));
    }

    /// The leading space of the first token is dropped, that of the others is not.
    #[test]
    fn spaces_between_words_stay() {
        let words = [" Hello", "", " big", "", "", " wide", " world"];
        let decode = |tokens: &[u32]| {
            let text: String = tokens.iter().map(|&token| words[token as usize]).collect();
            Ok(text.strip_prefix(' ').map_or(text.clone(), str::to_owned))
        };
        let mut stream = TextStream::new(decode);
        let emitted: Vec<String> = (0..words.len() as u32).map(|token| stream.push(token).unwrap()).collect();
        assert_eq!(emitted, ["Hello", "", " big", "", "", " wide", " world"]);
        for _ in 0..3 * PATIENCE {
            assert_eq!(stream.push(1).unwrap(), "");
        }
        assert_eq!(stream.push(5).unwrap(), " wide");
    }

    #[test]
    fn the_cost_of_a_token_does_not_grow_with_the_text() {
        let longest = Cell::new(0);
        let calls = Cell::new(0);
        let decode = |tokens: &[u32]| {
            longest.set(longest.get().max(tokens.len()));
            calls.set(calls.get() + 1);
            Ok(lossy(&tokens.iter().map(|&token| token as u8).collect::<Vec<_>>()))
        };
        let text = "écrire des caractères ".repeat(100);
        let mut stream = TextStream::new(decode);
        let written: String = text.bytes().map(|byte| stream.push(u32::from(byte)).unwrap()).collect();
        assert_eq!(written, text);
        assert!(longest.get() <= 4, "{}", longest.get());
        assert!(calls.get() <= 2 * text.len());
        // Nor where no character is ever complete.
        let mut stream = TextStream::new(decode);
        let written: String = (0..1000).map(|_| stream.push(0x80).unwrap()).collect();
        assert_eq!(written + &stream.finish().unwrap(), "\u{fffd}".repeat(1000));
        assert!(longest.get() <= 2 * (PATIENCE + 1), "{}", longest.get());
    }

    proptest! {
        #[test]
        fn the_pieces_make_the_text_and_no_character_is_broken(text in "[a é€🦀\u{301}]{0,30}", lens in prop::collection::vec(1_usize..6, 1..8)) {
            for decode in [lossy, all_or_nothing as fn(&[u8]) -> String] {
                let (emitted, rest) = stream(&cut(text.as_bytes(), &lens), decode);
                prop_assert!(emitted.iter().all(|piece| !piece.contains(char::REPLACEMENT_CHARACTER)));
                prop_assert_eq!(&(emitted.concat() + &rest), &text);
            }
        }

        #[test]
        fn bytes_of_no_character_are_marked_as_in_the_whole_text(bytes in prop::collection::vec(prop::sample::select(b"a\x80\xe2\x82\xac\xf0\x9f\xc3".to_vec()), 0..30)) {
            let (emitted, rest) = stream(&cut(&bytes, &[1]), lossy);
            prop_assert_eq!(emitted.concat() + &rest, lossy(&bytes));
        }
    }
}
