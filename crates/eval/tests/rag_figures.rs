//! Metrics over many samples, and what holds for whatever samples.

use jarre_core::{Classification, ClassifierInfo, LabelScore, TextClassifier, testing::HashEmbedder};
use jarre_eval::{
    Error, Outcome, Score,
    judge::NliJudge,
    rag::{
        AnswerCorrectness, ClaimMeasure, ContextEntityRecall, ContextPrecision, ContextRecall, FactualCorrectness, Faithfulness,
        IdContextPrecision, IdContextRecall, LexicalRagJudge, NoiseMode, NoiseSensitivity, NonLlmContextPrecision, NonLlmContextRecall,
        QuotedSpans, RagFigure, RagMetric, RagSample, evaluate,
    },
    stats::Bootstrap,
};
use pollster::block_on;
use proptest::prelude::*;

fn score(outcome: Outcome) -> Score {
    Score { scorer: "faithfulness[lexical]".into(), version: "1".into(), outcome, explanation: None }
}

#[test]
fn refusals_are_counted_apart_and_silence_is_no_figure() {
    let samples =
        ["It is red.", "I don't know.", "It is blue.", "The context does not mention it."].map(|answer| RagSample::new("q", answer));
    let scores = [Outcome::Scored(1.0), Outcome::Scored(0.0), Outcome::Unscored("?".into()), Outcome::Failed("!".into())].map(score);
    let figure = RagFigure::of(&samples, &scores, &Bootstrap::default()).unwrap();
    assert_eq!((figure.n, figure.unscored, figure.failed, figure.refusals), (4, 1, 1, 2));
    assert_eq!((figure.all.unwrap().mean, figure.answered.unwrap().mean), (0.5, 1.0));
    let silent = RagFigure::of(&samples[2..], &scores[2..], &Bootstrap::default()).unwrap();
    assert_eq!((silent.all, silent.answered), (None, None));
}

#[test]
fn figures_of_several_metrics_do_not_mix() {
    let samples = [RagSample::new("q", "a"), RagSample::new("q", "b")];
    let one = score(Outcome::Scored(1.0));
    for other in [Score { version: "2".into(), ..one.clone() }, Score { scorer: "faithfulness[llm:m]".into(), ..one.clone() }] {
        let mixed = RagFigure::of(&samples, &[one.clone(), other], &Bootstrap::default());
        assert!(matches!(mixed, Err(Error::MixedJudgements { .. })));
    }
    assert!(matches!(RagFigure::of(&samples, &[one], &Bootstrap::default()), Err(Error::UnpairedLengths { first: 2, second: 1 })));
    assert!(matches!(RagFigure::of(&[], &[], &Bootstrap::default()), Err(Error::EmptySample)));
}

struct Echo(ClassifierInfo);

impl TextClassifier for Echo {
    fn info(&self) -> &ClassifierInfo {
        &self.0
    }

    /// Entails what the premise holds word by word.
    fn classify(&self, texts: &[&str]) -> jarre_core::Result<Vec<Classification>> {
        let entailed = |text: &&str| {
            let (premise, hypothesis) = text.split_once("\n\n").expect("the judge puts an empty line between them");
            f32::from(u8::from(premise.contains(hypothesis.trim_end_matches('.'))))
        };
        Ok(texts.iter().map(|text| Classification::new([LabelScore::new("entailment", entailed(text))])).collect())
    }
}

#[test]
fn an_entailment_classifier_judges_under_its_own_name() {
    let echo = || Echo(ClassifierInfo { name: "echo".into(), labels: vec!["entailment".into()], multi_label: true });
    let sample = RagSample::new("q", "It is red. It is old.").with_contexts(["All say: It is red"]).with_reference("It is red.");
    let faithfulness = Faithfulness::new(NliJudge::new(echo()).unwrap());
    let score = block_on(faithfulness.score(&sample));
    assert_eq!((score.scorer.as_str(), score.outcome), ("faithfulness[nli:echo]", Outcome::Scored(0.5)));
    assert_eq!(block_on(ContextPrecision::new(NliJudge::new(echo()).unwrap()).score(&sample)).outcome, Outcome::Scored(1.0));
}

/// Every metric that needs no model, and whether the order of the contexts may change it.
fn metrics() -> Vec<(Box<dyn RagMetric>, bool)> {
    let judge = LexicalRagJudge::default;
    vec![
        (Box::new(Faithfulness::new(judge())), false),
        (Box::new(ContextPrecision::new(judge())), true),
        (Box::new(ContextPrecision::without_reference(judge())), true),
        (Box::new(NonLlmContextPrecision), true),
        (Box::new(NonLlmContextRecall), false),
        (Box::new(IdContextPrecision), false),
        (Box::new(IdContextRecall), false),
        (Box::new(ContextRecall::new(judge())), false),
        (Box::new(AnswerCorrectness::new(judge(), HashEmbedder::default()).with_weights(1.0, 0.0)), false),
        (Box::new(FactualCorrectness::new(judge(), ClaimMeasure::Precision)), false),
        (Box::new(FactualCorrectness::new(judge(), ClaimMeasure::Recall)), false),
        (Box::new(FactualCorrectness::new(judge(), ClaimMeasure::F1)), false),
        (Box::new(NoiseSensitivity::new(judge(), NoiseMode::Relevant)), false),
        (Box::new(NoiseSensitivity::new(judge(), NoiseMode::Irrelevant)), false),
        (Box::new(ContextEntityRecall::new(judge())), false),
        (Box::new(QuotedSpans), false),
    ]
}

#[test]
fn names_and_versions_are_all_different() {
    let metrics = metrics();
    let names: std::collections::BTreeSet<String> = metrics.iter().map(|(metric, _)| metric.name()).collect();
    let versions: std::collections::BTreeSet<String> = metrics.iter().map(|(metric, _)| metric.version()).collect();
    assert_eq!((names.len(), versions.len()), (metrics.len(), metrics.len()));
}

fn text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["mill", "Sutton", "burnt", "1907", "red", "the", "\"", ".", "!", "\n", "[[1]]"]);
    prop::collection::vec(word, 0..14).prop_map(|words| words.join(" "))
}

fn ids() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned), 0..5)
}

fn sample() -> impl Strategy<Value = RagSample> {
    let contexts = || prop::collection::vec(text(), 0..4);
    (text(), text(), contexts(), prop::option::of(text()), contexts(), ids(), ids()).prop_map(
        |(question, answer, contexts, reference, reference_contexts, context_ids, reference_ids)| RagSample {
            question,
            answer,
            contexts,
            reference,
            reference_contexts,
            context_ids,
            reference_ids,
        },
    )
}

proptest! {
    #[test]
    fn figures_are_shares_and_the_order_of_contexts_matters_for_precision_alone(sample in sample()) {
        let mut turned = sample.clone();
        turned.contexts.reverse();
        turned.context_ids.reverse();
        for (metric, by_order) in metrics() {
            let outcome = block_on(metric.score(&sample)).outcome;
            prop_assert!(outcome.value().is_none_or(|value| (0.0..=1.0).contains(&value)), "{}: {outcome:?}", metric.name());
            prop_assert!(!matches!(outcome, Outcome::Failed(_)), "{}: {outcome:?}", metric.name());
            if !by_order {
                prop_assert_eq!(outcome, block_on(metric.score(&turned)).outcome, "{}", metric.name());
            }
        }
    }

    #[test]
    fn swapping_answer_and_reference_swaps_precision_and_recall(sample in sample()) {
        let Some(reference) = sample.reference.clone() else { return Ok(()) };
        let swapped = RagSample { answer: reference, reference: Some(sample.answer.clone()), ..sample.clone() };
        let of = |measure, sample: &RagSample| block_on(FactualCorrectness::new(LexicalRagJudge::default(), measure).score(sample)).outcome.value();
        prop_assert_eq!(of(ClaimMeasure::Precision, &sample), of(ClaimMeasure::Recall, &swapped));
        prop_assert_eq!(of(ClaimMeasure::F1, &sample), of(ClaimMeasure::F1, &swapped));
    }
}

#[test]
fn the_order_of_contexts_does_matter_for_precision() {
    let sample = RagSample::new("q", "red mill").with_reference("red mill").with_contexts(["red mill", "blue house"]);
    let mut turned = sample.clone();
    turned.contexts.reverse();
    let scores = block_on(evaluate(&ContextPrecision::new(LexicalRagJudge::default()), &[sample, turned]));
    assert_eq!(scores.iter().map(|score| score.outcome.value()).collect::<Vec<_>>(), [Some(1.0), Some(0.5)]);
}
