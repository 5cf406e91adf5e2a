//! Cutting long texts into pieces, so that what tokenising needs in memory does not grow with the text.

use serde_json::Value;

/// Bytes of a text that are tokenised at a time where the tokenizer allows cutting: `tokenizers` needs some hundred times as much memory.
pub(super) const PIECE: usize = 1 << 15;

/// Bytes without a place to cut after which a text is cut all the same. Its tokens there may differ from those of the whole; they still
/// decode to it.
const LONGEST: usize = 1 << 20;

/// Where a text may be cut so that its pieces have the tokens of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cuts {
    Nowhere,
    /// Before a space or a line feed that follows a character that is not white space: GPT-2's pattern never matches across such a place,
    /// and looks no further than white space.
    BeforeSpace,
    /// Between any two characters.
    Anywhere,
}

impl Cuts {
    /// Cutting is sound where nothing but the splitting step looks beyond a word, and that step is a known one.
    pub(super) fn of(tokenizer: &Value) -> Self {
        let tokens = tokenizer["added_tokens"].as_array();
        let all_special = tokens.is_none_or(|tokens| tokens.iter().all(|token| token["special"] == true));
        if !all_special || !tokenizer["normalizer"].is_null() {
            return Self::Nowhere;
        }
        match &tokenizer["pre_tokenizer"] {
            split if is_gpt2(split) => Self::BeforeSpace,
            split if split["type"] == "Sequence" => match split["pretokenizers"].as_array().map(Vec::as_slice) {
                Some([digits, rest]) if digits["type"] == "Digits" && is_gpt2(rest) => Self::BeforeSpace,
                _ => Self::Nowhere,
            },
            split if *split == super::characters::split() => Self::Anywhere,
            _ => Self::Nowhere,
        }
    }

    /// `text` in pieces of `size` bytes or a little more.
    pub(super) fn pieces(self, text: &str, size: usize) -> impl Iterator<Item = &str> {
        let mut rest = text;
        std::iter::from_fn(move || {
            let (piece, after) = rest.split_at(self.first(rest, size.max(1)));
            rest = after;
            (!piece.is_empty()).then_some(piece)
        })
    }

    /// The first place at or after byte `size` of `text` where it may be cut; its end where there is none.
    fn first(self, text: &str, size: usize) -> usize {
        match self {
            Self::Nowhere => text.len(),
            Self::Anywhere => text.ceil_char_boundary(size),
            Self::BeforeSpace => {
                let last = text.ceil_char_boundary(size.max(LONGEST));
                let is_space = |at: &usize| matches!(text.as_bytes()[*at], b' ' | b'\n');
                let follows_a_word = |at: &usize| text[..*at].chars().next_back().is_some_and(|before| !before.is_whitespace());
                (size..last).find(|at| is_space(at) && follows_a_word(at)).unwrap_or(last)
            }
        }
    }
}

fn is_gpt2(pre_tokenizer: &Value) -> bool {
    pre_tokenizer["type"] == "ByteLevel" && pre_tokenizer["use_regex"] == true && pre_tokenizer["add_prefix_space"] == false
}

#[cfg(test)]
mod tests {
    use super::super::BpeConfig;
    use super::*;

    #[test]
    fn tokenizers_that_look_across_words_are_not_cut() {
        let tokenizer = BpeConfig::new(257).with_special_tokens(["<|end|>"]).train([Ok("")].into_iter(), &mut |_| {}).unwrap();
        let mut json: Value = serde_json::from_str(tokenizer.to_json()).unwrap();
        assert_eq!(Cuts::of(&json), Cuts::BeforeSpace);
        for (key, value) in [("normalizer", serde_json::json!({"type": "NFC"})), ("pre_tokenizer", Value::Null)] {
            let kept = std::mem::replace(&mut json[key], value);
            assert_eq!(Cuts::of(&json), Cuts::Nowhere, "{key}");
            json[key] = kept;
        }
        json["pre_tokenizer"]["add_prefix_space"] = true.into();
        assert_eq!(Cuts::of(&json), Cuts::Nowhere);
        json["pre_tokenizer"]["add_prefix_space"] = false.into();
        json["added_tokens"][0]["special"] = false.into();
        assert_eq!(Cuts::of(&json), Cuts::Nowhere);
    }

    #[test]
    fn words_stay_whole_with_the_space_before_them() {
        let pieces = |text, size| Cuts::BeforeSpace.pieces(text, size).collect::<Vec<_>>();
        assert_eq!(pieces("one  two\n\nthree.\u{3000} four", 1), ["one", "  two", "\n\nthree.\u{3000} four"]);
        assert_eq!(pieces("日本語\n日本", 2), ["日本語", "\n日本"]);
        assert_eq!(pieces("one two three", 4), ["one two", " three"]);
        assert_eq!(Cuts::Anywhere.pieces("aéb", 2).collect::<Vec<_>>(), ["aé", "b"]);
        assert_eq!(Cuts::Nowhere.pieces("a b", 1).collect::<Vec<_>>(), ["a b"]);
        assert_eq!(pieces("", 3), [""; 0]);
    }

    #[test]
    fn a_text_without_spaces_is_cut_all_the_same() {
        let text = "é".repeat(LONGEST);
        let pieces: Vec<&str> = Cuts::BeforeSpace.pieces(&text, PIECE).collect();
        assert_eq!(pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>(), [LONGEST, LONGEST]);
    }
}
