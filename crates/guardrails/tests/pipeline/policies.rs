//! Policies as files state them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jarre_core::testing::{HashEmbedder, ManualClock};
use jarre_guardrails::{
    Context, Effect, Guard, Result, Stage,
    pipeline::{Mode, OnFailure, Pipeline, Policy, Registry, Resources},
};
use serde::Deserialize;

use crate::guards::{Of, pattern};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WordConfig {
    word: String,
    with: Option<String>,
}

fn word(config: WordConfig) -> Result<Of> {
    let effect = config.with.map_or(Effect::Block, Effect::Replace);
    if config.word.is_empty() {
        jarre_guardrails::scan::Pattern::new("word", &config.word)?;
    }
    Ok(pattern("word", &config.word, effect))
}

fn registry() -> Registry {
    Registry::new().with_config("word", word).with("close", |_, resources| {
        let dims = resources.embedder("small")?.info().dims;
        assert!(dims > 0);
        Ok(Arc::new(pattern("close", "x", Effect::Note)) as Arc<dyn Guard>)
    })
}

fn build(text: &str) -> Result<Pipeline> {
    Policy::from_toml(text)?.pipeline("p", &registry(), &Resources::new(), Arc::new(ManualClock::new()))
}

fn wrong(text: &str) -> String {
    build(text).unwrap_err().to_string()
}

const TEXT: &str = r#"
[p]
streaming = []

[[p.input]]
guard = "word"
word = "bad"
name = "bad words"
group = "words"
budget_ms = 2.5
on_failure = "open"

[[p.input]]
guard = "word"
group = "words"
word = "ugly"
with = "***"
mode = "observe"
min_score = 0.5

[[p.output]]
guard = "word"
word = "bad"
rewrites = true
"#;

#[test]
fn a_policy_says_all_about_its_layers() {
    let pipeline = build(TEXT).unwrap();
    let shape: Vec<usize> = pipeline.groups().iter().map(Vec::len).collect();
    assert_eq!((shape, pipeline.streams(Stage::Output)), (vec![2, 1], false));
    let (first, second) = (&pipeline.groups()[0][0], &pipeline.groups()[0][1]);
    assert_eq!((&*first.name, first.budget, first.on_failure), ("bad words", Duration::from_micros(2500), OnFailure::Open));
    assert_eq!((&*second.name, second.budget, second.mode, second.min_score), ("word", Duration::MAX, Mode::Observe, 0.5));
    assert!(pipeline.groups()[1][0].rewrites);
    assert_eq!(first.stages, [Stage::Input].into());
    let verdict = pipeline.check("bad", &Context::new(Stage::Input));
    assert!(!verdict.allowed);
    assert_eq!(verdict.layers.len(), 2);
}

#[test]
fn one_guard_serves_every_place_that_states_it_alike() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = made.clone();
    let registry = Registry::new().with_config("word", move |config| {
        count.fetch_add(1, Ordering::Relaxed);
        word(config)
    });
    let policy = Policy::from_toml(TEXT).unwrap();
    policy.pipeline("p", &registry, &Resources::new(), Arc::new(ManualClock::new())).unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 2);
}

#[test]
fn an_error_says_where_and_what_is_known() {
    let cases = [
        ("[p]\ninput = 3", "line 2: invalid type"),
        ("[p]\n\nstages = []", "line 3: unknown field `stages`"),
        ("[p]\nstreaming = [\"in\"]", "line 2: unknown variant `in`"),
        ("[p\n", "line 1"),
        ("[[p.input]]\nword = \"x\"", "line 1, `p.input[0]`: `guard` is missing"),
        (
            "\n[[p.input]]\nguard = \"words\"",
            "line 2, `p.input[0]`: guard `words`: the guard `words`: it is not known; known are `close`, `word`",
        ),
        (
            "[[p.input]]\nguard = \"word\"\nwrod = \"x\"",
            "unknown field `wrod`, expected `word` or `with`; a layer knows `guard`, `name`, `group`",
        ),
        ("[[p.input]]\nguard = \"word\"\nbudget_ms = 0", "`budget_ms` is above 0"),
        ("[[p.input]]\nguard = \"word\"\nmin_score = 2", "`min_score` is from 0 to 1"),
        ("[[p.input]]\nguard = \"word\"\nmode = \"loud\"", "unknown variant `loud`, expected `enforce` or `observe`"),
        ("[[p.input]]\nguard = \"word\"\n", "the pattern `word` cannot be used"),
        ("[[p.output]]\nguard = \"close\"", "the embedder `small`: it is not among the resources, which are none"),
        ("[q]", "the policy `p`: it is not there; there are `q`"),
    ];
    for (text, expected) in cases {
        let told = wrong(text);
        assert!(told.contains(expected), "{told:?} does not hold {expected:?}");
    }
    let apart = r#"p = { input = [{ guard = "word", word = "a", group = "g" }, { guard = "word", word = "b" }, { guard = "word", word = "c", group = "g" }] }"#;
    assert!(wrong(apart).contains("`p.input[2]`: the layers of a group follow each other"));
}

#[test]
fn resources_reach_the_guards() {
    let resources = Resources::new().with_embedder("small", Arc::new(HashEmbedder::new(8, 64)));
    let policy = Policy::from_toml("[[p.output]]\nguard = \"close\"").unwrap();
    policy.pipeline("p", &registry(), &resources, Arc::new(ManualClock::new())).unwrap();
}

#[test]
fn the_default_policy_can_be_read() {
    let policy = Policy::from_toml(Policy::DEFAULT).unwrap();
    assert_eq!(policy.names().collect::<Vec<_>>(), ["default"]);
}
