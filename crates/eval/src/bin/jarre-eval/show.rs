use std::collections::BTreeMap;

use anyhow::Result;
use jarre_eval::{
    Sample,
    compare::{Figure, Units},
    system::SystemFigures,
    track::{Run, RunId, SampleTexts, Tracker},
};
use jarre_report::{Cell, Column, NumberFormat, Table};
use serde_json::json;

use crate::{
    args::{Cli, ShowArgs},
    locate,
};

pub fn run(cli: &Cli, tracker: &Tracker, args: &ShowArgs) -> Result<()> {
    let run = locate::run(tracker, &args.run)?;
    if cli.json {
        println!("{}", json!({"run": run, "metrics": means(tracker, &run.id)?}));
    } else {
        about(&run);
        figures(tracker, &run)?;
    }
    match args.answers.as_deref() {
        None => Ok(()),
        Some(item) => answers(cli, tracker, &run.id, item),
    }
}

/// What a run came to by each of its metrics.
pub fn means(tracker: &Tracker, run: &RunId) -> Result<BTreeMap<String, Figure>> {
    let samples = tracker.samples(run, SampleTexts::Lean)?;
    Ok(Figure::all(&samples, Units::Auto, 0.95)?.into_iter().map(|figure| (figure.metric.clone(), figure)).collect())
}

/// The same as a table, with training's metrics below it.
pub fn figures(tracker: &Tracker, run: &Run) -> Result<()> {
    let fixed = |name: &str| Column::new(name).format(NumberFormat::Fixed(4));
    let mut table = Table::new([
        Column::new("metric"),
        Column::new("n"),
        fixed("mean"),
        fixed("low"),
        fixed("high"),
        Column::new("unscored"),
        Column::new("errors"),
    ]);
    for figure in means(tracker, &run.id)?.into_values() {
        let bound = |bound: fn(&jarre_eval::stats::Interval) -> f64| Cell::from(figure.interval.as_ref().map(bound));
        let (low, high) = (bound(|interval| interval.low), bound(|interval| interval.high));
        table.row([figure.metric.into(), figure.n.into(), figure.mean.into(), low, high, figure.unscored.into(), figure.errors.into()])?;
    }
    if !table.is_empty() {
        print!("{}", table.to_plain_text());
    }
    times(tracker, &run.id)?;
    let mut logged = Table::new([Column::new("logged"), Column::new("step"), fixed("value")]);
    for metric in tracker.latest_metrics(&run.id)? {
        logged.row([metric.name.into(), metric.step.into(), metric.value.into()])?;
    }
    if !logged.is_empty() {
        print!("{}", logged.to_plain_text());
    }
    Ok(())
}

/// What the answers took, where they were timed.
fn times(tracker: &Tracker, run: &RunId) -> Result<()> {
    let figures = SystemFigures::of(&tracker.samples(run, SampleTexts::Lean)?, None);
    let fixed = |name: &str| Column::new(name).format(NumberFormat::Fixed(3));
    let mut table =
        Table::new([Column::new("seconds"), Column::new("n"), fixed("p50"), fixed("p95"), fixed("low"), fixed("high"), fixed("p99")]);
    let timed = [("latency", &figures.latency), ("TTFT", &figures.time_to_first_token), ("TPOT", &figures.time_per_output_token)];
    for (name, times) in timed.into_iter().filter(|(_, times)| !times.values().is_empty()) {
        let interval = times.percentile_interval(95.0, 0.95);
        let at = |percent| Cell::from(times.percentile(percent));
        let (low, high) = (interval.map(|interval| interval.low).into(), interval.map(|interval| interval.high).into());
        table.row([name.into(), times.values().len().into(), at(50.0), at(95.0), low, high, at(99.0)])?;
    }
    if !table.is_empty() {
        print!("{}", table.to_plain_text());
    }
    Ok(())
}

fn about(run: &Run) {
    println!("{} {} of {}: {}", run.id, run.name, run.experiment, run.status);
    if let Some(failure) = &run.failure {
        println!("  {failure}");
    }
    let provenance = &run.provenance;
    println!("  model {}, method {}, sampling {}", provenance.model, provenance.method, json!(provenance.sampling));
    if let Some(data) = &provenance.dataset {
        println!("  dataset {} ({} items, {})", data.name, data.items, data.digest);
    }
    if let Some(git) = &provenance.git {
        println!("  git {git}");
    }
}

fn answers(cli: &Cli, tracker: &Tracker, run: &RunId, item: &str) -> Result<()> {
    let samples = tracker.samples(run, SampleTexts::Whole)?;
    let wanted: Vec<&Sample> = samples.iter().filter(|sample| item.is_empty() || sample.item == item).collect();
    if wanted.is_empty() {
        anyhow::bail!("the run has no answer to an item `{item}`");
    }
    for sample in wanted {
        if cli.json {
            println!("{}", serde_json::to_string(sample)?);
        } else {
            let scores: Vec<String> = sample.scores.iter().map(|score| format!("{} {}", score.scorer, outcome(score))).collect();
            let said = sample.error.as_deref().unwrap_or(&sample.output);
            println!("\n{}/{}  {}\n> {}\n{}", sample.item, sample.repeat, scores.join("  "), printable(&sample.input), printable(said));
        }
    }
    Ok(())
}

fn outcome(score: &jarre_eval::Score) -> String {
    match &score.outcome {
        jarre_eval::Outcome::Scored(value) => format!("{value}"),
        jarre_eval::Outcome::Unscored(why) => format!("unscored ({why})"),
        jarre_eval::Outcome::Failed(why) => format!("failed ({why})"),
    }
}

/// What models write may hold sequences that move a terminal's cursor; they are shown, not obeyed.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(
            |character| {
                if character.is_control() && character != '\n' && character != '\t' { char::REPLACEMENT_CHARACTER } else { character }
            },
        )
        .collect()
}
