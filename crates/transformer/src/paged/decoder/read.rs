//! A worker's part of a decoder, read from a file.

use burn::tensor::Tensor;
use jarre_kernels::host_values;

use super::{PagedDecoder, check_supported};
use crate::decoder::{Decoder, DecoderConfig};
use crate::error::Result;
use crate::paged::layer::PagedLayer;
use crate::paged::part_reader::PartReader;
use crate::paged::row_linear::{Cut, RowLinear};
use crate::paged::shard::Shard;

impl PagedDecoder {
    /// The part of a worker, of which no whole layer is ever there.
    ///
    /// # Errors
    /// As [`new`](Self::new), where the model cannot be cut so, and where the quantizer has to see inputs first or does not suit it.
    pub(in crate::paged) fn read(config: &DecoderConfig, max_len: usize, shard: Shard, reader: &PartReader<'_>) -> Result<Self> {
        check_supported(config, reader.device)?;
        // Nothing is allocated for parameters that no one reads.
        let mut decoder = config.init(reader.device);
        if let Some(quantizer) = reader.quantizer {
            quantizer.check_uncalibrated(&decoder)?;
        }
        let tokens = shard.part("the vocabulary", config.vocab_size, 1)?;
        let kv_heads = shard.heads(config.kv_heads())?.len();
        let read = |(index, layer)| PagedLayer::read(layer, index, config, shard, reader);
        let layers = std::mem::take(&mut decoder.layers).into_iter().enumerate().map(read).collect::<Result<_>>()?;
        let head = decoder.head.take().map(|head| reader.begin(&head, "head".to_owned()).logits(tokens.clone())).transpose()?;
        let decoder = reader.norms(decoder, "");
        let head = head.map_or_else(|| tied_head(&decoder, tokens, reader), Ok)?;
        Ok(Self::of(&decoder, max_len, shard, kv_heads, layers, head))
    }
}

/// The logits of some tokens by the embedding table.
fn tied_head(decoder: &Decoder, tokens: std::ops::Range<usize>, reader: &PartReader<'_>) -> Result<RowLinear> {
    let rows: Tensor<2> = decoder.embedding.weight.val().slice_dim(0, tokens.clone());
    let head = match reader.quantizer {
        Some(quantizer) => RowLinear::new(&quantizer.head(&host_values(rows), decoder.config().d_model)?, None)?,
        None => RowLinear::tied(rows, decoder.precision()),
    };
    Ok(head.cut_by(Cut::Outputs(tokens)))
}
