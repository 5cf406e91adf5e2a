//! The guards of this crate by the names that policies know them by.

use serde::Deserialize;
use toml::{Table, Value};

use super::{Registry, Resources, registry::parse};
use crate::{
    Error, Result,
    content::{CodeGuard, CommandGuard, LimitGuard, LinkGuard, TokenGuard},
    grounding::{Entailment, GroundingGuard},
    injection::{IndirectGuard, InjectionGuard},
    leakage::OverlapGuard,
    moderation::{self, ModerationConfig, ModerationGuard},
    pii::{PiiGuard, RestoreConfig, RestoreGuard},
    secrets::SecretsGuard,
    topics::TopicGuard,
};

impl Registry {
    /// Knows the guards of this crate, by the names that they give themselves, and each with the keys of its configuration.
    ///
    /// Some ask models of the [`Resources`]: `topics` the one that `embedder` names, `tokens` that of `token_counter`; `injection` and
    /// `grounding` may name a `classifier` and its `label`, which join their own, and `moderation` a `classifier`.
    /// [`CanaryGuard`](crate::leakage::CanaryGuard) is none of them: a canary is a secret, and no policy's.
    pub fn builtin() -> Self {
        let alone = Self::new()
            .with_config("code", CodeGuard::new)
            .with_config("commands", CommandGuard::new)
            .with_config("indirect_injection", IndirectGuard::new)
            .with_config("limits", LimitGuard::new)
            .with_config("links", LinkGuard::new)
            .with_config("overlap", OverlapGuard::new)
            .with_config("pii", PiiGuard::new)
            .with_config("restore", |config: RestoreConfig| RestoreGuard::new(&config))
            .with_config("secrets", SecretsGuard::new);
        #[cfg(feature = "language")]
        let alone = alone.with_config("language", crate::content::LanguageGuard::new);
        alone
            .with("grounding", |settings, resources| grounding(settings, resources).map(|guard| std::sync::Arc::new(guard) as _))
            .with("injection", |settings, resources| injection(settings, resources).map(|guard| std::sync::Arc::new(guard) as _))
            .with("moderation", |settings, resources| moderation(settings, resources).map(|guard| std::sync::Arc::new(guard) as _))
            .with("tokens", |settings, resources| tokens(settings, resources).map(|guard| std::sync::Arc::new(guard) as _))
            .with("topics", |settings, resources| topics(settings, resources).map(|guard| std::sync::Arc::new(guard) as _))
    }
}

fn injection(mut settings: Table, resources: &Resources) -> Result<InjectionGuard> {
    let joined = Joined::take(&mut settings)?;
    let guard = InjectionGuard::new(parse(settings)?)?;
    joined.map_or(Ok(guard.clone()), |joined| Ok(guard.joined_by(resources.classifier(&joined.classifier)?, joined.label)))
}

fn grounding(mut settings: Table, resources: &Resources) -> Result<GroundingGuard> {
    let joined = Joined::take(&mut settings)?;
    let guard = GroundingGuard::new(parse(settings)?)?;
    let Some(joined) = joined else { return Ok(guard) };
    Ok(guard.with_entailment(Entailment::new(resources.classifier(&joined.classifier)?, joined.label)?))
}

fn moderation(mut settings: Table, resources: &Resources) -> Result<ModerationGuard> {
    let classifier = name(&mut settings, "classifier")?;
    let config: ModerationConfig = parse(settings)?;
    match classifier {
        None => ModerationGuard::new(&config),
        Some(classifier) => ModerationGuard::asking(&config, vec![moderation::model(), resources.classifier(&classifier)?]),
    }
}

fn tokens(mut settings: Table, resources: &Resources) -> Result<TokenGuard> {
    let counter = required(&mut settings, "token_counter")?;
    TokenGuard::new(parse(settings)?, resources.token_counter(&counter)?)
}

fn topics(mut settings: Table, resources: &Resources) -> Result<TopicGuard> {
    let embedder = required(&mut settings, "embedder")?;
    TopicGuard::new(parse(settings)?, resources.embedder(&embedder)?)
}

/// A classifier that joins that of a guard.
#[derive(Deserialize)]
struct Joined {
    classifier: String,
    label: String,
}

impl Joined {
    /// Takes it out of the settings, which are the guard's then.
    fn take(settings: &mut Table) -> Result<Option<Self>> {
        let keys: Table = ["classifier", "label"].iter().filter_map(|key| settings.remove_entry(*key)).collect();
        if keys.is_empty() { Ok(None) } else { parse(keys).map(Some) }
    }
}

fn required(settings: &mut Table, key: &str) -> Result<String> {
    name(settings, key)?.ok_or_else(|| wrong(key, "is missing, name one of the resources"))
}

fn name(settings: &mut Table, key: &str) -> Result<Option<String>> {
    match settings.remove(key) {
        None => Ok(None),
        Some(Value::String(name)) => Ok(Some(name)),
        Some(_) => Err(wrong(key, "is a name, a string")),
    }
}

fn wrong(key: &str, reason: &str) -> Error {
    Error::Policy { at: "the settings of the guard".into(), reason: format!("`{key}` {reason}") }
}
