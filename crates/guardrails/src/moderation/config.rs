use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Category;
use crate::{Effect, Error, Result, scan::Window};

/// What is moderated, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModerationConfig {
    /// What is done about each category; one that is not named has its [`Rule::of`].
    pub rules: BTreeMap<Category, Rule>,
    /// Whether a text is judged as it comes.
    pub reading: Reading,
    /// The bytes that are judged at a time, at most.
    pub window: usize,
    /// The bytes from one judgement to the next: a reading by windows holds back so many and 3 more at most.
    pub stride: usize,
    /// What is made of several classifiers.
    pub join: Join,
}

impl Default for ModerationConfig {
    /// Windows of 1,024 bytes each 256 bytes, the highest score of all classifiers.
    fn default() -> Self {
        Self { rules: BTreeMap::new(), reading: Reading::Windows, window: 1024, stride: 256, join: Join::Max }
    }
}

/// The probabilities from which something is done about a category.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// It is noted from here on; never without.
    pub note: Option<f32>,
    /// It is blocked from here on; never without.
    pub block: Option<f32>,
}

/// Whether a text is judged as it comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Window by window: for streams. A finding falls on the stride at the end of its window.
    #[default]
    Windows,
    /// Once it is there: one finding for each category, on the window where it is likeliest.
    Whole,
}

/// What is made of the scores of several classifiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// The highest.
    #[default]
    Max,
    /// Their mean.
    Mean,
}

impl Rule {
    /// The rule where none is given, for the classifier that comes with the crate.
    ///
    /// The thresholds at which, in a cross-validation on the evaluation set, 5 % of the texts without the category were noted and 1 % were
    /// blocked; what they find there stands in `models/README.md`. Elsewhere these shares will differ: choose on texts of your own.
    pub fn of(category: Category) -> Self {
        let (note, block) = match category {
            Category::Sexual => (0.35, 0.95),
            Category::Hate => (0.66, 0.86),
            Category::Violence => (0.19, 0.49),
            Category::Harassment => (0.16, 0.50),
            Category::SelfHarm => (0.09, 0.57),
            Category::SexualMinors => (0.25, 0.78),
            Category::HateThreatening => (0.22, 0.59),
            Category::ViolenceGraphic => (0.07, 0.20),
        };
        Self { note: Some(note), block: Some(block) }
    }

    /// The lowest score that something is done about, infinite where nothing is.
    pub(super) fn least(self) -> f32 {
        self.note.into_iter().chain(self.block).fold(f32::INFINITY, f32::min)
    }

    /// What is done about this score, if anything.
    pub fn effect(self, score: f32) -> Option<Effect> {
        let passes = |threshold: Option<f32>| threshold.is_some_and(|threshold| score >= threshold);
        if passes(self.block) {
            return Some(Effect::Block);
        }
        passes(self.note).then_some(Effect::Note)
    }
}

impl ModerationConfig {
    /// The rule of `category`.
    pub fn rule(&self, category: Category) -> Rule {
        self.rules.get(&category).copied().unwrap_or_else(|| Rule::of(category))
    }

    /// The windows, where they can be.
    pub(super) fn windows(&self) -> Result<Window> {
        let fit = (4..=self.window).contains(&self.stride);
        let window = Window { length: self.window, stride: self.stride };
        fit.then_some(window).ok_or_else(|| Error::Moderation { reason: "set `stride` from 4 to `window`".into() })
    }
}
