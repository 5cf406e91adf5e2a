//! The model that is named on the command line, and how it is served.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use jarre_serving::{DraftOptions, KvType, Model, NgramProposer, ServeOptions, Speculative};
use jarre_transformer::paged::{ShardConfig, ShardedDecoder};
use jarre_transformer::quantize::{Int4Scheme, Quantizer, Scheme};
use jarre_transformer::{CausalModel, Device};

use crate::args::{KvKind, ModelArgs, Quant};

pub(crate) fn open(args: &ModelArgs) -> Result<Model> {
    load(args.model.as_deref(), args.quant)
}

/// A model with its tokenizer, packed where that is asked for.
pub(crate) fn load(name: Option<&Path>, quant: Option<Quant>) -> Result<Model> {
    let (path, device) = (path(name)?, Device::default());
    let model = match quant {
        None => Model::open(&path, &device),
        Some(quant) => Model::open_quantized(&path, &quantizer(quant), &device),
    };
    let model = model.with_context(|| format!("cannot serve {}", path.display()))?;
    Ok(match name.filter(|name| hub_name(name).is_some()) {
        Some(name) => model.with_name(name_of(name)),
        None => model,
    })
}

/// The same without its tokenizer, and in f32 where nothing is packed.
pub(crate) fn weights(name: Option<&Path>, quant: Option<Quant>) -> Result<CausalModel> {
    let (path, device) = (path(name)?, Device::default());
    let path = path.as_path();
    let model = match (quant.map(quantizer), is_gguf(path)) {
        (None, true) => CausalModel::from_gguf(path, &device),
        (None, false) => CausalModel::from_folder(path, &device),
        (Some(quantizer), true) => CausalModel::from_gguf_quantized(path, &quantizer, &device),
        (Some(quantizer), false) => CausalModel::from_folder_quantized(path, &quantizer, &device),
    };
    model.with_context(|| format!("cannot load {}", path.display()))
}

/// Where the weights of a model lie.
pub(crate) fn path(name: Option<&Path>) -> Result<PathBuf> {
    name.map_or_else(|| Ok(shipped()), locate)
}

/// A worker's part of the model at `path`.
pub(crate) fn read_part(part: ShardConfig, path: &Path, quant: Option<Quant>) -> jarre_transformer::Result<ShardedDecoder> {
    let part = quant.map(quantizer).map_or(part, |quantizer| part.with_quantizer(quantizer));
    if is_gguf(path) { part.read_gguf(path, &Device::default()) } else { part.read_folder(path, &Device::default()) }
}

fn is_gguf(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
}

fn quantizer(quant: Quant) -> Quantizer {
    Quantizer::new(match quant {
        Quant::Int8 => Scheme::Int8,
        Quant::Int4 => Scheme::Int4(Int4Scheme::symmetric(32)),
        Quant::Bf16 => Scheme::Bf16,
    })
}

/// What a model is called: the last part of its path, or its name at the hub without its revision (a snapshot's folder is called after a commit).
pub(crate) fn name_of(path: &Path) -> String {
    match hub_name(path) {
        Some(name) => name.split('@').next().unwrap_or(name).to_owned(),
        None => path.file_name().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned()),
    }
}

/// Where a model lies: one that is named `hub:ORG/NAME` or `hub:ORG/NAME@REVISION` in the cache that it is fetched to.
pub(crate) fn locate(path: &Path) -> Result<PathBuf> {
    hub_name(path).map_or_else(|| Ok(path.to_owned()), fetch)
}

fn hub_name(path: &Path) -> Option<&str> {
    path.to_str()?.strip_prefix("hub:")
}

#[cfg(feature = "server")]
fn fetch(name: &str) -> Result<PathBuf> {
    crate::hub::folder(name)
}

#[cfg(not(feature = "server"))]
fn fetch(name: &str) -> Result<PathBuf> {
    anyhow::bail!("this build cannot fetch {name}: run it with --features phase11_serving/server")
}

/// The model of this repository.
pub(crate) fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/jarre-tiny")
}

pub(crate) fn options(args: &ModelArgs) -> Result<ServeOptions> {
    let mut options = ServeOptions::default();
    options.kv_type = args.kv_cache_dtype.into();
    options.kv_cache_bytes = args.kv_cache_mib << 20;
    options.max_model_len = args.max_model_len;
    options.max_num_seqs = args.max_num_seqs;
    options.max_num_batched_tokens = args.max_num_batched_tokens;
    options.max_waiting = args.max_waiting;
    options.prefix_caching = !args.no_prefix_caching;
    options.speculative = speculative(args, options.kv_type)?;
    Ok(options)
}

fn speculative(args: &ModelArgs, kv_type: KvType) -> Result<Option<Speculative>> {
    let tokens = args.num_speculative_tokens;
    if args.ngram {
        return Ok(Some(Speculative::Ngram(NgramProposer { tokens, ..NgramProposer::default() })));
    }
    let Some(path) = &args.draft_model else { return Ok(None) };
    let mut options = DraftOptions::default();
    (options.tokens, options.kv_type) = (tokens, kv_type);
    Ok(Some(Speculative::Draft(Arc::new(load(Some(path), args.quant)?), options)))
}

impl From<KvKind> for KvType {
    fn from(kind: KvKind) -> Self {
        match kind {
            KvKind::F32 => Self::F32,
            KvKind::Bf16 => Self::Bf16,
            KvKind::Int8 => Self::Int8,
        }
    }
}
