use serde::{Deserialize, Serialize};

use super::{
    Calibration, Confusion, Judgement, Repeats,
    agreement::{alpha, best_length_kappa, correlation, kappa, measure, rate},
    id::digest,
};
use crate::{Error, Outcome, Result};

/// An answer that people labelled and a judge judged, once or several times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelledAnswer {
    /// The item.
    pub item: String,
    /// The label, on the judge's scale.
    pub label: f64,
    /// Characters of the answer.
    pub length: usize,
    /// What the judge said: the first time counts, the others show how steady it is.
    pub judgements: Repeats,
}

/// Holds judges against labels.
///
/// ```
/// use jarre_eval::{Outcome, judge::{Against, Calibrator, GatePolicy, Judge, Judgement, LabelledAnswer, LexicalJudge, Repeats}};
///
/// let judge = LexicalJudge::containment(Against::Reference).with_threshold(0.5);
/// let said = |value| Repeats { judgements: vec![Judgement::new(&judge, Outcome::Scored(value))] };
/// let answer = |index: u32| {
///     let label = f64::from(index % 2);
///     // Every tenth verdict is wrong.
///     let value = if index % 10 == 0 { 1.0 - label } else { label };
///     LabelledAnswer { item: index.to_string(), label, length: 20, judgements: said(value) }
/// };
/// let calibration = Calibrator::default().answers(&(0..200).map(answer).collect::<Vec<_>>())?;
/// assert_eq!((calibration.accuracy.share(), calibration.tnr.share()), (Some(0.9), Some(0.8)));
/// assert!(calibration.gate(judge.id(), &GatePolicy::default()).is_open());
/// assert!(!calibration.gate(judge.without_question().id(), &GatePolicy::default()).is_open());
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibrator {
    pub(super) confidence: f64,
    pass_mark: Option<f64>,
}

impl Default for Calibrator {
    /// 95 % confidence, and the pass mark of the scale.
    fn default() -> Self {
        Self { confidence: 0.95, pass_mark: None }
    }
}

impl Calibrator {
    /// The confidence of intervals.
    ///
    /// # Panics
    /// Where it is not between 0 and 1, both exclusive.
    pub fn with_confidence(mut self, confidence: f64) -> Self {
        assert!(confidence > 0.0 && confidence < 1.0, "a confidence of {confidence} is not between 0 and 1");
        self.confidence = confidence;
        self
    }

    /// From which figure an answer passes; [`Scale::pass_mark`](super::Scale::pass_mark) unless set.
    pub fn with_pass_mark(mut self, pass_mark: f64) -> Self {
        self.pass_mark = Some(pass_mark);
        self
    }

    /// What the judge of `answers` is worth.
    ///
    /// # Errors
    /// [`Error::EmptySample`] without judgements, [`Error::MixedJudgements`] where they are of several judges or scales, and
    /// [`Error::OffScale`] for a label that the scale does not have.
    pub fn answers(&self, answers: &[LabelledAnswer]) -> Result<Calibration> {
        let first = answers.iter().find_map(|answer| answer.judgements.judgements.first()).ok_or(Error::EmptySample)?;
        check(answers, first)?;
        let scale = first.scale;
        let pass_mark = self.pass_mark.unwrap_or_else(|| scale.pass_mark());
        let scored: Vec<Scored> = answers.iter().filter_map(Scored::of).collect();
        let figures: Vec<(f64, f64)> = scored.iter().map(|scored| (scored.label, scored.figure)).collect();
        let passes: Vec<(bool, bool)> = figures.iter().map(|(label, figure)| (*label >= pass_mark, *figure >= pass_mark)).collect();
        let confusion = confusion(&passes);
        let Confusion { true_pass, false_pass, false_fail, true_fail } = confusion;
        let binary: Vec<(f64, f64)> =
            passes.iter().map(|(label, figure)| (f64::from(u8::from(*label)), f64::from(u8::from(*figure)))).collect();
        let units: Vec<Vec<f64>> = figures.iter().map(|(label, figure)| vec![*label, *figure]).collect();
        let lengths: Vec<usize> = scored.iter().map(|scored| scored.length).collect();
        let label_passes: Vec<bool> = passes.iter().map(|(label, _)| *label).collect();
        let failed = answers.iter().filter(|answer| matches!(first_outcome(answer), Some(Outcome::Failed(_)))).count();
        Ok(Calibration {
            judge: first.judge.clone(),
            scale,
            pass_mark,
            confidence: self.confidence,
            labels_digest: labels_digest(answers.iter().map(|answer| format!("{}\t{}", answer.item, answer.label))),
            n: answers.len(),
            unscored: answers.len() - scored.len() - failed,
            failed,
            confusion,
            accuracy: rate(true_pass + true_fail, passes.len() as u64, self.confidence),
            tpr: rate(true_pass, true_pass + false_fail, self.confidence),
            tnr: rate(true_fail, true_fail + false_pass, self.confidence),
            kappa: kappa(&binary, false, self.confidence),
            weighted_kappa: if scale.is_ordinal() { kappa(&figures, true, self.confidence) } else { None },
            alpha: alpha(&units, measure(scale)),
            flip_rate: flip_rate(answers),
            length_correlation: correlation(&scored.iter().map(|scored| (scored.figure, scored.log_length)).collect::<Vec<_>>()),
            label_length_correlation: correlation(&scored.iter().map(|scored| (scored.label, scored.log_length)).collect::<Vec<_>>()),
            length_kappa: best_length_kappa(&lengths, &label_passes),
        })
    }
}

/// An answer with a verdict.
struct Scored {
    label: f64,
    figure: f64,
    length: usize,
    log_length: f64,
}

impl Scored {
    fn of(answer: &LabelledAnswer) -> Option<Self> {
        let figure = first_outcome(answer)?.value()?;
        Some(Self { label: answer.label, figure, length: answer.length, log_length: (1.0 + answer.length as f64).ln() })
    }
}

fn first_outcome(answer: &LabelledAnswer) -> Option<&Outcome> {
    answer.judgements.judgements.first().map(|judgement| &judgement.outcome)
}

fn check(answers: &[LabelledAnswer], first: &Judgement) -> Result<()> {
    for (index, answer) in answers.iter().enumerate() {
        if !first.scale.has(answer.label) {
            return Err(Error::OffScale { index, value: answer.label, scale: first.scale.to_string() });
        }
        for other in &answer.judgements.judgements {
            if other.scale != first.scale || other.judge != first.judge {
                let name = |judgement: &Judgement| format!("{} on {}", judgement.judge, judgement.scale);
                return Err(Error::MixedJudgements { first: name(first), second: name(other) });
            }
        }
    }
    Ok(())
}

fn confusion(passes: &[(bool, bool)]) -> Confusion {
    let count = |wanted: (bool, bool)| passes.iter().filter(|pass| **pass == wanted).count() as u64;
    Confusion {
        true_pass: count((true, true)),
        false_pass: count((false, true)),
        false_fail: count((true, false)),
        true_fail: count((false, false)),
    }
}

/// The mean over the answers that were judged several times.
fn flip_rate(answers: &[LabelledAnswer]) -> Option<f64> {
    let rates: Vec<f64> = answers.iter().filter_map(|answer| answer.judgements.flip_rate()).collect();
    (!rates.is_empty()).then(|| rates.iter().sum::<f64>() / rates.len() as f64)
}

/// The same in whatever order the labels come.
pub(super) fn labels_digest(lines: impl Iterator<Item = String>) -> String {
    let mut lines: Vec<String> = lines.collect();
    lines.sort_unstable();
    digest(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}
