use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jarre_core::Clock;
use serde::Deserialize;
use toml::{Spanned, Table};

use super::{Layer, Mode, OnFailure, Pipeline, Registry, Resources, registry::one_line, resources::list};
use crate::{Error, Guard, Result, Stage};

/// The keys of a layer that are not the guard's, beside `guard`.
const SETTINGS: [&str; 7] = ["name", "group", "budget_ms", "on_failure", "mode", "min_score", "rewrites"];

/// Named policies, as a file states them: for each stage a list of layers.
///
/// ```toml
/// [public]                   # the name of a policy
/// streaming = ["output"]     # stages whose text is released before its end is known; this is the default
///
/// [[public.input]]           # a layer; stages are `input`, `context`, `tool_call` and `output`
/// guard = "pii"              # a guard of the registry
/// name = "personal data"     # what verdicts call it; the guard's name by default
/// group = "fast"             # layers of one group, which follow each other, read the same text; a group of its own by default
/// budget_ms = 5              # none by default
/// on_failure = "closed"      # or "open"
/// mode = "enforce"           # or "observe"
/// min_score = 0.8            # what has a lower score is told and has no effect; 0 by default
/// rewrites = false           # whether what it replaces is told as a change of wording
/// # every other key is the guard's
/// ```
///
/// A guard that stands at several places with the same settings is made once.
#[derive(Clone, Debug)]
pub struct Policy(BTreeMap<String, Named>);

#[derive(Clone, Debug)]
struct Named {
    streaming: Vec<Stage>,
    places: Vec<Place>,
}

/// A layer, and where it was stated.
#[derive(Clone, Debug)]
struct Place {
    at: String,
    stage: Stage,
    guard: String,
    layer: Settings,
    config: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    #[serde(default = "output")]
    streaming: Vec<Stage>,
    #[serde(default)]
    input: Vec<Spanned<Table>>,
    #[serde(default)]
    context: Vec<Spanned<Table>>,
    #[serde(default)]
    tool_call: Vec<Spanned<Table>>,
    #[serde(default)]
    output: Vec<Spanned<Table>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Settings {
    name: Option<String>,
    group: Option<String>,
    budget_ms: Option<f64>,
    #[serde(default)]
    on_failure: OnFailure,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    min_score: f32,
    #[serde(default)]
    rewrites: bool,
}

fn output() -> Vec<Stage> {
    vec![Stage::Output]
}

impl Policy {
    /// The text of the policy `default`.
    pub const DEFAULT: &str = include_str!("default.toml");

    /// Reads a file's text.
    ///
    /// # Errors
    /// [`Error::Policy`], with the line, where it is not TOML, holds an unknown key, or a setting that cannot be.
    pub fn from_toml(text: &str) -> Result<Self> {
        let sources: BTreeMap<String, Source> = toml::from_str(text).map_err(|error| Error::Policy {
            at: error.span().map_or_else(|| "the file".into(), |span| line(text, span.start)),
            reason: error.message().to_owned(),
        })?;
        let read = |(name, source): (String, Source)| Ok((name.clone(), Named::read(text, &name, source)?));
        Ok(Self(sources.into_iter().map(read).collect::<Result<_>>()?))
    }

    /// The names of the policies.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Makes the pipeline of the policy `name`.
    ///
    /// # Errors
    /// [`Error::Policy`] where there is no such policy, a guard is not known, or its settings do not fit.
    pub fn pipeline(&self, name: &str, registry: &Registry, resources: &Resources, clock: Arc<dyn Clock>) -> Result<Pipeline> {
        let policy = self.0.get(name).ok_or_else(|| Error::Policy {
            at: format!("the policy `{name}`"),
            reason: format!("it is not there; there are {}", list(self.names())),
        })?;
        let mut made: Vec<(&Place, Arc<dyn Guard>)> = Vec::new();
        let mut pipeline = Pipeline::new(clock).with_streaming(policy.streaming.iter().copied());
        for group in policy.places.chunk_by(Place::is_beside) {
            let mut layers = Vec::new();
            for place in group {
                let known = made.iter().find(|(other, _)| other.guard == place.guard && other.config == place.config);
                let guard = match known {
                    Some((_, guard)) => guard.clone(),
                    None => registry.make(&place.guard, place.config.clone(), resources).map_err(|error| place.located(&error))?,
                };
                layers.push(place.layer(guard.clone()));
                made.push((place, guard));
            }
            pipeline = pipeline.with_group(layers);
        }
        Ok(pipeline)
    }
}

impl Named {
    fn read(text: &str, name: &str, source: Source) -> Result<Self> {
        let stages = [
            (Stage::Input, "input", source.input),
            (Stage::Context, "context", source.context),
            (Stage::ToolCall, "tool_call", source.tool_call),
            (Stage::Output, "output", source.output),
        ];
        let mut places: Vec<Place> = Vec::new();
        for (stage, key, layers) in stages {
            for (index, table) in layers.into_iter().enumerate() {
                let at = format!("{}, `{name}.{key}[{index}]`", line(text, table.span().start));
                let place = Place::read(at, stage, table.into_inner())?;
                let joins = |other: &&Place| other.stage == stage && other.layer.group.is_some() && other.layer.group == place.layer.group;
                if places.iter().any(|other| joins(&other)) && !places.last().is_some_and(|last| joins(&last)) {
                    return Err(place.error("the layers of a group follow each other, move it to the others"));
                }
                places.push(place);
            }
        }
        Ok(Self { streaming: source.streaming, places })
    }
}

impl Place {
    fn read(at: String, stage: Stage, mut table: Table) -> Result<Self> {
        let wrong = |reason: String| Error::Policy { at: at.clone(), reason };
        let guard = match table.remove("guard") {
            Some(toml::Value::String(guard)) => guard,
            Some(_) => return Err(wrong("`guard` is the name of a guard, a string".into())),
            None => return Err(wrong("`guard` is missing, name one".into())),
        };
        let settings: Table = SETTINGS.iter().filter_map(|key| table.remove_entry(*key)).collect();
        let layer: Settings = settings.try_into().map_err(|error: toml::de::Error| wrong(one_line(&error)))?;
        if layer.budget_ms.is_some_and(|budget| !(budget > 0.0 && budget <= 1e9)) {
            return Err(wrong("`budget_ms` is above 0 and at most 1e9".into()));
        }
        if !(0.0..=1.0).contains(&layer.min_score) {
            return Err(wrong("`min_score` is from 0 to 1".into()));
        }
        Ok(Self { at, stage, guard, layer, config: table })
    }

    fn is_beside(&self, next: &Self) -> bool {
        self.stage == next.stage && self.layer.group.is_some() && self.layer.group == next.layer.group
    }

    fn layer(&self, guard: Arc<dyn Guard>) -> Layer {
        let name = self.layer.name.as_deref().map_or_else(|| guard.name().into(), Arc::from);
        Layer {
            name,
            guard,
            stages: [self.stage].into(),
            budget: self.layer.budget_ms.map_or(Duration::MAX, |budget| Duration::from_secs_f64(budget / 1e3)),
            on_failure: self.layer.on_failure,
            mode: self.layer.mode,
            min_score: self.layer.min_score,
            rewrites: self.layer.rewrites,
        }
    }

    /// What is wrong with the guard, and where it stands.
    fn located(&self, error: &Error) -> Error {
        let reason = match error {
            Error::Policy { at, reason } => format!("{at}: {reason}"),
            error => error.to_string(),
        };
        let hint =
            if reason.contains("unknown field") { format!("; a layer knows `guard`, {} beside", list(SETTINGS)) } else { String::new() };
        self.error(&format!("guard `{}`: {reason}{hint}", self.guard))
    }

    fn error(&self, reason: &str) -> Error {
        Error::Policy { at: self.at.clone(), reason: reason.into() }
    }
}

/// The line that holds the byte `at`, counted from 1.
fn line(text: &str, at: usize) -> String {
    format!("line {}", text.get(..at).unwrap_or(text).split('\n').count())
}
