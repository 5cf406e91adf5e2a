use jarre_core::{BoxFuture, Classification, TextClassifier};

use super::{Case, Judge, JudgeId, Judgement, Scale, sentences::sentences, verdict::Unjudged};
use crate::{Error, Outcome, Result};

/// Asks a local classifier of entailment whether the context (or, without one, the reference) entails each sentence of the answer; the
/// figure is the mean probability over the sentences.
///
/// Any [`TextClassifier`] with a label for entailment serves: `entailment`, `neutral`, `contradiction`, or two labels as of fact-checking
/// models. It reads premise and hypothesis as one text, joined by a separator. A premise that is too long for it is cut into windows that
/// overlap by half, and the window that entails most counts.
#[derive(Clone, Debug)]
pub struct NliJudge<C> {
    nli: Entailment<C>,
    id: JudgeId,
}

impl<C: TextClassifier> NliJudge<C> {
    /// A judge over `classifier`, which must have a label like `entailment`, `supported` or `consistent`.
    ///
    /// # Errors
    /// [`Error::InvalidJudge`] where no label, or more than one, says entailment; [`with_label`](Self::with_label) names it then.
    pub fn new(classifier: C) -> Result<Self> {
        let label = entailment_label(&classifier.info().labels)?;
        Self::with_label(classifier, label)
    }

    /// A judge over `classifier`, whose `label` says entailment.
    ///
    /// # Errors
    /// [`Error::InvalidJudge`] where the classifier has no such label.
    pub fn with_label(classifier: C, label: impl Into<String>) -> Result<Self> {
        let (label, info) = (label.into(), classifier.info());
        if !info.labels.contains(&label) {
            return Err(Error::InvalidJudge(format!("the classifier has no label {label:?}, it has {:?}", info.labels)));
        }
        let nli = Entailment { classifier, label, separator: "\n\n".into(), window: 250 };
        Ok(Self { nli, id: JudgeId::default() }.identified())
    }

    /// Sets what stands between premise and hypothesis, as the classifier was trained; an empty line unless set.
    pub fn with_separator(mut self, separator: impl Into<String>) -> Self {
        self.nli.separator = separator.into();
        self.identified()
    }

    /// Cuts premises into windows of this many words; 250 unless set.
    ///
    /// # Panics
    /// Where it is zero.
    pub fn with_window(mut self, words: usize) -> Self {
        assert!(words > 0, "a window of no words entails nothing");
        self.nli.window = words;
        self.identified()
    }

    /// The probability that `premise` entails each of `hypotheses`.
    pub(crate) fn entailment(&self, premise: &str, hypotheses: &[&str]) -> Result<Vec<f64>, Unjudged> {
        self.nli.probabilities(premise, hypotheses)
    }

    /// The name of the classifier, as ids show it.
    pub(crate) fn kind(&self) -> String {
        format!("nli:{}", self.nli.classifier.info().name)
    }

    fn identified(mut self) -> Self {
        let Entailment { label, separator, window, .. } = &self.nli;
        self.id = JudgeId::new(format!("entailment[{}]", self.kind()), &["nli", "1", &self.kind(), label, separator, &window.to_string()]);
        self
    }

    fn outcome(&self, case: &Case) -> Outcome {
        let Some(premise) = case.context.as_deref().or(case.reference.as_deref()) else {
            return Outcome::Unscored("the case has neither context nor reference to hold the answer against".into());
        };
        let claims = sentences(&case.answer);
        if claims.is_empty() {
            return Outcome::Unscored("the answer has no sentence".into());
        }
        match self.entailment(premise, &claims) {
            Ok(probabilities) => Outcome::of(probabilities.iter().sum::<f64>() / probabilities.len() as f64),
            Err(unjudged) => unjudged.into(),
        }
    }
}

impl<C: TextClassifier> Judge for NliJudge<C> {
    fn id(&self) -> &JudgeId {
        &self.id
    }

    fn scale(&self) -> Scale {
        Scale::Unit
    }

    fn judge<'a>(&'a self, case: &'a Case, _: u32) -> BoxFuture<'a, Judgement> {
        Box::pin(async move { Judgement::new(self, self.outcome(case)) })
    }
}

#[derive(Clone, Debug)]
struct Entailment<C> {
    classifier: C,
    label: String,
    separator: String,
    window: usize,
}

impl<C: TextClassifier> Entailment<C> {
    fn probabilities(&self, premise: &str, hypotheses: &[&str]) -> Result<Vec<f64>, Unjudged> {
        let mut best = vec![0.0_f64; hypotheses.len()];
        for window in windows(premise, self.window) {
            let texts: Vec<String> = hypotheses.iter().map(|hypothesis| format!("{window}{}{hypothesis}", self.separator)).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let classified = self.classifier.classify(&texts)?;
            if classified.len() != texts.len() {
                return Err(Unjudged::Unreadable("the classifier left texts out".into()));
            }
            for (best, scores) in best.iter_mut().zip(&classified) {
                *best = best.max(self.probability(scores)?);
            }
        }
        Ok(best)
    }

    fn probability(&self, scores: &Classification) -> Result<f64, Unjudged> {
        let probability = scores.score(&self.label).map(f64::from).filter(|probability| (0.0..=1.0).contains(probability));
        probability.ok_or_else(|| Unjudged::Unreadable(format!("the classifier gave no probability of {:?}", self.label)))
    }
}

fn entailment_label(labels: &[String]) -> Result<String> {
    const NAMES: [&str; 7] = ["entailment", "entails", "entailed", "supported", "supports", "consistent", "grounded"];
    let named: Vec<&String> = labels.iter().filter(|label| NAMES.contains(&label.to_lowercase().as_str())).collect();
    match named.as_slice() {
        [label] => Ok((*label).clone()),
        _ => {
            Err(Error::InvalidJudge(format!("none of the labels {labels:?}, or more than one, says entailment; name it with `with_label`")))
        }
    }
}

/// Windows of `size` words that overlap by half; the whole text where it fits.
fn windows(text: &str, size: usize) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() <= size {
        return vec![text.to_owned()];
    }
    let step = size.div_ceil(2);
    let last = words.len() - size;
    (0..last).step_by(step).chain([last]).map(|start| words[start..start + size].join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use jarre_core::{ClassifierInfo, ErrorKind, LabelScore};
    use pollster::block_on;

    use super::*;

    /// Entails what stands in the premise word by word.
    struct Verbatim {
        info: ClassifierInfo,
        seen: Mutex<Vec<String>>,
        fails: bool,
    }

    fn verbatim(labels: &[&str]) -> Verbatim {
        let labels = labels.iter().map(|&label| label.into()).collect();
        Verbatim { info: ClassifierInfo { name: "verbatim".into(), labels, multi_label: false }, seen: Mutex::default(), fails: false }
    }

    impl TextClassifier for Verbatim {
        fn info(&self) -> &ClassifierInfo {
            &self.info
        }

        fn classify(&self, texts: &[&str]) -> jarre_core::Result<Vec<Classification>> {
            if self.fails {
                return Err(jarre_core::Error::new(ErrorKind::Unavailable, "no weights"));
            }
            let score = |text: &&str| {
                self.seen.lock().unwrap().push((*text).to_owned());
                let (premise, hypothesis) = text.split_once("\n\n").unwrap();
                let entailed = if premise.contains(hypothesis.trim_end_matches('.')) { 0.75 } else { 0.25 };
                Classification::new(self.info.labels.iter().map(|label| LabelScore::new(label.clone(), entailed)))
            };
            Ok(texts.iter().map(score).collect())
        }
    }

    const THREE: [&str; 3] = ["contradiction", "ENTAILMENT", "neutral"];

    #[test]
    fn the_figure_is_the_mean_over_the_sentences() {
        let judge = NliJudge::new(verbatim(&THREE)).unwrap();
        let case = Case::new("q", "Cats sleep. Dogs fly.").with_context("Cats sleep all day");
        let judgement = block_on(judge.judge(&case, 0));
        assert_eq!((judgement.value(), judgement.judge.name.as_str()), (Some(0.5), "entailment[nli:verbatim]"));
        assert_eq!(block_on(judge.judge(&Case::new("q", "Dogs.").with_reference("Dogs"), 0)).value(), Some(0.75));
    }

    #[test]
    fn a_long_premise_is_seen_in_overlapping_windows() {
        let judge = NliJudge::new(verbatim(&["unsupported", "supported"])).unwrap().with_window(4);
        let case = Case::new("q", "d e.").with_context("a b c d e f g");
        assert_eq!(block_on(judge.judge(&case, 0)).value(), Some(0.75));
        let seen = judge.nli.classifier.seen.lock().unwrap();
        assert_eq!(*seen, ["a b c d\n\nd e.", "c d e f\n\nd e.", "d e f g\n\nd e."]);
    }

    #[test]
    fn without_premise_sentence_or_classifier_there_is_no_figure() {
        let mut judge = NliJudge::new(verbatim(&THREE)).unwrap();
        assert!(matches!(judge.outcome(&Case::new("q", "a")), Outcome::Unscored(_)));
        assert!(matches!(judge.outcome(&Case::new("q", " ").with_context("c")), Outcome::Unscored(_)));
        judge.nli.classifier.fails = true;
        assert!(matches!(judge.outcome(&Case::new("q", "a").with_context("c")), Outcome::Failed(_)));
    }

    #[test]
    fn the_label_of_entailment_must_be_clear() {
        assert!(NliJudge::new(verbatim(&["LABEL_0", "LABEL_1"])).is_err());
        assert!(NliJudge::new(verbatim(&["entailment", "supported"])).is_err());
        assert!(NliJudge::with_label(verbatim(&["LABEL_0", "LABEL_1"]), "LABEL_1").is_ok());
        assert!(NliJudge::with_label(verbatim(&THREE), "LABEL_1").is_err());
    }
}
