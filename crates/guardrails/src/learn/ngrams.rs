use serde::{Deserialize, Serialize};

use super::normalise;
use crate::{Error, Result};

/// The longest n-gram of characters.
const LONGEST: usize = 8;
/// The most n-grams that end with one character, and one for a mark.
const MOST: usize = LONGEST + MOST_WORDS + 1;
/// So many hashes are kept until they are handed on: who looks something up for each waits less for many at once.
const BLOCK: usize = 1024;
/// So many characters are kept, of which the latest make up n-grams.
const KEPT: usize = 128;
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
        self.visit_blocks(text, |hashes| hashes.iter().copied().for_each(&mut each));
    }

    /// As [`visit`](Self::visit), many at once.
    pub(super) fn visit_blocks(self, text: &str, mut each: impl FnMut(&[u64])) {
        let mut hashes = Hashes { block: [0; BLOCK], filled: 0 };
        let (mut chars, mut words) = (Chars::new(self), Words::new(self));
        let mut take = |char| {
            if hashes.filled + MOST > BLOCK {
                each(hashes.filled());
                hashes.filled = 0;
            }
            chars.take(char, &mut hashes);
            words.take(char, &mut hashes);
        };
        normalise(text, &mut take);
        // A space ends the last word.
        take(' ');
        each(hashes.filled());
    }
}

/// Hashes that nobody was given yet.
struct Hashes {
    block: [u64; BLOCK],
    filled: usize,
}

impl Hashes {
    fn put(&mut self, hash: u64) {
        self.block[self.filled] = spread(hash);
        self.filled += 1;
    }

    fn filled(&self) -> &[u64] {
        &self.block[..self.filled]
    }
}

/// The run that is being read: its last characters.
struct Chars {
    from: usize,
    to: usize,
    /// What was read, as far as it is kept; the latest before `end`.
    read: [u32; KEPT],
    end: usize,
    /// How many of these are of this run, and at most how many an n-gram has.
    known: usize,
}

impl Chars {
    fn new(ngrams: Ngrams) -> Self {
        Self { from: ngrams.chars_from, to: ngrams.chars_to, read: [u32::from(' '); KEPT], end: LONGEST, known: 1 }
    }

    fn take(&mut self, char: char, hashes: &mut Hashes) {
        if char == ' ' && self.known == 1 {
            return;
        }
        if self.end == KEPT {
            self.read.copy_within(KEPT - LONGEST.., 0);
            self.end = LONGEST;
        }
        self.read[self.end] = u32::from(char);
        self.end += 1;
        self.known = LONGEST.min(self.known + 1);
        self.hash(hashes);
        if char == ' ' {
            self.known = 1;
        }
    }

    /// Hashes what ends with the last character: always as many, those that began in an earlier run to be written over.
    fn hash(&self, hashes: &mut Hashes) {
        let latest = &self.read[self.end - LONGEST..self.end];
        let places = &mut hashes.block[hashes.filled..][..LONGEST];
        let mut hash = 1;
        for (at, &char) in latest.iter().rev().enumerate().take(self.to) {
            hash = mix(hash, u64::from(char));
            places[(at + 1).saturating_sub(self.from)] = spread(hash);
        }
        hashes.filled += (self.known.min(self.to) + 1).saturating_sub(self.from);
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

    fn take(&mut self, char: char, hashes: &mut Hashes) {
        if self.most == 0 {
            return;
        }
        if char.is_alphanumeric() {
            self.end_mark(hashes);
            self.word = mix(self.word, u64::from(char));
            return;
        }
        self.end_word(hashes);
        if char != self.mark {
            self.end_mark(hashes);
        }
        if char != ' ' {
            self.mark = char;
            self.repeated = 3.min(self.repeated + 1);
        }
    }

    fn end_word(&mut self, hashes: &mut Hashes) {
        if self.word == Self::START {
            return;
        }
        let mut ended = [self.word; MOST_WORDS];
        for (at, &before) in self.before[..self.most - 1].iter().enumerate() {
            ended[at + 1] = if before == 0 { 0 } else { mix(before, self.word) };
        }
        ended[..self.most].iter().filter(|&&hash| hash != 0).for_each(|&hash| hashes.put(hash));
        self.before = ended;
        self.word = Self::START;
    }

    fn end_mark(&mut self, hashes: &mut Hashes) {
        if self.repeated > 0 {
            hashes.put(mix(mix(3, u64::from(self.mark)), u64::from(self.repeated)));
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
