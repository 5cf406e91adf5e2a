use std::path::Path;

use burn::config::Config;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::folder_config::FolderConfig;
use crate::error::Result;

/// The nonlinearity of a [`Pooler`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolerActivation {
    /// BERT, `RoBERTa`.
    #[default]
    Tanh,
    /// `DistilBERT`.
    Relu,
}

/// A dense layer on the state of the first token: `act(W h_0 + b)`.
#[derive(Module, Debug)]
pub struct Pooler {
    pub(crate) dense: Linear,
    #[module(skip)]
    activation: PoolerActivation,
}

impl Pooler {
    /// Loads the pooler that a folder of BERT or `RoBERTa` holds beside the encoder.
    ///
    /// # Errors
    /// As [`Bert::from_folder`](crate::Bert::from_folder), and where the folder has no pooler.
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let folder = folder.as_ref();
        let config = FolderConfig::read(folder)?;
        let weights = config.renamed_weights(folder)?;
        let pooler = Self::init(config.bert.d_model, PoolerActivation::Tanh, device);
        weights.check(&config.names().tensors(&pooler), |_| true)?;
        config.names().fill(pooler, &weights, device)
    }

    /// # Shapes
    /// - input: hidden states `[batch, seq, d_model]`
    /// - output: `[batch, d_model]`
    pub fn forward(&self, hidden: Tensor<3>) -> Tensor<2> {
        let pooled = self.dense.forward(hidden.slice_dim(1, 0..1).squeeze_dim::<2>(1));
        match self.activation {
            PoolerActivation::Tanh => pooled.tanh(),
            PoolerActivation::Relu => relu(pooled),
        }
    }

    pub(super) fn init(d_model: usize, activation: PoolerActivation, device: &Device) -> Self {
        Self { dense: LinearConfig::new(d_model, d_model).init(device), activation }
    }
}

/// Configuration of [`ClassificationHead`].
#[derive(Config, Debug, PartialEq)]
pub struct ClassificationHeadConfig {
    /// Width of the hidden state.
    pub d_model: usize,
    /// Labels.
    pub n_labels: usize,
    /// The nonlinearity between the two layers.
    #[config(default = "PoolerActivation::Tanh")]
    pub activation: PoolerActivation,
}

impl ClassificationHeadConfig {
    /// A head with random weights.
    pub fn init(&self, device: &Device) -> ClassificationHead {
        ClassificationHead {
            pooler: Pooler::init(self.d_model, self.activation, device),
            output: LinearConfig::new(self.d_model, self.n_labels).init(device),
        }
    }
}

/// What sequence classification puts on an encoder: a pooler and a linear layer, under different names the same in BERT, `RoBERTa`,
/// XLM-R and `DistilBERT`.
#[derive(Module, Debug)]
pub struct ClassificationHead {
    pub(crate) pooler: Pooler,
    pub(crate) output: Linear,
}

impl ClassificationHead {
    /// One logit a label.
    ///
    /// # Shapes
    /// - input: hidden states `[batch, seq, d_model]`
    /// - output: `[batch, n_labels]`
    pub fn forward(&self, hidden: Tensor<3>) -> Tensor<2> {
        self.output.forward(self.pooler.forward(hidden))
    }

    /// The layer below the logits.
    pub fn pooler(&self) -> &Pooler {
        &self.pooler
    }
}
