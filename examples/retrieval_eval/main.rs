//! Measures retrieval on questions with known answers, so that a choice between legs, fusions and chunkers rests on figures.

mod answers;
mod args;
mod chunkers;
mod collection;
mod indexing;
mod legs;
mod memo;
mod refusal;
mod report;

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use clap::Parser;

use args::{Args, Task};
use collection::Collection;
use memo::Memo;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let collection = Collection::load(&args.corpus, &args.queries, args.limit)?;
    let mut encoder = jarre_rag::load_encoder(args.model())?;
    if args.packed {
        encoder = Arc::new(Arc::into_inner(encoder).expect("nobody else has it yet").packed());
    }
    let encoder = Memo::new(encoder);
    let bench = Bench { collection, encoder };
    match args.task {
        Task::Retrieval => legs::run(args, &bench),
        Task::Chunkers => chunkers::run(args, &bench),
        Task::Answers => answers::run(args, &bench),
        Task::Refusal => refusal::run(args, &bench),
    }
}

/// What every task measures with.
struct Bench {
    collection: Collection,
    encoder: Arc<Memo>,
}
