use std::ops::Range;

use super::{
    Ngrams,
    ngrams::{MOST_WORDS, Pass},
    normalise,
    vector::bucket,
};

/// A text whose n-grams are hashed once, so that windows that overlap are read without hashing what they share again.
///
/// What a window is read as does not depend on what stands around it: only n-grams between two [`Cut`]s are shared, and at its ends it is
/// read by itself.
pub(super) struct Hashed<'a> {
    text: &'a str,
    ngrams: Ngrams,
    bits: u32,
    /// The bucket of each n-gram, in the order of their ends.
    buckets: Vec<u32>,
    cuts: Vec<Cut>,
}

/// A place behind a space of ASCII, where no character is composed with the next one and a reading knows no more than the words before.
#[derive(Clone, Copy)]
struct Cut {
    /// Where it is in the text.
    at: usize,
    /// The n-grams before.
    seen: usize,
    /// The words before.
    words: usize,
}

impl<'a> Hashed<'a> {
    pub(super) fn of(ngrams: Ngrams, bits: u32, text: &'a str) -> Self {
        let (mut buckets, mut cuts) = (Vec::with_capacity(text.len() * 5), Vec::with_capacity(text.len() / 5));
        let mut pass = Pass::new(ngrams);
        let mut start = 0;
        for (at, _) in text.bytes().enumerate().filter(|(_, byte)| is_space(*byte)) {
            normalise(&text[start..=at], |char| pass.take(char, &mut |hash| buckets.push(bucket(hash, bits))));
            start = at + 1;
            cuts.push(Cut { at: start, seen: buckets.len(), words: pass.words() });
        }
        normalise(&text[start..], |char| pass.take(char, &mut |hash| buckets.push(bucket(hash, bits))));
        Self { text, ngrams, bits, buckets, cuts }
    }

    /// Hands the bucket of each n-gram of `window` to `take`, in the order in which [`Ngrams::visit`] does.
    pub(super) fn visit(&self, window: Range<usize>, mut take: impl FnMut(u32)) {
        let Some((first, last)) = self.shared(&window) else {
            return self.ngrams.visit(&self.text[window], |hash| take(bucket(hash, self.bits)));
        };
        let mut pass = Pass::new(self.ngrams);
        normalise(&self.text[window.start..first.at], |char| pass.take(char, &mut |hash| take(bucket(hash, self.bits))));
        self.buckets[first.seen..last.seen].iter().for_each(|&bucket| take(bucket));
        if last.at < window.end {
            let mut pass = Pass::new(self.ngrams);
            // The words before, which the next ones stand behind.
            normalise(&self.text[self.words_before(last).at..last.at], |char| pass.take(char, &mut |_| ()));
            let mut each = |hash| take(bucket(hash, self.bits));
            normalise(&self.text[last.at..window.end], |char| pass.take(char, &mut each));
            pass.take(' ', &mut each);
        }
    }

    /// The cuts between which a window is read as the text is: behind as many words as an n-gram has, and at its end.
    fn shared(&self, window: &Range<usize>) -> Option<(Cut, Cut)> {
        let within = self.cuts.partition_point(|cut| cut.at <= window.start);
        let begin = self.cuts.get(within)?;
        let first = within + self.cuts[within..].partition_point(|cut| cut.words < begin.words + MOST_WORDS);
        // A space behind the window ends its last word as its end does.
        let end = window.end + usize::from(self.text.as_bytes().get(window.end).is_some_and(|byte| is_space(*byte)));
        let last = self.cuts.partition_point(|cut| cut.at <= end).checked_sub(1)?;
        (first < last).then(|| (self.cuts[first], self.cuts[last]))
    }

    /// A cut so many words before another that no n-gram of words reaches further back. A window has as many before the first that it shares.
    fn words_before(&self, cut: Cut) -> Cut {
        let at = self.cuts.partition_point(|earlier| earlier.words + MOST_WORDS <= cut.words);
        self.cuts[at.saturating_sub(1)]
    }
}

/// A space after which nothing is composed with it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BITS: u32 = 22;

    fn alone(ngrams: Ngrams, text: &str) -> Vec<u32> {
        let mut seen = Vec::new();
        ngrams.visit(text, |hash| seen.push(bucket(hash, BITS)));
        seen
    }

    proptest! {
        #[test]
        fn a_window_is_read_as_it_is_by_itself(
            text in "([a-cA-C]{1,3}|[ \n\t]{1,2}|[.!,']{1,4}|[0-9]|\u{301}|\u{e9}|\u{a0}|\u{3000}|\u{200b}|\u{b4}|\u{1100}\u{1161}|中|\u{2028}){0,90}",
            from: prop::sample::Index,
            to: prop::sample::Index,
            words_to in 0_usize..=4,
        ) {
            let ngrams = Ngrams { words_to, ..Ngrams::default() };
            let place = |index: prop::sample::Index| text.floor_char_boundary(index.index(text.len() + 1));
            let (from, to) = (place(from), place(to));
            let window = from.min(to)..from.max(to);
            let hashed = Hashed::of(ngrams, BITS, &text);
            let mut seen = Vec::new();
            hashed.visit(window.clone(), |bucket| seen.push(bucket));
            prop_assert_eq!(seen, alone(ngrams, &text[window]));
        }
    }

    #[test]
    fn most_of_a_window_is_shared() {
        let text = "One two, three! four five six seven. ".repeat(20);
        let hashed = Hashed::of(Ngrams::default(), BITS, &text);
        let (first, last) = hashed.shared(&(101..601)).unwrap();
        assert!(first.at < 130 && last.at > 590, "{} to {}", first.at, last.at);
    }
}
