use std::time::{Duration, Instant};

use jarre_serving::Grammar;
use serde_json::{Map, Value, json};

use crate::model::RandomModel;

/// Two seconds of a core that has nothing else to do; tests run side by side.
const MOST: Duration = Duration::from_secs(10);

/// Compiles, and takes a few steps where that works; all that must end soon.
#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "what is tested is the time that it takes")]
fn ends_soon(model: &RandomModel, name: &str, grammar: &Grammar) {
    let begin = Instant::now();
    let outcome = model.compiler.compile(grammar).and_then(|mut matcher| {
        for _ in 0..20 {
            let mask = matcher.mask()?;
            let Some(token) = (0..model.tokenizer.vocab_size() as u32).find(|id| mask.allows(*id)) else { break };
            matcher.accept(token)?;
        }
        Ok(())
    });
    let took = begin.elapsed();
    println!("{name}: {took:?}: {:?}", outcome.map_err(|error| error.to_string()));
    assert!(took < MOST, "{name}: {took:?}");
}

#[test]
fn hostile_regular_expressions_end_soon() {
    let model = RandomModel::shipped();
    let nested = |depth: usize| "(".repeat(depth) + "a" + &"{1,100})".repeat(depth);
    let patterns = [
        "(a*)*b".to_owned(),
        "(a|a)*b".to_owned(),
        nested(6),
        ".{100000}".to_owned(),
        "(.*a.{30}){5}".to_owned(),
        r"(\p{L}{1,1000}){1,1000}".to_owned(),
        format!("{}z", "(a?)".repeat(2000)),
        format!("({})*", ('a'..='z').map(|c| format!(".*{c}.*")).collect::<Vec<_>>().join("&")),
        "x{4294967295}".to_owned(),
    ];
    for pattern in patterns {
        ends_soon(&model, &pattern[..pattern.len().min(40)], &Grammar::Regex(pattern.clone()));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list")]
fn hostile_schemas_end_soon() {
    let model = RandomModel::shipped();
    let many = |n: usize| (0..n).map(|i| (format!("p{i}"), json!({"type": "string"}))).collect::<Map<String, Value>>();
    let short =
        |n: usize, before: &str, behind: &str| (0..n).map(|i| (format!("{before}{i}{behind}"), json!({}))).collect::<Map<String, Value>>();
    let hard = |n: usize| (0..n).map(|i| (format!("^{i}-[ab]*a[ab]{{60}}$"), json!({}))).collect::<Map<String, Value>>();
    let listed = |n: usize, key: &str| (0..n).map(|i| json!({key: i})).collect::<Vec<_>>();
    let doubling: Map<String, Value> = (0..40)
        .map(|i| (format!("d{i}"), json!({"allOf": [{"$ref": format!("#/$defs/d{}", i + 1)}, {"$ref": format!("#/$defs/d{}", i + 1)}]})))
        .chain([("d40".to_owned(), json!({"type": "string"}))])
        .collect();
    let schemas = [
        ("items", json!({"type": "array", "minItems": 1_000_000_000})),
        ("items at most", json!({"type": "array", "items": {"type": "integer"}, "maxItems": 1_000_000})),
        ("length", json!({"type": "string", "minLength": 1_000_000_000})),
        ("length at most", json!({"type": "string", "maxLength": 10_000_000})),
        ("self", json!({"$ref": "#"})),
        ("self in all", json!({"allOf": [{"$ref": "#"}, {"type": "string"}]})),
        ("two that are each other", json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"})),
        ("doubling", json!({"$defs": doubling, "$ref": "#/$defs/d0"})),
        ("many properties", json!({"type": "object", "properties": many(3000), "additionalProperties": false})),
        (
            "many options",
            json!({"anyOf": (0..3000).map(|i| json!({"type": "object", "properties": {format!("k{i}"): {"type": "integer"}}})).collect::<Vec<_>>()}),
        ),
        (
            "all of any",
            json!({"allOf": (0..14).map(|_| json!({"anyOf": (0..10).map(|i| json!({"type": "object", "properties": {format!("k{i}"): {"minimum": i}}})).collect::<Vec<_>>()})).collect::<Vec<_>>()}),
        ),
        (
            "patterns",
            json!({"type": "object", "patternProperties": {".*a.*": {"type": "integer"}, ".*b.*": {"type": "integer"}, "(.*c.{20}){3}": {}}}),
        ),
        ("numbers", json!({"type": "number", "minimum": -1e300, "maximum": 1e-300, "multipleOf": 1e-200})),
        ("pattern and length", json!({"type": "string", "pattern": "(a|b)*a(a|b){200}", "minLength": 5000, "maxLength": 9000})),
        (
            "long words",
            json!({"type": "object", "patternProperties": {"é".repeat(300): {"minimum": "é".repeat(99)}}, "required": {"b": "é".repeat(300)}}),
        ),
        ("any of all", json!({"anyOf": vec![json!({}); 60_000]})),
        ("one of many", json!({"oneOf": listed(3_000, "const")})),
        ("one of numbers", json!({"oneOf": listed(6_000, "minimum")})),
        ("all of numbers", json!({"allOf": listed(6_000, "minimum")})),
        ("one of lengths", json!({"oneOf": listed(3_000, "maxLength")})),
        (
            "one of kinds",
            json!({"oneOf": (0..3_000).map(|i| json!({"type": "object", "properties": {"k": {"const": i.to_string()}}, "required": ["k"]})).collect::<Vec<_>>()}),
        ),
        ("one of words", json!({"oneOf": (0..5_000).map(|i| json!({"const": i.to_string()})).collect::<Vec<_>>()})),
        (
            "one of patterns",
            json!({"oneOf": (0..2_000).map(|i| json!({"type": "string", "pattern": format!("^{i}[ab]*a[ab]{{12}}$")})).collect::<Vec<_>>()}),
        ),
        ("numbers of an enum", json!({"enum": (0..40_000).collect::<Vec<_>>()})),
        ("required", json!({"type": "object", "required": (0..25_000).map(|i| i.to_string()).collect::<Vec<_>>()})),
        ("short properties", json!({"properties": short(20_000, "", "")})),
        ("patterns of names", json!({"type": "object", "patternProperties": short(5_000, "^", "$")})),
        ("patterns and names", json!({"type": "object", "properties": short(3_000, "", ""), "patternProperties": short(3_000, "^x", "$")})),
        ("hard patterns of names", json!({"type": "object", "patternProperties": hard(32)})),
        ("tuple", json!({"type": "array", "prefixItems": vec![json!({}); 60_000]})),
        (
            "patterns",
            json!({"anyOf": (0..2_000).map(|i| json!({"type": "string", "pattern": format!(".*{i}.{{50}}")})).collect::<Vec<_>>()}),
        ),
        ("long enum", json!({"enum": (0..10_000).map(|i| format!("value {i}")).collect::<Vec<_>>()})),
        ("enum", json!({"enum": (0..20_000).map(|i| format!("value {i}")).collect::<Vec<_>>()})),
    ];
    for (name, schema) in schemas {
        ends_soon(&model, name, &Grammar::JsonSchema(schema));
    }
}

#[test]
fn hostile_grammars_end_soon() {
    let model = RandomModel::shipped();
    let numbered = |n: usize, text: fn(usize) -> String| (0..n).map(text).collect::<String>();
    let ladder = numbered(60, |i| format!("r{i}: r{0} r{0}\n", i + 1));
    let grammars = [
        ("ambiguous", "start: e\ne: e e | \"a\" | \"\"".to_owned()),
        ("ladder", format!("start: r0\n{ladder}r60: \"a\" | \"\"")),
        ("terminals", format!("start: T0\n{}T60: \"a\"", numbered(60, |i| format!("T{i}: T{0} T{0}\n", i + 1)))),
        ("repetition", "start: a{1000000}\na: \"x\"".to_owned()),
        ("left recursion", "start: start \"a\" | \"b\"".to_owned()),
        ("nothing", "start: a\na: a".to_owned()),
        ("alternatives", format!("start: {}", "\"a\"|".repeat(60_000) + "\"b\"")),
        ("options", format!("start: {}", "\"a\"? ".repeat(40_000))),
        ("options of a rule", format!("a: \"x\"\nstart: {}", "a? ".repeat(60_000))),
        (
            "rules",
            format!("start: {}\n{}", numbered(6_000, |i| format!("r{i} | ")) + "\"a\"", numbered(6_000, |i| format!("r{i}: \"{i}\"\n"))),
        ),
        ("terminals of their own", format!("start: {}", numbered(12_000, |i| format!("/{i}a*/ | ")) + "\"a\"")),
        ("long line", format!("start: {}", "\"a\" | ".repeat(20_000) + "\"b\"")),
    ];
    for (name, source) in grammars {
        ends_soon(&model, name, &Grammar::Lark(source));
    }
}
