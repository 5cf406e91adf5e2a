//! `profile`: where the time of a step goes, kernel by kernel, beside what the machine can do.

mod flame;
mod kernel;
mod linear;
mod replica;
mod roofs;
mod show;
mod step;
mod work;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use jarre_transformer::generate::{CausalLm, Sampler, SamplingParams};
use jarre_transformer::paged::{PagedBatch, PagedDecoder, PagedKvCache};

use self::kernel::{Times, typical, typical_whole};
use self::replica::Replica;
use self::roofs::Roofs;
use self::show::{Profile, Report};
use self::step::Step;
use crate::args::{KvKind, Quant};
use crate::model;

#[derive(Args)]
pub(crate) struct ProfileArgs {
    /// A folder of Hugging Face, with or without a tokenizer, or a .gguf file, with weights that are not packed; the model of this repository where
    /// none is named.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Packs weights, to the nearest.
    #[arg(long)]
    quant: Option<Quant>,
    /// How keys and values are kept.
    #[arg(long, default_value = "bf16")]
    kv_cache_dtype: KvKind,
    /// Tokens of the prompt that is read in one step; 0: none is.
    #[arg(long, default_value_t = 512)]
    prompt_len: usize,
    /// Streams that are decoded together, a token of each in a step: several with commas.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32])]
    streams: Vec<usize>,
    /// Tokens of each stream that lie in the cache.
    #[arg(long, default_value_t = 128)]
    context: usize,
    /// Steps of each kind, of which the fastest quarter counts.
    #[arg(long, default_value_t = 20)]
    repeats: usize,
    /// Memory that is read to see how fast it comes; more than the caches hold.
    #[arg(long, default_value_t = 1600)]
    roof_mib: usize,
    /// Draws each step as an icicle, as flame graphs hang, in this SVG file: layers below the step, kernels below the layers.
    #[arg(long)]
    flame: Option<PathBuf>,
    /// Writes the same as folded stacks in nanoseconds, which flamegraph.pl, inferno and speedscope read.
    #[arg(long)]
    folded: Option<PathBuf>,
    /// Draws kernels under the roofs, speed over arithmetic intensity, in this SVG file.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ProfileArgs) -> Result<()> {
    ensure!(args.repeats > 0 && args.roof_mib > 0, "--repeats and --roof-mib have to be at least 1");
    ensure!(!args.streams.contains(&0), "--streams has to be at least 1 each");
    let causal = model::weights(args.model.as_deref(), args.quant)?;
    let longest = args.prompt_len.max(if args.streams.is_empty() { 0 } else { args.context + 1 });
    ensure!(longest > 0, "nothing to do: --prompt-len is 0 and there are no --streams");
    let max = causal.max_positions();
    ensure!(longest <= max, "steps of {longest} tokens of a sequence; the model reads {max}: lower --prompt-len or --context");
    let decoder = PagedDecoder::new(causal.decoder(), longest)?;
    let mut replica = Replica::new(causal.config(), args.quant);
    eprintln!("measuring the roofs");
    let roofs = Roofs::measure(args.quant, args.roof_mib << 20, replica.weight_bytes());
    let prefill = (args.prompt_len > 0).then(|| Step::prefill(args.prompt_len, causal.config().vocab_size));
    let decode = args.streams.iter().map(|streams| Step::decode(*streams, args.context, causal.config().vocab_size));
    let mut profiles = Vec::new();
    for step in prefill.into_iter().chain(decode) {
        eprintln!("{}", step.name);
        profiles.push(profile(&step, &decoder, &mut replica, &roofs, args)?);
    }
    let report = Report::new(args, replica.weight_bytes(), roofs, profiles);
    for (path, text) in [(&args.flame, report.flame()), (&args.folded, report.folded()), (&args.out, report.roofline())] {
        if let Some(path) = path {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    println!("{}", if args.json { serde_json::to_string_pretty(&report)? } else { report.to_text()? });
    Ok(())
}

/// Times the model's own step and the replica's kernels in turn.
fn profile(step: &Step, decoder: &PagedDecoder, replica: &mut Replica, roofs: &Roofs, args: &ProfileArgs) -> Result<Profile> {
    let kind = args.kv_cache_dtype.into();
    let mut cache = decoder.new_cache(step.blocks(), step::BLOCK, kind);
    replica.make_room(step.blocks(), kind);
    let mut sampler = Sampler::new(&SamplingParams::greedy(), decoder.config().vocab_size)?;
    let (mut wholes, mut parts) = (Vec::new(), Vec::new());
    // The first round of each warms up.
    for round in 0..=args.repeats {
        let whole = whole(step, decoder, &mut cache, &mut sampler)?;
        let mut times = Times::default();
        replica.step(step, &mut times, &mut sampler)?;
        if round > 0 {
            wholes.push(whole);
            parts.push(times);
        }
    }
    Ok(Profile::new(step, typical_whole(wholes), typical(parts), &replica.work(step), roofs))
}

/// Seconds of a step with its sampling, as an engine runs it.
fn whole(step: &Step, decoder: &PagedDecoder, cache: &mut PagedKvCache, sampler: &mut Sampler) -> Result<f64> {
    let tables = step.tables();
    let batch = PagedBatch {
        tokens: &step.tokens,
        query_starts: &step.query_starts,
        context_lens: &step.context_lens,
        block_tables: &tables,
        adapters: &[],
        outputs: &step.outputs,
    };
    let started = Instant::now();
    let logits = decoder.forward(cache, &batch);
    for row in logits.chunks_exact(decoder.config().vocab_size) {
        std::hint::black_box(sampler.sample(row)?);
    }
    Ok(started.elapsed().as_secs_f64())
}
