//! Agreement with sacreBLEU 2.6.0, rouge-score 0.1.2 and NLTK 3.10.4 on the texts of `golden/text.py`, which made `golden/text.json`.
#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_eval::text::{Bleu, Chrf, Rouge, RougeScore, RougeVariant};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/text.json")).unwrap()
}

fn text<'v>(case: &'v Value, field: &str) -> &'v str {
    case[field].as_str().unwrap()
}

fn references(case: &Value) -> Vec<&str> {
    case["references"].as_array().unwrap().iter().map(|reference| reference.as_str().unwrap()).collect()
}

fn figures(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|figure| figure.as_f64().unwrap()).collect()
}

#[track_caller]
fn assert_close(actual: &[f64], expected: &[f64], what: &str) {
    let close = actual.len() == expected.len() && actual.iter().zip(expected).all(|(actual, expected)| (actual - expected).abs() < 1e-9);
    assert!(close, "{what}: {actual:?}, expected {expected:?}");
}

#[track_caller]
fn assert_field(actual: f64, case: &Value, field: &str) {
    assert_close(&[actual], &[case[field].as_f64().unwrap()], &format!("{field} of {:?}", case["hypothesis"]));
}

#[test]
fn bleu_of_sentences_agrees() {
    let golden = golden();
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() >= 90);
    for case in cases {
        let (hypothesis, references) = (text(case, "hypothesis"), references(case));
        let score = Bleu::sentence_level().sentence(hypothesis, &references);
        assert_field(score.score, case, "bleu");
        assert_field(score.brevity_penalty, case, "brevity_penalty");
        assert_close(&score.precisions, &figures(&case["precisions"]), hypothesis);
        assert_field(Bleu { lowercase: true, effective_order: true }.sentence(hypothesis, &references).score, case, "bleu_lowercase");
        assert_field(Bleu::default().sentence(hypothesis, &references).score, case, "bleu_all_orders");
    }
}

#[test]
fn chrf_of_sentences_agrees() {
    for case in golden()["cases"].as_array().unwrap() {
        let (hypothesis, references) = (text(case, "hypothesis"), references(case));
        assert_field(Chrf::default().sentence(hypothesis, &references), case, "chrf");
        assert_field(Chrf::plus_plus().sentence(hypothesis, &references), case, "chrf_plus_plus");
        assert_field(Chrf { lowercase: true, words: false }.sentence(hypothesis, &references), case, "chrf_lowercase");
    }
}

#[test]
fn figures_of_a_corpus_agree() {
    let golden = golden();
    let corpus = &golden["corpus"];
    let cases = golden["cases"].as_array().unwrap();
    let texts = || cases.iter().map(|case| (text(case, "hypothesis"), [references(case)[0]]));
    let bleu = Bleu::default().corpus(texts());
    assert_field(bleu.score, corpus, "bleu");
    assert_field(bleu.brevity_penalty, corpus, "brevity_penalty");
    assert_close(&bleu.precisions, &figures(&corpus["precisions"]), "precisions");
    assert_eq!(corpus["hypothesis_length"], bleu.hypothesis_length);
    assert_eq!(corpus["reference_length"], bleu.reference_length);
    assert_field(Chrf::default().corpus(texts()), corpus, "chrf");
    assert_field(Chrf::plus_plus().corpus(texts()), corpus, "chrf_plus_plus");
    assert_eq!(Bleu::default().signature(1), text(corpus, "bleu_signature"));
    assert_eq!(Chrf::default().signature(1), text(corpus, "chrf_signature"));
    assert_eq!(Chrf::plus_plus().signature(1), text(corpus, "chrf_plus_plus_signature"));
}

fn assert_rouge(case: &Value, field: &str, settle: fn(Rouge) -> Rouge) {
    for (name, variant) in [("rouge1", RougeVariant::One), ("rouge2", RougeVariant::Two), ("rougeL", RougeVariant::L)] {
        let hypothesis = text(case, "hypothesis");
        let RougeScore { precision, recall, f1 } = settle(Rouge::new(variant)).score(hypothesis, references(case)[0]);
        assert_close(&[precision, recall, f1], &figures(&case[field][name]), &format!("{name} in {field} of {hypothesis:?}"));
    }
}

#[test]
fn rouge_agrees_with_and_without_stems() {
    for case in golden()["cases"].as_array().unwrap() {
        assert_rouge(case, "rouge", |rouge| rouge);
        assert_rouge(case, "rouge_stemmed", Rouge::with_stemming);
    }
}

/// The stemmer is private; two words have the same stem where ROUGE-1 takes them for one. Stems of up to three letters are not stemmed again.
#[test]
fn stems_agree() {
    let golden = golden();
    let stems: Vec<(&str, &str)> =
        golden["stems"].as_array().unwrap().iter().map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect();
    let same = |left: &str, right: &str| Rouge::new(RougeVariant::One).with_stemming().score(left, right).f1 > 0.0;
    let long: Vec<_> = stems.iter().filter(|(word, _)| word.len() > 3).collect();
    assert!(long.len() > 100);
    for (word, stem) in &long {
        for (other, other_stem) in &long {
            assert_eq!(same(word, other), stem == other_stem, "{word} ({stem}) and {other} ({other_stem})");
        }
        if stem.len() <= 3 {
            assert!(same(word, stem), "{word} has the stem {stem}");
        }
    }
}
