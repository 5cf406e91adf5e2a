use std::{ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    Entailment,
    evidence::{Evidence, Held},
    sentences::sentences,
};
use crate::{Basis, Context, Effect, Error, Finding, Guard, Reach, Result, Scan, scan::Whole};

/// When a sentence is not held by the sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroundingConfig {
    /// What is done about it.
    pub effect: Effect,
    /// From which score on, from 0 to 1.
    pub threshold: f32,
    /// How much the classifier says where there is one, from 0 to 1; words say the rest.
    pub entailment: f32,
}

impl Default for GroundingConfig {
    /// Notes sentences from a score of 0.5 on, three quarters of it by the classifier.
    fn default() -> Self {
        Self { effect: Effect::Note, threshold: 0.5, entailment: 0.75 }
    }
}

/// Finds sentences of an answer that its sources do not hold, as `ungrounded`.
///
/// The score rises with the words that do not stand in [`Context::sources`], with pairs of neighbouring words that are no neighbours
/// there, with numbers and names that are missing, and where one of the sentence and the source most like it is negated and the other is
/// not. It is no probability. Words see no paraphrase: an answer in other words than its source seems ungrounded, and one that puts the
/// source's words together wrongly seems grounded. [`with_entailment`](Self::with_entailment) joins a classifier that reads.
///
/// Without sources nothing is found, and a sentence of function words alone (`Yes.`) is none that could be held.
///
/// ```
/// use jarre_guardrails::{Context, Guard, grounding::{GroundingConfig, GroundingGuard}};
///
/// let guard = GroundingGuard::new(GroundingConfig::default())?;
/// let context = Context { sources: vec!["The mill on the Aare burnt down in 1907.".into()], ..Context::default() };
/// let found = guard.check("The mill burnt down in 1907. A brewery by the lake replaced it in 1911.", &context)?;
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].span.start, 29);
/// # Ok::<(), jarre_guardrails::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GroundingGuard {
    config: GroundingConfig,
    entailment: Option<Entailment>,
}

impl GroundingGuard {
    /// A guard that goes by words.
    ///
    /// # Errors
    /// [`Error::Config`] where a share is not from 0 to 1.
    pub fn new(config: GroundingConfig) -> Result<Self> {
        for (name, value) in [("threshold", config.threshold), ("entailment", config.entailment)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::config("grounding", format!("`{name}` is from 0 to 1, not {value}")));
            }
        }
        Ok(Self { config, entailment: None })
    }

    /// Asks a classifier too, about all sentences of an answer at once, each with the sentences of the sources that are most like it.
    pub fn with_entailment(mut self, entailment: Entailment) -> Self {
        self.entailment = Some(entailment);
        self
    }

    fn read(&self, answer: &str, sources: &[Arc<str>]) -> Result<Vec<Finding>> {
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let evidence = Evidence::of(sources);
        let judged = sentences(answer)
            .into_iter()
            .filter_map(|span| Some((evidence.holds(&answer[span.clone()]).map(|held| by_words(&held))?, span)));
        let judged: Vec<(f32, Range<usize>)> = judged.collect();
        let scores = self.join(&judged, answer, &evidence)?;
        let found = judged.into_iter().zip(scores).filter(|(_, score)| *score >= self.config.threshold);
        Ok(found
            .map(|((_, span), score)| Finding { span, label: "ungrounded".into(), score, effect: self.config.effect.clone() })
            .collect())
    }

    fn join(&self, judged: &[(f32, Range<usize>)], answer: &str, evidence: &Evidence) -> Result<Vec<f32>> {
        let words = judged.iter().map(|(score, _)| *score);
        let Some(entailment) = &self.entailment else { return Ok(words.collect()) };
        let pairs = judged.iter().map(|(_, span)| &answer[span.clone()]).map(|sentence| (evidence.premise(sentence), sentence));
        let entailed = entailment.probabilities(&pairs.collect::<Vec<_>>())?;
        let share = self.config.entailment;
        Ok(words.zip(entailed).map(|(words, entailed)| share * (1.0 - entailed) + (1.0 - share) * words).collect())
    }
}

/// How little words hold a sentence, from 0 to 1.
fn by_words(held: &Held) -> f32 {
    let score = 0.45 * (1.0 - held.words)
        + 0.25 * (1.0 - held.pairs)
        + 0.3 * held.missing_numbers
        + 0.15 * held.missing_names
        + if held.contradicts { 0.4 } else { 0.0 };
    score.min(1.0)
}

impl Guard for GroundingGuard {
    fn name(&self) -> &'static str {
        "grounding"
    }

    fn reach(&self) -> Reach {
        Reach::Whole
    }

    fn basis(&self) -> Basis {
        Basis::Context
    }

    fn scan(&self, context: &Context) -> Box<dyn Scan> {
        let (guard, sources) = (self.clone(), context.sources.clone());
        Box::new(Whole::new(move |answer| guard.read(answer, &sources)))
    }
}
