use std::fs;

use anyhow::{Context, Result, bail};
use jarre_eval::{
    compare::{Comparison, Decision, Discrepancy, Options, Side, discrepancies, metrics},
    stats::Direction,
    track::{Run, SampleTexts, Tracker},
};
use jarre_report::{Column, NumberFormat, Table};
use serde_json::json;

use crate::{
    args::{Cli, CompareArgs, PairArgs},
    export, locate, style,
};

pub fn run(cli: &Cli, tracker: &Tracker, args: &CompareArgs) -> Result<u8> {
    let (baseline, candidate) = sides(tracker, &args.pair)?;
    let metric = metric(&baseline, &candidate, args.pair.metric.as_deref())?;
    let found = discrepancies(&baseline.provenance, &candidate.provenance, &[&metric]);
    let forbidden = found.iter().any(|found| found.forbids);
    if forbidden && !args.force {
        say_discrepancies(cli, &found);
        eprintln!("the runs cannot be compared; --force compares them all the same");
        return Ok(Decision::Incomparable.exit_code());
    }
    let comparison = Comparison::new(&baseline.samples, &candidate.samples, &options(&args.pair, &metric)?)?;
    if cli.json {
        println!(
            "{}",
            json!({"baseline": baseline.name, "candidate": candidate.name, "comparison": comparison, "verdict": comparison.verdict.to_string(), "discrepancies": found})
        );
    } else {
        print(&baseline, &candidate, &comparison)?;
        say_discrepancies(cli, &found);
    }
    if let Some(path) = &args.markdown {
        let text = format!("**{}** {}\n\n{}", candidate.name, comparison.verdict, table(&baseline, &candidate, &comparison)?.to_markdown());
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(path) = &args.html {
        export::page(tracker, &[baseline, candidate], Some(metric), path)?;
    }
    Ok(0)
}

/// The two runs with their answers.
pub fn sides(tracker: &Tracker, args: &PairArgs) -> Result<(Side, Side)> {
    let (baseline, candidate) = (locate::run(tracker, &args.baseline)?, locate::run(tracker, &args.candidate)?);
    let same = baseline.name == candidate.name;
    let name = |run: &Run| if same || run.name.is_empty() { run.id.to_string() } else { run.name.clone() };
    Ok((side(tracker, &baseline, name(&baseline), SampleTexts::Whole)?, side(tracker, &candidate, name(&candidate), SampleTexts::Whole)?))
}

pub fn side(tracker: &Tracker, run: &Run, name: String, texts: SampleTexts) -> Result<Side> {
    let samples = tracker.samples(&run.id, texts)?;
    Ok(Side { name, run: run.id.to_string(), provenance: run.provenance.clone(), samples })
}

/// The metric that decides: the one that was asked for, or the only one that both runs have.
pub fn metric(baseline: &Side, candidate: &Side, asked: Option<&str>) -> Result<String> {
    let second = metrics(&candidate.samples);
    let both: Vec<&str> = metrics(&baseline.samples).into_iter().filter(|metric| second.contains(metric)).collect();
    match (asked, both.as_slice()) {
        (Some(metric), _) if both.contains(&metric) => Ok(metric.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (_, []) => bail!("the runs have no metric in common; `jarre-eval rescore` scores answers by other metrics"),
        (Some(metric), several) => bail!("the runs do not both have `{metric}`; they have: {}", several.join(", ")),
        (None, several) => bail!("say by which --metric: {}", several.join(", ")),
    }
}

pub fn options(args: &PairArgs, metric: &str) -> Result<Options> {
    if !(args.confidence > 0.5 && args.confidence < 1.0) {
        bail!("--confidence must be between 0.5 and 1, as 0.95");
    }
    let direction = if args.lower_is_better { Direction::LowerIsBetter } else { Direction::HigherIsBetter };
    Ok(Options { direction, units: args.units, confidence: args.confidence, seed: args.seed, ..Options::new(metric) })
}

fn print(baseline: &Side, candidate: &Side, comparison: &Comparison) -> Result<()> {
    let is_better = match &comparison.verdict {
        jarre_eval::stats::Verdict::Better(_) => Some(true),
        jarre_eval::stats::Verdict::Worse(_) => Some(false),
        _ => None,
    };
    println!("{} against {}, by {}:", candidate.name, baseline.name, comparison.metric);
    println!("{}\n", style::verdict(is_better, &comparison.verdict.to_string()));
    print!("{}", table(baseline, candidate, comparison)?.to_plain_text());
    details(comparison);
    slices(comparison)
}

fn table(baseline: &Side, candidate: &Side, comparison: &Comparison) -> Result<Table> {
    let fixed = |name: &str| Column::new(name).format(NumberFormat::Fixed(4));
    let mut table =
        Table::new([Column::new(&comparison.metric), Column::new("n"), fixed("mean"), fixed("SE"), fixed("low"), fixed("high")]);
    let (means, confidence) = (&comparison.means, comparison.verdict.finding().map_or(0.95, |finding| finding.confidence));
    for (name, mean) in [(&baseline.name, &means.baseline), (&candidate.name, &means.candidate)] {
        let interval = mean.interval(confidence);
        let bound = |bound: Option<f64>| bound.into();
        table.row([
            name.as_str().into(),
            mean.n.into(),
            mean.mean.into(),
            mean.standard_error.into(),
            bound(interval.map(|i| i.low)),
            bound(interval.map(|i| i.high)),
        ])?;
    }
    let (difference, interval) = (&means.difference, comparison.interval);
    table.row([
        "difference".into(),
        difference.n.into(),
        difference.mean.into(),
        difference.standard_error.into(),
        interval.map(|interval| interval.low).into(),
        interval.map(|interval| interval.high).into(),
    ])?;
    Ok(table)
}

fn details(comparison: &Comparison) {
    let means = &comparison.means;
    println!("\nunits: {:?}; wins {}, losses {}, ties {}", comparison.units, means.wins, means.losses, means.ties);
    if let Some(binary) = &comparison.binary {
        let odds = binary.odds_ratio.map_or_else(|| "undefined".to_owned(), |odds| format!("{odds:.2}"));
        println!("McNemar: exact p = {:.4e}, mid-p = {:.4e}; odds ratio {odds}", binary.mcnemar.exact, binary.mcnemar.mid_p);
    }
    let bootstrap = &comparison.bootstrap;
    print!("bootstrap: {:+.4} to {:+.4} (percentile)", bootstrap.percentile.low, bootstrap.percentile.high);
    match bootstrap.bca {
        Some(bca) => println!(", {:+.4} to {:+.4} (BCa)", bca.low, bca.high),
        None => println!(),
    }
    if let (Some(error), Some(correlation)) = (means.unpaired_standard_error, means.correlation) {
        println!("unpaired, its standard error would be {error:.4}; correlation {correlation:.3}");
    }
    if let Some(detectable) = comparison.verdict.finding().and_then(|finding| finding.detectable) {
        println!("these items show a difference of {detectable:.4} with 80 % power");
    }
    if comparison.left_out.total() > 0 {
        let left = comparison.left_out;
        let words = format!(
            "left out: {} items only in the baseline, {} only in the candidate, {} with another input or target, {} without a figure",
            left.only_baseline, left.only_candidate, left.different, left.without_figure
        );
        println!("{}", style::warning(&words));
    }
}

fn slices(comparison: &Comparison) -> Result<()> {
    if comparison.slices.is_empty() {
        return Ok(());
    }
    let fixed = |name: &str| Column::new(name).format(NumberFormat::Fixed(4));
    let mut table = Table::new([
        Column::new("stratum"),
        Column::new("n"),
        fixed("baseline"),
        fixed("candidate"),
        fixed("difference"),
        fixed("p"),
        fixed("p (Holm)"),
    ]);
    for slice in &comparison.slices {
        let (p, holm) = (slice.p_value.into(), slice.p_holm.into());
        table.row([
            slice.name.as_str().into(),
            slice.n.into(),
            slice.baseline.into(),
            slice.candidate.into(),
            slice.difference.into(),
            p,
            holm,
        ])?;
    }
    print!("\n{}", table.to_plain_text());
    if let Some(counts) = &comparison.slice_counts {
        println!(
            "{}/{} strata differ as they stand, {} after Holm, {} after Benjamini-Hochberg",
            counts.raw, counts.tests, counts.holm, counts.benjamini_hochberg
        );
    }
    Ok(())
}

fn say_discrepancies(cli: &Cli, found: &[Discrepancy]) {
    if cli.json || found.is_empty() {
        return;
    }
    println!("\nwhat tells the runs apart:");
    for found in found {
        let line = format!("  {}: {} | {}", found.field, found.baseline, found.candidate);
        println!("{}", if found.forbids { style::warning(&line) } else { line });
    }
}
