//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Ask questions of a folder of documents, offline.
///
/// Reads PDF, Markdown, HTML and plain text, indexes them with a sentence encoder that runs in this process, and answers each question
/// with the sentences that say so, cited by file, heading or page, and checked against the source. Without arguments it reads this
/// repository's own documentation, answers three questions about it and then asks for yours.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[command(name = "phase5_rag", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// A folder or file to answer from; may be given several times [default: this repository's docs and README files]
    #[arg(long, value_name = "DIR")]
    pub(crate) docs: Vec<PathBuf>,

    /// A question; may be given several times [default: ask at a prompt]
    #[arg(long, value_name = "QUESTION")]
    pub(crate) ask: Vec<String>,

    /// A file of questions, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) ask_file: Option<PathBuf>,

    /// Where the index is kept [default: .jarre/ in this repository, one folder for each set of --docs]
    #[arg(long, value_name = "DIR")]
    pub(crate) index: Option<PathBuf>,

    /// The encoder: a Hugging Face folder [default: the int8 all-MiniLM-L6-v2 that comes with the repository]
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,

    /// Which indexes are searched
    #[arg(long, value_enum, default_value_t = StrategyArg::Hybrid)]
    pub(crate) strategy: StrategyArg,

    /// How the hybrid strategy merges the two rankings
    #[arg(long, value_enum, default_value_t = FusionArg::Dbsf)]
    pub(crate) fusion: FusionArg,

    /// How documents are cut; an index that was cut otherwise needs --rebuild
    #[arg(long, value_enum, default_value_t = ChunkerArg::Structure)]
    pub(crate) chunker: ChunkerArg,

    /// Passages to retrieve for a question
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub(crate) k: u16,

    /// Build the index anew even if it could be updated
    #[arg(long)]
    pub(crate) rebuild: bool,

    /// One JSON object a question on standard output; everything else goes to standard error
    #[arg(long)]
    pub(crate) json: bool,

    /// Show how each passage was found: its rank and score in every index
    #[arg(long)]
    pub(crate) explain: bool,

    /// End with the latency of the questions (p50, p95) and the peak memory
    #[arg(long)]
    pub(crate) stats: bool,
}

const AFTER_HELP: &str = "\
Examples:
  cargo run --example phase5_rag
  cargo run --example phase5_rag -- --docs ~/papers --ask \"who proposed the method?\"
  cargo run --example phase5_rag -- --docs manual.pdf --docs wiki/ --json --ask \"what is the torque?\" | jq .citations

Exit codes:
  0  every question was answered
  1  something failed; the message says what
  2  the command line is wrong
  3  a question of --ask or --ask-file was refused: the documents do not answer it
  4  the index is in use by another process
  130  interrupted; the index holds what was read until then and the next run goes on from there";

/// Which indexes are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StrategyArg {
    /// Dense and sparse, merged
    Hybrid,
    /// Meaning: nearest sentence embeddings
    Dense,
    /// Words: BM25
    Sparse,
}

/// How two rankings are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FusionArg {
    /// Distribution-based score fusion
    Dbsf,
    /// Reciprocal rank fusion, k = 60
    Rrf,
    /// Convex combination of normalised scores
    Convex,
}

/// How documents are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChunkerArg {
    /// Along headings, paragraphs, tables and code blocks
    Structure,
    /// Windows of 128 tokens, 32 shared with the next
    Fixed,
    /// Where neighbouring sentences differ in meaning
    Semantic,
}
