use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jarre_serving::Grammar;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde::Deserialize;
use serde_json::Value;

use crate::judge::Judge;
use crate::model::{Answer, RandomModel, data, is_past_f64};

#[derive(Deserialize)]
struct Group {
    schema: Value,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    data: Value,
    valid: bool,
}

#[derive(Debug, Default)]
struct Counts {
    schemas: usize,
    /// The texts of those that were compiled.
    compiled: BTreeSet<String>,
    refused: usize,
    unjudged: usize,
    complete: usize,
    unfinished: usize,
    stuck: usize,
    past_f64: usize,
    invalid: Vec<String>,
    valid_read: usize,
    /// Valid values that are forbidden as they stand in the suite, by the reason.
    forbidden_for: BTreeMap<&'static str, usize>,
    valid_forbidden: Vec<String>,
    invalid_forbidden: usize,
    invalid_read: Vec<String>,
}

#[test]
#[ignore = "needs JARRE_DATA; ten seconds"]
fn random_answers_are_valid_by_the_official_suite() {
    let model = RandomModel::shipped();
    let mut counts = Counts::default();
    for (file, groups) in ["draft2020-12", "draft2019-09", "draft7", "draft6"].into_iter().flat_map(suite) {
        for group in groups {
            counts.take(&model, &file, &group);
        }
    }
    let distinct = std::mem::take(&mut counts.compiled).len();
    println!("{distinct} schemas compiled; {counts:#?}");
    assert!(counts.invalid.is_empty(), "{:#?}", counts.invalid);
    assert!(counts.invalid_read.is_empty(), "{:#?}", counts.invalid_read);
    assert!(counts.valid_forbidden.is_empty(), "{:#?}", counts.valid_forbidden);
    assert!(distinct - counts.unjudged >= 200, "{distinct}");
}

/// The files of one draft, without those that need other documents.
fn suite(draft: &str) -> Vec<(String, Vec<Group>)> {
    let folder = data().join("guard/json_schema_test_suite/tests").join(draft);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    let groups = |path: &Path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    files.iter().map(|path| (format!("{draft}/{}", path.file_stem().unwrap().to_string_lossy()), groups(path))).collect()
}

impl Counts {
    fn take(&mut self, model: &RandomModel, file: &str, group: &Group) {
        self.schemas += 1;
        let grammar = Grammar::JsonSchema(group.schema.clone());
        if model.compiler.compile(&grammar).is_err() {
            self.refused += 1;
            return;
        }
        self.compiled.insert(without_dialect(&group.schema));
        let Some(judge) = Judge::of_suite(&group.schema, file.starts_with("draft7/") || file.starts_with("draft6/")) else {
            self.unjudged += 1;
            return;
        };
        for seed in 0..8 {
            match model.answer(&grammar, &mut Pcg64::seed_from_u64(seed)) {
                Ok(Answer::Complete(text)) => self.check(&judge, file, &group.schema, &text),
                Ok(Answer::Unfinished) => self.unfinished += 1,
                Err(_) => self.stuck += 1,
            }
        }
        for case in &group.tests {
            assert_eq!(judge.is_valid(&case.data), case.valid, "the judge of {file} {} {}", group.schema, case.data);
            let text = case.data.to_string();
            let read = model.read(&grammar, &text).unwrap();
            match (case.valid, read) {
                (true, Ok(())) => self.valid_read += 1,
                (true, Err(at)) => match reason(model, &grammar, file, &case.data) {
                    Some(reason) => *self.forbidden_for.entry(reason).or_default() += 1,
                    None => self.valid_forbidden.push(format!("{file} {} {text}: {at}", group.schema)),
                },
                (false, Err(_)) => self.invalid_forbidden += 1,
                (false, Ok(())) => self.invalid_read.push(format!("{file} {} {text}", group.schema)),
            }
        }
    }

    fn check(&mut self, judge: &Judge, file: &str, schema: &Value, text: &str) {
        self.complete += 1;
        if is_past_f64(text) {
            self.past_f64 += 1;
        } else if !serde_json::from_str::<Value>(text).is_ok_and(|value| judge.is_valid(&value)) {
            self.invalid.push(format!("{file} {schema} {text}"));
        }
    }
}

/// The schema without the name of its draft, so that what both drafts say counts once.
fn without_dialect(schema: &Value) -> String {
    let mut schema = schema.clone();
    if let Value::Object(rules) = &mut schema {
        rules.remove("$schema");
    }
    schema.to_string()
}

/// Why a valid value is forbidden, where that is how grammars are meant to be stricter than schemas.
fn reason(model: &RandomModel, grammar: &Grammar, file: &str, value: &Value) -> Option<&'static str> {
    let whole = with_whole_numbers(value);
    match file {
        _ if file.ends_with("/format") => Some("formats are held to"),
        "draft7/ref" | "draft6/ref" => Some("what stands beside a reference is held to"),
        _ if model.takes(grammar, &whole.to_string()) => Some("whole numbers have no fraction"),
        _ if orders(&whole).iter().any(|text| model.takes(grammar, text)) => Some("properties come in one order"),
        _ => None,
    }
}

/// With 1 for 1.0.
fn with_whole_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 1e18 => Value::from(float as i64),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(with_whole_numbers).collect(),
        Value::Object(entries) => entries.iter().map(|(name, value)| (name.clone(), with_whole_numbers(value))).collect(),
        _ => value.clone(),
    }
}

/// An object with its properties in all orders; they are few.
fn orders(object: &Value) -> Vec<String> {
    let Value::Object(entries) = object else { return Vec::new() };
    let members: Vec<String> = entries.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
    let mut orders: Vec<Vec<String>> = vec![Vec::new()];
    for member in &members {
        let with_it = |order: &Vec<String>, place: usize| [&order[..place], std::slice::from_ref(member), &order[place..]].concat();
        orders = orders.iter().flat_map(|order| (0..=order.len()).map(move |place| with_it(order, place))).collect();
    }
    orders.into_iter().map(|members| format!("{{{}}}", members.join(","))).collect()
}
