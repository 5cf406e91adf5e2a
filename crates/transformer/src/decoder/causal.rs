use std::path::Path;

use burn::tensor::Device;

use super::config::DecoderConfig;
use super::family::DecoderFolder;
use super::model::Decoder;
use crate::error::{Error, Result};
use crate::quantize::Quantizer;
use crate::weights::fill;

/// A decoder with what its folder says about texts: which token begins one and which end it.
#[derive(Clone, Debug)]
pub struct CausalModel {
    decoder: Decoder,
    bos: Option<u32>,
    eos: Vec<u32>,
}

impl CausalModel {
    /// Loads the decoder of a Hugging Face folder: `config.json` and safetensors, in one file or in shards, with weights of type F32,
    /// F16, BF16, or I8 with a scale for every row ([`int8`](crate::int8)). All become f32 on `device`.
    ///
    /// # Errors
    /// Where a file is missing or malformed, the architecture is another one, or tensors are missing, left over or of another shape
    /// ([`Error::Weights`] lists all of them).
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let folder = folder.as_ref();
        let read = DecoderFolder::read(folder)?;
        let (weights, _) = read.weights(folder)?;
        let decoder = fill(read.config.init(device), &read.names, &weights, device);
        device.sync().map_err(|error| Error::Device(format!("{error:?}")))?;
        Ok(Self { decoder, bos: read.bos, eos: read.eos })
    }

    /// A model that was made or trained here.
    pub fn new(decoder: Decoder, bos: Option<u32>, eos: Vec<u32>) -> Self {
        Self { decoder, bos, eos }
    }

    /// The same model with packed weights, see [`quantize`](crate::quantize).
    ///
    /// # Errors
    /// As [`Quantizer::quantize`].
    pub fn quantized(self, quantizer: &Quantizer, calibration: &[Vec<u32>]) -> Result<Self> {
        Ok(Self { decoder: quantizer.quantize(self.decoder, calibration)?, ..self })
    }

    /// The model itself.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Its description.
    pub fn config(&self) -> &DecoderConfig {
        self.decoder.config()
    }

    /// The token that begins a text, where the model has one.
    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// Tokens that end a text.
    pub fn eos(&self) -> &[u32] {
        &self.eos
    }
}
