use std::collections::HashMap;

use jarre_transformer::generate::CausalLm;
use jarre_transformer::paged::{KvType, PagedBatch, PagedDecoder};

use crate::proposer::{Proposer, Text};
use crate::{Error, Model, ModelRunner, PagedRunner, Result, SequenceId};

/// Positions of a block of its cache.
const BLOCK: usize = 16;

/// How a smaller model proposes for a larger one with the same vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DraftOptions {
    /// Tokens that are proposed at most.
    pub tokens: usize,
    /// Tokens that it reads at most in a step, beside those that it proposes: texts that are new to it are caught up with in pieces.
    pub max_num_batched_tokens: usize,
    /// Bytes of its cache. For sequences that find no room in it nothing is proposed.
    pub kv_cache_bytes: usize,
    /// How its keys and values are kept.
    pub kv_type: KvType,
}

impl Default for DraftOptions {
    fn default() -> Self {
        Self { tokens: 4, max_num_batched_tokens: 512, kv_cache_bytes: 256 << 20, kv_type: KvType::Bf16 }
    }
}

/// A smaller model that proposes its likeliest tokens, over a paged cache of its own.
#[derive(Debug)]
pub struct DraftModel {
    runner: PagedRunner,
    options: DraftOptions,
    free: Vec<u32>,
    texts: HashMap<SequenceId, Known>,
}

/// What the cache holds of a text.
#[derive(Debug, Default)]
struct Known {
    tokens: Vec<u32>,
    blocks: Vec<u32>,
}

/// Tokens that are read behind what is known of a text.
struct Read<'a> {
    id: SequenceId,
    tokens: &'a [u32],
}

impl DraftModel {
    /// A proposer of `model`, for one with `vocab_size` tokens.
    ///
    /// # Errors
    /// Where the vocabularies differ in size, no token is to be proposed, or the model is not one for paged caches.
    pub fn new(model: &Model, vocab_size: usize, options: DraftOptions) -> Result<Self> {
        let own = model.causal().config().vocab_size;
        if own != vocab_size {
            return Err(Error::Invalid(format!("{} has {own} tokens and cannot propose for a model with {vocab_size}", model.name())));
        }
        if options.tokens == 0 || options.max_num_batched_tokens == 0 {
            return Err(Error::Invalid("a draft model reads and proposes at least one token a step".to_owned()));
        }
        let decoder = PagedDecoder::new(model.causal().decoder(), model.causal().max_positions())?;
        let blocks = options.kv_cache_bytes / decoder.bytes_per_block(BLOCK, options.kv_type).max(1);
        let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
        let runner = PagedRunner::new(decoder, blocks as usize, BLOCK, options.kv_type);
        Ok(Self { runner, options, free: (0..blocks).rev().collect(), texts: HashMap::new() })
    }

    /// Gives back the blocks of texts that are not named any more.
    fn forget_others(&mut self, texts: &[Text<'_>]) {
        let gone: Vec<SequenceId> = self.texts.keys().copied().filter(|id| texts.iter().all(|text| text.id != *id)).collect();
        for known in gone.iter().filter_map(|id| self.texts.remove(id)) {
            self.free.extend(known.blocks);
        }
    }

    /// Forgets what does not stand in the text: proposals that were not taken. The last token is always read, as its logits are wanted.
    fn keep_common(&mut self, text: &Text<'_>) -> usize {
        let known = self.texts.entry(text.id).or_default();
        let before = &text.tokens[..text.tokens.len() - 1];
        let common = known.tokens.iter().zip(before).take_while(|(known, token)| known == token).count();
        known.tokens.truncate(common);
        common
    }

    /// Whether so many tokens of a text find room.
    fn reserve(&mut self, id: SequenceId, tokens: usize) -> bool {
        let known = self.texts.entry(id).or_default();
        let missing = tokens.div_ceil(BLOCK).saturating_sub(known.blocks.len());
        if tokens > self.runner.max_len() || missing > self.free.len() {
            return false;
        }
        known.blocks.extend(self.free.drain(self.free.len() - missing..));
        true
    }

    /// Reads what is new of the texts; those that are read to their end, by their places, and what the model thinks follows.
    fn catch_up(&mut self, texts: &[Text<'_>]) -> Result<Vec<(usize, u32)>> {
        let mut budget = self.options.max_num_batched_tokens;
        let (mut reads, mut ends) = (Vec::new(), Vec::new());
        for (place, text) in texts.iter().enumerate() {
            let known = self.keep_common(text);
            let count = (text.tokens.len() - known).min(budget);
            if count == 0 || !self.reserve(text.id, known + count) {
                continue;
            }
            budget -= count;
            reads.push(Read { id: text.id, tokens: &text.tokens[known..known + count] });
            ends.push((known + count == text.tokens.len()).then_some(place));
        }
        let followers = self.read(&reads)?;
        Ok(ends.into_iter().zip(followers).filter_map(|(end, follower)| Some((end?, follower))).collect())
    }

    /// Reads tokens; the likeliest token after the last of each.
    fn read(&mut self, reads: &[Read<'_>]) -> Result<Vec<u32>> {
        if reads.is_empty() {
            return Ok(Vec::new());
        }
        let (mut tokens, mut query_starts, mut outputs) = (Vec::new(), vec![0], Vec::new());
        for read in reads {
            tokens.extend(read.tokens);
            query_starts.push(tokens.len());
            outputs.push(tokens.len() - 1);
            self.texts.entry(read.id).or_default().tokens.extend(read.tokens);
        }
        let known: Vec<&Known> = reads.iter().map(|read| &self.texts[&read.id]).collect();
        let context_lens: Vec<usize> = known.iter().map(|known| known.tokens.len()).collect();
        let block_tables: Vec<&[u32]> = known.iter().map(|known| known.blocks.as_slice()).collect();
        let (tokens, query_starts, context_lens, block_tables) = (&tokens, &query_starts, &context_lens, &block_tables);
        let batch = PagedBatch { tokens, query_starts, context_lens, block_tables, adapters: &[], outputs: &outputs };
        let logits = self.runner.step(&batch)?;
        Ok(logits.chunks_exact(self.runner.vocab_size()).map(likeliest).collect())
    }
}

impl Proposer for DraftModel {
    fn propose(&mut self, texts: &[Text<'_>]) -> Result<Vec<Vec<u32>>> {
        self.forget_others(texts);
        let mut drafts = vec![Vec::new(); texts.len()];
        let mut open = self.catch_up(texts)?;
        loop {
            for (place, token) in &open {
                drafts[*place].push(*token);
            }
            open.retain(|(place, _)| drafts[*place].len() < self.options.tokens);
            open.retain(|(place, _)| self.reserve(texts[*place].id, texts[*place].tokens.len() + drafts[*place].len()));
            if open.is_empty() {
                return Ok(drafts);
            }
            let reads: Vec<Read<'_>> =
                open.iter().map(|(place, token)| Read { id: texts[*place].id, tokens: std::slice::from_ref(token) }).collect();
            let followers = self.read(&reads)?;
            open = open.iter().zip(followers).map(|((place, _), follower)| (*place, follower)).collect();
        }
    }
}

fn likeliest(logits: &[f32]) -> u32 {
    let best = (0..).zip(logits).max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.map_or(0, |(id, _)| id)
}
