//! `quantize`: what fewer bits cost a model, measured against itself in float32 on the same texts.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use jarre_kernels::Inputs;
use jarre_quant::{Comparison, Int4Scheme, SmoothQuant};
use jarre_transformer::CausalModel;
use jarre_transformer::corpus::{DocumentSource, Split};
use jarre_transformer::generate::CausalLm;
use jarre_transformer::quantize::{Method, Quantizer, Scheme};
use serde::Serialize;

use crate::args::{QuantizeArgs, SchemeArg};
use crate::corpus::repository;
use crate::model::Opened;
use crate::perplexity::{Score, Z_95, mean_over_documents};
use crate::progress::WorkBar;

/// The most tokens that are read at a time unless --context says otherwise.
const LONGEST_CONTEXT: usize = 512;

/// The most tokens to calibrate on.
const CALIBRATION_TOKENS: usize = 50_000;

const ALL: [SchemeArg; 6] =
    [SchemeArg::Bf16, SchemeArg::Int8, SchemeArg::Int8Smoothquant, SchemeArg::Int4, SchemeArg::Int4Awq, SchemeArg::Int4Gptq];

#[derive(Serialize)]
struct Report {
    model: String,
    context: usize,
    documents: usize,
    tokens: usize,
    calibration_tokens: usize,
    schemes: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<Saved>,
}

/// The folder of the packed model.
#[derive(Serialize)]
struct Saved {
    folder: PathBuf,
    /// Of its weights.
    megabytes: f64,
}

/// A scheme beside the same model in float32.
#[derive(Serialize)]
struct Row {
    scheme: String,
    megabytes: f64,
    perplexity: f64,
    /// Of the perplexity, in percent, against float32; and its 95 % interval over documents.
    change: f64,
    interval: [f64; 2],
    /// KL(float32 || scheme), the mean of a position, in nats.
    divergence: f64,
    largest_divergence: f64,
    /// Share of positions with the same likeliest token.
    agreement: f64,
    tokens_per_second: f64,
}

/// A model in one scheme, and what was seen of it in each document.
struct Candidate {
    name: String,
    model: CausalModel,
    documents: Vec<Comparison>,
    seconds: f64,
}

pub(crate) fn run(args: &QuantizeArgs) -> Result<()> {
    ensure!(!args.model.packed, "quantize compares with the model in f32: leave --packed out");
    if let Some(out) = &args.out {
        ensure!(args.scheme.len() == 1, "--out saves one model: name one --scheme");
        ensure!(is_free(out)?, "{} is not empty: name a new folder with --out", out.display());
    }
    let opened = Opened::open(&args.model)?;
    let context = args.context.unwrap_or_else(|| opened.model.max_positions().min(LONGEST_CONTEXT));
    ensure!((2..=opened.model.max_positions()).contains(&context), "--context has to be 2 to {}", opened.model.max_positions());
    let Texts { measured, calibration } = texts(args, &opened, context)?;
    let schemes = if args.scheme.is_empty() { &ALL[..] } else { &args.scheme };
    let bar = WorkBar::new("packing", schemes.len() as u64);
    let mut candidates = vec![Candidate::new("f32".to_owned(), opened.model.clone())];
    for scheme in schemes {
        let quantizer = quantizer(*scheme, args);
        let model = opened.model.clone().quantized(&quantizer, &calibration)?;
        candidates.push(Candidate::new(name(*scheme, args), model));
        bar.advance(1);
    }
    drop(bar);
    let saved = args.out.as_deref().map(|out| save(args, &opened, &candidates[1].model, out)).transpose()?;
    let tokens = measured.iter().map(Vec::len).sum::<usize>();
    let bar = WorkBar::new("measuring", tokens as u64);
    for document in &measured {
        compare(&mut candidates, document, context)?;
        bar.advance(document.len() as u64);
    }
    drop(bar);
    let report = Report {
        model: args.model.name(),
        context,
        documents: measured.len(),
        tokens: candidates[0].documents.iter().map(Comparison::positions).sum(),
        calibration_tokens: calibration.iter().map(Vec::len).sum(),
        schemes: candidates.iter().map(Candidate::row).collect(),
        saved,
    };
    if let Some(path) = &args.report {
        std::fs::write(path, serde_json::to_string_pretty(&report)? + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    print(&report, args.json)
}

/// Whether a folder can be made at a path, or is there with nothing in it.
fn is_free(folder: &Path) -> Result<bool> {
    if !folder.exists() {
        return Ok(true);
    }
    let mut entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    Ok(entries.next().is_none())
}

fn save(args: &QuantizeArgs, opened: &Opened, model: &CausalModel, out: &Path) -> Result<Saved> {
    let source = args.model.path();
    model.save_new(out, Some(&source).filter(|source| source.is_dir()).map(PathBuf::as_path), opened.tokenizer.as_ref())?;
    let weights = out.join("model.safetensors");
    let bytes = std::fs::metadata(&weights).with_context(|| format!("cannot read {}", weights.display()))?.len();
    Ok(Saved { folder: out.to_owned(), megabytes: bytes as f64 / 1e6 })
}

/// Token ids of documents.
struct Texts {
    measured: Vec<Vec<u32>>,
    /// In pieces of the context.
    calibration: Vec<Vec<u32>>,
}

fn texts(args: &QuantizeArgs, opened: &Opened, context: usize) -> Result<Texts> {
    let named = if args.text.is_empty() { repository(&["README.md", "CONTRIBUTING.md", "docs"])? } else { args.text.clone() };
    let documents = read(opened, &named, args.validation)?;
    ensure!(!documents.is_empty(), "no document has two tokens: name texts with --text, or leave out --validation");
    let (measured, others): (Vec<_>, Vec<_>) = if args.calibrate.is_empty() {
        let (even, odd): (Vec<_>, Vec<_>) = documents.into_iter().enumerate().partition(|(index, _)| index % 2 == 0);
        let ids = |documents: Vec<(usize, Vec<u32>)>| documents.into_iter().map(|(_, ids)| ids).collect();
        (ids(even), ids(odd))
    } else {
        (documents, read(opened, &args.calibrate, None)?)
    };
    let calibration = limited(others.iter().flat_map(|ids| ids.chunks(context)), CALIBRATION_TOKENS);
    Ok(Texts { measured: limited(measured.iter().map(Vec::as_slice), args.tokens), calibration })
}

/// The ids of documents that have at least two.
fn read(opened: &Opened, paths: &[std::path::PathBuf], validation: Option<f64>) -> Result<Vec<Vec<u32>>> {
    let split = validation.map(Split::by_document).transpose()?;
    let mut found = Vec::new();
    for document in DocumentSource::new(paths.to_vec()).documents()? {
        let text = document.context("a document cannot be read")?.text;
        let text = split.as_ref().map_or(text.as_str(), |split| split.parts(&text).validation);
        found.push(opened.prompt(text)?);
    }
    found.retain(|ids| ids.len() > 1);
    Ok(found)
}

/// The first pieces, up to `most` tokens in all; the last one is cut.
fn limited<'a>(pieces: impl Iterator<Item = &'a [u32]>, most: usize) -> Vec<Vec<u32>> {
    let mut left = most;
    let cut = |piece: &'a [u32]| {
        let piece = &piece[..piece.len().min(left)];
        left -= piece.len();
        piece.to_vec()
    };
    pieces.map(cut).take_while(|piece| piece.len() > 1).collect()
}

fn quantizer(scheme: SchemeArg, args: &QuantizeArgs) -> Quantizer {
    let four = Scheme::Int4(Int4Scheme { group: args.group, zero_point: args.zero_point });
    let (scheme, method) = match scheme {
        SchemeArg::Bf16 => (Scheme::Bf16, Method::RoundToNearest),
        SchemeArg::Int8 => (Scheme::Int8, Method::RoundToNearest),
        SchemeArg::Int8Smoothquant => (Scheme::Int8, Method::SmoothQuant(SmoothQuant::default())),
        SchemeArg::Int4 => (four, Method::RoundToNearest),
        SchemeArg::Int4Awq => (four, Method::Awq),
        SchemeArg::Int4Gptq => (four, Method::Gptq { act_order: true }),
    };
    let inputs = if args.float_inputs { Inputs::Float } else { Inputs::Int8 };
    Quantizer::new(scheme).with_method(method).with_inputs(inputs)
}

/// `W4A8 g32 AWQ`.
fn name(scheme: SchemeArg, args: &QuantizeArgs) -> String {
    let inputs = if args.float_inputs { 16 } else { 8 };
    let four = format!("W4A{inputs} g{}{}", args.group, if args.zero_point { " zero" } else { "" });
    match scheme {
        SchemeArg::Bf16 => "bf16".to_owned(),
        SchemeArg::Int8 => format!("W8A{inputs}"),
        SchemeArg::Int8Smoothquant => format!("W8A{inputs} SmoothQuant"),
        SchemeArg::Int4 => format!("{four} nearest"),
        SchemeArg::Int4Awq => format!("{four} AWQ"),
        SchemeArg::Int4Gptq => format!("{four} GPTQ"),
    }
}

/// Lets all models read a document, piece by piece. The first one is the reference.
fn compare(candidates: &mut [Candidate], document: &[u32], context: usize) -> Result<()> {
    for candidate in &mut *candidates {
        candidate.documents.push(Comparison::default());
    }
    for start in (0..document.len() - 1).step_by(context) {
        let piece = &document[start..document.len().min(start + context + 1)];
        let (read, targets) = (&piece[..piece.len() - 1], &piece[1..]);
        let mut reference: Option<Vec<f32>> = None;
        for candidate in &mut *candidates {
            let logits = candidate.read(read)?;
            let vocabulary = logits.len() / read.len();
            let reference = reference.get_or_insert_with(|| logits.clone());
            let seen = candidate.documents.last_mut().context("one was pushed for this document")?;
            let rows = reference.chunks_exact(vocabulary).zip(logits.chunks_exact(vocabulary));
            for ((reference, logits), target) in rows.zip(targets) {
                seen.observe(reference, logits, *target as usize)?;
            }
        }
    }
    Ok(())
}

impl Candidate {
    fn new(name: String, model: CausalModel) -> Self {
        Self { name, model, documents: Vec::new(), seconds: 0.0 }
    }

    fn read(&mut self, tokens: &[u32]) -> Result<Vec<f32>> {
        let started = Instant::now();
        let logits = self.model.all_logits(tokens)?;
        self.seconds += started.elapsed().as_secs_f64();
        Ok(logits)
    }

    fn row(&self) -> Row {
        let mut all = Comparison::default();
        self.documents.iter().for_each(|document| all.merge(document));
        let score = |document: &Comparison| {
            let [reference, own] = document.nats();
            Score { nats: own - reference, tokens: document.positions() as f64 }
        };
        let (mean, error) = mean_over_documents(&self.documents.iter().map(score).collect::<Vec<_>>());
        let percent = |nats: f64| 100.0 * nats.exp_m1();
        Row {
            scheme: self.name.clone(),
            megabytes: self.model.decoder().weight_bytes() as f64 / 1e6,
            perplexity: all.perplexity(),
            change: percent(mean),
            interval: [-Z_95, Z_95].map(|z| percent(mean + z * error)),
            divergence: all.divergence(),
            largest_divergence: all.largest_divergence(),
            agreement: all.agreement(),
            tokens_per_second: all.positions() as f64 / self.seconds,
        }
    }
}

fn print(report: &Report, json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string(report)?);
        return Ok(());
    }
    println!(
        "{:<20} {:>8} {:>11} {:>26} {:>9} {:>9} {:>10}",
        "weights", "MB", "perplexity", "change, 95 % interval", "KL", "same top", "tokens/s"
    );
    for row in &report.schemes {
        let [low, high] = row.interval;
        let change = format!("{:+.2} % [{low:+.2}, {high:+.2}]", row.change);
        let Row { scheme, megabytes, perplexity, divergence, agreement, tokens_per_second, .. } = row;
        println!(
            "{scheme:<20} {megabytes:>8.1} {perplexity:>11.3} {change:>26} {divergence:>9.5} {:>7.2} % {tokens_per_second:>10.0}",
            100.0 * agreement
        );
    }
    let Report { model, context, documents, tokens, calibration_tokens, .. } = report;
    println!("{model}: {documents} documents, {tokens} tokens in pieces of {context}; calibrated on {calibration_tokens}");
    if let Some(Saved { folder, megabytes }) = &report.saved {
        println!("saved in {}: {megabytes:.1} MB of weights, which --model takes", folder.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_the_limit() {
        let pieces = [vec![1, 2, 3], vec![4], vec![5, 6, 7]];
        let cut = |most| limited(pieces.iter().map(Vec::as_slice), most);
        assert_eq!(cut(2), [vec![1, 2]]);
        assert_eq!(cut(0), Vec::<Vec<u32>>::new());
    }
}
