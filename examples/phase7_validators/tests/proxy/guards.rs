//! Guards to test with, as a policy names them.

use std::sync::Arc;

use jarre_core::SystemClock;
use jarre_guardrails::pipeline::{Pipeline, Policy, Registry, Resources};
use jarre_guardrails::scan::{Matcher, Pattern};
use jarre_guardrails::{Context, Effect, Error, Guard, Reach, Scan};
use serde::Deserialize;

const POLICY: &str = r#"
    [test]
    [[test.input]]
    guard = "words"
    stops = "stop[a-z]{0,9}"
    [[test.input]]
    guard = "emails"
    [[test.output]]
    guard = "words"
    stops = "stop[a-z]{0,9}"
    [[test.output]]
    guard = "words"
    replaces = "[0-9]{4}"
"#;

/// Blocks or replaces what a pattern matches.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Words {
    stops: Option<String>,
    replaces: Option<String>,
}

struct Guarding {
    name: &'static str,
    patterns: Arc<[Pattern]>,
    react: fn(&Context, &str, &str) -> Effect,
}

impl Guard for Guarding {
    fn name(&self) -> &str {
        self.name
    }

    fn reach(&self) -> Reach {
        Matcher::reach(&self.patterns)
    }

    fn scan(&self, context: &Context) -> Box<dyn Scan> {
        let (context, react) = (context.clone(), self.react);
        Box::new(Matcher::new(self.patterns.clone(), move |label, seen| react(&context, label, seen.text)))
    }
}

/// `stop` and words that begin with it are blocked, addresses of mail are replaced on the way in, and numbers of four digits on the way out.
pub(crate) fn pipeline() -> Pipeline {
    let registry = Registry::new().with_config("words", words).with("emails", |_, _| Ok(Arc::new(emails()?)));
    let policy = Policy::from_toml(POLICY).unwrap();
    policy.pipeline("test", &registry, &Resources::new(), Arc::new(SystemClock::new())).unwrap()
}

fn words(words: Words) -> Result<Guarding, Error> {
    let stops = words.stops.map(|stops| Pattern::new("stop", &stops));
    let replaces = words.replaces.map(|replaces| Pattern::new("number", &replaces));
    let patterns: Vec<_> = stops.into_iter().chain(replaces).collect::<Result<_, _>>()?;
    let react = |_: &Context, label: &str, _: &str| match label {
        "stop" => Effect::Block,
        _ => Effect::Replace("####".into()),
    };
    Ok(Guarding { name: "words", patterns: patterns.into(), react })
}

fn emails() -> Result<Guarding, Error> {
    let patterns = [Pattern::new("email", "[a-z]{1,20}@[a-z]{1,20}[.]org")?].into();
    Ok(Guarding { name: "emails", patterns, react: |context, label, text| Effect::Replace(context.vault.pseudonym(label, text)) })
}

/// Puts addresses of mail back.
pub(crate) fn restore() -> Arc<dyn Guard> {
    let patterns = [Pattern::new("email", "<EMAIL_[0-9]{1,4}>").unwrap()].into();
    let react = |context: &Context, _: &str, text: &str| match context.vault.value(text) {
        Some(value) => Effect::Replace(value),
        None => Effect::Note,
    };
    Arc::new(Guarding { name: "restore", patterns, react })
}
