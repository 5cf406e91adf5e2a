use std::path::Path;

use burn::tensor::Device;
use jarre_kernels::Inputs;

use super::config::DecoderConfig;
use super::family::DecoderFolder;
use super::load::load;
use super::model::Decoder;
use crate::error::{Error, Result};
use crate::quantize::{Quantizer, keep_codes};

/// A decoder with what its folder says about texts: which token begins one and which end it.
#[derive(Clone, Debug)]
pub struct CausalModel {
    decoder: Decoder,
    bos: Option<u32>,
    eos: Vec<u32>,
}

impl CausalModel {
    /// Loads the decoder of a Hugging Face folder: `config.json` and safetensors, in one file or in shards, with weights of type F32,
    /// F16, BF16, or I8 with a scale for every row ([`int8`](crate::int8)), and linear layers in four bits as `AutoAWQ` (`gemm`), in four or
    /// eight as GPTQ and compressed-tensors (`pack-quantized`) write them. All become f32 on `device`; [`from_packed_folder`](Self::from_packed_folder) keeps
    /// them as they are.
    ///
    /// # Errors
    /// Where a file is missing or malformed, the architecture is another one, or tensors are missing, left over or of another shape
    /// ([`Error::Weights`] lists all of them).
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        Self::load(folder.as_ref(), None, None, device)
    }

    /// As [`from_folder`](Self::from_folder) and [`quantized`](Self::quantized) after it, a layer at a time: beside the packed weights there are
    /// one layer and the embedding table in f32. Layers that lie in four bits keep their codes, and those in eight unless they are to have
    /// four, as with [`from_packed_folder`](Self::from_packed_folder).
    ///
    /// # Errors
    /// As [`from_folder`](Self::from_folder), and where the quantizer needs calibration.
    pub fn from_folder_quantized(folder: impl AsRef<Path>, quantizer: &Quantizer, device: &Device) -> Result<Self> {
        Self::load(folder.as_ref(), Some(quantizer.inputs()), Some(quantizer), device)
    }

    /// As [`from_folder`](Self::from_folder), but linear layers that lie in four bits there keep the codes, scales and zero points of the file
    /// and multiply them with `inputs`. Layers whose groups are no neighbours (`desc_act`, `actorder`) or no multiples of 8 become f32, as everything
    /// else does; [`quantized`](Self::quantized) packs those.
    ///
    /// Layers that lie in eight bits with one symmetric scale for each row keep theirs too, unless `inputs` would round what the folder says is
    /// multiplied as it comes (`input_activations`). Those, and groups of eight bits, become f32.
    ///
    /// # Errors
    /// As [`from_folder`](Self::from_folder).
    pub fn from_packed_folder(folder: impl AsRef<Path>, inputs: Inputs, device: &Device) -> Result<Self> {
        Self::load(folder.as_ref(), Some(inputs), None, device)
    }

    /// Keeps codes for `inputs` where these are given.
    fn load(folder: &Path, inputs: Option<Inputs>, quantizer: Option<&Quantizer>, device: &Device) -> Result<Self> {
        let read = DecoderFolder::read(folder)?;
        let (weights, _) = read.weights(folder)?;
        let mut decoder = read.config.init(device);
        if let Some(inputs) = inputs {
            keep_codes(&mut decoder, &read.names, &weights, read.kept(inputs, quantizer));
        }
        let decoder = load(decoder, &read.names, &weights, quantizer, device)?;
        weights.finish()?;
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
