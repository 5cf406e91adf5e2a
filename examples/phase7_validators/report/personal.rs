//! Personal data and secrets in made-up documents whose spans are known: the half that nothing was tuned on.

use anyhow::Result;
use jarre_guardrails::{
    Context, Finding, Guard, Stage,
    pii::{PiiConfig, PiiGuard},
    secrets::{SecretsConfig, SecretsGuard},
};

use super::figures::{Figures, Mistake, Rate, Side};
use corpus::{Document, Half};

#[path = "../../../crates/guardrails/tests/corpus/mod.rs"]
mod corpus;

/// Spans that are missed, and findings that are none.
pub(crate) fn rates(figures: &mut Figures) -> Result<Vec<Mistake>> {
    let guards: [Box<dyn Guard>; 2] =
        [Box::new(PiiGuard::new(PiiConfig::default())?), Box::new(SecretsGuard::new(SecretsConfig::default())?)];
    let (mut spans, mut found, mut missed, mut false_alarms) = (0, 0, Vec::new(), Vec::new());
    for mut document in corpus::documents().filter(|document| document.half == Half::HeldOut) {
        // Names are not looked for by default.
        document.spans.retain(|(label, _)| *label != "name");
        let findings = check(&guards, &document.text)?;
        spans += document.spans.len() as u64;
        found += findings.len() as u64;
        missed.extend(missing(&document, &findings));
        false_alarms.extend(unfounded(&document, &findings));
    }
    let rate = |side, set: &str, texts, wrong: &[Mistake]| Rate {
        layer: "pii and secrets".into(),
        set: set.into(),
        side,
        seen: false,
        texts,
        wrong: wrong.len() as u64,
    };
    figures.rates.push(rate(Side::Harmful, "made-up documents/spans", spans, &missed));
    figures.rates.push(rate(Side::Harmless, "made-up documents/findings", found, &false_alarms));
    missed.extend(false_alarms);
    Ok(missed)
}

fn check(guards: &[Box<dyn Guard>], text: &str) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for guard in guards {
        findings.extend(guard.check(text, &Context::new(Stage::Input))?);
    }
    Ok(findings)
}

fn missing<'a>(document: &'a Document, findings: &'a [Finding]) -> impl Iterator<Item = Mistake> + 'a {
    let missed = document.spans.iter().filter(|(label, span)| {
        !findings.iter().any(|finding| finding.label == *label && finding.span.start < span.end && span.start < finding.span.end)
    });
    missed.map(|(label, span)| mistake(Side::Harmful, label, &document.text[span.clone()]))
}

fn unfounded<'a>(document: &'a Document, findings: &'a [Finding]) -> impl Iterator<Item = Mistake> + 'a {
    let wrong = findings
        .iter()
        .filter(|finding| !document.spans.iter().any(|(_, span)| finding.span.start < span.end && span.start < finding.span.end));
    wrong.map(|finding| mistake(Side::Harmless, &finding.label, &document.text[finding.span.clone()]))
}

fn mistake(side: Side, label: &str, text: &str) -> Mistake {
    Mistake { layer: "pii and secrets".into(), set: "made-up documents".into(), side, text: text.to_owned(), found: vec![label.to_owned()] }
}
