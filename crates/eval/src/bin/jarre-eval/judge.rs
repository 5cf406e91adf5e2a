use std::{collections::BTreeSet, fs, num::NonZeroU32, path::Path};

use anyhow::{Context, Result, bail};
use jarre_eval::{
    compare::{Check, Decision, Side},
    experiment::{Experiment, JudgeSpec, Scoring},
    judge::{Calibration, Calibrator, Case, GatePolicy, Judge, JudgeId, JudgeScorer, LabelledAnswer, repeat},
    page,
    stats::Interval,
    track::{CalibrationState, Tracker},
};
use serde::Deserialize;

use crate::{
    args::{CalibrateArgs, Cli},
    model,
};

/// What an experiment does to answers, its judges included.
pub fn scoring(experiment: &Experiment) -> Result<Scoring> {
    let mut scoring = experiment.scoring();
    for spec in &experiment.judges {
        scoring = scoring.with_judge(JudgeScorer::new(spec.build(model::open_judge(&spec.model)?)?));
    }
    Ok(scoring)
}

/// An answer that people labelled.
#[derive(Debug, Deserialize)]
struct Labelled {
    id: Option<String>,
    question: String,
    answer: String,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    context: Option<String>,
    label: f64,
}

/// Holds a judge against labels, says what it is worth, and keeps that for gates.
pub fn calibrate(cli: &Cli, tracker: &Tracker, args: &CalibrateArgs) -> Result<()> {
    let experiment = Experiment::load(&args.experiment)?;
    let spec = spec(&experiment, args.judge.as_deref())?;
    let judge = spec.build(model::open_judge(&spec.model)?)?;
    let labels = labels(&args.labels)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let answers = runtime.block_on(judged(&judge, labels, args.repeats));
    let calibration = Calibrator::default().answers(&answers)?;
    tracker.save_calibration(&judge.id().name, &judge.id().version, &calibration.labels_digest, &serde_json::to_value(&calibration)?)?;
    if cli.json {
        println!("{}", serde_json::to_string(&calibration)?);
    } else {
        print(&calibration);
    }
    Ok(())
}

fn spec<'a>(experiment: &'a Experiment, name: Option<&str>) -> Result<&'a JudgeSpec> {
    match (name, experiment.judges.as_slice()) {
        (None, [only]) => Ok(only),
        (None, []) => bail!("the experiment has no [[judges]]"),
        (None, _) => bail!("the experiment has several judges: say which with --judge"),
        (Some(name), judges) => {
            judges.iter().find(|judge| judge.name == name).with_context(|| format!("the experiment has no judge `{name}`"))
        }
    }
}

fn labels(path: &Path) -> Result<Vec<Labelled>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| serde_json::from_str(line).with_context(|| format!("{}, line {}", path.display(), number + 1))).collect()
}

async fn judged(judge: &dyn Judge, labels: Vec<Labelled>, repeats: NonZeroU32) -> Vec<LabelledAnswer> {
    let mut answers = Vec::with_capacity(labels.len());
    for (place, labelled) in labels.into_iter().enumerate() {
        let Labelled { id, question, answer, reference, context, label } = labelled;
        let length = answer.chars().count();
        let case = Case { question, answer, reference, context };
        let judgements = repeat(judge, &case, repeats).await;
        answers.push(LabelledAnswer { item: id.unwrap_or_else(|| place.to_string()), label, length, judgements });
    }
    answers
}

fn print(calibration: &Calibration) {
    let rate = |share: Option<f64>| share.map_or_else(|| "undefined".to_owned(), |share| format!("{share:.3}"));
    println!(
        "{} on {} labels, {} without a verdict, {} not reached",
        calibration.judge, calibration.n, calibration.unscored, calibration.failed
    );
    println!(
        "accuracy {}, TPR {}, TNR {}",
        rate(calibration.accuracy.share()),
        rate(calibration.tpr.share()),
        rate(calibration.tnr.share())
    );
    if let Some(kappa) = &calibration.kappa {
        println!("kappa {:.3} ({:.3} to {:.3})", kappa.value, kappa.interval.low, kappa.interval.high);
    }
    println!("flip rate {}, correlation with length {}", rate(calibration.flip_rate), rate(calibration.length_correlation));
    println!("{}", calibration.gate(&calibration.judge, &GatePolicy::default()));
}

/// Whether a gate may rest on a judge's metric: only one that was calibrated as it is, well enough. `None` for metrics of no judge.
pub fn check(tracker: &Tracker, metric: &str, version: &str) -> Result<Option<Check>> {
    let Some(name) = metric.strip_prefix("judge/") else { return Ok(None) };
    let judge = JudgeId { name: name.to_owned(), version: version.to_owned() };
    let (decision, words) = match tracker.calibration(name, version)? {
        CalibrationState::Missing => {
            (Decision::Incomparable, format!("the judge {judge} was never held against labels; `jarre-eval calibrate` does"))
        }
        CalibrationState::Stale(found) | CalibrationState::Fresh(found) => {
            let calibration: Calibration =
                serde_json::from_value(found.figures).context("the calibration that is kept cannot be read; calibrate again")?;
            let gate = calibration.gate(&judge, &GatePolicy::default());
            (if gate.is_open() { Decision::Pass } else { Decision::Incomparable }, gate.to_string())
        }
    };
    Ok(Some(Check { name: "judge".into(), decision, words }))
}

/// What is known of the judges among the metrics of `sides`, for the report.
pub fn on_page(tracker: &Tracker, sides: &[Side]) -> Result<Vec<page::Judge>> {
    let judges: BTreeSet<(&str, &str)> = sides
        .iter()
        .flat_map(|side| &side.provenance.scorers)
        .filter_map(|(name, version)| Some((name.strip_prefix("judge/")?, version.as_str())))
        .collect();
    judges.into_iter().map(|(name, version)| described(tracker, name, version)).collect()
}

fn described(tracker: &Tracker, name: &str, version: &str) -> Result<page::Judge> {
    let id = JudgeId { name: name.to_owned(), version: version.to_owned() };
    let judge = page::Judge { name: id.to_string(), ..page::Judge::default() };
    let (CalibrationState::Fresh(found) | CalibrationState::Stale(found)) = tracker.calibration(name, version)? else {
        return Ok(page::Judge { warning: Some("it was never held against labels".to_owned()), ..judge });
    };
    let calibration: Calibration =
        serde_json::from_value(found.figures).context("the calibration that is kept cannot be read; calibrate again")?;
    let gate = calibration.gate(&id, &GatePolicy::default());
    let warning = (!gate.is_open()).then(|| gate.to_string());
    Ok(page::Judge { labels: calibration.n as u64, figures: figures(&calibration), warning, ..judge })
}

fn figures(calibration: &Calibration) -> Vec<page::Figure> {
    let figure = |name: &str, value: f64, interval: Interval| page::Figure {
        name: name.to_owned(),
        estimate: page::Estimate { value, low: interval.low, high: interval.high },
        unit: String::new(),
    };
    let rates = [("accuracy", &calibration.accuracy), ("TPR", &calibration.tpr), ("TNR", &calibration.tnr)];
    let rates = rates.into_iter().filter_map(|(name, rate)| Some(figure(name, rate.share()?, rate.interval)));
    rates.chain(calibration.kappa.as_ref().map(|kappa| figure("kappa", kappa.value, kappa.interval))).collect()
}
