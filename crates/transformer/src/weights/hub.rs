use std::path::PathBuf;

use burn::tensor::Device;
use hf_hub::HFClientSync;

use crate::encoder::SentenceEncoder;
use crate::error::{Error, Result};

/// What a sentence encoder reads of a repository; other formats of the same weights are not fetched.
const FILES: [&str; 8] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "modules.json",
    "*_config.json",
    "config_sentence_transformers.json",
    "*_Pooling/config.json",
    "model*.safetensors*",
];

impl SentenceEncoder {
    /// Fetches an encoder by name (`sentence-transformers/all-MiniLM-L6-v2`) from the Hugging Face Hub and loads it onto `device`.
    ///
    /// Files are kept where Hugging Face's own tools keep them (`HF_HOME`) and take their place there once they are whole: after a
    /// broken transfer the next call fetches only the files that are missing. A token is taken from where those tools keep it. The
    /// call blocks.
    ///
    /// # Errors
    /// Where the model cannot be fetched, and as [`from_folder`](SentenceEncoder::from_folder).
    pub fn from_hub(model: &str, device: &Device) -> Result<Self> {
        Self::from_named_folder(&fetch(model)?, model, device)
    }
}

/// The folder of the model's current revision in the cache.
fn fetch(model: &str) -> Result<PathBuf> {
    let failed = |reason: String| Error::Hub { model: model.to_owned(), reason };
    let (owner, name) = model.split_once('/').ok_or_else(|| failed("a name has the form `owner/model`".to_owned()))?;
    let client = HFClientSync::new().map_err(|error| failed(error.to_string()))?;
    let patterns = FILES.map(str::to_owned).to_vec();
    client.model(owner, name).snapshot_download().allow_patterns(patterns).send().map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_an_owner_is_refused_without_a_network() {
        let error = SentenceEncoder::from_hub("all-MiniLM-L6-v2", &Device::default()).unwrap_err();
        assert!(error.to_string().contains("owner/model"), "{error}");
    }
}
