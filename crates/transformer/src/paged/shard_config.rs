use std::path::Path;

use burn::tensor::Device;
use jarre_kernels::Inputs;

use super::decoder::PagedDecoder;
use super::part_reader::PartReader;
use super::shard::Shard;
use super::sharded_decoder::ShardedDecoder;
use crate::decoder::DecoderFolder;
use crate::error::{Error, Result};
use crate::gguf;
use crate::quantize::Quantizer;

/// Which part of a model a worker reads from its file, and how it keeps the weights.
///
/// Of layers that are cut by their outputs, and of the logits' weights, the rows of this worker are read and no others. Of layers that are
/// cut by their inputs its columns are read; where weights are rounded while they are read, one such matrix at a time is read whole, as its scales
/// are those of whole rows. Beside what the part keeps, no more than one matrix and the embedding table are in memory. A GGUF file is read matrix
/// by matrix; of a folder in four bits the codes of all layers are in memory meanwhile.
///
/// The part is the one that [`ShardedDecoder::new`] cuts out of the whole model.
///
/// ```no_run
/// use jarre_transformer::Device;
/// use jarre_transformer::paged::ShardConfig;
/// use jarre_transformer::quantize::{Quantizer, Scheme};
///
/// let part = ShardConfig::new(1, 2, 4096).with_quantizer(Quantizer::new(Scheme::Int8));
/// let part = part.read_folder("models/llama", &Device::default())?;
/// assert_eq!(part.place(), (1, 2));
/// # Ok::<(), jarre_transformer::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ShardConfig {
    rank: usize,
    world_size: usize,
    max_len: usize,
    inputs: Option<Inputs>,
    quantizer: Option<Quantizer>,
}

impl ShardConfig {
    /// The part of worker `rank` of `world_size`, for sequences of up to `max_len` tokens, in f32.
    pub fn new(rank: usize, world_size: usize, max_len: usize) -> Self {
        Self { rank, world_size, max_len, inputs: None, quantizer: None }
    }

    /// Keeps the codes of folders in four bits or eight and multiplies them with `inputs`, as
    /// [`CausalModel::from_packed_folder`](crate::CausalModel::from_packed_folder) does.
    pub fn with_packed_inputs(self, inputs: Inputs) -> Self {
        Self { inputs: Some(inputs), ..self }
    }

    /// Packs weights while they are read, as [`CausalModel::from_folder_quantized`](crate::CausalModel::from_folder_quantized) does.
    pub fn with_quantizer(self, quantizer: Quantizer) -> Self {
        Self { inputs: Some(quantizer.inputs()), quantizer: Some(quantizer), ..self }
    }

    /// Reads the part from a Hugging Face folder.
    ///
    /// # Errors
    /// As [`CausalModel::from_folder`](crate::CausalModel::from_folder) and [`ShardedDecoder::new`], and where the quantizer needs calibration.
    pub fn read_folder(&self, folder: impl AsRef<Path>, device: &Device) -> Result<ShardedDecoder> {
        let folder = folder.as_ref();
        let read = DecoderFolder::read(folder)?;
        let (weights, _) = read.weights(folder)?;
        let codes = self.inputs.map(|inputs| (&weights, read.kept(inputs, self.quantizer.as_ref())));
        let part =
            self.read(&read, &PartReader { names: &read.names, source: &weights, codes, quantizer: self.quantizer.as_ref(), device })?;
        weights.finish()?;
        Ok(part)
    }

    /// Reads the part from a GGUF file.
    ///
    /// # Errors
    /// As [`CausalModel::from_gguf`](crate::CausalModel::from_gguf) and [`ShardedDecoder::new`], and where the quantizer needs calibration.
    pub fn read_gguf(&self, path: impl AsRef<Path>, device: &Device) -> Result<ShardedDecoder> {
        let path = path.as_ref();
        let (read, tensors) = gguf::open_decoder(path)?;
        let reader = PartReader { names: &read.names, source: &tensors, codes: None, quantizer: self.quantizer.as_ref(), device };
        let part = self.read(&read, &reader)?;
        tensors.finish().map_err(|error| Error::malformed(path, error))?;
        Ok(part)
    }

    fn read(&self, folder: &DecoderFolder, reader: &PartReader<'_>) -> Result<ShardedDecoder> {
        let shard = Shard::new(self.rank, self.world_size)?;
        let part = PagedDecoder::read(&folder.config, self.max_len, shard, reader)?;
        reader.device.sync().map_err(|error| Error::Device(format!("{error:?}")))?;
        Ok(ShardedDecoder::of(part))
    }
}
