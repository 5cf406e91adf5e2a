//! The model that is named on the command line, and how it is served.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use jarre_serving::{DraftOptions, KvType, Model, NgramProposer, ServeOptions, Speculative};
use jarre_transformer::Device;
use jarre_transformer::quantize::{Int4Scheme, Quantizer, Scheme};

use crate::args::{KvKind, ModelArgs, Quant};

pub(crate) fn open(args: &ModelArgs) -> Result<Model> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/jarre-tiny");
    load(args.model.as_deref().unwrap_or(&shipped), args)
}

fn load(path: &Path, args: &ModelArgs) -> Result<Model> {
    let device = Device::default();
    let model = match args.quant {
        None => Model::open(path, &device),
        Some(quant) => Model::open_quantized(path, &Quantizer::new(quant.scheme()), &device),
    };
    model.with_context(|| format!("cannot serve {}", path.display()))
}

impl Quant {
    fn scheme(self) -> Scheme {
        match self {
            Self::Int8 => Scheme::Int8,
            Self::Int4 => Scheme::Int4(Int4Scheme::symmetric(32)),
            Self::Bf16 => Scheme::Bf16,
        }
    }
}

pub(crate) fn options(args: &ModelArgs) -> Result<ServeOptions> {
    let mut options = ServeOptions::default();
    options.kv_type = match args.kv_cache_dtype {
        KvKind::F32 => KvType::F32,
        KvKind::Bf16 => KvType::Bf16,
        KvKind::Int8 => KvType::Int8,
    };
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
    Ok(Some(Speculative::Draft(Arc::new(load(path, args)?), options)))
}
