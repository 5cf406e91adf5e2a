//! Scorers of experiments.
#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_eval::{
    Outcome, Sample,
    text::{Scorer, ScorerSpec},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Experiment {
    metrics: Vec<ScorerSpec>,
}

fn parse(metrics: &str) -> Result<Vec<ScorerSpec>, toml::de::Error> {
    toml::from_str(&format!("metrics = [{metrics}]")).map(|experiment: Experiment| experiment.metrics)
}

fn scorer(metric: &str) -> Box<dyn Scorer> {
    parse(metric).unwrap()[0].build()
}

fn sample(output: &str, extracted: Option<&str>, target: &str) -> Sample {
    Sample { output: output.to_owned(), extracted: extracted.map(str::to_owned), target: Some(target.to_owned()), ..Sample::default() }
}

const ALL: &str = r#""exact_match", "contains", "f1", "numeric", "math", "choice", "rouge_1", "rouge_2", "rouge_l", "chrf", "bleu", "edit_similarity",
    { numeric = { tolerance = 1e-4 } }, { regex = "(?i)x" }, { rouge_l = { stem = true } }, { chrf = { words = true } },
    { bleu = { lowercase = true } }, { choice = { letters = "ABCD" } }"#;

#[test]
fn specs_are_read_and_written() {
    let specs = parse(ALL).unwrap();
    assert_eq!(specs.len(), 18);
    for spec in &specs {
        let json = serde_json::to_string(spec).unwrap();
        assert_eq!(serde_json::from_str::<ScorerSpec>(&json).unwrap(), *spec, "{json}");
    }
    let identities: Vec<(String, String)> = specs.iter().map(|spec| (spec.build().name(), spec.build().version())).collect();
    for (place, identity) in identities.iter().enumerate() {
        assert!(!identities[..place].contains(identity), "{identity:?} stands twice, though its settings differ");
    }
}

#[test]
fn what_is_no_scorer_is_told() {
    let rows = [
        (r#""exact""#, "exact_match"),
        ("{ numeric = { tolerance = -1.0 } }", "makes no sense"),
        ("{ numeric = { tolerance = nan } }", "makes no sense"),
        ("{ numeric = { tol = 1.0 } }", "expected a scorer"),
        (r#"{ regex = "(" }"#, "expected a scorer"),
    ];
    for (written, told) in rows {
        let error = parse(written).unwrap_err().to_string();
        assert!(error.contains(told), "{written}: {error}");
    }
}

#[test]
fn an_equal_answer_is_full_and_a_foreign_one_is_nothing() {
    for spec in parse(ALL).unwrap().iter().filter(|spec| !matches!(spec, ScorerSpec::Regex(_))) {
        let scorer = spec.build();
        let (right, wrong) = match scorer.name().as_str() {
            "numeric" | "math" => ("42", "17"),
            "choice" => ("B", "C"),
            _ => ("one two three four", "zzz yyy"),
        };
        let full = scorer.score(&sample("", Some(right), right)).value().unwrap();
        assert!((full - 1.0).abs() < 1e-9, "{}: {full}", scorer.name());
        let none = scorer.score(&sample("", Some(wrong), right)).value().unwrap();
        assert!(none < 0.25, "{}: {none}", scorer.name());
        let any = scorer.score(&sample("", Some(right), &format!(r#"["{wrong}", "{right}"]"#))).value().unwrap();
        assert!((any - 1.0).abs() < 1e-9, "{}: the best of several references counts, not {any}", scorer.name());
    }
}

#[test]
fn an_answer_that_was_not_found_is_wrong_where_exactness_counts() {
    let unfound = sample("42", None, "42");
    for name in ["exact_match", "numeric", "math", "choice"] {
        let score = scorer(&format!("{name:?}")).scored(&unfound);
        assert_eq!(score.outcome, Outcome::Scored(0.0), "{name}");
        assert!(score.explanation.unwrap().contains("no answer was found"));
    }
    for name in ["contains", "f1", "rouge_l", "chrf", "bleu", "edit_similarity"] {
        let score = scorer(&format!("{name:?}")).scored(&unfound);
        assert!(score.outcome.value().unwrap() > 0.99, "{name}");
        assert_eq!(score.explanation, None);
    }
}

#[test]
fn what_cannot_be_scored_is_not_wrong() {
    let unscored = |metric: &str, sample: &Sample| matches!(scorer(metric).score(sample), Outcome::Unscored(_));
    let failed = Sample { error: Some("timed out".to_owned()), ..sample("", None, "42") };
    let untargeted = Sample { target: None, ..sample("42", Some("42"), "") };
    for metric in [r#""exact_match""#, r#""f1""#, r#""numeric""#] {
        assert!(unscored(metric, &failed) && unscored(metric, &untargeted), "{metric}");
        assert_eq!(scorer(metric).explain(&failed), None);
    }
    assert!(unscored(r#"{ regex = "4" }"#, &failed));
    assert_eq!(scorer(r#"{ regex = "4" }"#).score(&untargeted), Outcome::Scored(1.0), "a pattern needs no target");
    assert!(unscored(r#""numeric""#, &sample("", Some("42"), "forty-two")));
    assert!(unscored(r#""choice""#, &sample("", Some("B"), "Paris")));
}

#[test]
fn a_target_that_is_no_array_of_strings_is_one_reference() {
    let exact = scorer(r#""math""#);
    assert_eq!(exact.score(&sample("", Some("[1,2]"), "[1,2]")), Outcome::Scored(1.0));
    assert_eq!(exact.score(&sample("", Some("(1,2)"), "[1,2]")), Outcome::Scored(0.0));
    assert_eq!(scorer(r#""exact_match""#).score(&sample("", Some("[]"), "[]")), Outcome::Scored(1.0));
}
