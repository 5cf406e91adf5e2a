use std::fs;

use anyhow::{Context, Result};
use jarre_eval::{
    compare::{Gate, Policy},
    track::Tracker,
};

use crate::{
    args::{Cli, GateArgs},
    compare, judge, style,
};

pub fn run(cli: &Cli, tracker: &Tracker, args: &GateArgs) -> Result<u8> {
    let policy = policy(args)?;
    let (baseline, candidate) = compare::sides(tracker, &args.pair)?;
    let metric = compare::metric(&baseline, &candidate, policy.metric.as_deref())?;
    let mut gate = Gate::decide(&baseline, &candidate, &metric, &policy, args.pair.units, args.pair.seed)?;
    let version = candidate.provenance.scorers.get(&metric).map_or("", String::as_str);
    if let Some(check) = judge::check(tracker, &metric, version)? {
        gate = gate.with_check(check);
    }
    if cli.json {
        println!("{}", serde_json::to_string(&gate)?);
    } else {
        println!("{} against {}: {}", gate.candidate, gate.baseline, style::decision(gate.decision));
        for check in &gate.checks {
            println!("  {:<13} {}: {}", style::decision(check.decision), check.name, check.words);
        }
    }
    for (path, text) in [(&args.junit, gate.to_junit()), (&args.markdown, gate.to_markdown())] {
        if let Some(path) = path {
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(gate.decision.exit_code())
}

/// The file's policy, with what the command line says in its place.
fn policy(args: &GateArgs) -> Result<Policy> {
    let mut policy = match &args.policy {
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Policy::parse(&text).with_context(|| path.display().to_string())?
        }
        None => Policy::default(),
    };
    policy.metric = args.pair.metric.clone().or(policy.metric);
    policy.lower_is_better |= args.pair.lower_is_better;
    policy.margin = args.margin.unwrap_or(policy.margin);
    policy.slice_margin = args.slice_margin.or(policy.slice_margin);
    policy.max_errors = args.max_errors.unwrap_or(policy.max_errors);
    policy.max_latency_ratio = args.max_latency_ratio.or(policy.max_latency_ratio);
    policy.max_cost_ratio = args.max_cost_ratio.or(policy.max_cost_ratio);
    if args.policy.is_none() {
        policy.confidence = args.pair.confidence;
    }
    Ok(policy.checked()?)
}
