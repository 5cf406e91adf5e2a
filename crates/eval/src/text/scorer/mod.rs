mod spec;

pub use spec::ScorerSpec;

use super::{
    Bleu, Chrf, Letters, Pattern, Rouge, Take, contains, edit_similarity, exact_match, extract::choice, math_equal, numeric_equal,
    parse_number, target, token_f1,
};
use crate::{Outcome, Sample, Score};

/// Gives an answer a figure.
///
/// The scorers of [`ScorerSpec`] are deterministic: the same sample always gets the same figure, so that answers can be scored again without
/// asking for them again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scorer",
    note = "implement `jarre_eval::text::Scorer`, or build one with `jarre_eval::text::ScorerSpec`"
)]
pub trait Scorer: Send + Sync {
    /// The name that its scores go by (`exact_match`). Two scorers of one run have different ones.
    fn name(&self) -> String;

    /// Changes whenever the same answer could get another figure, with settings too.
    fn version(&self) -> String;

    /// The figure of `sample`. What cannot be scored (no target, no answer because of an error) is unscored, not wrong.
    fn score(&self, sample: &Sample) -> Outcome;

    /// Why `sample` got its figure, where that needs saying.
    fn explain(&self, _sample: &Sample) -> Option<String> {
        None
    }

    /// The score with everything that a run keeps of it.
    fn scored(&self, sample: &Sample) -> Score {
        Score { scorer: self.name(), version: self.version(), outcome: self.score(sample), explanation: self.explain(sample) }
    }
}

/// Said where an exact scorer gives 0 to an answer that was not found.
const NOT_EXTRACTED: &str = "no answer was found in the output";

/// A scorer that compares an answer with its target, or with a pattern.
#[derive(Clone, Debug)]
pub(super) struct TextScorer {
    name: String,
    settings: String,
    measure: Measure,
}

/// How an answer is compared.
#[derive(Clone, Debug)]
enum Measure {
    ExactMatch,
    Contains,
    F1,
    Regex(Pattern),
    Numeric(f64),
    Math,
    Choice(Letters),
    Rouge(Rouge),
    Chrf(Chrf),
    Bleu(Bleu),
    EditSimilarity,
}

impl Scorer for TextScorer {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn version(&self) -> String {
        format!("1{}", self.settings)
    }

    fn score(&self, sample: &Sample) -> Outcome {
        if let Some(error) = &sample.error {
            return Outcome::Unscored(format!("there is no answer: {error}"));
        }
        let Some(answer) = self.answer(sample) else { return Outcome::Scored(0.0) };
        match (&self.measure, &sample.target) {
            (Measure::Regex(pattern), _) => Outcome::Scored(indicator(pattern.is_match(answer))),
            (_, None) => Outcome::Unscored("the item has no target".to_owned()),
            (measure, Some(target)) => measure.compare(answer, &target::references(target)),
        }
    }

    fn explain(&self, sample: &Sample) -> Option<String> {
        let unfound = sample.error.is_none() && self.answer(sample).is_none();
        unfound.then(|| NOT_EXTRACTED.to_owned())
    }
}

impl TextScorer {
    fn of_pattern(pattern: &Pattern) -> Self {
        let name = format!("regex/{}", pattern.as_str());
        Self { name, settings: String::new(), measure: Measure::Regex(pattern.clone()) }
    }

    /// The extracted answer. Where none was found, scorers of exactness have nothing to compare: the whole output in its place would be
    /// right by luck. Those of overlap take the whole output.
    fn answer<'s>(&self, sample: &'s Sample) -> Option<&'s str> {
        let exact = matches!(self.measure, Measure::ExactMatch | Measure::Numeric(_) | Measure::Math | Measure::Choice(_));
        sample.extracted.as_deref().or((!exact).then_some(sample.output.as_str()))
    }
}

impl Measure {
    /// From 0 to 1, also for measures that are from 0 to 100 elsewhere.
    fn compare(&self, answer: &str, references: &[String]) -> Outcome {
        let any = |equal: &dyn Fn(&str) -> bool| indicator(references.iter().any(|reference| equal(reference)));
        let best = |similarity: &dyn Fn(&str) -> f64| references.iter().map(|reference| similarity(reference)).fold(0.0, f64::max);
        Outcome::of(match self {
            Self::ExactMatch => indicator(exact_match(answer, references)),
            Self::Contains => indicator(contains(answer, references)),
            Self::F1 => token_f1(answer, references),
            Self::Regex(pattern) => indicator(pattern.is_match(answer)),
            Self::Numeric(_) if references.iter().all(|reference| parse_number(reference).is_none()) => {
                return Outcome::Unscored("the target is no number".to_owned());
            }
            Self::Numeric(tolerance) => any(&|reference| numeric_equal(answer, reference, *tolerance)),
            Self::Math => any(&|reference| math_equal(answer, reference)),
            Self::Choice(letters) => return chosen(answer, references, letters),
            Self::Rouge(rouge) => rouge.best(answer, references).f1,
            Self::Chrf(chrf) => chrf.sentence(answer, references) / 100.0,
            Self::Bleu(bleu) => bleu.sentence(answer, references).score / 100.0,
            Self::EditSimilarity => best(&|reference| edit_similarity(answer, reference)),
        })
    }
}

fn chosen(answer: &str, references: &[String], letters: &Letters) -> Outcome {
    let letter = |text: &str| choice(text, letters, Take::Last);
    let wanted: Vec<char> = references.iter().filter_map(|reference| letter(reference)).collect();
    if wanted.is_empty() {
        return Outcome::Unscored("the target names no choice".to_owned());
    }
    Outcome::Scored(indicator(letter(answer).is_some_and(|letter| wanted.contains(&letter))))
}

fn indicator(condition: bool) -> f64 {
    f64::from(u8::from(condition))
}
