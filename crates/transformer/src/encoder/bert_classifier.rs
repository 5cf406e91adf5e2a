use std::path::Path;

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::batch::TokenBatch;
use super::bert::{Bert, BertConfig};
use super::folder_config::FolderConfig;
use super::head::{ClassificationHead, ClassificationHeadConfig, PoolerActivation};
use super::labels::LabelConfig;
use super::names::EncoderNames;
use crate::error::Result;

/// Configuration of [`BertClassifier`].
///
/// ```
/// use burn::tensor::Device;
/// use jarre_transformer::{BertClassifierConfig, BertConfig, TokenBatch};
///
/// let device = Device::default();
/// let model = BertClassifierConfig::new(BertConfig::new(100, 32, 4, 2, 64), 3).init(&device);
/// let pair = TokenBatch::with_segments(&[&[2, 7, 3, 9, 3]], &[&[0, 0, 0, 1, 1]], 0, &device);
/// assert_eq!(model.forward(&pair).dims(), [1, 3]);
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct BertClassifierConfig {
    /// The encoder.
    pub bert: BertConfig,
    /// Labels.
    pub n_labels: usize,
    /// The nonlinearity of the head.
    #[config(default = "PoolerActivation::Tanh")]
    pub activation: PoolerActivation,
}

impl BertClassifierConfig {
    /// A model with random weights.
    ///
    /// # Panics
    /// As [`BertConfig::init`].
    pub fn init(&self, device: &Device) -> BertClassifier {
        let head = ClassificationHeadConfig::new(self.bert.d_model, self.n_labels).with_activation(self.activation);
        BertClassifier { bert: self.bert.init(device), head: head.init(device) }
    }
}

/// An encoder of the BERT family with a head for sequence classification: tokens in, logits out. With a tokenizer around it it is a
/// [`SequenceClassifier`](crate::SequenceClassifier).
#[derive(Module, Debug)]
pub struct BertClassifier {
    bert: Bert,
    head: ClassificationHead,
}

impl BertClassifier {
    /// Loads encoder and head of a Hugging Face folder whose weights belong to a `...ForSequenceClassification`.
    ///
    /// # Errors
    /// As [`Bert::from_folder`], for the tensors of the head too, and where the labels of `config.json` make no sense.
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let folder = folder.as_ref();
        Self::from_config(folder, &FolderConfig::read(folder)?, LabelConfig::read(folder)?.names.len(), device)
    }

    /// Logits, one for each label.
    ///
    /// # Shapes
    /// - input: ids `[batch, seq]`
    /// - output: `[batch, n_labels]`
    ///
    /// # Panics
    /// As [`Bert::forward`].
    pub fn forward(&self, batch: &TokenBatch) -> Tensor<2> {
        self.head.forward(self.bert.forward(batch))
    }

    /// The encoder.
    pub fn bert(&self) -> &Bert {
        &self.bert
    }

    /// The head.
    pub fn head(&self) -> &ClassificationHead {
        &self.head
    }

    pub(super) fn of(bert: Bert, head: ClassificationHead) -> Self {
        Self { bert, head }
    }

    pub(crate) fn from_config(folder: &Path, config: &FolderConfig, n_labels: usize, device: &Device) -> Result<Self> {
        let model = BertClassifierConfig::new(config.bert.clone(), n_labels).with_activation(config.pooler_activation()).init(device);
        let weights = config.renamed_weights(folder)?;
        weights.check(&config.names().tensors(&model), EncoderNames::is_beside)?;
        config.names().fill(model, &weights, device)
    }
}
