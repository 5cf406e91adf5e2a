use std::path::Path;

use burn::tensor::Device;
use jarre_core::{Reranker, TextClassifier};

use super::labels::LabelConfig;
use super::sequence_classifier::{SequenceClassifier, sigmoid};
use crate::error::{Error, Result};

/// Scores how well a text answers a query by reading both together, as the `CrossEncoder` of sentence-transformers does with the same
/// folder ([Nogueira and Cho 2019](https://arxiv.org/abs/1901.04085)).
///
/// ```no_run
/// use burn::tensor::Device;
/// use jarre_core::Reranker;
/// use jarre_transformer::CrossEncoder;
///
/// let reranker = CrossEncoder::from_folder("ms-marco-MiniLM-L6-v2", &Device::default())?;
/// let scores = reranker.score("Who built it?", &["It was built by Ada.", "It stands by the river."])?;
/// assert!(scores[0] > scores[1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A score is the sigmoid of the model's logit, in [0, 1], which sentence-transformers takes by default for one label; or the logit itself
/// where `config.json` asks for the identity (`sentence_transformers.activation_fn`, before version 4
/// `sbert_ce_default_activation_function`), as that of the MS MARCO models does. Texts are cut as
/// [`SequenceClassifier::logits`] says.
#[derive(Debug)]
pub struct CrossEncoder {
    classifier: SequenceClassifier,
    squash: bool,
}

impl CrossEncoder {
    /// Loads a folder that [`SequenceClassifier::from_folder`] can load and that has one label.
    ///
    /// # Errors
    /// As [`SequenceClassifier::from_folder`], and where there are more labels or the activation is neither sigmoid nor identity.
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let folder = folder.as_ref();
        let name = folder.file_name().map_or_else(|| "classifier".to_owned(), |name| name.to_string_lossy().into_owned());
        Self::from_named_folder(folder, &name, device)
    }

    /// As [`from_folder`](Self::from_folder), under another name.
    ///
    /// # Errors
    /// As [`from_folder`](Self::from_folder).
    pub fn from_named_folder(folder: &Path, name: &str, device: &Device) -> Result<Self> {
        let labels = LabelConfig::read(folder)?;
        if labels.names.len() != 1 {
            let found = labels.names.len().to_string();
            return Err(Error::Unsupported { what: "number of labels of a cross-encoder", found, supported: "1" });
        }
        let squash = squashes(labels.score_activation.as_deref())?;
        Ok(Self { classifier: SequenceClassifier::from_named_folder(folder, name, device)?, squash })
    }

    /// Logits of `candidates` beside `query`, one each.
    ///
    /// # Errors
    /// As [`SequenceClassifier::logits`].
    pub fn logits(&self, query: &str, candidates: &[&str]) -> Result<Vec<f32>> {
        let pairs: Vec<(&str, Option<&str>)> = candidates.iter().map(|candidate| (query, Some(*candidate))).collect();
        Ok(self.classifier.logits(&pairs)?.into_iter().flatten().collect())
    }

    /// The model as a classifier of one label.
    pub fn classifier(&self) -> &SequenceClassifier {
        &self.classifier
    }
}

impl Reranker for CrossEncoder {
    fn name(&self) -> &str {
        &self.classifier.info().name
    }

    fn score(&self, query: &str, candidates: &[&str]) -> jarre_core::Result<Vec<f32>> {
        let logits = self.logits(query, candidates)?;
        Ok(if self.squash { logits.into_iter().map(sigmoid).collect() } else { logits })
    }
}

/// Whether a score is the sigmoid of the logit.
fn squashes(activation: Option<&str>) -> Result<bool> {
    match activation.map(|path| path.rsplit('.').next().unwrap_or(path)) {
        None | Some("Sigmoid") => Ok(true),
        Some("Identity") => Ok(false),
        Some(other) => Err(Error::Unsupported { what: "activation of scores", found: other.to_owned(), supported: "Sigmoid, Identity" }),
    }
}
