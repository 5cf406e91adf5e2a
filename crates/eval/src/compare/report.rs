use std::time::Duration;

use super::{Comparison, Figure, Options, Side, Slice, Units, discrepancies, metrics};
use crate::{
    Error, Provenance, Result, Sample,
    page::{self, Estimate, Report},
    stats::{Bootstrap, Direction, Interval, holm},
    system::{Latencies, SystemFigures},
};

/// What a report is made by.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportOptions {
    /// Its title.
    pub title: String,
    /// The metric to decide by; the first that there is where it is not given.
    pub primary: Option<String>,
    /// Metrics of which less is better.
    pub lower_is_better: Vec<String>,
    /// When it was made, as readers would write it.
    pub created: String,
    /// How items hang together.
    pub units: Units,
    /// How sure intervals are.
    pub confidence: f64,
    /// What is known of the judges among the metrics.
    pub judges: Vec<page::Judge>,
}

impl ReportOptions {
    /// A report with this title: 95 %, units as the items have them.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            primary: None,
            lower_is_better: Vec::new(),
            created: String::new(),
            units: Units::Auto,
            confidence: 0.95,
            judges: Vec::new(),
        }
    }

    fn direction(&self, metric: &str) -> Direction {
        if self.lower_is_better.iter().any(|lower| lower == metric) { Direction::LowerIsBetter } else { Direction::HigherIsBetter }
    }
}

/// The report of runs side by side: all are compared with the first, by every metric, and what makes them incomparable stands above.
///
/// # Errors
/// Those of [`Units::design`]; runs that have no items in common are no error, but a notice.
///
/// # Panics
/// Where the confidence is not between 0 and 1, both exclusive.
pub fn report(sides: &[Side], options: &ReportOptions) -> Result<Report> {
    let metrics = ordered_metrics(sides, options);
    let mut report = Report::new(&options.title);
    report.confidence = options.confidence;
    report.created.clone_from(&options.created);
    report.judges.clone_from(&options.judges);
    report.metrics = metrics.iter().map(|metric| page_metric(metric, sides, options)).collect();
    report.variants = sides.iter().map(|side| variant(side, &metrics, options)).collect::<Result<_>>()?;
    if let [baseline, candidates @ ..] = sides {
        report.notices = notice(sides, &metrics).into_iter().collect();
        let found = compared(baseline, candidates, &metrics, options)?;
        report.multiplicity = found.iter().filter_map(|(candidate, comparison)| multiplicity(candidate, comparison, options)).collect();
        report.comparisons = adjusted(&baseline.name, found)?;
    }
    report.lead =
        report.comparisons.iter().map(|comparison| format!("{}: {}", comparison.candidate, comparison.verdict)).next().unwrap_or_default();
    report.items = page::Item::collect(sides.iter().map(|side| side.samples.as_slice()));
    Ok(report)
}

/// The primary metric first, the others by name.
fn ordered_metrics(sides: &[Side], options: &ReportOptions) -> Vec<String> {
    let mut names: Vec<String> = sides.iter().flat_map(|side| metrics(&side.samples)).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names.sort_by_key(|name| options.primary.as_ref() != Some(name));
    names
}

/// An answer passes where its figure is one; metrics of other scales have no mark.
fn page_metric(name: &str, sides: &[Side], options: &ReportOptions) -> page::Metric {
    let metric = page::Metric::new(name);
    let mut values = sides.iter().flat_map(|side| &side.samples).filter_map(|sample| sample.value(name));
    let metric = if values.all(|value| value == 0.0 || (value - 1.0).abs() < f64::EPSILON) { metric.with_pass_mark(1.0) } else { metric };
    match options.direction(name) {
        Direction::HigherIsBetter => metric,
        Direction::LowerIsBetter => metric.lower_is_better(),
    }
}

fn variant(side: &Side, metrics: &[String], options: &ReportOptions) -> Result<page::Variant> {
    let Provenance { prompt, method, model, .. } = &side.provenance;
    Ok(page::Variant {
        name: side.name.clone(),
        model: model.clone(),
        prompt: prompt.as_ref().map_or_else(String::new, |prompt| format!("{}@{}", prompt.name, prompt.version)),
        method: method.clone(),
        run: side.run.clone(),
        provenance: provenance(&side.provenance),
        summaries: metrics.iter().map(|metric| summary(side, metric, options)).collect::<Result<_>>()?,
        system: system(&side.samples, options),
    })
}

fn summary(side: &Side, metric: &str, options: &ReportOptions) -> Result<page::Summary> {
    let figure = Figure::of(&side.samples, metric, options.units, options.confidence)?;
    Ok(page::Summary {
        metric: metric.to_owned(),
        n: figure.n as u64,
        estimate: estimate(figure.mean, figure.interval),
        unscored: figure.unscored as u64,
        errors: figure.errors as u64,
    })
}

fn system(samples: &[Sample], options: &ReportOptions) -> page::System {
    let answered: Vec<&Sample> = samples.iter().filter(|sample| sample.error.is_none()).collect();
    let seconds: Vec<f64> = answered.iter().map(|sample| sample.latency.as_secs_f64()).collect();
    let dollars: Vec<f64> = answered.iter().map(|sample| sample.cost.micros() as f64 / 1e6).collect();
    page::System {
        latencies: answered.iter().map(|sample| sample.latency).filter(|latency| *latency > Duration::ZERO).collect(),
        times_to_first_token: answered.iter().filter_map(|sample| sample.time_to_first_token).collect(),
        latency: mean(&seconds, options),
        cost_per_item: mean(&dollars, options),
        usage: samples.iter().map(|sample| sample.usage).sum(),
        cost: samples.iter().map(|sample| sample.cost).sum(),
        figures: times(&SystemFigures::of(samples, None), options.confidence),
        ..page::System::default()
    }
}

/// Percentiles of what was timed.
fn times(figures: &SystemFigures, confidence: f64) -> Vec<page::Figure> {
    let timed = [
        ("latency", &figures.latency, &[50.0, 95.0, 99.0][..]),
        ("TTFT", &figures.time_to_first_token, &[50.0, 95.0]),
        ("TPOT", &figures.time_per_output_token, &[50.0, 95.0]),
    ];
    let figure = |name: &str, times: &Latencies, percent: f64| {
        let value = times.percentile(percent)?;
        let interval = times.percentile_interval(percent, confidence).unwrap_or(Interval { low: value, high: value });
        Some(page::Figure { name: format!("{name} p{percent}"), estimate: estimate(value, Some(interval)), unit: "s".into() })
    };
    timed.iter().flat_map(|(name, times, percents)| percents.iter().filter_map(|percent| figure(name, times, *percent))).collect()
}

/// `None` where nothing was measured: recorded answers take no time and cost nothing.
fn mean(values: &[f64], options: &ReportOptions) -> Option<Estimate> {
    if values.iter().all(|value| *value == 0.0) {
        return None;
    }
    let estimate = Bootstrap::default().with_confidence(options.confidence).mean(values).ok()?;
    Some(Estimate { value: estimate.mean, low: estimate.bca.low, high: estimate.bca.high })
}

fn provenance(provenance: &Provenance) -> Vec<(String, String)> {
    let mut entries = Vec::new();
    let mut add = |name: &str, value: String| entries.push((name.to_owned(), value));
    if let Some(data) = &provenance.dataset {
        add("dataset", format!("{} ({} items, {})", data.name, data.items, data.digest));
    }
    if let Some(git) = &provenance.git {
        add("git", git.clone());
    }
    add("sampling", serde_json::to_string(&provenance.sampling).expect("sampling is JSON"));
    for (name, version) in &provenance.scorers {
        add(&format!("scorer {name}"), version.clone());
    }
    for (name, value) in &provenance.environment {
        add(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    entries
}

/// The fields that forbid to compare a candidate with the first run, each with its value in all of them.
fn notice(sides: &[Side], metrics: &[String]) -> Option<page::Notice> {
    let [baseline, candidates @ ..] = sides else { return None };
    let metrics: Vec<&str> = metrics.iter().map(String::as_str).collect();
    let mut fields: Vec<page::Difference> = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        for found in discrepancies(&baseline.provenance, &candidate.provenance, &metrics).into_iter().filter(|found| found.forbids) {
            let at = fields.iter().position(|field| field.field == found.field).unwrap_or_else(|| {
                let values = vec![found.baseline.clone(); sides.len()];
                fields.push(page::Difference { field: found.field.clone(), values });
                fields.len() - 1
            });
            fields[at].values[place + 1] = found.candidate;
        }
    }
    (!fields.is_empty()).then(|| page::Notice::not_comparable(fields))
}

/// Every candidate by every metric, those left out that have nothing in common with the baseline.
fn compared(baseline: &Side, candidates: &[Side], metrics: &[String], options: &ReportOptions) -> Result<Vec<(String, Comparison)>> {
    let mut found = Vec::new();
    for candidate in candidates {
        for metric in metrics {
            let (direction, units, confidence) = (options.direction(metric), options.units, options.confidence);
            let asked = Options { direction, units, confidence, ..Options::new(metric) };
            match Comparison::new(&baseline.samples, &candidate.samples, &asked) {
                Ok(comparison) => found.push((candidate.name.clone(), comparison)),
                Err(Error::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(found)
}

fn multiplicity(candidate: &str, comparison: &Comparison, options: &ReportOptions) -> Option<page::Multiplicity> {
    let counts = comparison.slice_counts?;
    Some(page::Multiplicity {
        family: format!("strata of {candidate} by {}", comparison.metric),
        alpha: (1e9 * (1.0 - options.confidence)).round() / 1e9,
        tests: counts.tests as u64,
        nominal: counts.raw as u64,
        corrected: vec![("Holm".into(), counts.holm as u64), ("Benjamini-Hochberg".into(), counts.benjamini_hochberg as u64)],
    })
}

/// The comparisons of the page, with p-values adjusted over all metrics and candidates on it.
fn adjusted(baseline: &str, found: Vec<(String, Comparison)>) -> Result<Vec<page::Comparison>> {
    let p_values: Vec<f64> = found.iter().filter_map(|(_, comparison)| comparison.p_value).collect();
    let mut by_holm = holm(&p_values)?.into_iter();
    let comparison = |(candidate, comparison): (String, Comparison)| {
        let p_adjusted = comparison.p_value.and_then(|_| by_holm.next());
        page::Comparison { baseline: baseline.to_owned(), candidate, p_adjusted, ..page_comparison(comparison) }
    };
    Ok(found.into_iter().map(comparison).collect())
}

fn page_comparison(comparison: Comparison) -> page::Comparison {
    let difference = comparison.means.difference;
    page::Comparison {
        metric: comparison.metric,
        pairs: difference.n as u64,
        excluded: comparison.left_out.total() as u64,
        difference: estimate(difference.mean, comparison.interval),
        discordant: comparison.binary.map(|binary| (binary.table.candidate_only, binary.table.baseline_only)),
        p: comparison.p_value,
        minimum_detectable: comparison.verdict.finding().and_then(|finding| finding.detectable),
        verdict: comparison.verdict.to_string(),
        slices: comparison.slices.into_iter().map(page_slice).collect(),
        ..page::Comparison::default()
    }
}

fn page_slice(slice: Slice) -> page::Slice {
    let difference = estimate(slice.difference, slice.interval);
    page::Slice { name: slice.name, pairs: slice.n as u64, difference, p: slice.p_value, p_adjusted: slice.p_holm }
}

fn estimate(value: f64, interval: Option<Interval>) -> Estimate {
    let Interval { low, high } = interval.unwrap_or(Interval { low: f64::NAN, high: f64::NAN });
    Estimate { value, low, high }
}
