//! Sentences that sources hold, and those that they do not.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use jarre_core::{Classification, ClassifierInfo, LabelScore, TextClassifier};
use jarre_guardrails::{
    Context, Error, Guard, Reach,
    grounding::{Entailment, GroundingConfig, GroundingGuard},
};

const SOURCE: &str = "The mill on the Aare burnt down in 1907. It had belonged to the Keller family since 1,850 workers came. \
    The town did not rebuild it. Since 1920 a school stands there.";

fn context() -> Context {
    Context { sources: vec![SOURCE.into(), "The river is 288 km long.".into()], ..Context::default() }
}

fn ungrounded<'a>(guard: &GroundingGuard, answer: &'a str) -> Vec<&'a str> {
    guard.check(answer, &context()).unwrap().into_iter().map(|finding| &answer[finding.span]).collect()
}

fn guard() -> GroundingGuard {
    GroundingGuard::new(GroundingConfig::default()).unwrap()
}

fn score(answer: &str) -> f32 {
    let guard = GroundingGuard::new(GroundingConfig { threshold: 0.0, ..GroundingConfig::default() }).unwrap();
    guard.check(answer, &context()).unwrap()[0].score
}

#[test]
fn sentences_of_the_sources_are_held_and_others_are_not() {
    let answer = "The mill burnt down in 1907. A brewery made beer by the lake. The river is 288 km long.\nYes!";
    assert_eq!(ungrounded(&guard(), answer), ["A brewery made beer by the lake."]);
    assert_eq!(guard().check(answer, &Context::default()).unwrap(), [], "without sources nothing is known");
    assert_eq!(guard().reach(), Reach::Whole);
}

#[test]
fn numbers_names_and_negation_tell_where_words_do_not() {
    let held = score("The mill on the Aare burnt down in 1907.");
    assert!(held < 0.05, "{held}");
    for changed in [
        "The mill on the Aare burnt down in 1917.",
        "The mill on the Rhine burnt down in 1907.",
        "The mill on the Aare never burnt down in 1907.",
    ] {
        assert!(score(changed) > held + 0.1, "{changed}: {}", score(changed));
    }
    assert!(score("The town did rebuild it.") > score("The town did not rebuild it.") + 0.3);
    assert!((score("1850 workers came") - score("1,850 workers came")).abs() < 1e-6);
}

/// Says that a premise entails what shares its last word, and gives as many answers as it is told to.
struct LastWord(ClassifierInfo, Option<usize>);

impl TextClassifier for LastWord {
    fn info(&self) -> &ClassifierInfo {
        &self.0
    }

    fn classify(&self, texts: &[&str]) -> jarre_core::Result<Vec<Classification>> {
        let judge = |text: &&str| {
            let (premise, hypothesis) = text.split_once(" [SEP] ").unwrap();
            let holds = premise.contains(hypothesis.trim_end_matches('.').rsplit(' ').next().unwrap());
            Classification::new([LabelScore::new("entailment", f32::from(holds)), LabelScore::new("neutral", f32::from(!holds))])
        };
        Ok(texts.iter().take(self.1.unwrap_or(texts.len())).map(judge).collect())
    }
}

fn classifier(answers: Option<usize>) -> Arc<LastWord> {
    let labels = vec!["entailment".into(), "neutral".into()];
    Arc::new(LastWord(ClassifierInfo { name: "last word".into(), labels, multi_label: false }, answers))
}

#[test]
fn a_classifier_has_its_say_about_the_sentences_that_are_most_alike() {
    let entailment = Entailment::new(classifier(None), "entailment").unwrap().with_separator(" [SEP] ");
    let guard = guard().with_entailment(entailment);
    assert_eq!(
        ungrounded(&guard, "The Keller mill burnt down in 1907. The mill burnt down in flames."),
        ["The mill burnt down in flames."]
    );
    assert!(Entailment::new(classifier(None), "supported").is_err());
    let short = Entailment::new(classifier(Some(1)), "entailment").unwrap().with_separator(" [SEP] ");
    let failing = self::guard().with_entailment(short).check("The mill burnt. The river is long.", &context());
    assert!(matches!(failing, Err(Error::Model(_))));
}

#[test]
fn settings_out_of_bounds_are_refused() {
    for threshold in [-0.1, 1.1, f32::NAN] {
        assert!(GroundingGuard::new(GroundingConfig { threshold, ..GroundingConfig::default() }).is_err());
    }
}

#[test]
fn odd_texts_are_read() {
    for text in ["", "....", "1,,,2...3 '' ’’", "\u{202e}abc\u{202c} 東京都 🦀.", &"a ".repeat(50_000), &"(((".repeat(10_000)] {
        let context = Context { sources: vec![text.into()], ..Context::default() };
        guard().check(text, &context).unwrap();
    }
}
