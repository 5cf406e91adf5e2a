//! Phase 5: a knowledge agent over a folder of documents.
//!
//! `cargo run --example phase5_rag` reads this repository's documentation, answers three questions about it and asks for yours;
//! `cargo run --example phase5_rag -- --help` lists what else it does.

mod args;
mod interrupt;
mod library;
mod progress;
mod prompt;
mod reply;
mod stats;

use std::{fs, process::ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use jarre_rag::{Error, Rag};

use args::Args;
use interrupt::Interrupt;
use reply::Session;

const REFUSED: u8 = 3;
const IN_USE: u8 = 4;
const INTERRUPTED: u8 = 130;

/// What is asked where nothing is asked for.
const SHIPPED_QUESTIONS: [&str; 3] = [
    "Which crate holds the contracts that the other crates meet at?",
    "What happens to the index when the process is killed in the middle of a commit?",
    "How much does a ticket to the moon cost?",
];

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            let in_use = error.chain().any(|cause| matches!(cause.downcast_ref::<Error>(), Some(Error::InUse { .. })));
            ExitCode::from(if in_use { IN_USE } else { 1 })
        }
    }
}

fn run(args: &Args) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    let questions = questions(args)?;
    let roots = library::roots(args)?;
    let mut rag = library::open(args, &roots)?;
    if read(&mut rag, &roots, &interrupt)? {
        eprintln!("interrupted: what was read is in the index; run again to go on");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let mut session = Session::new(&rag, args.json, args.explain);
    for question in &questions {
        session.ask(question)?;
    }
    let is_script = !args.ask.is_empty() || args.ask_file.is_some();
    if !is_script {
        prompt::run(&mut session)?;
    }
    if args.stats {
        session.print_stats();
    }
    Ok(ExitCode::from(if is_script && session.refused() > 0 { REFUSED } else { 0 }))
}

/// The questions to answer before any is asked for at the prompt.
fn questions(args: &Args) -> Result<Vec<String>> {
    let mut questions = args.ask.clone();
    if let Some(file) = &args.ask_file {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read the questions in {}", file.display()))?;
        questions.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    if questions.is_empty() && args.docs.is_empty() && args.ask_file.is_none() {
        questions.extend(SHIPPED_QUESTIONS.map(str::to_owned));
    }
    Ok(questions)
}

/// Brings the index in step with the files; whether that was interrupted.
fn read(rag: &mut Rag, roots: &[std::path::PathBuf], interrupt: &Interrupt) -> Result<bool> {
    let bar = progress::Bar::new();
    let report = interrupt.guard(|cancel| rag.ingest(roots, Some(cancel), |progress| bar.show(progress)))?;
    bar.finish(&report);
    Ok(report.summary.cancelled)
}
