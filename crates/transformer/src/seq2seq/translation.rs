use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;

use super::conditioned::Conditioned;
use super::marian::MarianFolder;
use super::model::Seq2Seq;
use super::names::MarianNames;
use crate::attention::Sequences;
use crate::error::{Error, Result};
use crate::generate::{Beam, BeamSearch, Generation, GenerationRequest, SamplingParams, StopCriteria, generate_batch};
use crate::weights::{Naming, Weights, expected, fill};

/// An encoder-decoder with what its folder says about targets: which token begins one, which end it and which are never written.
///
/// It reads and writes tokens; a source ends with the end-of-sequence token that the tokenizer of the folder puts there.
#[derive(Clone, Debug)]
pub struct Seq2SeqModel {
    model: Seq2Seq,
    start: u32,
    eos: Vec<u32>,
    banned: Vec<u32>,
}

impl Seq2SeqModel {
    /// Loads a Hugging Face folder of `model_type` `marian`: `config.json` and safetensors, in one file or in shards, with weights of type
    /// F32, F16, BF16, or I8 with a scale for every row ([`int8`](crate::int8)). All become f32 on `device`. Beginning, ending and single
    /// banned tokens come from `generation_config.json`, or from `config.json`.
    ///
    /// # Errors
    /// Where a file is missing or malformed, the architecture is another one, or tensors are missing, left over or of another shape
    /// ([`Error::Weights`] lists all of them).
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let folder = folder.as_ref();
        let MarianFolder { config, start, eos, banned } = MarianFolder::read(folder)?;
        let mut weights = Weights::read(folder)?;
        weights.rename(|name| MarianNames.alias(name));
        let model = config.init(device);
        weights.check(&expected(&model, &MarianNames), |name| MarianNames.ignores(name))?;
        let model = fill(model, &MarianNames, &weights, device);
        device.sync().map_err(|error| Error::Device(format!("{error:?}")))?;
        Ok(Self { model, start, eos, banned })
    }

    /// A model that was made or trained here, whose targets begin with `start` and end with one of `eos`.
    ///
    /// # Errors
    /// Where one of these tokens is beyond the vocabulary.
    pub fn new(model: Seq2Seq, start: u32, eos: Vec<u32>) -> Result<Self> {
        let vocab_size = model.config().vocab_size;
        match eos.iter().copied().chain([start]).find(|&id| id as usize >= vocab_size) {
            Some(id) => Err(Error::UnknownToken { id, vocab_size }),
            None => Ok(Self { model, start, eos, banned: Vec::new() }),
        }
    }

    /// The model itself.
    pub fn model(&self) -> &Seq2Seq {
        &self.model
    }

    /// The token that begins a target.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// Tokens that end a target.
    pub fn eos(&self) -> &[u32] {
        &self.eos
    }

    /// Reads `sources`; what comes back writes targets.
    ///
    /// # Errors
    /// Where there is no source, or one is empty, too long or has a token beyond the vocabulary.
    pub fn read(&self, sources: &[&[u32]]) -> Result<Conditioned<'_>> {
        let config = self.model.config();
        let least = if sources.is_empty() { Some(0) } else { sources.iter().map(|source| source.len()).find(|&length| length == 0) };
        if let Some(found) = least {
            return Err(Error::TooFewTokens { what: "a source", found, least: 1 });
        }
        for source in sources {
            if source.len() > config.max_positions {
                return Err(Error::ContextLength { tokens: source.len(), max: config.max_positions });
            }
            if let Some(&id) = source.iter().find(|&&id| id as usize >= config.vocab_size) {
                return Err(Error::UnknownToken { id, vocab_size: config.vocab_size });
            }
        }
        let encoded = self.model.encode(&Sequences::right_padded(sources, 0));
        Ok(Conditioned::new(&self.model, encoded).with_banned(&self.banned))
    }

    /// A target for each of `sources`, all written together, of at most `max_tokens` tokens chosen as `params` say
    /// ([`SamplingParams::greedy`] takes the likeliest).
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`generate_batch`].
    pub fn generate(&self, sources: &[&[u32]], params: &SamplingParams, max_tokens: usize) -> Result<Vec<Generation>> {
        let stop = self.stop(max_tokens);
        let prompt = [self.start];
        let requests = vec![GenerationRequest { prompt: &prompt, params, stop: &stop }; sources.len()];
        generate_batch(&self.read(sources)?, &requests, &mut |_, _| ControlFlow::Continue(()))
    }

    /// The likeliest targets of `source` that a beam search finds, the best first.
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`BeamSearch::search`].
    pub fn beam_search(&self, source: &[u32], search: &BeamSearch, max_tokens: usize) -> Result<Vec<Beam>> {
        search.search(&self.read(&[source])?, &[self.start], &self.stop(max_tokens))
    }

    fn stop(&self, max_tokens: usize) -> StopCriteria {
        StopCriteria::new(max_tokens).with_eos_token_ids(self.eos.iter().copied())
    }
}
