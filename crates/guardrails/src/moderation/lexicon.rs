use super::themes::{NAMES, PAIRS, Themes, themes};
use crate::learn::{FeatureHook, normalise};

/// How many words apart two themes are close.
const CLOSE: usize = 6;

const FORM: [&str; 4] = ["length", "capitals", "exclamations", "share of letters"];

/// What the moderation model reads beside n-grams: how many words of each theme there are and how often two themes stand close together, both
/// for a text's length, and the form of the text.
pub fn hook() -> FeatureHook {
    let pairs = PAIRS.iter().map(|(name, ..)| *name);
    FeatureHook::new(NAMES.into_iter().chain(pairs).chain(FORM), read)
}

fn read(text: &str) -> Vec<f32> {
    let mut counts = Themed::default();
    let mut word = String::new();
    normalise(text, |char| {
        if char.is_alphanumeric() {
            word.push(char);
        } else if !matches!(char, '\'' | '’') && !word.is_empty() {
            counts.take(&word);
            word.clear();
        }
    });
    if !word.is_empty() {
        counts.take(&word);
    }
    counts.values().chain(form(text)).collect()
}

fn form(text: &str) -> [f32; 4] {
    let [mut length, mut letters, mut capitals, mut exclamations] = [0_usize; 4];
    for char in text.chars() {
        length += 1;
        letters += usize::from(char.is_alphabetic());
        capitals += usize::from(char.is_uppercase());
        exclamations += usize::from(char == '!');
    }
    let (length, letters) = (length.max(1) as f32, letters.max(1) as f32);
    [length.ln(), capitals as f32 / letters, (1.0 + exclamations as f32).ln(), letters / length]
}

/// The themes of the words that were read.
struct Themed {
    words: usize,
    themes: [usize; NAMES.len()],
    pairs: [usize; PAIRS.len()],
    /// Where each theme was met last.
    last: [Option<usize>; NAMES.len()],
}

impl Default for Themed {
    fn default() -> Self {
        Self { words: 0, themes: [0; NAMES.len()], pairs: [0; PAIRS.len()], last: [None; NAMES.len()] }
    }
}

impl Themed {
    fn take(&mut self, word: &str) {
        self.words += 1;
        let Some(themes) = themes(word) else { return };
        let near = self.near();
        for (count, (_, one, other)) in self.pairs.iter_mut().zip(PAIRS) {
            *count += usize::from((themes & one != 0 && near & other != 0) || (themes & other != 0 && near & one != 0));
        }
        for at in (0..NAMES.len()).filter(|at| themes >> at & 1 == 1) {
            self.themes[at] += 1;
            self.last[at] = Some(self.words);
        }
    }

    /// The themes of the words just before.
    fn near(&self) -> Themes {
        let close = |last: &Option<usize>| last.is_some_and(|last| last + CLOSE >= self.words);
        self.last.iter().enumerate().filter(|(_, last)| close(last)).map(|(at, _)| 1 << at).sum()
    }

    /// `ln(1 + 100 n / (words + 20))` of each count: close to a share, and one word in a short text is not all of it.
    fn values(&self) -> impl Iterator<Item = f32> + '_ {
        let share = |&count: &usize| (1.0 + 100.0 * count as f32 / (self.words as f32 + 20.0)).ln();
        self.themes.iter().chain(&self.pairs).map(share)
    }
}
