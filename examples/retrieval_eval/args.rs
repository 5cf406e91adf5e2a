//! The command line.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use clap::{Parser, ValueEnum};
use jarre_eval::stats::Bootstrap;
use jarre_rag::retrieve::{Fusion, Strategy};

use crate::chunkers::ChunkerSpec;

/// Measure retrieval on questions whose answers are known.
///
/// Every figure is a mean over the questions, with the interval in which it would lie had other questions of the same kind been
/// asked (95 %, bias-corrected bootstrap). Systems are compared question by question: a difference whose interval leaves out 0 is marked with *.
#[derive(Debug, Parser)]
#[command(name = "retrieval_eval", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The paragraphs: a JSON object a line with `id`, `title` and `text`
    #[arg(long, value_name = "FILE")]
    pub(crate) corpus: PathBuf,

    /// The questions: a JSON object a line with `id`, `question`, `answers` and `relevant`, the ids of the paragraphs that answer it
    #[arg(long, value_name = "FILE")]
    pub(crate) queries: PathBuf,

    /// What to measure
    #[arg(long, value_enum, default_value_t = Task::Retrieval)]
    pub(crate) task: Task,

    /// The encoder: a Hugging Face folder [default: the int8 all-MiniLM-L6-v2 that comes with the repository]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,

    /// Multiply in eight bits, inputs included (W8A8): faster, at vectors that differ by rounding
    #[arg(long)]
    pub(crate) packed: bool,

    /// A fusion to measure beside the single legs, may be given several times; the chunker comparison searches by the first
    #[arg(long, value_name = "FUSION", default_values = ["dbsf", "rrf", "rrf:5", "convex:0.5"])]
    pub(crate) fusion: Vec<Fusion>,

    /// The leg or fusion that the others are compared with
    #[arg(long, value_name = "LEG", default_value = "sparse")]
    pub(crate) baseline: Strategy,

    /// A chunker to compare, may be given several times: `fixed:TOKENS:OVERLAP`, `structure:TOKENS` or `semantic:TOKENS`; the others are
    /// compared with the first
    #[arg(
        long,
        value_name = "CHUNKER",
        default_values = ["fixed:128:32", "fixed:64:16", "fixed:256:64", "structure:64", "structure:128", "structure:200", "semantic:128", "semantic:200"]
    )]
    pub(crate) chunker: Vec<ChunkerSpec>,

    /// How passages are found for answers and refusals [default: hybrid]
    #[arg(long, value_name = "LEG")]
    strategy: Option<Strategy>,

    /// The questions of the refusal task: a JSON object a line with `question`, `answerable`, `origin` and, but for those about this
    /// repository's own documents, `relevant` [default: the set that comes with the repository]
    #[arg(long, value_name = "FILE")]
    set: Option<PathBuf>,

    /// Write what the answers and refusals were decided by into this file: what `crates/rag/tools/fit_*.py` fit weights to
    #[arg(long, value_name = "FILE")]
    pub(crate) dump: Option<PathBuf>,

    /// Hits that each leg hands to a fusion
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub(crate) candidates: usize,

    /// Keep the index here, and re-use what it has of unchanged paragraphs [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) index: Option<PathBuf>,

    /// Write a TREC run file for each leg, the judgements and a summary into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) runs: Option<PathBuf>,

    /// Ask the first N questions only
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// Resamples of the bootstrap
    #[arg(long, default_value = "10000", value_name = "N")]
    resamples: NonZeroUsize,

    /// Seed of the bootstrap
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// One JSON object on standard output rather than a table
    #[arg(long)]
    pub(crate) json: bool,
}

impl Args {
    /// The folder of the encoder.
    pub(crate) fn model(&self) -> &Path {
        self.model.as_deref().unwrap_or(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/all-minilm-l6-v2-int8")))
    }

    /// How passages are found for answers and refusals.
    pub(crate) fn strategy(&self) -> Strategy {
        self.strategy.unwrap_or_default()
    }

    /// The questions of the refusal task.
    pub(crate) fn set(&self) -> PathBuf {
        self.set.clone().unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/refusal.jsonl"))
    }

    /// What intervals are computed with.
    pub(crate) fn bootstrap(&self) -> Bootstrap {
        Bootstrap::default().with_resamples(self.resamples).with_seed(self.seed)
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Task {
    /// Dense and sparse search and their fusions: nDCG@10, Recall@5, MRR@10, AllGold@5
    Retrieval,
    /// Ways of cutting documents: do the five best chunks hold the answer, and how much else?
    Chunkers,
    /// Extractive answers: do the cited sentences hold the answer?
    Answers,
    /// Refusal: are questions refused that the documents cannot answer, and only those?
    Refusal,
}

const AFTER_HELP: &str = "\
Metrics:
  nDCG@10    how many relevant paragraphs are among the first ten, the higher the better they stand
  Recall@5   the share of the relevant paragraphs that is among the first five
  MRR@10     one over the rank of the first relevant one, 0 from rank 11
  AllGold@5  1 where all relevant paragraphs are among the first five: what a multi-hop question needs

Fusions: rrf (k = 60), rrf:K, dbsf, convex:ALPHA (ALPHA is the dense leg's share); with weights of dense and sparse as in dbsf@2,1

Examples:
  retrieval_eval --corpus corpus.jsonl --queries queries.jsonl
  retrieval_eval --corpus corpus.jsonl --queries queries.jsonl --fusion rrf:20 --fusion dbsf@2,1 --baseline dbsf
  retrieval_eval --corpus corpus.jsonl --queries queries.jsonl --runs out && trec_eval -c -m ndcg_cut.10 out/qrels.txt out/dbsf.run
  retrieval_eval --corpus corpus.jsonl --queries queries.jsonl --task chunkers --chunker fixed:128:32 --chunker structure:200
  retrieval_eval --corpus corpus.jsonl --queries queries.jsonl --task answers
  retrieval_eval --corpus corpus.jsonl --queries queries.jsonl --task refusal --strategy sparse";
