//! `check`: what a policy makes of texts.

use std::{fs, io::Write, path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use jarre_core::SystemClock;
use jarre_guardrails::{
    Context, Stage,
    pipeline::{Action, LayerVerdict, Pipeline, Policy, Registry, Resources, Verdict},
};

use crate::{
    args::{CheckArgs, PolicyArgs, StageName},
    input,
};

/// Whether all texts are allowed.
pub(crate) fn check(args: &CheckArgs) -> Result<bool> {
    let pipeline = pipeline(&args.policy)?;
    let context = context(args)?;
    let mut allowed = true;
    let mut tell = |text: &str| -> Result<()> {
        // Each text is a conversation of its own: its pseudonyms stand for nothing in another one.
        let context = Context { vault: jarre_guardrails::pii::Vault::new(), ..context.clone() };
        let verdict = pipeline.check(text, &context);
        allowed &= verdict.allowed;
        let mut out = std::io::stdout().lock();
        if args.json {
            writeln!(out, "{}", serde_json::to_string(&verdict)?)?;
        } else {
            write!(out, "{}", told(text, &verdict))?;
        }
        Ok(())
    };
    match (&args.jsonl, &args.text) {
        (Some(path), _) => input::lines(Some(path), |_, line| tell(&input::text_of(line, &args.field)?))?,
        (None, Some(text)) => tell(text)?,
        (None, None) => tell(&input::text(None)?)?,
    }
    Ok(allowed)
}

/// The policy that holds where none is given.
pub(crate) fn print_policy() -> Result<bool> {
    std::io::stdout().lock().write_all(Policy::DEFAULT.as_bytes())?;
    Ok(true)
}

/// The pipeline of the policy that is asked for.
pub(crate) fn pipeline(args: &PolicyArgs) -> Result<Pipeline> {
    let policy = match &args.policy {
        None => Policy::from_toml(Policy::DEFAULT)?,
        Some(path) => Policy::from_toml(&read(path)?).with_context(|| path.display().to_string())?,
    };
    Ok(policy.pipeline(&args.policy_name, &Registry::builtin(), &Resources::new(), Arc::new(SystemClock::new()))?)
}

fn context(args: &CheckArgs) -> Result<Context> {
    let stage = match args.stage {
        StageName::Input => Stage::Input,
        StageName::Context => Stage::Context,
        StageName::ToolCall => Stage::ToolCall,
        StageName::Output => Stage::Output,
    };
    let mut context = Context::new(stage);
    context.system = args.system.as_deref().map(|path| read(path).map(Into::into)).transpose()?;
    context.sources = args.sources.iter().map(|path| read(path).map(Into::into)).collect::<Result<_>>()?;
    Ok(context)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A verdict for people: what happened, by whom and where, and what goes on.
fn told(text: &str, verdict: &Verdict) -> String {
    let head = if verdict.allowed { "allowed" } else { "blocked" };
    let layers: String = verdict
        .layers
        .iter()
        .filter(|layer| layer.action > Action::Allow || !layer.spans.is_empty())
        .map(|layer| line(text, layer))
        .collect();
    let changed = if verdict.allowed && verdict.text != text { format!("  goes on as: {}\n", verdict.text) } else { String::new() };
    format!("{head} in {} µs\n{layers}{changed}", verdict.latency.as_micros())
}

fn line(text: &str, layer: &LayerVerdict) -> String {
    let action = serde_json::to_value(layer.action).ok().and_then(|action| action.as_str().map(str::to_owned)).unwrap_or_default();
    let spots = layer
        .spans
        .iter()
        .map(|spot| format!("{} {:.2} {:?}", spot.label, spot.score, excerpt(text.get(spot.start..spot.end).unwrap_or_default(), 60)));
    format!("  {:<12} {action:<8} {}\n", layer.name, spots.collect::<Vec<_>>().join(", "))
}

/// The start of a text that is longer than `chars` characters.
pub(crate) fn excerpt(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some((cut, _)) => format!("{}…", &text[..cut]),
    }
}
