use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use jarre_core::ChatModel;
use jarre_eval::{
    compare::Side,
    experiment::{Dataset, Experiment, Method, Progress, Stop},
    text::Extraction,
    track::{RunId, Tracker},
};

use crate::{args::AskArgs, model, side};

/// The experiment as its file has it.
const REASONING: &str = include_str!("reasoning.toml");

/// The same problems, asked for the answer alone and for the thinking first.
pub(crate) fn both_ways(tracker: &Tracker, args: &AskArgs) -> Result<(Vec<Side>, String)> {
    let mut experiment = Experiment::parse(REASONING)?;
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    experiment.dataset.path = args.items.clone().unwrap_or_else(|| here.join("sample.jsonl"));
    experiment.dataset.target_extract = args.target_extract.then_some(Extraction::FinalNumber);
    experiment.dataset.sample = args.sample;
    experiment.sampling.max_tokens = Some(args.max_tokens);
    experiment.limits.concurrency = args.concurrency;
    let dataset = Dataset::load(&experiment.dataset, Path::new("."))?;
    let model = model::open(args)?;
    let stop = Stop::new();
    let asked = stop.clone();
    ctrlc::set_handler(move || asked.request()).context("cannot watch for Ctrl-C")?;
    let mut sides = Vec::new();
    for (name, method) in [("naive", Method::Naive), ("chain of thought", Method::ZeroShotCot)] {
        let variant = Experiment { method, ..experiment.clone() };
        sides.push(side(tracker, &ask(tracker, &variant, &dataset, &model, name, &stop)?)?);
    }
    let metric = experiment.scoring().names().into_iter().next().context("the experiment has no metric")?;
    Ok((sides, metric))
}

fn ask(
    tracker: &Tracker,
    experiment: &Experiment,
    dataset: &Dataset,
    model: &Arc<dyn ChatModel>,
    name: &str,
    stop: &Stop,
) -> Result<RunId> {
    let mut variant = experiment.variants().into_iter().next().context("the experiment has no model")?;
    name.clone_into(&mut variant.name);
    // The endpoint of the file is where another model would be asked.
    variant.model.base_url = None;
    let bar = bar(name)?;
    let shown = bar.clone();
    let runner = experiment.runner(&variant, Arc::clone(model), experiment.scoring(), Path::new("."), tracker)?.with_stop(stop.clone());
    let runner = runner.with_observer(move |progress| show(&shown, progress));
    let run = runner.open_run(&experiment.name, dataset, None, None)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let summary = runtime.block_on(runner.run(&run, dataset))?;
    bar.finish_and_clear();
    if let Some(why) = summary.stopped {
        anyhow::bail!("{name} has {} of {} answers: {why}", summary.reused + summary.answered, summary.total);
    }
    Ok(run)
}

fn bar(name: &str) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg} {eta}")?;
    Ok(ProgressBar::new(0).with_style(style).with_prefix(name.to_owned()))
}

fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
    bar.set_message(progress.mean().map_or_else(String::new, |mean| format!("{:.1} % right", 100.0 * mean)));
}
