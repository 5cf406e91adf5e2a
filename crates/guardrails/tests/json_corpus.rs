//! Broken documents as models write them, each with what it has to become or why it has to be refused.
#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_guardrails::json::{Check, Recovery, Unrecovered};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    broken: String,
    expected: Option<Value>,
    refused: Option<String>,
    schema: Option<Value>,
}

struct Schema(Value, jsonschema::Validator);

impl Schema {
    fn new(schema: &Value) -> Self {
        Self(schema.clone(), jsonschema::validator_for(schema).unwrap())
    }
}

impl Check for Schema {
    fn schema(&self) -> &Value {
        &self.0
    }

    fn violations(&self, document: &Value) -> Vec<String> {
        self.1.iter_errors(document).map(|error| error.to_string()).collect()
    }
}

fn corpus() -> Vec<Line> {
    include_str!("repair_corpus.txt").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What came of a line: the document, or the name of the reason.
fn outcome(line: &Line) -> Result<Value, String> {
    let schema = line.schema.as_ref().map(Schema::new);
    let check = schema.as_ref().map(|schema| schema as &dyn Check);
    match Recovery::default().recover(&line.broken, check) {
        Ok(recovered) => Ok(recovered.value),
        Err(Unrecovered::Refused(refusal)) => Err(serde_json::to_value(refusal.reason).unwrap().as_str().unwrap().to_owned()),
        Err(Unrecovered::Nothing) => Err("nothing".to_owned()),
        Err(Unrecovered::Invalid { .. }) => Err("violations".to_owned()),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_line_becomes_what_was_meant_or_is_refused() {
    let wanted = |line: &Line| line.expected.clone().ok_or_else(|| line.refused.clone().unwrap());
    let wrong: Vec<_> = corpus().into_iter().filter(|line| outcome(line) != wanted(line)).collect();
    for line in &wrong {
        println!("{}: {}\n    wanted {:?}\n    got {:?}", line.name, line.broken, wanted(line), outcome(line));
    }
    assert!(wrong.is_empty(), "{} lines", wrong.len());
}

#[test]
fn the_corpus_is_broken() {
    let lines = corpus();
    assert!(lines.len() >= 120);
    for line in lines {
        assert_ne!(line.expected.is_some(), line.refused.is_some(), "{}", line.name);
        let json = serde_json::from_str::<Value>(&line.broken);
        assert!(json.is_err() || line.schema.is_some(), "{} is JSON", line.name);
    }
}

#[test]
fn every_step_has_its_price() {
    for line in corpus().iter().filter(|line| line.expected.is_some()) {
        let schema = line.schema.as_ref().map(Schema::new);
        let check = schema.as_ref().map(|schema| schema as &dyn Check);
        let recovered = Recovery::default().recover(&line.broken, check).unwrap();
        assert!(recovered.price() > 0, "{} was changed for nothing", line.name);
        assert_eq!(recovered.price(), recovered.steps.iter().map(jarre_guardrails::json::Step::price).sum::<u32>());
    }
}
