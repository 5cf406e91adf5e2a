use std::path::PathBuf;

use burn::tensor::Device;
use hf_hub::HFClientSync;

use crate::decoder::CausalModel;
use crate::encoder::SentenceEncoder;
use crate::error::{Error, Result};

/// What models here read of a repository; other formats of the same weights are not fetched.
const FILES: [&str; 10] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "modules.json",
    "*_config.json",
    "config_sentence_transformers.json",
    "*_Pooling/config.json",
    "model*.safetensors*",
    "chat_template.jinja",
    "additional_chat_templates/*.jinja",
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
        Self::from_named_folder(&hub_folder(model)?, model, device)
    }
}

impl CausalModel {
    /// Fetches a decoder by name (`HuggingFaceTB/SmolLM2-135M`) and loads it onto `device`; its tokenizer and chat template lie in the same
    /// [`hub_folder`].
    ///
    /// # Errors
    /// Where the model cannot be fetched, and as [`from_folder`](CausalModel::from_folder).
    pub fn from_hub(model: &str, device: &Device) -> Result<Self> {
        Self::from_folder(hub_folder(model)?, device)
    }
}

/// The folder of a model's current revision in the cache of Hugging Face's tools, its files fetched where they are not there yet. The call blocks.
///
/// # Errors
/// Where the name is not of the form `owner/model`, or the model cannot be fetched.
pub fn hub_folder(model: &str) -> Result<PathBuf> {
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
