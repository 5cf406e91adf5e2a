use serde::{Deserialize, Serialize};

use super::normalise;
use crate::{Error, Result};

/// The longest n-gram of characters.
const LONGEST: usize = 8;
/// The most words of an n-gram.
const MOST_WORDS: usize = 4;

/// Which n-grams a text is read as.
///
/// Those of characters lie within runs of characters that are not white space, with a space before and after the run (`char_wb` of
/// scikit-learn). A word is a run of letters and digits; n-grams of words pass over what stands between the words. Each run of one
/// character that is neither counts as a word of its own, by itself, up to three of it: `!`, `!!`, `!!!`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ngrams {
    /// The fewest characters of an n-gram, at least 1.
    pub chars_from: usize,
    /// The most characters of an n-gram, at most 8; 0 for none of characters.
    pub chars_to: usize,
    /// The most words of an n-gram, at most 4; 0 for none of words.
    pub words_to: usize,
}

impl Default for Ngrams {
    /// 2 to 5 characters, 1 to 3 words.
    fn default() -> Self {
        Self { chars_from: 2, chars_to: 5, words_to: 3 }
    }
}

impl Ngrams {
    pub(super) fn checked(self) -> Result<Self> {
        let fit = self.chars_from >= 1 && self.chars_to <= LONGEST && self.words_to <= MOST_WORDS && self.chars_to + self.words_to > 0;
        let why = "n-grams have 1 to 8 characters or at most 4 words";
        fit.then_some(self).ok_or_else(|| Error::Training { reason: why.into() })
    }

    /// Hands a hash of each n-gram of `text` to `each`, in one pass and without memory that grows with the text.
    pub fn visit(self, text: &str, mut each: impl FnMut(u64)) {
        let mut pass = Pass::new(self);
        normalise(text, |char| pass.take(char, &mut each));
        pass.take(' ', &mut each);
    }
}

/// One reading of a text, which a space ends.
struct Pass {
    chars: Chars,
    words: Words,
}

impl Pass {
    fn new(ngrams: Ngrams) -> Self {
        Self { chars: Chars::new(ngrams), words: Words::new(ngrams) }
    }

    /// Reads a character as [`normalise`] gives it.
    fn take(&mut self, char: char, each: &mut impl FnMut(u64)) {
        self.chars.take(char, each);
        self.words.take(char, each);
    }
}

/// The last characters of the run that is being read.
struct Chars {
    from: usize,
    to: usize,
    /// The latest first.
    last: [u32; LONGEST],
    known: usize,
}

impl Chars {
    fn new(ngrams: Ngrams) -> Self {
        Self { from: ngrams.chars_from, to: ngrams.chars_to, last: [u32::from(' '); LONGEST], known: 1 }
    }

    fn take(&mut self, char: char, each: &mut impl FnMut(u64)) {
        if char == ' ' && self.known == 1 {
            return;
        }
        self.last.copy_within(..LONGEST - 1, 1);
        self.last[0] = u32::from(char);
        self.known = LONGEST.min(self.known + 1);
        let mut hash = 1;
        for (at, &char) in self.last[..self.known.min(self.to)].iter().enumerate() {
            hash = mix(hash, u64::from(char));
            if at + 1 >= self.from {
                each(spread(hash));
            }
        }
        if char == ' ' {
            self.known = 1;
        }
    }
}

/// The word that is being read, and the n-grams of words that end before it.
struct Words {
    most: usize,
    word: u64,
    /// What ended before, the shortest first; 0 for none.
    before: [u64; MOST_WORDS],
    mark: char,
    repeated: u8,
}

impl Words {
    const START: u64 = 2;

    fn new(ngrams: Ngrams) -> Self {
        Self { most: ngrams.words_to, word: Self::START, before: [0; MOST_WORDS], mark: ' ', repeated: 0 }
    }

    fn take(&mut self, char: char, each: &mut impl FnMut(u64)) {
        if self.most == 0 {
            return;
        }
        if char.is_alphanumeric() {
            self.end_mark(each);
            self.word = mix(self.word, u64::from(char));
            return;
        }
        self.end_word(each);
        if char != self.mark {
            self.end_mark(each);
        }
        if char != ' ' {
            self.mark = char;
            self.repeated = 3.min(self.repeated + 1);
        }
    }

    fn end_word(&mut self, each: &mut impl FnMut(u64)) {
        if self.word == Self::START {
            return;
        }
        let mut ended = [self.word; MOST_WORDS];
        for (at, &before) in self.before[..self.most - 1].iter().enumerate() {
            ended[at + 1] = if before == 0 { 0 } else { mix(before, self.word) };
        }
        ended[..self.most].iter().filter(|&&hash| hash != 0).for_each(|&hash| each(spread(hash)));
        self.before = ended;
        self.word = Self::START;
    }

    fn end_mark(&mut self, each: &mut impl FnMut(u64)) {
        if self.repeated > 0 {
            each(spread(mix(mix(3, u64::from(self.mark)), u64::from(self.repeated))));
        }
        (self.mark, self.repeated) = (' ', 0);
    }
}

fn mix(hash: u64, next: u64) -> u64 {
    (hash.rotate_left(5) ^ next).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Brings what is in the low bits to the high ones and back, so that any of them can be taken.
fn spread(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ngrams: Ngrams, text: &str) -> Vec<u64> {
        let mut seen = Vec::new();
        ngrams.visit(text, |hash| seen.push(hash));
        seen
    }

    fn words(words_to: usize) -> Ngrams {
        Ngrams { chars_from: 1, chars_to: 0, words_to }
    }

    #[test]
    fn counts_are_those_of_the_definition() {
        let chars = Ngrams { chars_from: 2, chars_to: 3, words_to: 0 };
        // " ab " has 3 of two and 2 of three; " c " has 2 and 1.
        assert_eq!(seen(chars, " ab  c").len(), 8);
        assert_eq!(seen(words(3), "one two, three four").len(), 4 + 3 + 2 + 1);
        assert!(seen(Ngrams::default(), "").is_empty());
    }

    #[test]
    fn words_pass_over_marks_and_marks_count_alone() {
        let plain = seen(words(2), "kill you");
        let marked = seen(words(2), "Kill, you");
        assert_eq!(plain.len(), 3);
        assert!(plain.iter().all(|hash| marked.contains(hash)));
        assert_eq!(seen(words(1), "a !!!!").last(), seen(words(1), "!!!").last());
        assert_ne!(seen(words(1), "!!"), seen(words(1), "!!!"));
    }

    #[test]
    fn order_matters_and_place_does_not() {
        let (ab, ba) = (seen(words(2), "a b"), seen(words(2), "b a"));
        assert!(ab[1] == ba[0] && ab[0] == ba[1] && ab[2] != ba[2]);
        let chars = Ngrams { chars_from: 3, chars_to: 3, words_to: 0 };
        assert_eq!(seen(chars, "abc xabc")[1], seen(chars, "abc xabc")[5]);
        assert_ne!(seen(chars, "abc"), seen(chars, "cba"));
    }
}
