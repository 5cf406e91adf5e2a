use std::path::Path;

use burn::tensor::Device;

use super::bert::Bert;
use super::folder_config::FolderConfig;
use crate::error::Result;
use crate::weights::Weights;

impl Bert {
    /// Loads the encoder of a Hugging Face folder (BERT, `RoBERTa`, XLM-R, `CamemBERT`, `DistilBERT`): `config.json` and safetensors, in
    /// one file or in shards, with weights of type F32, F16, BF16, or I8 with a scale for every row ([`int8`](crate::int8)). All become
    /// f32 on `device`. Heads and poolers that the file holds beside the encoder are skipped.
    ///
    /// # Errors
    /// Where a file is missing or malformed, the architecture is another one, or tensors are missing, left over or of another shape
    /// ([`Error::Weights`](crate::Error::Weights) lists all of them).
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let folder = folder.as_ref();
        let config = FolderConfig::read(folder)?;
        Self::from_weights(&config, &config.weights(folder)?, device)
    }

    /// Fills a model from weights that [`FolderConfig::weights`] checked.
    pub(crate) fn from_weights(config: &FolderConfig, weights: &Weights, device: &Device) -> Result<Self> {
        config.names().fill(config.bert.init(device), weights, device)
    }
}
