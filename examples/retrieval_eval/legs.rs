//! Dense and sparse search and their fusions, one document a chunk.

use std::{collections::BTreeMap, fs::File, io::BufWriter, path::Path, sync::Arc};

use anyhow::{Context, Result, ensure};
use jarre_core::{Embedder, EmbedderInfo};
use jarre_eval::{
    retrieval::{Evaluation, Metric, MissingQueries, Qrels, Run},
    stats::{Bootstrap, MeanEstimate, PairedDifference},
};
use jarre_rag::{
    index::Snapshot,
    retrieve::{Retriever, Strategy},
};
use serde::Serialize;

use crate::{
    Bench,
    args::Args,
    indexing::{self, Folder, WholeDocument, progress},
    report::{Table, difference, estimate},
};

const NDCG: Metric = Metric::Ndcg { k: Some(10), gain: jarre_eval::retrieval::Gain::Linear };
const METRICS: [Metric; 4] = [NDCG, Metric::Recall(5), Metric::ReciprocalRank(Some(10)), Metric::AllGold(5)];

/// Hits that a run keeps for a question; the metrics read the first ten.
const DEPTH: usize = 100;

#[derive(Serialize)]
struct Report<'a> {
    encoder: &'a EmbedderInfo,
    documents: usize,
    questions: usize,
    index_seconds: f64,
    candidates: usize,
    baseline: Strategy,
    legs: Vec<Leg>,
}

#[derive(Serialize)]
struct Leg {
    name: Strategy,
    metrics: BTreeMap<Metric, MeanEstimate>,
    /// Less the baseline's; none for the baseline itself.
    against_baseline: BTreeMap<Metric, PairedDifference>,
}

/// Measures every leg and fusion and prints the result.
pub(crate) fn run(args: &Args, bench: &Bench) -> Result<()> {
    let folder = Folder::new(args.index.as_deref())?;
    let chunker = WholeDocument(Arc::clone(&bench.encoder));
    let documents = bench.collection.documents();
    let indexed = indexing::index(folder.path(), &documents, &chunker, &bench.encoder, "encoding paragraphs")?;
    // A paragraph that is left out is one less to mistake for an answer, and every figure would look better than it is.
    let (expected, found) = (documents.len(), indexed.snapshot.len());
    ensure!(found == expected, "the index holds {found} of {expected} paragraphs");
    let runs = search_all(args, bench, &indexed.snapshot)?;
    let qrels = bench.collection.qrels();
    let report = Report {
        encoder: bench.encoder.info(),
        documents: indexed.snapshot.len(),
        questions: qrels.len(),
        index_seconds: indexed.took.as_secs_f64(),
        candidates: args.candidates,
        baseline: args.baseline,
        legs: compare(&runs, &qrels, args.baseline, &args.bootstrap())?,
    };
    if let Some(folder) = &args.runs {
        write_runs(folder, &runs, &qrels, &report).with_context(|| format!("cannot write the runs into {}", folder.display()))?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", table(&report));
    }
    Ok(())
}

/// A run for each leg and fusion, the baseline among them.
fn search_all(args: &Args, bench: &Bench, snapshot: &Snapshot) -> Result<Vec<(Strategy, Run)>> {
    let mut strategies = vec![Strategy::Dense, Strategy::Sparse];
    for strategy in args.fusion.iter().copied().map(Strategy::Hybrid).chain([args.baseline]) {
        if !strategies.contains(&strategy) {
            strategies.push(strategy);
        }
    }
    let questions: Vec<&str> = bench.collection.questions.iter().map(|question| question.question.as_str()).collect();
    // Encoded together, and remembered, they cost a fraction of one by one.
    bench.encoder.embed(&questions)?;
    let retriever = Retriever::new(snapshot.clone(), Arc::<crate::Memo>::clone(&bench.encoder))?;
    let retriever = retriever.with_k(DEPTH).with_candidates(args.candidates);
    let search = |strategy: &Strategy| Ok((*strategy, search(&retriever.clone().with_strategy(*strategy), bench)?));
    strategies.iter().map(search).collect()
}

fn search(retriever: &Retriever, bench: &Bench) -> Result<Run> {
    let name = retriever.strategy().to_string();
    let bar = progress(bench.collection.questions.len(), &format!("searching, {name}"));
    let mut run = Run::new(&name)?;
    for question in bar.wrap_iter(bench.collection.questions.iter()) {
        let hits = retriever.retrieve(&question.question, None)?.hits;
        run.insert_in_order(&question.id, hits.into_iter().map(|hit| (hit.chunk.doc.0, hit.score)))?;
    }
    bar.finish_and_clear();
    Ok(run)
}

fn compare(runs: &[(Strategy, Run)], qrels: &Qrels, baseline: Strategy, bootstrap: &Bootstrap) -> Result<Vec<Leg>> {
    let evaluate = |(strategy, run): &(Strategy, Run)| (*strategy, Evaluation::new(qrels, run, &METRICS, MissingQueries::Zero));
    let evaluations: Vec<(Strategy, Evaluation)> = runs.iter().map(evaluate).collect();
    let against = evaluations.iter().find(|(strategy, _)| *strategy == baseline);
    let (_, against) = against.expect("the baseline is among the strategies that were searched");
    let leg = |(name, evaluation): &(Strategy, Evaluation)| -> Result<Leg> {
        let mut leg = Leg { name: *name, metrics: BTreeMap::new(), against_baseline: BTreeMap::new() };
        for metric in METRICS {
            leg.metrics.insert(metric, evaluation.mean(metric, bootstrap)?);
            if *name != baseline {
                leg.against_baseline.insert(metric, evaluation.difference(against, metric, bootstrap)?);
            }
        }
        Ok(leg)
    };
    evaluations.iter().map(leg).collect()
}

fn table(report: &Report<'_>) -> String {
    let compared = format!("nDCG@10 - {}", report.baseline);
    let headings = ["leg".to_owned()].into_iter().chain(METRICS.map(|metric| metric.to_string()));
    let mut table = Table::new(headings.chain([compared, "better/worse".to_owned()]));
    for leg in &report.legs {
        let mut row = vec![leg.name.to_string()];
        row.extend(METRICS.map(|metric| estimate(&leg.metrics[&metric])));
        let against = leg.against_baseline.get(&NDCG);
        row.push(against.map_or_else(String::new, difference));
        row.push(against.map_or_else(String::new, |compared| format!("{}/{}", compared.wins, compared.losses)));
        table.push(row);
    }
    let Report { encoder, documents, questions, index_seconds, candidates, .. } = report;
    format!(
        "{documents} documents, {questions} questions, encoder {} ({index_seconds:.0} s to index), {candidates} candidates a leg\n\n{table}\n\
         In brackets: 95 % BCa bootstrap intervals over questions; differences are paired. * leaves out 0.\n",
        encoder.name
    )
}

/// The runs and judgements in TREC's formats, and the figures beside them.
fn write_runs(folder: &Path, runs: &[(Strategy, Run)], qrels: &Qrels, report: &Report<'_>) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for (strategy, run) in runs {
        let name = strategy.to_string().replace([':', '@', ','], "-");
        run.write(BufWriter::new(File::create(folder.join(format!("{name}.run")))?))?;
    }
    qrels.write(BufWriter::new(File::create(folder.join("qrels.txt"))?))?;
    std::fs::write(folder.join("summary.json"), serde_json::to_string_pretty(report)?)?;
    Ok(())
}
