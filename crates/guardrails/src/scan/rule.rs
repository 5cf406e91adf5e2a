use super::{Pattern, Seen};
use crate::Result;

/// How sure a match is, from 0 to 1, or that it is none.
pub(crate) type Judge = fn(&Seen<'_>) -> Option<f32>;

/// A pattern as tables of guards have it.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) label: &'static str,
    pub(crate) regex: String,
    pub(crate) judge: Judge,
    /// Whether the first group is what is found.
    pub(crate) capturing: bool,
    /// The words of which the judge asks for one before a match; none where it takes others, too.
    pub(crate) words: &'static [&'static str],
}

impl Rule {
    pub(crate) fn new(label: &'static str, regex: impl Into<String>, judge: Judge) -> Self {
        Self { label, regex: regex.into(), judge, capturing: false, words: &[] }
    }

    /// The rule that finds the first group of `regex`.
    pub(crate) fn capturing(label: &'static str, regex: impl Into<String>, judge: Judge) -> Self {
        Self { capturing: true, ..Self::new(label, regex, judge) }
    }

    /// The rule whose judge takes nothing but what one of `words` stands before.
    pub(crate) fn announced(label: &'static str, regex: impl Into<String>, words: &'static [&'static str], judge: Judge) -> Self {
        Self { words, ..Self::new(label, regex, judge) }
    }

    /// The pattern of this rule, whose matches count from a score of `least` on.
    pub(crate) fn pattern(&self, least: f32) -> Result<Pattern> {
        let judge = self.judge;
        let pattern = Pattern::new(self.label, &self.regex)?.accepting(move |seen| judge(seen).filter(|&score| score >= least));
        let pattern = if self.words.is_empty() { pattern } else { pattern.announced_by(self.words)? };
        Ok(if self.capturing { pattern.capturing() } else { pattern })
    }
}
