//! Times steps of a decoder over a paged cache when asked: lines on standard input, seconds on standard output.
//!
//! - `FOLDER int8|int4|bf16|f32 f32|bf16|int8 prefill TOKENS`: reads a prompt in steps of up to 512 tokens;
//! - `FOLDER int8|int4|bf16|f32 f32|bf16|int8 decode STREAMS CONTEXT STEPS`: that many steps of one token of each stream, behind `CONTEXT`
//!   tokens in the cache. The cached keys and values are zeros, which take as long to read as others.
//!
//! `benches/peers/llama_cpp.py` runs it in turn with llama.cpp.

use std::io::{BufRead, Error, Write};
use std::time::Instant;

use jarre_transformer::paged::{KvType, PagedBatch, PagedDecoder, PagedKvCache};
use jarre_transformer::quantize::{Int4Scheme, Quantizer, Scheme};
use jarre_transformer::{CausalModel, Device};

const BLOCK: usize = 16;
const CHUNK: usize = 512;
const LONGEST: usize = 1 << 20;

fn main() -> std::io::Result<()> {
    let mut kept: Option<(String, PagedDecoder)> = None;
    let mut answers = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [folder, scheme, kind, case, sizes @ ..] = &words[..] else { return Err(Error::other(format!("`{line}` is no case"))) };
        let name = format!("{folder} {scheme}");
        if kept.as_ref().is_none_or(|(loaded, _)| *loaded != name) {
            drop(kept.take());
            kept = Some((name, load(folder, scheme).map_err(Error::other)?));
        }
        let (_, model) = kept.as_ref().ok_or_else(|| Error::other("no model"))?;
        let kind = match *kind {
            "f32" => KvType::F32,
            "bf16" => KvType::Bf16,
            "int8" => KvType::Int8,
            other => return Err(Error::other(format!("`{other}` is none of f32, bf16, int8"))),
        };
        let sizes: Vec<usize> = sizes.iter().filter_map(|size| size.parse().ok()).collect();
        let seconds = match (*case, &sizes[..]) {
            ("prefill", &[tokens]) => prefill(model, kind, tokens),
            ("decode", &[streams, context, steps]) => decode(model, kind, [streams, context, steps]),
            _ => return Err(Error::other(format!("`{line}` is no case"))),
        };
        writeln!(answers, "{seconds}")?;
        answers.flush()?;
    }
    Ok(())
}

fn load(folder: &str, scheme: &str) -> Result<PagedDecoder, Box<dyn std::error::Error + Send + Sync>> {
    let scheme = match scheme {
        "int8" => Some(Scheme::Int8),
        "int4" => Some(Scheme::Int4(Int4Scheme::symmetric(32))),
        "bf16" => Some(Scheme::Bf16),
        "f32" => None,
        other => return Err(format!("`{other}` is none of int8, int4, bf16, f32").into()),
    };
    let model = match scheme {
        Some(scheme) => CausalModel::from_folder_quantized(folder, &Quantizer::new(scheme), &Device::default())?,
        None => CausalModel::from_folder(folder, &Device::default())?,
    };
    Ok(PagedDecoder::new(model.decoder(), LONGEST)?)
}

/// Seconds until the logits after a prompt are there.
#[expect(clippy::disallowed_methods, reason = "the program measures time")]
fn prefill(model: &PagedDecoder, kind: KvType, tokens: usize) -> f64 {
    let prompt = noise(tokens, model.config().vocab_size);
    let table: Vec<u32> = (0..tokens.div_ceil(BLOCK) as u32).collect();
    let mut cache = model.new_cache(table.len(), BLOCK, kind);
    let mut logits = Vec::new();
    let started = Instant::now();
    for first in (0..tokens).step_by(CHUNK) {
        let end = tokens.min(first + CHUNK);
        let outputs: Vec<usize> = (end == tokens).then_some(end - first - 1).into_iter().collect();
        logits = step(model, &mut cache, &prompt[first..end], &[&table], &[end], &outputs);
    }
    let seconds = started.elapsed().as_secs_f64();
    check(&logits);
    seconds
}

/// Seconds of steps of one token a stream.
#[expect(clippy::disallowed_methods, reason = "the program measures time")]
fn decode(model: &PagedDecoder, kind: KvType, [streams, context, steps]: [usize; 3]) -> f64 {
    let blocks = (context + steps + 1).div_ceil(BLOCK);
    let tables: Vec<Vec<u32>> =
        (0..streams).map(|stream| (stream * blocks..(stream + 1) * blocks).map(|block| block as u32).collect()).collect();
    let tables: Vec<&[u32]> = tables.iter().map(Vec::as_slice).collect();
    let mut cache = model.new_cache(streams * blocks, BLOCK, kind);
    let outputs: Vec<usize> = (0..streams).collect();
    let mut run =
        |length: usize| step(model, &mut cache, &noise(streams, model.config().vocab_size), &tables, &vec![length; streams], &outputs);
    check(&run(context + 1));
    let started = Instant::now();
    let logits = (1..=steps).map(|done| run(context + 1 + done)).last();
    let seconds = started.elapsed().as_secs_f64();
    check(&logits.unwrap_or_default());
    seconds
}

/// Logits of a step, whose tokens are shared out evenly among sequences.
fn step(
    model: &PagedDecoder,
    cache: &mut PagedKvCache,
    tokens: &[u32],
    tables: &[&[u32]],
    lengths: &[usize],
    outputs: &[usize],
) -> Vec<f32> {
    let each = tokens.len() / tables.len();
    let query_starts: Vec<usize> = (0..=tables.len()).map(|stream| stream * each).collect();
    let batch = PagedBatch { tokens, query_starts: &query_starts, context_lens: lengths, block_tables: tables, adapters: &[], outputs };
    model.forward(cache, &batch)
}

/// After the time is taken, as what reads a million logits again is no part of the model.
fn check(logits: &[f32]) {
    assert!(logits.iter().all(|logit| logit.is_finite()), "a model of finite weights gives finite logits");
}

fn noise(count: usize, vocab_size: usize) -> Vec<u32> {
    (0..count as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) % vocab_size as u32).collect()
}
