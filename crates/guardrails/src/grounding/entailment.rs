use std::{fmt, sync::Arc};

use jarre_core::TextClassifier;

use crate::{Error, Result};

/// A classifier that says whether one text entails another (natural language inference).
#[derive(Clone)]
pub struct Entailment {
    classifier: Arc<dyn TextClassifier>,
    label: String,
    separator: String,
}

impl Entailment {
    /// Asks `classifier`, whose `label` says that the first text entails the second. It reads both as one, with an empty line between.
    ///
    /// # Errors
    /// [`Error::Config`] where the classifier has no such label.
    pub fn new(classifier: Arc<dyn TextClassifier>, label: impl Into<String>) -> Result<Self> {
        let label = label.into();
        if !classifier.info().labels.contains(&label) {
            return Err(Error::config(
                "grounding",
                format!("the classifier has no label `{label}`, it has {:?}", classifier.info().labels),
            ));
        }
        Ok(Self { classifier, label, separator: "\n\n".into() })
    }

    /// Sets what stands between the two texts, as the classifier was trained.
    pub fn with_separator(mut self, separator: impl Into<String>) -> Self {
        self.separator = separator.into();
        self
    }

    /// The probability that each first text entails its second one.
    pub(super) fn probabilities(&self, pairs: &[(String, &str)]) -> Result<Vec<f32>> {
        let texts: Vec<String> = pairs.iter().map(|(premise, hypothesis)| format!("{premise}{}{hypothesis}", self.separator)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let read = if texts.is_empty() { Vec::new() } else { self.classifier.classify(&texts)? };
        if read.len() != texts.len() {
            let message = format!("the classifier judged {} of {} texts", read.len(), texts.len());
            return Err(jarre_core::Error::new(jarre_core::ErrorKind::InvalidResponse, message).into());
        }
        Ok(read.iter().map(|scores| scores.score(&self.label).unwrap_or(0.0)).collect())
    }
}

impl fmt::Debug for Entailment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Entailment").field("classifier", &self.classifier.info().name).field("label", &self.label).finish_non_exhaustive()
    }
}
