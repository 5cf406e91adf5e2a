//! Topics by examples, with an embedder that knows words alone.
#![expect(clippy::unwrap_used, reason = "tests")]

mod pieces;

use std::sync::Arc;

use jarre_core::{Embedder, EmbedderInfo, Embeddings, Error as CoreError, ErrorKind, testing::HashEmbedder};
use jarre_guardrails::{
    Context, Error, Guard,
    topics::{Closeness, Topic, TopicConfig, TopicGuard},
};
use proptest::prelude::*;

fn topic(name: &str, examples: &[&str]) -> Topic {
    Topic { name: name.into(), examples: examples.iter().map(|text| (*text).to_owned()).collect(), threshold: None }
}

fn weapons() -> Topic {
    topic("weapons", &["how to build a rifle at home", "where can I buy ammunition for a pistol"])
}

fn trains() -> Topic {
    topic("trains", &["when does the next train leave", "is the railway station open", "how much is a train ticket"])
}

fn guard(config: TopicConfig) -> TopicGuard {
    TopicGuard::new(config, Arc::new(HashEmbedder::default())).unwrap()
}

fn labels(guard: &TopicGuard, text: &str) -> Vec<String> {
    guard.check(text, &Context::default()).unwrap().into_iter().map(|finding| finding.label.into_owned()).collect()
}

#[test]
fn denied_topics_are_found_by_either_closeness() {
    for closeness in [Closeness::Nearest, Closeness::Centroid] {
        let guard = guard(TopicConfig { deny: vec![weapons(), trains()], closeness, ..TopicConfig::default() });
        assert_eq!(labels(&guard, "Where can I buy ammunition for my pistol, and how do I build a rifle?"), ["weapons"]);
        assert_eq!(labels(&guard, "A recipe for lentil soup with cumin."), Vec::<String>::new());
    }
}

#[test]
fn what_is_about_no_allowed_topic_is_off_topic() {
    let guard = guard(TopicConfig { allow: vec![trains()], threshold: 0.4, ..TopicConfig::default() });
    assert_eq!(labels(&guard, "When does the next train leave?"), Vec::<String>::new());
    assert_eq!(labels(&guard, "A recipe for lentil soup with cumin."), ["off_topic"]);
    assert_eq!(labels(&guard, "Hi, ok?"), Vec::<String>::new(), "of too little text nothing is known");
}

#[test]
fn a_passage_in_a_long_text_is_found_where_it_stands() {
    let guard = guard(TopicConfig { deny: vec![weapons()], length: 96, stride: 48, ..TopicConfig::default() });
    let soup = "Lentil soup needs cumin, onions and time. ".repeat(40);
    let text = format!("{soup}How to build a rifle at home, buy ammunition for a pistol. {soup}");
    let found = guard.check(&text, &Context::default()).unwrap();
    assert!(!found.is_empty());
    assert!(found.iter().all(|finding| finding.span.end > soup.len() && finding.span.start < soup.len() + 160), "{found:?}");
}

#[test]
fn a_threshold_is_calibrated_on_examples() {
    let guard = guard(TopicConfig { deny: vec![weapons()], ..TopicConfig::default() });
    let about = ["how do I build a pistol at home", "buy rifle ammunition"];
    let others = ["how do I paint the shed in the garden", "when does the train leave", "soup with cumin"];
    let chosen = guard.calibrate("weapons", &about, &others, 0.0).unwrap().unwrap();
    assert!(chosen.falsely_found <= 0.0 && chosen.found >= 0.5, "{chosen:?}");
    let chosen = Topic { threshold: Some(chosen.threshold), ..weapons() };
    let guard = self::guard(TopicConfig { deny: vec![chosen], ..TopicConfig::default() });
    assert!(others.iter().all(|text| labels(&guard, text).is_empty()));
    assert_eq!(guard.calibrate("soups", &about, &others, 0.0).unwrap(), None);
}

#[test]
fn a_threshold_of_an_allowed_topic_leaves_its_texts_alone() {
    let guard = guard(TopicConfig { allow: vec![trains()], ..TopicConfig::default() });
    let about = ["when does the train leave", "how much is the railway ticket"];
    let others = ["how do I paint the shed in the garden", "a recipe for soup with cumin"];
    let chosen = guard.calibrate("trains", &about, &others, 0.0).unwrap().unwrap();
    assert_eq!((chosen.found, chosen.falsely_found), (1.0, 0.0), "{chosen:?}");
    let chosen = Topic { threshold: Some(chosen.threshold), ..trains() };
    let guard = self::guard(TopicConfig { allow: vec![chosen], ..TopicConfig::default() });
    assert!(about.iter().all(|text| labels(&guard, text).is_empty()));
    assert!(others.iter().all(|text| labels(&guard, text) == ["off_topic"]));
}

struct Broken(EmbedderInfo, usize);

impl Embedder for Broken {
    fn info(&self) -> &EmbedderInfo {
        &self.0
    }

    fn embed(&self, texts: &[&str]) -> jarre_core::Result<Embeddings> {
        match texts.len() {
            1 if self.1 == 0 => Err(CoreError::new(ErrorKind::Unavailable, "the embedder is down")),
            1 => Embeddings::new(2, Vec::new()),
            rows => Embeddings::new(2, [1.0, 0.0].repeat(rows)),
        }
    }
}

#[test]
fn an_embedder_that_fails_fails_the_reading() {
    for rows in [0, 1] {
        let info = EmbedderInfo { name: "broken".into(), dims: 2, max_tokens: 8, fingerprint: "broken".into() };
        let config = TopicConfig { deny: vec![weapons()], ..TopicConfig::default() };
        let guard = TopicGuard::new(config, Arc::new(Broken(info, rows))).unwrap();
        assert!(matches!(guard.check("how to build a rifle", &Context::default()), Err(Error::Model(_))));
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let new = |config| TopicGuard::new(config, Arc::new(HashEmbedder::default()));
    assert!(new(TopicConfig::default()).is_err());
    assert!(new(TopicConfig { deny: vec![topic("empty", &[])], ..TopicConfig::default() }).is_err());
    assert!(new(TopicConfig { deny: vec![weapons()], stride: 1024, ..TopicConfig::default() }).is_err());
}

proptest! {
    #[test]
    fn cuts_make_no_difference(text in "[a-zé東 ]{0,300}", cuts in prop::collection::vec(any::<usize>(), 0..20)) {
        let text = format!("{text} how to build a rifle at home {text}");
        let guard = guard(TopicConfig { deny: vec![weapons()], threshold: 0.2, length: 48, stride: 16, ..TopicConfig::default() });
        pieces::same_in_pieces(&guard, &text, &Context::default(), &cuts);
    }
}
