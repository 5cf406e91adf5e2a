//! Do the sentences that an extractive answer cites hold the answer? Measured on questions of one paragraph each (SQuAD), over the whole
//! corpus.

use std::{collections::HashSet, fs::File, io::Write, path::Path, sync::Arc, time::Instant};

use anyhow::{Context, Result, ensure};
use jarre_core::Embedder;
use jarre_eval::stats::{Interval, wilson};
use jarre_rag::{
    Answerer, Extractive, Passages,
    answer::{Answer, Calibration, SentenceFeatures},
    index::Snapshot,
    retrieve::{Retriever, Strategy},
};
use serde::Serialize;

use crate::{
    Bench, Memo,
    args::Args,
    collection::Question,
    indexing::{self, Folder, WholeDocument, progress},
};

/// Misses that are shown.
const SHOWN: usize = 10;

#[derive(Serialize)]
struct Report {
    strategy: Strategy,
    questions: usize,
    /// A gold answer stands in the one or two sentences cited, whatever the confidence.
    cited: Share,
    /// It stands in the best sentence.
    best_sentence: Share,
    /// It stands in one of the passages that sentences are taken from: what no choice of sentences can exceed.
    retrieved: Share,
    /// Two sentences were cited.
    two_sentences: Share,
    /// The question would have been refused.
    refused: Share,
    /// Of answering alone, the question already searched.
    milliseconds: f64,
    misses: Vec<Miss>,
}

#[derive(Serialize)]
struct Share {
    count: u64,
    of: u64,
    value: f64,
    interval: Interval,
}

/// A question whose cited sentences lack the answer.
#[derive(Serialize)]
struct Miss {
    question: String,
    gold: Vec<String>,
    answer: String,
    confidence: f32,
    /// Whether a passage that sentences are taken from holds it.
    retrieved: bool,
}

/// What became of a question.
struct Outcome {
    answer: Answer,
    is_cited: bool,
    is_best: bool,
    is_retrieved: bool,
    threshold: f32,
    milliseconds: f64,
}

/// A candidate sentence, as `crates/rag/tools/fit_sentences.py` reads it.
#[derive(Serialize)]
struct Candidate<'a> {
    id: &'a str,
    features: SentenceFeatures,
    holds: bool,
    gold: bool,
}

/// Passages that sentences are taken from: the default of [`Extractive`].
const DEPTH: usize = 5;

/// Answers every question of one paragraph and prints how many answers are right.
pub(crate) fn run(args: &Args, bench: &Bench) -> Result<()> {
    let questions: Vec<&Question> = bench.collection.questions.iter().filter(|question| question.is_single_hop()).collect();
    ensure!(!questions.is_empty(), "no question of the file has one relevant paragraph and an answer that could stand in it");
    let folder = Folder::new(args.index.as_deref())?;
    let chunker = WholeDocument(Arc::clone(&bench.encoder));
    let snapshot = indexing::index(folder.path(), &bench.collection.documents(), &chunker, &bench.encoder, "encoding paragraphs")?.snapshot;
    bench.encoder.embed(&questions.iter().map(|question| question.question.as_str()).collect::<Vec<_>>())?;
    let retriever = Retriever::new(snapshot.clone(), Arc::<Memo>::clone(&bench.encoder))?;
    let retriever = retriever.with_k(8).with_candidates(args.candidates).with_strategy(args.strategy());
    let mut dump = args.dump.as_deref().map(create).transpose()?;
    let bar = progress(questions.len(), "answering");
    let mut outcomes = Vec::with_capacity(questions.len());
    for question in bar.wrap_iter(questions.iter().copied()) {
        outcomes.push(outcome(question, &retriever, &snapshot, dump.as_mut())?);
    }
    bar.finish_and_clear();
    print(args, &report(args, &questions, &outcomes)?)
}

pub(crate) fn create(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("cannot write {}", path.display()))
}

fn outcome(question: &Question, retriever: &Retriever, snapshot: &Snapshot, dump: Option<&mut File>) -> Result<Outcome> {
    let hits = retriever.retrieve(&question.question, None)?.hits;
    let passages = Passages::resolve(snapshot, &hits);
    let start = Instant::now();
    let answer = pollster::block_on(Extractive::new().without_refusal().answer(&question.question, &passages))?;
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    let scored = Extractive::new().scored(&question.question, &passages)?;
    let quote = |passage: usize, span: jarre_rag::Span| span.of(&passages.list()[passage].document.text).unwrap_or_default();
    if let Some(file) = dump {
        for sentence in &scored {
            let holds = question.is_answered_in(quote(sentence.passage, sentence.span));
            let gold = question.relevant.contains(&passages.list()[sentence.passage].document.id.0);
            serde_json::to_writer(&mut *file, &Candidate { id: &question.id, features: sentence.features, holds, gold })?;
            writeln!(file)?;
        }
    }
    Ok(Outcome {
        is_cited: answer.citations.iter().any(|citation| question.is_answered_in(&citation.quote)),
        is_best: scored.first().is_some_and(|best| question.is_answered_in(quote(best.passage, best.span))),
        is_retrieved: passages.list().iter().take(DEPTH).any(|passage| question.is_answered_in(passage.text())),
        threshold: Calibration::default().weights(&passages).threshold,
        answer,
        milliseconds,
    })
}

fn report(args: &Args, questions: &[&Question], outcomes: &[Outcome]) -> Result<Report> {
    let of = |wanted: fn(&Outcome) -> bool| share(outcomes.iter().filter(|outcome| wanted(outcome)).count(), outcomes.len());
    let mut times: Vec<f64> = outcomes.iter().map(|outcome| outcome.milliseconds).collect();
    times.sort_by(f64::total_cmp);
    Ok(Report {
        strategy: args.strategy(),
        questions: questions.len(),
        cited: of(|outcome| outcome.is_cited)?,
        best_sentence: of(|outcome| outcome.is_best)?,
        retrieved: of(|outcome| outcome.is_retrieved)?,
        two_sentences: of(|outcome| outcome.answer.citations.len() == 2)?,
        refused: of(|outcome| outcome.answer.confidence < outcome.threshold)?,
        milliseconds: times[times.len() / 2],
        misses: misses(questions, outcomes),
    })
}

/// The misses of the greatest confidence: the worst, for nobody is warned.
fn misses(questions: &[&Question], outcomes: &[Outcome]) -> Vec<Miss> {
    let without_answer = questions.iter().zip(outcomes).filter(|(_, outcome)| !outcome.is_cited);
    let mut misses: Vec<Miss> = without_answer
        .map(|(question, outcome)| Miss {
            question: question.question.clone(),
            gold: question.answers.clone(),
            answer: outcome.answer.text.clone(),
            confidence: outcome.answer.confidence,
            retrieved: outcome.is_retrieved,
        })
        .collect();
    misses.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    misses.truncate(SHOWN);
    misses
}

fn share(count: usize, of: usize) -> Result<Share> {
    let (count, of) = (count as u64, of as u64);
    Ok(Share { count, of, value: count as f64 / of.max(1) as f64, interval: wilson(count, of, 0.95)? })
}

fn print(args: &Args, report: &Report) -> Result<()> {
    if args.json {
        println!("{}", serde_json::to_string(report)?);
        return Ok(());
    }
    println!("{} questions of one paragraph, searched by {}", report.questions, report.strategy);
    let line = |name: &str, Share { count, of, value, interval }: &Share| {
        println!("  {name:52} {value:.3} [{:.3}, {:.3}]  {count}/{of}", interval.low, interval.high);
    };
    line("the answer stands in the cited sentences", &report.cited);
    line("the answer stands in the best sentence", &report.best_sentence);
    line("the answer stands in the passages read", &report.retrieved);
    line("cited at two places", &report.two_sentences);
    line("would have been refused (not counted above)", &report.refused);
    println!("  choosing the sentences takes {:.1} ms (median)", report.milliseconds);
    println!("\nthe misses of the greatest confidence:");
    for miss in &report.misses {
        let place = if miss.retrieved { "in a passage" } else { "in no passage" };
        println!("  {} [{}: {place}]\n    {:.2} {}", miss.question.trim(), miss.gold.join(" / "), miss.confidence, miss.answer);
    }
    Ok(())
}

impl Question {
    /// Whether one paragraph answers it, with words that stand there.
    fn is_single_hop(&self) -> bool {
        let is_verdict = self.answers.iter().all(|answer| matches!(normalised(answer).as_str(), "" | "yes" | "no"));
        self.source.as_deref().map_or(self.relevant.len() == 1, |source| source == "squad") && !is_verdict
    }

    /// Whether one of its answers stands in `text` as whole words, both normalised.
    fn is_answered_in(&self, text: &str) -> bool {
        let text = format!(" {} ", normalised(text));
        let answers: HashSet<String> = self.answers.iter().map(|answer| normalised(answer)).collect();
        answers.iter().any(|answer| !answer.is_empty() && text.contains(&format!(" {answer} ")))
    }
}

/// The normalisation of `SQuAD`'s evaluation: lower case, without ASCII punctuation and articles, words one space apart.
fn normalised(text: &str) -> String {
    let bare: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
    bare.split_whitespace().filter(|word| !matches!(*word, "a" | "an" | "the")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(answers: &[&str], source: Option<&str>, relevant: usize) -> Question {
        Question {
            id: "q".into(),
            question: "?".into(),
            answers: answers.iter().map(|answer| (*answer).to_owned()).collect(),
            relevant: vec!["p".into(); relevant],
            source: source.map(str::to_owned),
        }
    }

    #[test]
    fn answers_are_compared_as_squad_does() {
        assert_eq!(normalised("The  U.S. Army's \"big\" plan"), "us armys big plan");
        let paris = question(&["The Paris."], None, 1);
        assert!(paris.is_answered_in("It was in Paris, France."));
        assert!(!paris.is_answered_in("a comparison of Parisians"));
        assert!(!question(&["the"], None, 1).is_answered_in("the"), "nothing is left of it");
    }

    #[test]
    fn questions_of_one_paragraph_are_told_by_source_or_count() {
        assert!(question(&["x"], Some("squad"), 2).is_single_hop() && question(&["x"], None, 1).is_single_hop());
        assert!(!question(&["x"], Some("hotpotqa"), 1).is_single_hop() && !question(&["x"], None, 2).is_single_hop());
        assert!(!question(&["Yes"], None, 1).is_single_hop());
    }
}
