use std::collections::VecDeque;

use crate::fnv::Fnv;

/// Bytes of a word; what is longer is several.
pub(super) const LONGEST_WORD: usize = 48;
/// Bytes that may stand between two words.
pub(super) const GAP: usize = 32;

/// A run of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shingle {
    pub(super) hash: u64,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Reads runs of so many words as the text comes: letters and digits in lower case, whatever stands between. Each ideograph is a word.
#[derive(Debug)]
pub(super) struct Shingles {
    count: usize,
    words: VecDeque<Word>,
    open: Option<Word>,
    at: usize,
    /// Where the last word ended.
    end: usize,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    hash: Fnv,
    start: usize,
    end: usize,
}

impl Shingles {
    pub(super) fn new(count: usize) -> Self {
        Self { count, words: VecDeque::new(), open: None, at: 0, end: 0 }
    }

    /// All of a text.
    pub(super) fn of(text: &str, count: usize) -> Vec<Shingle> {
        let mut shingles = Self::new(count);
        let mut all = Vec::new();
        for character in text.chars() {
            shingles.take(character, &mut |shingle| all.push(shingle));
        }
        shingles.close(&mut |shingle| all.push(shingle));
        all
    }

    /// Reads a character; runs that end before it, or with it, are told.
    pub(super) fn take(&mut self, character: char, tell: &mut impl FnMut(Shingle)) {
        let start = self.at;
        self.at = start + character.len_utf8();
        let is_ideograph = matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}');
        let is_full = self.open.is_some_and(|word| self.at - word.start > LONGEST_WORD);
        if is_full || is_ideograph || !character.is_alphanumeric() {
            self.close(tell);
        }
        if character.is_alphanumeric() {
            let word = self.open.get_or_insert(Word { hash: Fnv::new(), start, end: start });
            word.hash = character.to_lowercase().fold(word.hash, Fnv::push);
            word.end = self.at;
            self.end = self.at;
            if is_ideograph {
                self.close(tell);
            }
        } else if self.at - self.end > GAP {
            self.words.clear();
        }
    }

    /// Ends the word that is open; the run that ends with it is told.
    pub(super) fn close(&mut self, tell: &mut impl FnMut(Shingle)) {
        let Some(word) = self.open.take() else { return };
        self.words.push_back(word);
        if self.words.len() > self.count {
            self.words.pop_front();
        }
        if let Some(first) = self.words.front().filter(|_| self.words.len() == self.count) {
            let hash = self.words.iter().fold(Fnv::new(), |hash, word| hash.push(word.hash.get()));
            tell(Shingle { hash: hash.get(), start: first.start, end: word.end });
        }
    }

    /// Where the text ends so far.
    pub(super) fn end_of_text(&self) -> usize {
        self.at
    }

    /// Where the earliest run starts that is not ended.
    pub(super) fn open_from(&self) -> usize {
        let skipped = usize::from(self.words.len() == self.count);
        let word = self.words.get(skipped).or(self.open.as_ref());
        word.map_or(self.at, |word| word.start)
    }
}
