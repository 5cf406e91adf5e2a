//! Two models read the same text over paged caches: what each expects where the text goes on.

use std::ops::Range;

use anyhow::Result;
use jarre_quant::Comparison;
use jarre_transformer::paged::{KvType, PagedBatch, PagedDecoder, PagedKvCache};

/// Positions of a block, and tokens of a step at most.
const BLOCK: usize = 16;
const CHUNK: usize = 512;

/// A model with a cache for one text at a time.
pub(super) struct Reader<'a> {
    decoder: &'a PagedDecoder,
    cache: PagedKvCache,
    table: Vec<u32>,
}

/// What was seen at one token of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// Nats that the reference and the other model needed for it.
    pub(super) nats: [f64; 2],
    /// `KL(reference || other)` of what they expected there, in nats.
    pub(super) divergence: f64,
    /// Whether both had the same token on top.
    pub(super) agrees: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(decoder: &'a PagedDecoder, longest: usize, kind: KvType) -> Self {
        let table: Vec<u32> = (0..longest.div_ceil(BLOCK) as u32).collect();
        Self { decoder, cache: decoder.new_cache(table.len(), BLOCK, kind), table }
    }

    /// Reads a part of a text behind what was read of it: the logits after those places of it that are `wanted`.
    fn read(&mut self, text: &[u32], part: Range<usize>, wanted: &Range<usize>) -> Vec<f32> {
        let outputs: Vec<usize> = part.clone().filter(|place| wanted.contains(place)).map(|place| place - part.start).collect();
        let batch = PagedBatch {
            tokens: &text[part.clone()],
            query_starts: &[0, part.len()],
            context_lens: &[part.end],
            block_tables: &[&self.table],
            adapters: &[],
            outputs: &outputs,
        };
        self.decoder.forward(&mut self.cache, &batch)
    }
}

/// What a reference and another model expect of each token of `text` after the first `given` ones, all tokens before it being those of the text.
pub(super) fn compare(readers: &mut [Reader<'_>; 2], text: &[u32], given: usize) -> Result<Vec<Token>> {
    let wanted = given - 1..text.len() - 1;
    let mut seen = Vec::with_capacity(wanted.len());
    for start in (0..text.len() - 1).step_by(CHUNK) {
        let part = start..(text.len() - 1).min(start + CHUNK);
        let logits = readers.each_mut().map(|reader| reader.read(text, part.clone(), &wanted));
        let vocabulary = readers[0].decoder.config().vocab_size;
        let [reference, other] = logits.each_ref().map(|logits| logits.chunks_exact(vocabulary));
        for (reference, other) in reference.zip(other) {
            let target = text[given + seen.len()];
            seen.push(token(reference, other, target)?);
        }
    }
    Ok(seen)
}

fn token(reference: &[f32], other: &[f32], target: u32) -> Result<Token> {
    let mut seen = Comparison::default();
    seen.observe(reference, other, target as usize)?;
    Ok(Token { nats: seen.nats(), divergence: seen.divergence(), agrees: seen.agreement() > 0.5 })
}

#[cfg(test)]
mod tests {
    use jarre_transformer::generate::CausalLm;
    use jarre_transformer::{CausalModel, DecoderConfig, Device};

    use super::*;

    /// Nats of a token by the logits before it.
    fn nats(logits: &[f32], target: u32) -> f64 {
        let sum: f64 = logits.iter().map(|logit| f64::from(*logit).exp()).sum();
        sum.ln() - f64::from(logits[target as usize])
    }

    #[test]
    fn tokens_after_the_prompt_are_scored_as_one_pass_over_the_text_scores_them() {
        let models = [0, 1].map(|_| CausalModel::new(DecoderConfig::new(50, 32, 4, 2, 64).init(&Device::default()), None, vec![]));
        let decoders = models.each_ref().map(|model| PagedDecoder::new(model.decoder(), 64).unwrap());
        let mut readers = decoders.each_ref().map(|decoder| Reader::new(decoder, 40, KvType::F32));
        for text in [(0..40).map(|i| i * 7 % 50).collect::<Vec<u32>>(), (0..21).map(|i| i * 11 % 50).collect()] {
            let seen = compare(&mut readers, &text, 9).unwrap();
            let logits = models.each_ref().map(|model| model.all_logits(&text).unwrap());
            assert_eq!(seen.len(), text.len() - 9);
            for (index, seen) in seen.iter().enumerate() {
                let place = 8 + index;
                let expected = logits.each_ref().map(|logits| nats(&logits[place * 50..(place + 1) * 50], text[place + 1]));
                for (seen, expected) in seen.nats.iter().zip(expected) {
                    assert!((seen - expected).abs() < 1e-4, "token {place}: {seen} and {expected}");
                }
                assert!(seen.divergence > 0.0);
            }
        }
    }

    #[test]
    fn a_model_agrees_with_itself() {
        let decoder = DecoderConfig::new(50, 32, 4, 2, 64).init(&Device::default());
        let decoder = PagedDecoder::new(&decoder, 64).unwrap();
        let mut readers = [(), ()].map(|()| Reader::new(&decoder, 20, KvType::F32));
        for token in compare(&mut readers, &[4; 20], 1).unwrap() {
            assert!(token.agrees && token.divergence < 1e-12 && (token.nats[0] - token.nats[1]).abs() < 1e-12);
        }
    }
}
