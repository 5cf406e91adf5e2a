use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::Result;
use jarre_eval::{
    compare::Side,
    experiment::{Dataset, DatasetSpec, Experiment, Limits, Method, MetricSpec, ModelSpec, Nobody, PromptSpec, RecordedScore},
    track::Tracker,
};

use crate::{args::RecordedArgs, side};

const METRIC: &str = "correct";

/// Two models by what they answered before.
pub(crate) fn both_models(tracker: &Tracker, args: &RecordedArgs) -> Result<(Vec<Side>, String)> {
    let experiment = experiment(args);
    let dataset = Dataset::load(&experiment.dataset, Path::new("."))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut sides = Vec::new();
    for variant in experiment.variants() {
        let nobody = Arc::new(Nobody::named(&variant.name));
        let runner = experiment.runner(&variant, nobody, experiment.scoring(), Path::new("."), tracker)?;
        let run = runner.open_run(&experiment.name, &dataset, None, None)?;
        runtime.block_on(runner.run(&run, &dataset))?;
        sides.push(side(tracker, &run)?);
    }
    Ok((sides, METRIC.to_owned()))
}

fn experiment(args: &RecordedArgs) -> Experiment {
    let names = [&args.baseline, &args.candidate];
    let recorded: BTreeMap<String, String> = names.iter().map(|name| ((*name).clone(), (*name).clone())).collect();
    let model = |name: &&String| ModelSpec { name: (*name).clone(), recorded: Some(format!("{name}_response")), ..ModelSpec::default() };
    Experiment {
        name: "recorded".into(),
        description: None,
        dataset: DatasetSpec { path: args.responses.clone(), sample: args.sample, ..DatasetSpec::default() },
        prompt: PromptSpec { user: Some("{{prompt}}".into()), ..PromptSpec::default() },
        method: Method::Naive,
        models: names.iter().map(model).collect(),
        extract: jarre_eval::text::Extraction::FinalNumber,
        metrics: vec![MetricSpec::Recorded(RecordedScore { name: METRIC.into(), recorded })],
        judges: Vec::new(),
        sampling: jarre_core::Sampling::default(),
        repeats: 1,
        seed: 0,
        limits: Limits { concurrency: 16, ..Limits::default() },
        sweep: None,
    }
}
