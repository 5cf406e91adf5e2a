use std::{path::Path, process};

use anyhow::{Context, Result, bail};
use jarre_eval::{
    experiment::{Dataset, Experiment, Stop, Summary, Variant},
    track::{RunId, Tracker},
};
use jarre_report::{Column, NumberFormat, Table};
use serde_json::json;

use crate::{
    INTERRUPTED,
    args::{Cli, RunArgs},
    judge, model, progress, style,
};

/// What came of a variant.
pub struct Answered {
    pub variant: String,
    pub run: RunId,
    pub summary: Summary,
}

pub fn run(cli: &Cli, tracker: &Tracker, args: &RunArgs) -> Result<u8> {
    let experiment = load(args)?;
    let variants =
        experiment.variants().into_iter().filter(|variant| args.models.is_empty() || args.models.contains(&variant.name)).collect();
    ask(cli, tracker, args, &experiment, variants).map(|(_, code)| code)
}

pub fn load(args: &RunArgs) -> Result<Experiment> {
    let mut experiment = Experiment::load(&args.experiment)?;
    if let Some(name) = args.models.iter().find(|name| experiment.models.iter().all(|model| model.name != **name)) {
        bail!("{} has no model `{name}`", args.experiment.display());
    }
    experiment.dataset.sample = args.sample.or(experiment.dataset.sample);
    experiment.limits.concurrency = args.concurrency.unwrap_or(experiment.limits.concurrency);
    Ok(experiment)
}

/// Runs the variants one after the other, and says what came of them.
pub fn ask(cli: &Cli, tracker: &Tracker, args: &RunArgs, experiment: &Experiment, variants: Vec<Variant>) -> Result<(Vec<Answered>, u8)> {
    let folder = args.experiment.parent().unwrap_or(Path::new("."));
    let dataset = Dataset::load(&experiment.dataset, folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    let stop = Stop::new();
    runtime.spawn(interrupt(stop.clone()));
    let git = git();
    let mut answered = Vec::new();
    for variant in variants {
        if stop.is_requested() {
            break;
        }
        answered.push(runtime.block_on(one(tracker, args, experiment, &dataset, variant, &stop, git.clone()))?);
    }
    print(cli, tracker, experiment, &answered)?;
    if let Some(path) = &args.html {
        let runs: Vec<RunId> = answered.iter().map(|answered| answered.run.clone()).collect();
        crate::export::html(tracker, &runs, path)?;
    }
    let code = if stop.is_requested() { INTERRUPTED } else { u8::from(answered.iter().any(|answered| answered.summary.stopped.is_some())) };
    Ok((answered, code))
}

async fn one(
    tracker: &Tracker,
    args: &RunArgs,
    experiment: &Experiment,
    dataset: &Dataset,
    variant: Variant,
    stop: &Stop,
    git: Option<String>,
) -> Result<Answered> {
    let folder = args.experiment.parent().unwrap_or(Path::new("."));
    let bar = progress::bar(&variant.name, args.quiet);
    let shown = bar.clone();
    let mut runner = experiment
        .runner(&variant, model::open(&variant.model)?, judge::scoring(experiment)?, folder, tracker)?
        .with_stop(stop.clone())
        .with_observer(move |progress| progress::show(&shown, progress));
    if args.no_cache {
        runner = runner.without_cache();
    }
    let run = if args.fresh {
        runner.create_run(&experiment.name, dataset, None, git)?
    } else {
        runner.open_run(&experiment.name, dataset, None, git)?
    };
    let summary = runner.run(&run, dataset).await?;
    bar.finish_and_clear();
    Ok(Answered { variant: variant.name, run, summary })
}

/// The first Ctrl-C lets what was started finish; the second does not wait. Either way nothing that was answered is lost.
#[expect(clippy::disallowed_methods, reason = "who interrupts twice does not want to wait; every answer is on disk already")]
async fn interrupt(stop: Stop) {
    while tokio::signal::ctrl_c().await.is_ok() {
        if stop.is_requested() {
            process::exit(i32::from(INTERRUPTED));
        }
        stop.request();
        eprintln!("finishing what was started; Ctrl-C again does not wait");
    }
}

fn print(cli: &Cli, tracker: &Tracker, experiment: &Experiment, answered: &[Answered]) -> Result<()> {
    let metrics = judge::scoring(experiment)?.names();
    if cli.json {
        for Answered { variant, run, summary } in answered {
            let means = crate::show::means(tracker, run)?;
            println!("{}", json!({"variant": variant, "run": run.as_str(), "summary": summary, "metrics": means}));
        }
        return Ok(());
    }
    let mut columns = vec![Column::new("variant"), Column::new("run"), Column::new("answers"), Column::new("failed")];
    columns.extend(metrics.iter().map(|metric| Column::new(metric).format(NumberFormat::Fixed(4))));
    columns.extend(["tokens", "cost"].map(Column::new));
    let mut table = Table::new(columns);
    for Answered { variant, run, summary } in answered {
        let means = crate::show::means(tracker, run)?;
        let mut cells =
            vec![variant.as_str().into(), run.as_str().into(), (summary.reused + summary.answered).into(), summary.failed.into()];
        cells.extend(metrics.iter().map(|metric| means.get(metric).map(|mean| mean.mean).into()));
        cells.extend([summary.usage.total_tokens().into(), summary.cost.to_string().into()]);
        table.row(cells)?;
    }
    print!("{}", table.to_plain_text());
    for answered in answered {
        if let Some(why) = &answered.summary.stopped {
            println!("{}", style::warning(&format!("{} is not complete: {why}", answered.variant)));
        }
    }
    Ok(())
}

/// The commit of the working tree, with `+dirty` where it holds changes; `None` outside of one.
pub fn git() -> Option<String> {
    let ask = |arguments: &[&str]| {
        let output = process::Command::new("git").args(arguments).stderr(process::Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = ask(&["rev-parse", "HEAD"])?;
    let dirty = ask(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty());
    Some(if dirty { format!("{commit}+dirty") } else { commit })
}
