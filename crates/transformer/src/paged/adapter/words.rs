//! Adapters as workers hand them on: words of 32 bits, the same in every process of one build, and no format for files.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use jarre_kernels::host_values;

use super::{PagedAdapter, dims, nothing};
use crate::decoder::DecoderConfig;
use crate::error::{Error, Result};
use crate::lora::LoraPair;
use crate::paged::shard::Shard;

/// Layer, projection, rank, and the two halves of the scale.
const HEAD: usize = 5;

impl PagedAdapter {
    /// The adapter for a worker that has a part of the same model: see [`ShardedDecoder::read_adapter`](super::super::ShardedDecoder::read_adapter).
    ///
    /// Each pair after the other: its layer, its projection, its rank, its scale in two words, the bits of `A [d_input, rank]` and of
    /// `B [rank, d_output]`.
    pub fn to_words(&self) -> Vec<u32> {
        let mut words = Vec::new();
        for (layer, pairs) in self.layers.iter().enumerate() {
            for (target, pair) in pairs.iter().enumerate() {
                let Some(pair) = pair else { continue };
                let [_, rank] = pair.a.val().dims();
                let scale = pair.scale.to_bits();
                words.extend([layer as u32, target as u32, rank as u32, scale as u32, (scale >> 32) as u32]);
                for matrix in [&pair.a, &pair.b] {
                    words.extend(host_values(matrix.val()).into_iter().map(f32::to_bits));
                }
            }
        }
        words
    }

    /// An adapter of a model of this shape, from what [`to_words`](Self::to_words) wrote.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for words that are no adapter of such a model.
    pub(in crate::paged) fn from_words(config: &DecoderConfig, mut words: &[u32], device: &Device) -> Result<Self> {
        let mut read = Self { layers: nothing(config), dims: dims(config), shard: Shard::WHOLE };
        loop {
            let left = words.len();
            let added = read.take_pair(&mut words, device);
            added.ok_or_else(|| misfit(format!("words whose {left} last ones do not begin with a pair of matrices of this model")))?;
            if words.is_empty() {
                return Ok(read);
            }
        }
    }

    /// Reads one pair; nothing where the words are none, or it is there already.
    fn take_pair(&mut self, words: &mut &[u32], device: &Device) -> Option<()> {
        let [layer, target, rank, low, high] = *words.split_off(..HEAD)?.first_chunk::<HEAD>()?;
        let ([d_input, d_output], rank) = (*self.dims.get(target as usize)?, rank as usize);
        let place = self.layers.get_mut(layer as usize)?.get_mut(target as usize)?;
        if rank == 0 || place.is_some() {
            return None;
        }
        let scale = f64::from_bits(u64::from(low) | u64::from(high) << 32);
        let (a, b) = (matrix(words, [d_input, rank], device)?, matrix(words, [rank, d_output], device)?);
        *place = Some(LoraPair::of(a, b, scale).no_grad());
        Some(())
    }
}

fn matrix(words: &mut &[u32], [rows, columns]: [usize; 2], device: &Device) -> Option<Tensor<2>> {
    let bits = words.split_off(..rows.checked_mul(columns)?)?;
    let values: Vec<f32> = bits.iter().map(|&bits| f32::from_bits(bits)).collect();
    Some(Tensor::from_data(TensorData::new(values, [rows, columns]), device))
}

fn misfit(found: String) -> Error {
    Error::Unsupported { what: "adapter", found, supported: "what another worker of this build wrote for the same model" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lora::{LoraConfig, TARGETS};

    fn config() -> DecoderConfig {
        DecoderConfig::new(20, 8, 2, 2, 12)
    }

    fn adapter(rank: usize) -> PagedAdapter {
        let lora = LoraConfig::new(rank).with_targets(["q_proj", "down_proj"]).with_alpha(1.5);
        PagedAdapter::new(&config().init(&Device::default()).with_lora(&lora).unwrap()).unwrap()
    }

    fn read(words: &[u32]) -> Result<PagedAdapter> {
        PagedAdapter::from_words(&config(), words, &Device::default())
    }

    #[test]
    fn what_is_written_is_read() {
        for rank in [1, 3] {
            let adapter = adapter(rank);
            let words = adapter.to_words();
            assert_eq!(words.len(), adapter.num_params() + 4 * HEAD);
            let read = read(&words).unwrap();
            assert_eq!(read.to_words(), words);
            assert!(read.fits(&config()) && !read.fits(&DecoderConfig::new(20, 8, 2, 2, 16)));
        }
    }

    #[test]
    fn what_is_no_adapter_of_the_model_is_refused() {
        let words = adapter(2).to_words();
        // Where a pair ends: 8 by 8 values, and 12 by 8.
        let ends = [HEAD + 32, 2 * HEAD + 72, 3 * HEAD + 104];
        for cut in 0..words.len() {
            assert_eq!(read(&words[..cut]).is_ok(), ends.contains(&cut), "{cut} words");
        }
        let with = |at: usize, word: u32| {
            let mut words = words.clone();
            words[at] = word;
            read(&words).unwrap_err().to_string()
        };
        for (at, word) in [(0, 2), (1, TARGETS.len() as u32), (2, 0), (2, 3), (2, u32::MAX)] {
            assert!(with(at, word).contains("another worker of this build"), "word {at} is {word}");
        }
        assert!(read(&[&words[..], &words].concat()).is_err(), "no pair comes twice");
        assert!(read(&[&words[..], &[0]].concat()).is_err());
        let other = PagedAdapter::from_words(&DecoderConfig::new(20, 16, 2, 2, 12), &words, &Device::default());
        assert!(other.is_err());
    }

    proptest! {
        #[test]
        fn any_words_are_read_to_the_same_or_refused(words in proptest::collection::vec(prop_oneof![0_u32..9, any::<u32>()], 0..90)) {
            if let Ok(adapter) = read(&words) {
                prop_assert_eq!(adapter.to_words().len(), words.len());
            }
        }
    }
}
