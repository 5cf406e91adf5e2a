use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jarre_transformer::chat_template::ChatTemplate;
use jarre_transformer::collective::Communicator;
use jarre_transformer::generate::CausalLm;
use jarre_transformer::paged::{KvType, PagedDecoder, ShardedDecoder};
use jarre_transformer::quantize::Quantizer;
use jarre_transformer::{CausalModel, Device, Tokenizer};

use crate::engine::{EngineConfig, EngineCore};
use crate::prompt::ChatPrompt;
use crate::tensor_parallel::ShardedRunner;
use crate::{DraftModel, DraftOptions, ModelRunner, NgramProposer, PagedRunner, Policy, Proposer, Result, SchedulerConfig, ToolFormat};

/// A causal language model with its tokenizer and chat template: what an engine serves.
#[derive(Debug)]
pub struct Model {
    name: String,
    causal: CausalModel,
    tokenizer: Arc<Tokenizer>,
    template: Option<ChatTemplate>,
    tools: Option<ToolFormat>,
}

/// What of a model is not its weights.
pub(crate) struct Files {
    pub(crate) name: String,
    #[cfg(feature = "server")]
    pub(crate) causal: CausalModel,
    #[cfg(feature = "server")]
    pub(crate) tokenizer: Arc<Tokenizer>,
    /// None where it is not for chats.
    pub(crate) prompt: Option<ChatPrompt>,
}

/// How a model is served; the default suits a laptop.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServeOptions {
    /// Sequences that are computed together at most.
    pub max_num_seqs: usize,
    /// Tokens of a step at most: smaller ones make gaps between tokens shorter, larger ones read long prompts faster.
    pub max_num_batched_tokens: usize,
    /// Tokens of prompt and answer together at most: what the model was made for where it is not given.
    pub max_model_len: Option<usize>,
    /// Requests that wait at most; further ones are refused.
    pub max_waiting: usize,
    /// Who is served first.
    pub policy: Policy,
    /// Positions of a block of the cache; a multiple of 16 wastes nothing.
    pub block_size: usize,
    /// How keys and values are kept.
    pub kv_type: KvType,
    /// Bytes of the cache, rounded down to whole blocks. Not more is taken than `max_num_seqs` longest sequences need.
    pub kv_cache_bytes: usize,
    /// Whether prompts share cached beginnings.
    pub prefix_caching: bool,
    /// Who proposes tokens that are checked together, where somebody does.
    pub speculative: Option<Speculative>,
    /// The most answers to one request.
    pub max_n: usize,
    /// How long a grammar may take to compile; a request with one that takes longer is refused.
    pub grammar_timeout: Duration,
}

/// Who proposes tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Speculative {
    /// Earlier text.
    Ngram(NgramProposer),
    /// A smaller model with the same vocabulary.
    Draft(Arc<Model>, DraftOptions),
}

impl Speculative {
    fn proposer(&self, vocab_size: usize) -> Result<Box<dyn Proposer>> {
        Ok(match self {
            Self::Ngram(proposer) => Box::new(*proposer),
            Self::Draft(model, options) => Box::new(DraftModel::new(model, vocab_size, *options)?),
        })
    }
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            max_num_seqs: 64,
            max_num_batched_tokens: 512,
            max_model_len: None,
            max_waiting: 256,
            policy: Policy::Fcfs,
            block_size: 16,
            kv_type: KvType::Bf16,
            kv_cache_bytes: 1 << 30,
            prefix_caching: true,
            speculative: None,
            max_n: 16,
            grammar_timeout: Duration::from_secs(5),
        }
    }
}

impl Model {
    /// Loads a Hugging Face folder or a `.gguf` file, and calls the model by its file name. Folders in four bits keep their codes.
    ///
    /// # Errors
    /// Where a file is missing or malformed, or the architecture is another one.
    pub fn open(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let path = path.as_ref();
        let causal = if is_gguf(path) {
            CausalModel::from_gguf(path, device)?
        } else {
            CausalModel::from_packed_folder(path, jarre_transformer::quantize::Inputs::Int8, device)?
        };
        Self::with_files(path, causal)
    }

    /// As [`open`](Self::open), with packed weights. Beside them there are one layer and the embedding table in f32, and never the whole model.
    ///
    /// # Errors
    /// As [`open`](Self::open), and where the quantizer needs calibration: see [`quantized`](Self::quantized).
    pub fn open_quantized(path: impl AsRef<Path>, quantizer: &Quantizer, device: &Device) -> Result<Self> {
        let path = path.as_ref();
        let causal = if is_gguf(path) {
            CausalModel::from_gguf_quantized(path, quantizer, device)?
        } else {
            CausalModel::from_folder_quantized(path, quantizer, device)?
        };
        Self::with_files(path, causal)
    }

    /// With the tokenizer and the template that lie beside the weights.
    fn with_files(path: &Path, causal: CausalModel) -> Result<Self> {
        let (tokenizer, template) = if is_gguf(path) {
            (Tokenizer::from_gguf(path)?, ChatTemplate::from_gguf(path)?)
        } else {
            (Tokenizer::from_folder(path)?, ChatTemplate::from_folder(path)?)
        };
        Ok(Self::new(name_of(path), causal, tokenizer, template))
    }

    /// A model that was made or loaded elsewhere.
    pub fn new(name: impl Into<String>, causal: CausalModel, tokenizer: Tokenizer, template: Option<ChatTemplate>) -> Self {
        Self { name: name.into(), causal, tokenizer: Arc::new(tokenizer), template, tools: None }
    }

    /// Calls it otherwise.
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Writes conversations by this template.
    pub fn with_template(self, template: ChatTemplate) -> Self {
        Self { template: Some(template), ..self }
    }

    /// Reads its calls of tools in this format, whatever its template shows.
    pub fn with_tool_format(self, format: ToolFormat) -> Self {
        Self { tools: Some(format), ..self }
    }

    /// The same with packed weights.
    ///
    /// # Errors
    /// As [`Quantizer::quantize`].
    pub fn quantized(self, quantizer: &Quantizer, calibration: &[Vec<u32>]) -> Result<Self> {
        Ok(Self { causal: self.causal.quantized(quantizer, calibration)?, ..self })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The model itself.
    pub fn causal(&self) -> &CausalModel {
        &self.causal
    }

    /// The model without what belongs to it.
    pub fn into_causal(self) -> CausalModel {
        self.causal
    }

    /// Its tokenizer.
    pub fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }

    /// Its chat template, where it is for chats.
    pub fn template(&self) -> Option<&ChatTemplate> {
        self.template.as_ref()
    }

    pub(crate) fn into_files(self) -> Files {
        let Self { name, tokenizer, template, tools, .. } = self;
        let prompt = template.map(|template| ChatPrompt::new(Arc::clone(&tokenizer), template, tools));
        Files {
            name,
            #[cfg(feature = "server")]
            causal: self.causal,
            #[cfg(feature = "server")]
            tokenizer,
            prompt,
        }
    }

    /// An engine for it, with a cache of its own. The model's weights are shared.
    ///
    /// # Errors
    /// Where the model is not one for paged caches, the options leave no room for a sequence, or a draft model cannot propose for it.
    pub fn engine(&self, options: &ServeOptions) -> Result<EngineCore<PagedRunner>> {
        let max_len = self.max_len(options);
        let decoder = PagedDecoder::new(self.causal.decoder(), max_len)?;
        let blocks = blocks(options, max_len, decoder.bytes_per_block(options.block_size, options.kv_type));
        let runner = PagedRunner::new(decoder, blocks, options.block_size, options.kv_type);
        self.engine_over(runner, options)
    }

    /// An engine for it that shares the work with the other workers of a ring, who [run as such](crate::tensor_parallel::run_worker).
    /// `options.kv_cache_bytes` are those of each worker, which hold as many more tokens as there are workers.
    ///
    /// # Errors
    /// As [`engine`](Self::engine), where the model cannot be cut over so many workers, one of them is lost or has another model, or
    /// `communicator` is not rank 0.
    pub fn tensor_parallel_engine(&self, options: &ServeOptions, communicator: Communicator) -> Result<EngineCore<ShardedRunner>> {
        let max_len = self.max_len(options);
        let decoder = ShardedDecoder::new(self.causal.decoder(), max_len, communicator.rank(), communicator.world_size())?;
        let blocks = blocks(options, max_len, decoder.bytes_per_block(options.block_size, options.kv_type));
        let runner = ShardedRunner::new(decoder, blocks, options.block_size, options.kv_type, communicator)?;
        self.engine_over(runner, options)
    }

    fn max_len(&self, options: &ServeOptions) -> usize {
        options.max_model_len.unwrap_or(usize::MAX).min(self.causal.max_positions())
    }

    fn engine_over<R: ModelRunner>(&self, runner: R, options: &ServeOptions) -> Result<EngineCore<R>> {
        let max_len = self.max_len(options);
        let config = EngineConfig {
            scheduler: SchedulerConfig::new(max_len)
                .with_max_num_seqs(options.max_num_seqs)
                .with_max_num_batched_tokens(options.max_num_batched_tokens)
                .with_max_waiting(options.max_waiting)
                .with_policy(options.policy),
            prefix_caching: options.prefix_caching,
            max_n: options.max_n,
            grammar_timeout: options.grammar_timeout,
        };
        let mut core = EngineCore::new(runner, Arc::clone(&self.tokenizer), self.causal.eos(), &config)?;
        if let Some(speculative) = &options.speculative {
            core.speculate(speculative.proposer(self.causal.config().vocab_size)?);
        }
        Ok(core)
    }
}

/// Blocks of so many bytes that the options leave room for; not more than the longest sequences need.
fn blocks(options: &ServeOptions, max_len: usize, block_bytes: usize) -> usize {
    let wanted = options.max_num_seqs.saturating_mul(max_len.div_ceil(options.block_size.max(1)));
    (options.kv_cache_bytes / block_bytes.max(1)).min(wanted).min(u32::MAX as usize)
}

fn is_gguf(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
}

/// The name of a folder or file, without the extension of the latter.
fn name_of(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| PathBuf::from(path));
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    name.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}
