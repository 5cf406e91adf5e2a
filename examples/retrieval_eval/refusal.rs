//! Are questions refused that the documents cannot answer, and only those? Measured on the shipped set, and on every question of the
//! collection asked twice: of all paragraphs, and of all but those that answer it.

use std::{
    collections::{HashMap, HashSet},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use jarre_core::{Embedder, TokenCounter};
use jarre_eval::stats::{Interval, wilson};
use jarre_rag::{
    Answerer, Extractive, Passages, Rag, Span,
    answer::{Answer, Calibration, Signals, Vocabulary},
    chunk::StructureChunker,
    index::Snapshot,
    retrieve::{Field, Filter, Retriever},
};
use serde::{Deserialize, Serialize};

use crate::{
    Bench, Memo,
    answers::create,
    args::Args,
    collection::{Question, read_lines},
    indexing::{self, Folder, WholeDocument, progress},
};

/// A row of the shipped set.
#[derive(Clone, Deserialize)]
struct Row {
    question: String,
    answerable: bool,
    origin: String,
    /// Paragraphs that answer it: left out of the index where it is not answerable.
    #[serde(default)]
    relevant: Vec<String>,
}

#[derive(Serialize)]
struct Report {
    shipped: Vec<Part>,
    /// Rows of the shipped set that were judged wrongly.
    wrong: Vec<Wrong>,
    /// The collection's questions with all paragraphs and with the gold ones left out; half of them the weights were fitted to.
    collection: Part,
}

/// Refusals among questions of one origin.
#[derive(Serialize)]
struct Part {
    origin: String,
    answerable: Refused,
    unanswerable: Refused,
}

#[derive(Default, Serialize)]
struct Refused {
    refused: u64,
    of: u64,
}

#[derive(Serialize)]
struct Wrong {
    question: String,
    answerable: bool,
    confidence: f32,
    text: String,
}

/// Asks both sets and prints how many were refused.
pub(crate) fn run(args: &Args, bench: &Bench) -> Result<()> {
    let rows: Vec<Row> = read_lines(&args.set())?;
    let folder = Folder::new(args.index.as_deref())?;
    let documents = bench.collection.documents();
    let chunker = WholeDocument(Arc::clone(&bench.encoder));
    let whole = indexing::index(folder.path(), &documents, &chunker, &bench.encoder, "encoding paragraphs")?.snapshot;
    let mut judged = ask_documentation(args, bench, rows.iter().filter(|row| row.origin == OWN))?;
    judged.extend(ask_collection(args, bench, rows.iter().filter(|row| row.origin != OWN))?);
    let report = Report { shipped: parts(&judged), wrong: wrong(&judged), collection: ask_twice(args, bench, &whole)? };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report)?;
    }
    Ok(())
}

/// The origin of questions about this repository's own documents.
const OWN: &str = "jarre";

type Judged = (Row, Answer);

/// Questions about this repository's documents, indexed as `phase5_rag` does.
fn ask_documentation<'r>(args: &Args, bench: &Bench, rows: impl Iterator<Item = &'r Row>) -> Result<Vec<Judged>> {
    let folder = Folder::new(None)?;
    let chunker = StructureChunker::new(Arc::clone(&bench.encoder) as Arc<dyn TokenCounter>);
    let builder = Rag::builder(Arc::<Memo>::clone(&bench.encoder)).with_chunker(Arc::new(chunker)).with_strategy(args.strategy());
    let mut rag = builder.open(folder.path())?;
    rag.ingest(&documentation(), None, |_| {})?;
    rows.map(|row| Ok((row.clone(), pollster::block_on(rag.ask(&row.question))?.answer))).collect()
}

/// The repository's README files, contributor's guide, change log and documents.
fn documentation() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the example lies two folders below the repository's root");
    let own = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs"].map(|name| root.join(name));
    let readmes = ["core", "eval", "rag", "transformer"].map(|name| root.join("crates").join(name).join("README.md"));
    own.into_iter().chain(readmes).filter(|path| path.exists()).collect()
}

/// Questions of the collection, over an index without the paragraphs of the unanswerable ones.
fn ask_collection<'r>(args: &Args, bench: &Bench, rows: impl Iterator<Item = &'r Row>) -> Result<Vec<Judged>> {
    let rows: Vec<&Row> = rows.collect();
    let left_out: HashSet<&str> = rows.iter().filter(|row| !row.answerable).flat_map(|row| &row.relevant).map(String::as_str).collect();
    for id in rows.iter().filter(|row| row.answerable).flat_map(|row| &row.relevant) {
        ensure!(!left_out.contains(id.as_str()), "paragraph `{id}` answers one question of the set and is left out for another");
    }
    let mut documents = bench.collection.documents();
    let known = documents.len();
    documents.retain(|document| !left_out.contains(document.id.0.as_str()));
    ensure!(
        known == documents.len() + left_out.len(),
        "the set of questions is for another corpus: {} has not all its paragraphs",
        args.corpus.display()
    );
    let folder = Folder::new(None)?;
    let chunker = WholeDocument(Arc::clone(&bench.encoder));
    let snapshot = indexing::index(folder.path(), &documents, &chunker, &bench.encoder, "leaving paragraphs out")?.snapshot;
    let retriever = retriever(args, bench, &snapshot)?;
    let ask = |row: &Row| {
        let hits = retriever.retrieve(&row.question, None)?.hits;
        let passages = Passages::resolve(&snapshot, &hits);
        Ok((row.clone(), pollster::block_on(Extractive::new().answer(&row.question, &passages))?))
    };
    rows.into_iter().map(ask).collect()
}

fn retriever(args: &Args, bench: &Bench, snapshot: &Snapshot) -> Result<Retriever> {
    let retriever = Retriever::new(snapshot.clone(), Arc::<Memo>::clone(&bench.encoder))?;
    Ok(retriever.with_k(8).with_candidates(args.candidates).with_strategy(args.strategy()))
}

/// What a question looked like with and without its paragraphs, as `crates/rag/tools/fit_refusal.py` reads it.
#[derive(Serialize)]
struct Case<'a> {
    id: &'a str,
    answerable: bool,
    signals: Signals,
}

fn ask_twice(args: &Args, bench: &Bench, snapshot: &Snapshot) -> Result<Part> {
    let questions = &bench.collection.questions;
    bench.encoder.embed(&questions.iter().map(|question| question.question.as_str()).collect::<Vec<_>>())?;
    let retriever = retriever(args, bench, snapshot)?;
    let mut dump = args.dump.as_deref().map(create).transpose()?;
    let mut part =
        Part { origin: "collection, each asked twice".to_owned(), answerable: Refused::default(), unanswerable: Refused::default() };
    let bar = progress(questions.len(), "asking twice");
    for question in bar.wrap_iter(questions.iter()) {
        for answerable in [true, false] {
            let (signals, is_refused) = signals(question, answerable, &retriever, snapshot)?;
            let refused = if answerable { &mut part.answerable } else { &mut part.unanswerable };
            refused.add(is_refused);
            if let Some(file) = &mut dump {
                serde_json::to_writer(&mut *file, &Case { id: &question.id, answerable, signals })?;
                writeln!(file)?;
            }
        }
    }
    bar.finish_and_clear();
    Ok(part)
}

/// The signals of a question, and whether they mean a refusal, with the paragraphs that answer it or without.
fn signals(question: &Question, answerable: bool, retriever: &Retriever, snapshot: &Snapshot) -> Result<(Signals, bool)> {
    let left_out: &[String] = if answerable { &[] } else { &question.relevant };
    let filter = (!answerable).then(|| Filter::not(Filter::is_in(Field::Id, left_out)));
    let hits = retriever.retrieve(&question.question, filter.as_ref())?.hits;
    let without = Without::new(snapshot, left_out)?;
    let passages = Passages::new(Passages::resolve(snapshot, &hits).list().to_vec(), &without);
    let signals = Extractive::new().signals(&question.question, &passages)?;
    let weights = *Calibration::default().weights(&passages);
    Ok((signals, weights.probability(&signals) < weights.threshold))
}

/// The vocabulary of an index as it would be without some paragraphs.
struct Without<'s> {
    snapshot: &'s Snapshot,
    /// In how many of them each term stands.
    terms: HashMap<String, u64>,
    chunks: u64,
}

impl<'s> Without<'s> {
    fn new(snapshot: &'s Snapshot, documents: &[String]) -> Result<Self> {
        let mut without = Self { snapshot, terms: HashMap::new(), chunks: 0 };
        for id in documents {
            let document = snapshot.document(&jarre_rag::DocId(id.clone())).context("the index has every paragraph of the collection")?;
            for chunk in snapshot.chunks_of(&document.id) {
                let terms: HashSet<String> = snapshot.terms(&chunk.indexed_text(document)).into_iter().map(|(term, _)| term).collect();
                for term in terms {
                    *without.terms.entry(term).or_default() += 1;
                }
                without.chunks += 1;
            }
        }
        Ok(without)
    }
}

impl Vocabulary for Without<'_> {
    fn terms(&self, text: &str) -> Vec<(String, Span)> {
        self.snapshot.terms(text)
    }

    fn chunks(&self) -> u64 {
        self.snapshot.len() as u64 - self.chunks
    }

    fn doc_freq(&self, term: &str) -> jarre_rag::Result<u64> {
        Ok(self.snapshot.doc_freq(term)? - self.terms.get(term).copied().unwrap_or(0))
    }
}

impl Refused {
    fn add(&mut self, is_refused: bool) {
        self.refused += u64::from(is_refused);
        self.of += 1;
    }

    fn cell(&self) -> Result<String> {
        let Interval { low, high } = wilson(self.refused, self.of, 0.95)?;
        Ok(format!("{}/{} [{low:.3}, {high:.3}]", self.refused, self.of))
    }
}

/// One part for each origin, in order of appearance, and one for all.
fn parts(judged: &[Judged]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut add = |origin: &str, row: &Row, answer: &Answer| {
        let at = parts.iter().position(|part| part.origin == origin).unwrap_or_else(|| {
            parts.push(Part { origin: origin.to_owned(), answerable: Refused::default(), unanswerable: Refused::default() });
            parts.len() - 1
        });
        let part = &mut parts[at];
        let refused = if row.answerable { &mut part.answerable } else { &mut part.unanswerable };
        refused.add(answer.is_refused());
    };
    for (row, answer) in judged {
        add(&row.origin, row, answer);
    }
    for (row, answer) in judged {
        add("shipped set", row, answer);
    }
    parts
}

fn wrong(judged: &[Judged]) -> Vec<Wrong> {
    let wrong = judged.iter().filter(|(row, answer)| row.answerable == answer.is_refused());
    wrong
        .map(|(row, answer)| Wrong {
            question: row.question.clone(),
            answerable: row.answerable,
            confidence: answer.confidence,
            text: answer.text.clone(),
        })
        .collect()
}

fn print(report: &Report) -> Result<()> {
    let mut table = crate::report::Table::new(["refused", "of the answerable", "of the unanswerable"]);
    for part in report.shipped.iter().chain([&report.collection]) {
        table.push(vec![part.origin.clone(), part.answerable.cell()?, part.unanswerable.cell()?]);
    }
    print!("{table}");
    println!("\njudged wrongly in the shipped set:");
    for wrong in &report.wrong {
        let kind = if wrong.answerable { "refused though answerable" } else { "answered though unanswerable" };
        println!("  {kind}: {}\n    {:.2} {}", wrong.question, wrong.confidence, wrong.text);
    }
    Ok(())
}
