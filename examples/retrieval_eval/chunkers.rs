//! Ways of cutting documents, compared by what the best five chunks of a question hold.
//!
//! Paragraphs of one title make one document. A question's gold spans are those of its paragraphs that hold one of its answers, in these
//! documents. Precision, recall and intersection over union are counted in tokens (Smith and Troynikov, "Evaluating chunking
//! strategies for retrieval", Chroma 2024): a token that two chunks share was read twice and counts twice as retrieved.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use jarre_core::{Embedder, TokenCounter};
use jarre_eval::stats::{Bootstrap, MeanEstimate, PairedDifference};
use jarre_rag::{
    Chunker, DocId, Document, Span,
    chunk::{FixedChunker, SemanticChunker, StructureChunker},
    retrieve::{RetrievedHit, Retriever, Strategy},
};
use serde::Serialize;

use crate::{
    Bench,
    args::Args,
    collection::{Article, Collection, Question},
    indexing::{self, Folder, progress},
    memo::Memo,
    report::{Table, difference, estimate},
};

/// Chunks that are read for a question.
const K: usize = 5;

/// A chunker and its sizes: `fixed:128:32`, `structure:200`, `semantic:200`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkerSpec {
    Fixed { tokens: usize, overlap: usize },
    Structure { tokens: usize },
    Semantic { tokens: usize },
}

impl ChunkerSpec {
    fn chunker(self, encoder: &Arc<Memo>) -> Box<dyn Chunker> {
        let counter = || -> Arc<dyn TokenCounter> { Arc::<Memo>::clone(encoder) };
        match self {
            Self::Fixed { tokens, overlap } => Box::new(FixedChunker::new(counter()).with_max_tokens(tokens).with_overlap(overlap)),
            Self::Structure { tokens } => Box::new(StructureChunker::new(counter()).with_max_tokens(tokens)),
            Self::Semantic { tokens } => Box::new(SemanticChunker::new(counter(), Arc::<Memo>::clone(encoder)).with_max_tokens(tokens)),
        }
    }
}

impl FromStr for ChunkerSpec {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let fields: Vec<&str> = text.split(':').collect();
        let number = |field: &str| field.parse().with_context(|| format!("`{field}` in `{text}` is no number of tokens"));
        Ok(match fields[..] {
            ["fixed", tokens, overlap] => Self::Fixed { tokens: number(tokens)?, overlap: number(overlap)? },
            ["structure", tokens] => Self::Structure { tokens: number(tokens)? },
            ["semantic", tokens] => Self::Semantic { tokens: number(tokens)? },
            _ => bail!("write fixed:TOKENS:OVERLAP, structure:TOKENS or semantic:TOKENS, not `{text}`"),
        })
    }
}

impl fmt::Display for ChunkerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed { tokens, overlap } => write!(f, "fixed:{tokens}:{overlap}"),
            Self::Structure { tokens } => write!(f, "structure:{tokens}"),
            Self::Semantic { tokens } => write!(f, "semantic:{tokens}"),
        }
    }
}

#[derive(Serialize)]
struct Report {
    documents: usize,
    questions: usize,
    questions_without_gold: usize,
    strategy: Strategy,
    chunkers: Vec<Measured>,
}

#[derive(Serialize)]
struct Measured {
    name: String,
    chunks: usize,
    mean_tokens: f64,
    index_seconds: f64,
    metrics: BTreeMap<&'static str, MeanEstimate>,
    /// Less the first chunker's; none for the first itself.
    against_first: BTreeMap<&'static str, PairedDifference>,
}

const ANSWER: &str = "Answer@5";
const RECALL: &str = "recall";
/// Scores what was found for one question.
type Score = fn(&Found) -> f64;

const METRICS: [(&str, Score); 5] = [
    (ANSWER, |found| f64::from(u8::from(found.answered))),
    (RECALL, |found| share(found.shared, found.gold)),
    ("precision", |found| share(found.shared, found.retrieved)),
    ("IoU", |found| share(found.shared, found.gold + found.retrieved - found.shared)),
    ("tokens", |found| found.retrieved as f64),
];

/// Measures every chunker and prints the result.
pub(crate) fn run(args: &Args, bench: &Bench) -> Result<()> {
    let articles = Articles::new(&bench.collection, &*bench.encoder);
    let gold: Vec<(&Question, Gold)> =
        bench.collection.questions.iter().filter_map(|question| Some((question, articles.gold(question)?))).collect();
    ensure!(!gold.is_empty(), "no question has an answer that stands in one of its paragraphs");
    let fusion = args.fusion.first().copied().unwrap_or_default();
    let questions: Vec<&str> = gold.iter().map(|(question, _)| question.question.as_str()).collect();
    bench.encoder.embed(&questions)?;
    let mut chunkers: Vec<(Measured, Vec<Found>)> = Vec::new();
    for spec in &args.chunker {
        let (measured, found) = measure(*spec, Strategy::Hybrid(fusion), &articles, &gold, args, bench)?;
        let first = chunkers.first().map_or(&found, |(_, first)| first);
        let measured = with_metrics(measured, &found, first, &args.bootstrap(), chunkers.is_empty())?;
        chunkers.push((measured, found));
    }
    let report = Report {
        documents: articles.documents.len(),
        questions: gold.len(),
        questions_without_gold: bench.collection.questions.len() - gold.len(),
        strategy: Strategy::Hybrid(fusion),
        chunkers: chunkers.into_iter().map(|(measured, _)| measured).collect(),
    };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", table(&report));
    }
    Ok(())
}

/// Indexes the articles as `spec` cuts them and asks every question.
fn measure(
    spec: ChunkerSpec,
    strategy: Strategy,
    articles: &Articles,
    gold: &[(&Question, Gold)],
    args: &Args,
    bench: &Bench,
) -> Result<(Measured, Vec<Found>)> {
    // Of each chunker an index of its own: they do not mix.
    let given = args.index.as_ref().map(|folder| folder.join(spec.to_string().replace(':', "-")));
    let folder = Folder::new(given.as_deref())?;
    let chunker = spec.chunker(&bench.encoder);
    let indexed = indexing::index(folder.path(), &articles.documents, &*chunker, &bench.encoder, &spec.to_string())?;
    let retriever = Retriever::new(indexed.snapshot.clone(), Arc::<Memo>::clone(&bench.encoder))?;
    let retriever = retriever.with_strategy(strategy).with_candidates(args.candidates).with_k(K);
    let bar = progress(gold.len(), &format!("searching, {spec}"));
    let mut found = Vec::new();
    for (question, gold) in bar.wrap_iter(gold.iter()) {
        let hits = retriever.retrieve(&question.question, None)?.hits;
        found.push(articles.found(gold, &spans(&hits, &retriever)));
    }
    bar.finish_and_clear();
    let chunks = indexed.snapshot.len();
    let tokens: usize = indexed.snapshot.chunks().map(|(_, chunk)| chunk.tokens).sum();
    let measured = Measured {
        name: spec.to_string(),
        chunks,
        mean_tokens: tokens as f64 / chunks as f64,
        index_seconds: indexed.took.as_secs_f64(),
        metrics: BTreeMap::new(),
        against_first: BTreeMap::new(),
    };
    Ok((measured, found))
}

fn spans(hits: &[RetrievedHit], retriever: &Retriever) -> Vec<(DocId, Span)> {
    let chunk = |hit: &RetrievedHit| retriever.snapshot().chunk(&hit.chunk).map(|(document, chunk)| (document.id.clone(), chunk.span));
    hits.iter().filter_map(chunk).collect()
}

fn with_metrics(mut measured: Measured, found: &[Found], first: &[Found], bootstrap: &Bootstrap, is_first: bool) -> Result<Measured> {
    for (name, metric) in METRICS {
        let values = |found: &[Found]| found.iter().map(metric).collect::<Vec<f64>>();
        measured.metrics.insert(name, bootstrap.mean(&values(found))?);
        if !is_first {
            measured.against_first.insert(name, bootstrap.paired_difference(&values(first), &values(found))?);
        }
    }
    Ok(measured)
}

/// The documents, and where their tokens start.
struct Articles {
    documents: Vec<Document>,
    paragraphs: BTreeMap<String, (DocId, Span)>,
    tokens: BTreeMap<DocId, Vec<usize>>,
}

/// Where a question's answer stands.
struct Gold {
    paragraphs: Vec<(DocId, Span)>,
    answers: Vec<(DocId, Span)>,
}

/// What the chunks found for a question hold, in tokens.
struct Found {
    answered: bool,
    gold: usize,
    /// Tokens that stand in two chunks counted twice.
    retrieved: usize,
    shared: usize,
}

impl Articles {
    fn new(collection: &Collection, counter: &dyn TokenCounter) -> Self {
        let mut articles = Self { documents: Vec::new(), paragraphs: BTreeMap::new(), tokens: BTreeMap::new() };
        for Article { document, paragraphs } in collection.articles() {
            let starts = counter.token_spans(&document.text).into_iter().map(|span| span.start).collect();
            articles.tokens.insert(document.id.clone(), starts);
            articles.paragraphs.extend(paragraphs.into_iter().map(|(id, span)| (id, (document.id.clone(), span))));
            articles.documents.push(document);
        }
        articles
    }

    /// The gold spans of a question; none where its answer, a yes or no mostly, stands in no paragraph.
    fn gold(&self, question: &Question) -> Option<Gold> {
        let mut gold = Gold { paragraphs: Vec::new(), answers: Vec::new() };
        for (doc, span) in question.relevant.iter().filter_map(|id| self.paragraphs.get(id)) {
            let document = self.documents.iter().find(|document| document.id == *doc)?;
            let text = span.of(&document.text)?;
            let places: Vec<Span> = question.answers.iter().flat_map(|answer| occurrences(text, answer)).collect();
            if !places.is_empty() {
                gold.paragraphs.push((doc.clone(), *span));
                let shifted = places.iter().map(|place| (doc.clone(), Span::new(span.start + place.start, span.start + place.end)));
                gold.answers.extend(shifted);
            }
        }
        (!gold.answers.is_empty()).then_some(gold)
    }

    fn found(&self, gold: &Gold, chunks: &[(DocId, Span)]) -> Found {
        let (wanted, read) = (self.distinct_tokens(&gold.paragraphs), self.distinct_tokens(chunks));
        let holds = |(doc, answer): &(DocId, Span)| chunks.iter().any(|(other, chunk)| other == doc && chunk.contains(*answer));
        Found {
            answered: gold.answers.iter().any(holds),
            gold: wanted.len(),
            retrieved: chunks.iter().map(|(doc, span)| self.tokens(doc, *span).len()).sum(),
            shared: wanted.intersection(&read).count(),
        }
    }

    fn distinct_tokens<'a>(&self, spans: &'a [(DocId, Span)]) -> BTreeSet<(&'a DocId, usize)> {
        spans.iter().flat_map(|(doc, span)| self.tokens(doc, *span).map(move |token| (doc, token))).collect()
    }

    /// The numbers of the tokens that start in a span.
    fn tokens(&self, doc: &DocId, span: Span) -> std::ops::Range<usize> {
        let starts = &self.tokens[doc];
        starts.partition_point(|start| *start < span.start)..starts.partition_point(|start| *start < span.end)
    }
}

/// Where `answer` stands in `text` as whole words, whatever the capitals.
fn occurrences(text: &str, answer: &str) -> Vec<Span> {
    let answer = answer.trim();
    let is_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    // A word goes on past an end where letters or digits stand on both sides of it.
    let goes_on = |before: &str, after: &str| is_word(before.chars().next_back()) && is_word(after.chars().next());
    let whole = |start: usize, end: usize| !goes_on(&text[..start], answer) && !goes_on(answer, &text[end..]);
    let at = |start: usize| {
        let end = start + answer.len();
        let same = text.get(start..end).is_some_and(|found| found.eq_ignore_ascii_case(answer));
        (same && whole(start, end)).then(|| Span::new(start, end))
    };
    if answer.is_empty() { Vec::new() } else { text.char_indices().filter_map(|(start, _)| at(start)).collect() }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn table(report: &Report) -> String {
    let first = report.chunkers.first().map_or("", |first| first.name.as_str());
    let mut table = Table::new(
        ["chunker", "chunks", "tokens each", ANSWER, RECALL, "precision", "IoU", "tokens read"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("{ANSWER} - {first}"), format!("{RECALL} - {first}")]),
    );
    for Measured { name, chunks, mean_tokens, metrics, against_first, .. } in &report.chunkers {
        let against = |name| against_first.get(name).map_or_else(String::new, difference);
        let mut row = vec![name.clone(), chunks.to_string(), format!("{mean_tokens:.0}")];
        row.extend([ANSWER, RECALL].map(|name| estimate(&metrics[name])));
        row.extend(["precision", "IoU"].map(|name| format!("{:.3}", metrics[name].mean)));
        row.push(format!("{:.0}", metrics["tokens"].mean));
        row.extend([against(ANSWER), against(RECALL)]);
        table.push(row);
    }
    let Report { documents, questions, questions_without_gold, strategy, .. } = report;
    format!(
        "{documents} documents, {questions} questions ({questions_without_gold} left out: no paragraph holds their answer), the {K} best \
         chunks by {strategy}\n\n{table}\nIn brackets: 95 % BCa bootstrap intervals over questions; differences are paired. * leaves out 0.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_as_whole_words() {
        assert_eq!(occurrences("The Art of war; art.", "art"), [Span::new(4, 7), Span::new(16, 19)]);
        assert_eq!(occurrences("Parts of art-house", "art"), [Span::new(9, 12)]);
        assert_eq!(occurrences("54% of them", "54%"), [Span::new(0, 3)]);
        assert_eq!(occurrences("naïve café", "é"), []);
        assert!(occurrences("anything", "  ").is_empty());
    }

    #[test]
    fn names_of_chunkers_are_read_back() {
        for name in ["fixed:128:32", "structure:200", "semantic:64"] {
            assert_eq!(name.parse::<ChunkerSpec>().unwrap().to_string(), name);
        }
        for wrong in ["fixed:128", "structure", "semantic:x", "recursive:3", ""] {
            assert!(wrong.parse::<ChunkerSpec>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn tokens_read_twice_count_twice() {
        let doc = DocId("d".into());
        let articles = Articles { documents: Vec::new(), paragraphs: BTreeMap::new(), tokens: [(doc.clone(), (0..100).collect())].into() };
        let at = |start, end| (doc.clone(), Span::new(start, end));
        let gold = Gold { paragraphs: vec![at(10, 30)], answers: vec![at(18, 22)] };
        let found = articles.found(&gold, &[at(0, 20), at(15, 40)]);
        assert_eq!((found.gold, found.retrieved, found.shared, found.answered), (20, 45, 20, true));
        let split = articles.found(&gold, &[at(0, 20), at(20, 25)]);
        assert_eq!((split.shared, split.answered), (15, false), "no chunk holds the whole answer");
    }
}
