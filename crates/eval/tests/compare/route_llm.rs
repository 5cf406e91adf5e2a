//! What two large models answered to GSM8K and MMLU, through the whole path: the file, the runner, the tracker, the comparison. The figures were
//! computed beside this crate, in Python.

use std::{env, path::PathBuf, sync::Arc};

use jarre_core::SystemClock;
use jarre_eval::{
    compare::{Comparison, Options, Pairs, Units},
    experiment::{Dataset, DatasetSpec, Experiment, Nobody},
    track::{SampleTexts, Tracker},
};

const WEAK: &str = "mistralai/Mixtral-8x7B-Instruct-v0.1";
const STRONG: &str = "gpt-4-1106-preview";

fn data(path: &str) -> PathBuf {
    PathBuf::from(env::var_os("JARRE_DATA").expect("JARRE_DATA names the folder with the data")).join(path)
}

/// The correctness that stands in the file, as runs of its own.
async fn runs(experiment: &Experiment, dataset: &Dataset) -> Pairs {
    let tracker = Tracker::open_in_memory(Arc::new(SystemClock::new())).unwrap();
    let mut samples = Vec::new();
    for variant in experiment.variants() {
        let runner =
            experiment.runner(&variant, Arc::new(Nobody::named(&variant.name)), experiment.scoring(), &PathBuf::new(), &tracker).unwrap();
        let run = runner.create_run(&experiment.name, dataset, None, None).unwrap();
        runner.run(&run, dataset).await.unwrap();
        samples.push(tracker.samples(&run, SampleTexts::Lean).unwrap());
    }
    Pairs::new(&samples[0], &samples[1], |sample| sample.value("correct"))
}

fn experiment(path: &str, fields: &str) -> Experiment {
    Experiment::parse(&format!(
        r#"
        name = "recorded"
        metrics = [{{ name = "correct", recorded = {{ weak = "{WEAK}", strong = "{STRONG}" }} }}]
        dataset = {{ path = {path:?}, {fields} }}
        prompt = {{ user = "{{{{prompt}}}}" }}
        models = [{{ name = "weak", recorded = "prompt" }}, {{ name = "strong", recorded = "prompt" }}]
        "#
    ))
    .unwrap()
}

#[tokio::test]
#[ignore = "needs JARRE_DATA"]
async fn gsm8k_is_told_as_it_was_computed_elsewhere() {
    let experiment = experiment(&data("router/gsm8k_responses.csv").display().to_string(), "id = \"prompt\"");
    let dataset = Dataset::load(&experiment.dataset, &PathBuf::new()).unwrap();
    let pairs = runs(&experiment, &dataset).await;
    let comparison = Comparison::of(&pairs, &Options::new("correct")).unwrap();
    let binary = comparison.binary.unwrap();
    let table = binary.table;
    assert_eq!((table.both, table.baseline_only, table.candidate_only, table.neither), (747, 95, 383, 94));
    let close = |found: f64, wanted: f64| assert!((found - wanted).abs() <= 1e-12 * wanted.abs().max(1e-30), "{found} {wanted}");
    close(comparison.means.difference.mean, 0.218_347_232_752_084_92);
    close(comparison.means.difference.standard_error.unwrap(), 0.015_452_709_205_254_043);
    close(comparison.means.unpaired_standard_error.unwrap(), 0.016_379_742_669_931_138);
    assert!((binary.mcnemar.exact / 5.116_157_326_697_435e-42 - 1.0).abs() < 1e-9);
    // The file's interval came of as many resamples with other random numbers: each bound wanders by 0.0004, so two by 0.0006.
    let found = comparison.bootstrap.percentile;
    let wanders = 3.0 * 0.0006;
    assert!((found.low - 0.188_779).abs() < wanders && (found.high - 0.247_915).abs() < wanders, "{found:?}");
    assert_eq!(comparison.verdict.to_string(), "better by 21.8 points (18.8 to 24.8), p = 5.1e-42");
}

#[tokio::test]
#[ignore = "needs JARRE_DATA"]
async fn mmlus_subjects_are_strata_and_their_tests_a_family() {
    let mut items = Vec::new();
    let mut experiment = experiment("unused.csv", "id = \"prompt\"");
    for file in std::fs::read_dir(data("router/mmlu")).unwrap().map(|entry| entry.unwrap().path()) {
        let subject = file.file_stem().unwrap().to_string_lossy().trim_start_matches("mmlu_").to_owned();
        let mut read = read_subject(&DatasetSpec { path: file, ..experiment.dataset.clone() });
        for (place, item) in read.iter_mut().enumerate() {
            item.id = format!("{subject}/{place}");
            item.stratum = Some(subject.clone());
        }
        items.extend(read);
    }
    experiment.name = "mmlu".into();
    let pairs = runs(&experiment, &Dataset { name: "mmlu".into(), items, seed: None }).await;
    let comparison = Comparison::of(&pairs, &Options::new("correct")).unwrap();
    assert_eq!((comparison.units, comparison.slices.len()), (Units::Strata, 29));
    let counts = comparison.slice_counts.unwrap();
    println!("{} items, {:?}: {}", pairs.items.len(), counts, comparison.verdict);
    assert_eq!((counts.tests, counts.raw, counts.holm, counts.benjamini_hochberg), (29, 20, 17, 20));
}

/// Subjects repeat some of their prompts: items are numbered, where elsewhere the prompt is the id.
fn read_subject(spec: &DatasetSpec) -> Vec<jarre_eval::experiment::Item> {
    let mut reader = csv::Reader::from_path(&spec.path).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let fields = header.iter().zip(&row).map(|(name, value)| (name.to_owned(), value.into())).collect();
        jarre_eval::experiment::Item { fields, ..Default::default() }
    });
    rows.collect()
}
