//! Metrics without a model on real answers. Run with
//! `JARRE_DATA=<folder> cargo test -p jarre-eval --test rag_data -- --ignored --nocapture`.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests; the folder of test data is named by the environment")]

use std::{fs, path::PathBuf};

use jarre_eval::{
    Score,
    rag::{ContextPrecision, Faithfulness, LexicalRagJudge, RagFigure, RagMetric, RagSample, evaluate},
    stats::Bootstrap,
};
use pollster::block_on;
use serde_json::Value;

fn samples(rows: &[Value], answer: &str) -> Vec<RagSample> {
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    rows.iter().map(|row| RagSample::new(text(row, "question"), text(row, answer)).with_contexts([text(row, "knowledge")])).collect()
}

fn show(figure: &RagFigure) -> String {
    let mean = figure.all.unwrap();
    let (low, high) = (mean.bca.low, mean.bca.high);
    format!("{:.3} ({low:.3} to {high:.3}), {} unscored, {} refusals", mean.mean, figure.unscored, figure.refusals)
}

/// The pairs of figures on samples that have both.
fn paired(first: &[Score], second: &[Score]) -> (Vec<f64>, Vec<f64>) {
    first.iter().zip(second).filter_map(|(first, second)| Some((first.outcome.value()?, second.outcome.value()?))).unzip()
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn hallucinated_answers_rest_less_on_the_knowledge() {
    let data = std::env::var("JARRE_DATA").expect("JARRE_DATA names the folder of test data");
    let file = PathBuf::from(data).join("rag/halueval/generation/qa/qa_one-turn_data.json");
    let rows: Vec<Value> = fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 500);
    let (right, wrong) = (samples(&rows, "right_answer"), samples(&rows, "hallucinated_answer"));
    let metrics: [Box<dyn RagMetric>; 2] = [
        Box::new(Faithfulness::new(LexicalRagJudge::default())),
        Box::new(ContextPrecision::without_reference(LexicalRagJudge::default())),
    ];
    println!("| metric | right answers | hallucinated answers | difference |\n| --- | --- | --- | --- |");
    for metric in &metrics {
        let (of_right, of_wrong) = (block_on(evaluate(metric, &right)), block_on(evaluate(metric, &wrong)));
        let bootstrap = Bootstrap::default();
        let figures =
            [(&right, &of_right), (&wrong, &of_wrong)].map(|(samples, scores)| RagFigure::of(samples, scores, &bootstrap).unwrap());
        let (first, second) = paired(&of_wrong, &of_right);
        let difference = bootstrap.paired_difference(&first, &second).unwrap().difference;
        let (low, high) = (difference.bca.low, difference.bca.high);
        println!("| {} | {} | {} | {:.3} ({low:.3} to {high:.3}) |", metric.name(), show(&figures[0]), show(&figures[1]), difference.mean);
        assert!(low > 0.2, "{}", metric.name());
    }
}
