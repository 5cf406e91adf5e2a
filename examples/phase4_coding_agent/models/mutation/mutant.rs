use super::edit::{Edit, dropped_lines, edits};
use crate::tasks::Language;

/// A program that was broken on purpose.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    pub(crate) text: String,
    pub(crate) edits: Vec<Edit>,
}

impl Mutant {
    /// `text` with `changes` small changes, each on a line of its own, chosen by `seed`; none where it has no such lines. Whether the
    /// tests see it is for who runs them to say.
    pub(crate) fn of(text: &str, language: Language, changes: usize, seed: &str) -> Option<Self> {
        let mut mutant = Self { text: text.into(), edits: Vec::new() };
        for round in 0..changes {
            let edit = mutant.choose(language, seed, round)?;
            mutant.text = edit.apply(&mutant.text);
            mutant.edits.push(edit);
        }
        Some(mutant)
    }

    fn choose(&self, language: Language, seed: &str, round: usize) -> Option<Edit> {
        let mut choices = edits(&self.text, language);
        choices.extend(dropped_lines(&self.text, language));
        choices.retain(|choice| self.edits.iter().all(|edit| edit.line != choice.line));
        let drawn = drawn(&format!("{seed}/{round}"));
        let index = drawn.checked_rem(choices.len() as u64)?;
        Some(choices.swap_remove(index as usize))
    }
}

/// The same number for the same seed, on every machine.
fn drawn(seed: &str) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(seed.as_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "def f(a):\n    n = 0\n    for x in a:\n        if x > 1:\n            n += x\n    return n\n";

    #[test]
    fn the_same_seed_breaks_the_same_and_others_differ() {
        let broken = |seed: &str| Mutant::of(TEXT, Language::Python, 2, seed).unwrap();
        assert_eq!(broken("a").text, broken("a").text);
        assert!((0..20).any(|seed| broken(&seed.to_string()).text != broken("a").text));
        for seed in 0..50 {
            let mutant = broken(&seed.to_string());
            assert_ne!(mutant.text, TEXT);
            assert_ne!(mutant.edits[0].line, mutant.edits[1].line);
        }
    }

    #[test]
    fn what_has_nothing_to_change_is_left() {
        assert!(Mutant::of("", Language::Rust, 1, "").is_none());
        assert!(Mutant::of("fn f() {}", Language::Rust, 1, "").is_none());
    }
}
