use super::setting::refused;
use crate::error::Result;

/// Finds stop strings in a text that comes in pieces, however they are cut.
///
/// Given out is what cannot be part of a stop string any more; held back is the longest end of the text that one begins with. The answer
/// ends where the first stop string is complete, and that string is not part of it (the longest one where several end at that place).
/// Cost: a few steps for each byte and stop string.
#[derive(Clone, Debug)]
pub struct StopStrings {
    patterns: Vec<Pattern>,
    held: String,
    stopped: bool,
}

/// What a piece of text led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopStep {
    /// Text to give out.
    pub emit: String,
    /// Whether a stop string was found, in this piece or before.
    pub stopped: bool,
    /// Which of the stop strings was found in this piece, by its index.
    pub found: Option<usize>,
}

impl StopStrings {
    /// Looks for any of `stop`; with none, all text passes at once.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) for an empty stop string.
    pub fn new<S: AsRef<str>>(stop: &[S]) -> Result<Self> {
        let patterns = stop.iter().map(|stop| Pattern::new(stop.as_ref())).collect::<Result<_>>()?;
        Ok(Self { patterns, held: String::new(), stopped: false })
    }

    /// Takes the next piece of text. What comes behind a stop string is dropped.
    pub fn push(&mut self, text: &str) -> StopStep {
        if self.stopped {
            return StopStep { stopped: true, ..StopStep::default() };
        }
        let before = self.held.len();
        self.held.push_str(text);
        for (read, byte) in text.bytes().enumerate() {
            let complete = self.patterns.iter_mut().enumerate().filter_map(|(index, pattern)| Some((pattern.advance(byte)?, index)));
            if let Some((len, index)) = complete.max() {
                self.stopped = true;
                self.held.truncate(before + read + 1 - len);
                return StopStep { emit: std::mem::take(&mut self.held), stopped: true, found: Some(index) };
            }
        }
        let begun = self.patterns.iter().map(|pattern| pattern.matched).max().unwrap_or(0);
        let held = self.held.split_off(self.held.len() - begun);
        StopStep { emit: std::mem::replace(&mut self.held, held), ..StopStep::default() }
    }

    /// The text that was held back, where the answer ended without a stop string.
    pub fn finish(self) -> String {
        self.held
    }
}

/// A stop string and how much of it stands at the end of the text (Knuth, Morris and Pratt 1977).
#[derive(Clone, Debug)]
struct Pattern {
    bytes: Vec<u8>,
    /// `shorter[i]`: the length of the longest proper beginning of the pattern that its first `i + 1` bytes end with.
    shorter: Vec<usize>,
    matched: usize,
}

impl Pattern {
    fn new(stop: &str) -> Result<Self> {
        if stop.is_empty() {
            return Err(refused("stop", "an empty string", "at least one character"));
        }
        let mut pattern = Self { bytes: stop.as_bytes().to_vec(), shorter: vec![0], matched: 0 };
        for &byte in &stop.as_bytes()[1..] {
            pattern.step(byte);
            pattern.shorter.push(pattern.matched);
        }
        pattern.matched = 0;
        Ok(pattern)
    }

    /// Reads a byte of the text; the pattern's length where it is complete.
    fn advance(&mut self, byte: u8) -> Option<usize> {
        self.step(byte);
        (self.matched == self.bytes.len()).then_some(self.matched)
    }

    fn step(&mut self, byte: u8) {
        while self.matched > 0 && self.bytes.get(self.matched) != Some(&byte) {
            self.matched = self.shorter[self.matched - 1];
        }
        if self.bytes[self.matched] == byte {
            self.matched += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn in_pieces<'a>(stop: &[&str], pieces: impl IntoIterator<Item = &'a str>) -> (String, bool) {
        let mut strings = StopStrings::new(stop).unwrap();
        let mut text = String::new();
        for piece in pieces {
            let StopStep { emit, stopped, found } = strings.push(piece);
            assert_eq!(stopped, found.is_some());
            text.push_str(&emit);
            if stopped {
                return (text, true);
            }
        }
        text.push_str(&strings.finish());
        (text, false)
    }

    /// The definition: the first place where a stop string ends, and the longest that ends there.
    fn search(stop: &[&str], text: &str) -> (String, bool) {
        let ends = |end: &usize| {
            stop.iter().filter(|stop| text.is_char_boundary(*end) && text[..*end].ends_with(**stop)).map(|stop| stop.len()).max()
        };
        match (0..=text.len()).find_map(|end| ends(&end).map(|len| end - len)) {
            Some(start) => (text[..start].to_owned(), true),
            None => (text.to_owned(), false),
        }
    }

    #[test]
    fn only_what_may_become_a_stop_string_is_held_back() {
        let mut strings = StopStrings::new(&["</s>", "###"]).unwrap();
        let step = |emit: &str, found: Option<usize>| StopStep { emit: emit.to_owned(), stopped: found.is_some(), found };
        assert_eq!(strings.push("Hello <"), step("Hello ", None));
        assert_eq!(strings.push("b>##"), step("<b>", None));
        assert_eq!(strings.push("x</"), step("##x", None));
        assert_eq!(strings.push("s> more"), step("", Some(0)));
        assert_eq!(strings.push("more"), StopStep { stopped: true, ..StopStep::default() });
        assert_eq!(strings.finish(), "");
    }

    #[test]
    fn the_longest_of_those_that_end_together_is_cut_off() {
        assert_eq!(in_pieces(&["b", "ab"], ["xa", "b"]), ("x".to_owned(), true));
        assert_eq!(in_pieces(&["abcd", "c"], ["abcd"]), ("ab".to_owned(), true));
        assert_eq!(in_pieces(&["aab"], ["a", "a", "a", "b"]), ("a".to_owned(), true));
        assert_eq!(in_pieces(&[], ["a", "b"]), ("ab".to_owned(), false));
    }

    #[test]
    fn an_empty_stop_string_is_refused() {
        assert_eq!(StopStrings::new(&["a", ""]).unwrap_err().to_string(), "stop is an empty string; it has to be at least one character");
    }

    proptest! {
        /// Few characters, so that stop strings begin often; two of them of the same first byte, and one of three bytes.
        #[test]
        fn any_cut_gives_what_a_search_of_the_whole_text_gives(
            text in "[abéè€]{0,40}",
            stop in prop::collection::vec("[abéè€]{1,5}", 0..4),
            cuts in prop::collection::vec(0_usize..40, 0..8),
        ) {
            let stop: Vec<&str> = stop.iter().map(String::as_str).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| text.floor_char_boundary(cut.min(text.len()))).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]);
            prop_assert_eq!(in_pieces(&stop, pieces), search(&stop, &text));
        }

        #[test]
        fn no_more_is_held_back_than_the_longest_stop_string_could_need(text in "[ab]{0,40}", stop in prop::collection::vec("[ab]{1,6}", 1..4)) {
            let mut strings = StopStrings::new(&stop).unwrap();
            let longest = stop.iter().map(String::len).max().unwrap();
            for piece in text.split("") {
                if strings.push(piece).stopped {
                    break;
                }
                prop_assert!(strings.held.len() < longest);
                prop_assert!(strings.held.is_empty() || stop.iter().any(|stop| stop.starts_with(&strings.held)));
            }
        }
    }
}
