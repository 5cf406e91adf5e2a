use std::ops::Range;

use jarre_core::TokenCounter;
use unicode_segmentation::UnicodeSegmentation;

/// Counts tokens without a model: Unicode words, punctuation marks and symbols, where a word of more than six characters counts once
/// for each six.
///
/// On English prose this comes near the `WordPiece` vocabulary of BERT models. Where chunks must not pass an encoder's limit, use that
/// encoder's own counter.
///
/// ```
/// use jarre_core::TokenCounter;
/// use jarre_rag::chunk::WordTokens;
///
/// let text = "Wait, tokenisation!";
/// let tokens: Vec<&str> = WordTokens.token_spans(text).into_iter().map(|span| &text[span]).collect();
/// assert_eq!(tokens, ["Wait", ",", "tokeni", "sation", "!"]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct WordTokens;

/// Characters of a word that count as one token.
const PIECE: usize = 6;

impl TokenCounter for WordTokens {
    fn token_spans(&self, text: &str) -> Vec<Range<usize>> {
        let words = text.split_word_bound_indices();
        words.flat_map(|(at, word)| pieces(at + word.len() - word.trim_start().len(), word.trim())).collect()
    }
}

fn pieces(start: usize, word: &str) -> impl Iterator<Item = Range<usize>> {
    let starts = word.char_indices().map(|(at, _)| at).step_by(PIECE);
    let ends = starts.clone().skip(1).chain([word.len()]);
    starts.zip(ends).map(move |(from, to)| start + from..start + to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<&str> {
        WordTokens.token_spans(text).into_iter().map(|span| &text[span]).collect()
    }

    #[test]
    fn words_marks_and_pieces() {
        assert_eq!(tokens("It's 3.14 \n — ok"), ["It's", "3.14", "—", "ok"]);
        assert_eq!(tokens("internationally"), ["intern", "ationa", "lly"]);
        assert_eq!(tokens("東京!"), ["東", "京", "!"]);
        assert_eq!(tokens(" \u{a0}\n\t"), Vec::<&str>::new());
    }
}
