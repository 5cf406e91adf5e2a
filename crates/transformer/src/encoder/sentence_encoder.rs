use std::ops::Range;
use std::path::Path;

use burn::tensor::Device;
use jarre_core::{Embedder, EmbedderInfo, Embeddings, TokenCounter};
use rayon::prelude::*;

use super::batch::TokenBatch;
use super::bert::Bert;
use super::by_length::{WINDOW, run_by_length, within_vocabulary};
use super::folder::SentenceFolder;
use super::folder_config::FolderConfig;
use super::pooling::{Pooling, l2_normalize};
use crate::error::{Error, Result};
use crate::tokenizer::Tokenizer;

/// Turns texts into vectors with an encoder of the BERT family, as sentence-transformers does with the same folder.
///
/// ```no_run
/// use burn::tensor::Device;
/// use jarre_core::Embedder;
/// use jarre_transformer::SentenceEncoder;
///
/// let encoder = SentenceEncoder::from_folder("all-MiniLM-L6-v2", &Device::default())?;
/// let vectors = encoder.embed(&["Where is the library?", "The library stands by the river."])?;
/// assert_eq!(vectors.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Texts are sorted by length, batched with little padding, and on the CPU the batches run in parallel on rayon's threads. Memory
/// beside the result does not grow with the number of texts. Encoding does not draw on randomness; a text's vector differs by
/// rounding only (below 1e-6) between batches.
#[derive(Debug)]
pub struct SentenceEncoder {
    model: Bert,
    tokenizer: Tokenizer,
    device: Device,
    pooling: Pooling,
    normalize: bool,
    prompt: String,
    vocab_size: usize,
    pad_id: u32,
    info: EmbedderInfo,
}

impl SentenceEncoder {
    /// Loads a folder of sentence-transformers or a plain Hugging Face encoder onto `device`.
    ///
    /// Read are `config.json`, `tokenizer.json` and safetensors (see [`Bert::from_folder`]), and where they are there `modules.json`,
    /// `1_Pooling/config.json`, `sentence_bert_config.json`, `tokenizer_config.json` and `config_sentence_transformers.json` (its
    /// default prompt). A plain encoder gets mean pooling without normalisation. The name in [`Embedder::info`] is the folder's.
    ///
    /// # Errors
    /// Where a file is missing or malformed, or asks for something that is not computed here.
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let folder = folder.as_ref();
        let name = folder.file_name().map_or_else(|| "encoder".to_owned(), |name| name.to_string_lossy().into_owned());
        Self::from_named_folder(folder, &name, device)
    }

    /// As [`from_folder`](Self::from_folder), under the name that an index shall store.
    ///
    /// # Errors
    /// As [`from_folder`](Self::from_folder).
    pub fn from_named_folder(folder: &Path, name: &str, device: &Device) -> Result<Self> {
        let steps = SentenceFolder::read(folder)?;
        let config = FolderConfig::read(&steps.encoder)?;
        let weights = config.weights(&steps.encoder)?;
        let max_tokens = steps.max_tokens.unwrap_or(usize::MAX).min(config.bert.max_tokens());
        let tokenizer = read_tokenizer(&steps, max_tokens)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{} {steps_key:?} {max_tokens}\n", config.bert.key(), steps_key = steps.key()).as_bytes());
        hasher.update(&std::fs::read(steps.encoder.join("tokenizer.json")).map_err(Error::io(steps.encoder.join("tokenizer.json")))?);
        weights.hash_into(&mut hasher);
        let fingerprint = hasher.finalize().to_hex()[..32].to_owned();
        Ok(Self {
            model: Bert::from_weights(&config, &weights, device)?,
            tokenizer,
            device: device.clone(),
            pooling: steps.pooling,
            normalize: steps.normalize,
            prompt: steps.prompt,
            vocab_size: config.bert.vocab_size,
            pad_id: config.pad_id,
            info: EmbedderInfo { name: name.to_owned(), dims: config.bert.d_model, max_tokens, fingerprint },
        })
    }

    /// Multiplies in eight bits from now on: weights with a scale for every output, inputs with one for every token. Several times as fast
    /// where the processor has instructions for it, at vectors that differ by rounding; the fingerprint tells the two apart.
    pub fn packed(mut self) -> Self {
        self.model = self.model.packed();
        let fingerprint = blake3::hash(format!("{} W8A8", self.info.fingerprint).as_bytes());
        self.info = EmbedderInfo { fingerprint: fingerprint.to_hex()[..32].to_owned(), ..self.info };
        self
    }

    /// The tokenizer, which cuts texts to [`EmbedderInfo::max_tokens`].
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// How token states become one vector.
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }

    /// Embeds one window of texts into `rows`, `[texts.len(), dims]`.
    fn embed_window(&self, texts: &[&str], rows: &mut [f32]) -> Result<()> {
        let tokens: Vec<Vec<u32>> = texts.par_iter().map(|text| self.tokenize(text)).collect::<Result<_>>()?;
        let lengths: Vec<usize> = tokens.iter().map(Vec::len).collect();
        run_by_length(&lengths, &self.device, (rows, self.info.dims), |group| {
            self.run(&group.iter().map(|&i| tokens[i].as_slice()).collect::<Vec<_>>())
        })
    }

    fn tokenize(&self, text: &str) -> Result<Vec<u32>> {
        let ids =
            if self.prompt.is_empty() { self.tokenizer.encode(text) } else { self.tokenizer.encode(&format!("{}{text}", self.prompt)) }?;
        within_vocabulary(&ids, self.vocab_size)?;
        Ok(ids)
    }

    /// Vectors of one batch, `[sequences, dims]`.
    fn run(&self, sequences: &[&[u32]]) -> Result<Vec<f32>> {
        let batch = TokenBatch::new(sequences, self.pad_id, &self.device);
        let pooled = self.pooling.forward(self.model.forward(&batch), &batch);
        let mut vectors = pooled.try_into_vec_as::<f32>().map_err(|error| Error::Device(format!("{error:?}")))?;
        if self.normalize {
            vectors.chunks_exact_mut(self.info.dims).for_each(l2_normalize);
        }
        Ok(vectors)
    }
}

impl Embedder for SentenceEncoder {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    fn embed(&self, texts: &[&str]) -> jarre_core::Result<Embeddings> {
        let dims = self.info.dims;
        let mut values = vec![0.0; texts.len() * dims];
        for (texts, rows) in texts.chunks(WINDOW).zip(values.chunks_mut(WINDOW * dims)) {
            self.embed_window(texts, rows)?;
        }
        Embeddings::new(dims, values)
    }
}

impl TokenCounter for SentenceEncoder {
    /// A text on which the tokenizer fails is counted in words.
    fn token_spans(&self, text: &str) -> Vec<Range<usize>> {
        self.tokenizer.spans(text).unwrap_or_else(|_| word_spans(text))
    }
}

fn read_tokenizer(steps: &SentenceFolder, max_tokens: usize) -> Result<Tokenizer> {
    let tokenizer = Tokenizer::from_file(steps.encoder.join("tokenizer.json"), max_tokens)?;
    Ok(if steps.lowercase { tokenizer.with_lowercase() } else { tokenizer })
}

fn word_spans(text: &str) -> Vec<Range<usize>> {
    let start_of = |word: &str| word.as_ptr().addr() - text.as_ptr().addr();
    text.split_whitespace().map(|word| start_of(word)..start_of(word) + word.len()).collect()
}
