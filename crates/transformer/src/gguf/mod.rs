//! Models in one file of llama.cpp: weights, vocabulary and chat template ([specification](https://github.com/ggml-org/ggml/blob/master/docs/gguf.md)).
//!
//! What a file says is told again in the words of `config.json`, so that there is one description of a family.

mod config;
mod names;
mod tensors;
#[cfg(test)]
mod tests;
mod tokenizer;

use std::path::Path;

use burn::tensor::Device;
use jarre_quant::gguf::GgufFile;

pub(crate) use self::tensors::Tensors;
use crate::chat_template::ChatTemplate;
use crate::decoder::{CausalModel, DecoderFolder, load};
use crate::error::{Error, Result};
use crate::quantize::Quantizer;
use crate::tokenizer::Tokenizer;
use crate::weights::expected;

impl CausalModel {
    /// Loads the decoder of a GGUF file: Llama, Mistral and SmolLM2 (`llama`), Qwen2, Qwen3, Phi-3, Gemma 2 or GPT-2, with tensors of any type
    /// that [`GgufFile`] reads. All become f32 on `device`.
    ///
    /// # Errors
    /// Where the file cannot be read or is malformed, the architecture or a setting of it is another one, or tensors are missing, left over or
    /// of another shape ([`Error::Weights`] lists all of them).
    pub fn from_gguf(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        load_gguf(path.as_ref(), None, device)
    }

    /// As [`from_gguf`](Self::from_gguf) and [`quantized`](Self::quantized) after it, a layer at a time: beside the packed weights there are one
    /// layer and the embedding table in f32.
    ///
    /// # Errors
    /// As [`from_gguf`](Self::from_gguf), and where the quantizer needs calibration.
    pub fn from_gguf_quantized(path: impl AsRef<Path>, quantizer: &Quantizer, device: &Device) -> Result<Self> {
        load_gguf(path.as_ref(), Some(quantizer), device)
    }
}

impl Tokenizer {
    /// The tokenizer of a GGUF file: sentencepiece's BPE (`llama`), byte-level BPE (`gpt2`) with one of the usual ways to split texts, or
    /// WordPiece (`bert`).
    ///
    /// # Errors
    /// Where the file cannot be read or is malformed, or its vocabulary is of another kind.
    pub fn from_gguf(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        tokenizer::of(open(path)?.metadata()).map_err(|reason| reason.at(path))
    }
}

impl ChatTemplate {
    /// The chat template of a GGUF file; `None` where it has none: the model is not for chats.
    ///
    /// # Errors
    /// Where the file cannot be read or is malformed, or what stands there is not a template.
    pub fn from_gguf(path: impl AsRef<Path>) -> Result<Option<Self>> {
        let path = path.as_ref();
        let file = open(path)?;
        let metadata = file.metadata();
        if metadata.get(config::CHAT_TEMPLATE).is_none() {
            return Ok(None);
        }
        let malformed = |error: jarre_quant::gguf::Error| Error::malformed(path, error);
        let source = metadata.get_str(config::CHAT_TEMPLATE).map_err(malformed)?;
        let specials = tokenizer::specials(metadata).map_err(malformed)?;
        Self::new(source, specials.iter().map(|(name, token)| (*name, token.as_str()))).map(Some)
    }
}

fn load_gguf(path: &Path, quantizer: Option<&Quantizer>, device: &Device) -> Result<CausalModel> {
    let (read, tensors) = open_decoder(path)?;
    let decoder = load(read.config.init(device), &read.names, &tensors, quantizer, device)?;
    tensors.finish().map_err(|error| Error::malformed(path, error))?;
    device.sync().map_err(|error| Error::Device(format!("{error:?}")))?;
    Ok(CausalModel::new(decoder, read.bos, read.eos))
}

/// What a file says of its decoder, and the tensors for it, checked.
pub(crate) fn open_decoder(path: &Path) -> Result<(DecoderFolder, Tensors)> {
    let file = open(path)?;
    let config = config::of(&file).map_err(|reason| reason.at(path))?;
    let arch = config.arch;
    let read = DecoderFolder::from_value(path, config.json)?;
    let tensors = Tensors::new(file, arch, &read.config);
    tensors.check(&expected(&read.config.init(&Device::default()), &read.names))?;
    Ok((read, tensors))
}

fn open(path: &Path) -> Result<GgufFile> {
    GgufFile::open(path).map_err(|error| match error {
        jarre_quant::gguf::Error::Io { source, .. } => Error::Io { path: path.to_owned(), source },
        jarre_quant::gguf::Error::Malformed { field, offset, reason, .. } => {
            Error::malformed(path, format!("{field} at byte {offset}: {reason}; fetch it again"))
        }
        other => Error::malformed(path, other),
    })
}

/// What is wrong with a file, before anybody says which.
#[derive(Debug)]
enum Reason {
    /// The file is not what it says.
    Malformed(String),
    /// It is something that is not here.
    Unsupported { what: &'static str, found: String, supported: &'static str },
}

impl Reason {
    fn at(self, path: &Path) -> Error {
        match self {
            Self::Malformed(reason) => Error::malformed(path, reason),
            Self::Unsupported { what, found, supported } => Error::Unsupported { what, found, supported },
        }
    }
}

impl From<jarre_quant::gguf::Error> for Reason {
    fn from(error: jarre_quant::gguf::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}
