//! `quality`: what fewer bits cost a model, and what they bring.

mod cost;
mod f16;
mod figures;
mod precision;
mod show;
mod teacher;
mod text;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use jarre_transformer::generate::CausalLm;
use jarre_transformer::paged::PagedDecoder;

use self::cost::{Cost, Job};
use self::figures::Figures;
use self::precision::Precision;
use self::show::{Report, Row};
use self::teacher::Reader;
use self::text::Sizes;
use crate::args::KvKind;
use crate::{child, model};

#[derive(Args)]
pub(crate) struct QualityArgs {
    /// A folder of Hugging Face or a .gguf file, with weights that are not packed; the model of this repository where none is named.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Text files and folders of .md, .txt and .rst files that prompts are cut from; this repository's pages where none is named.
    #[arg(long)]
    text: Vec<PathBuf>,
    /// Prompts, spread evenly over the texts. Intervals are over prompts: with fewer than 50 they say little.
    #[arg(long, default_value_t = 64)]
    prompts: usize,
    /// Tokens of a prompt, which are read and not scored.
    #[arg(long, default_value_t = 64)]
    prompt_len: usize,
    /// Tokens after a prompt, each scored given all before it in the text; as many are written where times are measured.
    #[arg(long, default_value_t = 64)]
    continuation_len: usize,
    /// Which precisions, in the order of the table.
    #[arg(long, value_delimiter = ',', default_values_t = Precision::ALL)]
    precisions: Vec<Precision>,
    /// How keys and values are kept, in all precisions alike: f32 shows what the weights' bits alone cost.
    #[arg(long, default_value = "f32")]
    kv_cache_dtype: KvKind,
    /// Requests that are answered at a time where throughput is measured.
    #[arg(long, default_value_t = 8)]
    concurrency: usize,
    /// Compares answers alone: no processes that measure time and memory.
    #[arg(long)]
    no_cost: bool,
    /// Writes the change of perplexity as bars with their intervals to this SVG file.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &QualityArgs) -> Result<()> {
    ensure!(args.prompts > 1, "--prompts has to be at least 2: one prompt has no interval");
    ensure!(args.prompt_len > 0 && args.continuation_len > 0, "--prompt-len and --continuation-len have to be at least 1");
    ensure!(args.concurrency > 0, "--concurrency has to be at least 1");
    let opened = model::load(args.model.as_deref(), None)?;
    let causal = opened.causal();
    ensure!(
        !causal.decoder().is_packed(),
        "quality compares with f32: {} is packed already, name the model that it was made of",
        opened.name()
    );
    let length = args.prompt_len + args.continuation_len;
    let longest = causal.max_positions();
    ensure!(length <= longest, "--prompt-len and --continuation-len make {length} tokens; {} reads {longest}", opened.name());
    let sizes = Sizes { windows: args.prompts, length };
    let windows = text::windows(&args.text, opened.tokenizer(), causal.bos(), sizes)?;
    let reference = PagedDecoder::new(causal.decoder(), length)?;
    let mut rows = Vec::new();
    for &precision in &args.precisions {
        eprintln!("{precision}: reading {} prompts", windows.len());
        let candidate = precision.of(causal)?;
        let weight_bytes = candidate.decoder().weight_bytes();
        let candidate = PagedDecoder::new(candidate.decoder(), length)?;
        let kind = args.kv_cache_dtype.into();
        let mut readers = [&reference, &candidate].map(|decoder| Reader::new(decoder, length, kind));
        let seen = windows.iter().map(|window| teacher::compare(&mut readers, window, args.prompt_len));
        let figures = Figures::of(&seen.collect::<Result<Vec<_>>>()?)?;
        rows.push(Row { precision, weight_bytes, figures, cost: None });
    }
    drop((reference, opened));
    if !args.no_cost {
        for row in &mut rows {
            eprintln!("{}: measuring in a process of its own", row.precision);
            row.cost = Some(measure(args, row.precision, &windows)?);
        }
    }
    let report = Report::new(args, rows);
    if let Some(path) = &args.out {
        std::fs::write(path, report.to_svg()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{}", if args.json { serde_json::to_string_pretty(&report)? } else { report.to_text()? });
    Ok(())
}

fn measure(args: &QualityArgs, precision: Precision, windows: &[Vec<u32>]) -> Result<Cost> {
    let job = Job {
        model: args.model.clone(),
        precision,
        kv_cache_dtype: args.kv_cache_dtype,
        prompts: windows.iter().map(|window| window[..args.prompt_len].to_vec()).collect(),
        answer_len: args.continuation_len,
        concurrency: args.concurrency,
    };
    child::run("quality-cost", &[], &job)
}

/// The process that measures one precision.
pub(crate) fn run_cost() -> Result<()> {
    child::serve(cost::measure)
}
