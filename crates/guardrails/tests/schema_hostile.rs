//! Schemas and documents that are made to exhaust whoever reads them.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use jarre_guardrails::{
    Error,
    schema::{Dialect, Extent, Schema, SchemaConfig},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn compile(schema: &Value) -> Result<Schema, Error> {
    Schema::compile(schema, &SchemaConfig::default())
}

fn keyword(violations: &[jarre_guardrails::schema::Violation]) -> &str {
    assert_eq!(violations.len(), 1, "{violations:?}");
    &violations[0].keyword
}

/// `[[[[...]]]]`.
fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
}

/// Dropping a value recurses; this does not.
fn take_apart(mut value: Value) {
    while let Value::Array(mut items) = value {
        value = items.pop().unwrap();
    }
}

#[test]
fn a_million_levels_are_refused_before_anything_recurses() {
    let anything = compile(&json!(true)).unwrap();
    let text = "[".repeat(1_000_000);
    assert_eq!(keyword(&anything.check_text(&text).unwrap_err()), "json");
    assert_eq!(anything.incremental().push(&text).unwrap_err().at, 100);
    assert!(matches!(Schema::compile_text(&text, &SchemaConfig::default()), Err(Error::Schema { .. })));
    let value = nested(1_000_000);
    assert_eq!(keyword(&anything.validate(&value)), "limit");
    assert!(!anything.allows(&value));
    assert!(matches!(compile(&value), Err(Error::SchemaLimit { what: "levels of nesting", .. })));
    take_apart(value);
}

#[test]
fn the_depth_that_is_allowed_is_read_and_no_more() {
    let anything = compile(&json!({"items": {"$ref": "#"}})).unwrap();
    for (depth, fits) in [(100, true), (101, false)] {
        let text = "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(anything.check_text(&text).is_ok(), fits);
        assert_eq!(anything.incremental().push(&text).is_ok(), fits);
        assert_eq!(anything.allows(&serde_json::from_str(&text).unwrap()), fits);
    }
    let deeper = SchemaConfig { instance: Extent { depth: 128, ..Extent::default() }, ..SchemaConfig::default() };
    assert!(Schema::compile(&json!(true), &deeper).is_err());
}

#[test]
fn laughter_by_the_billion_is_counted_and_not_heard() {
    for combine in ["allOf", "anyOf", "oneOf"] {
        let level = |next: usize| json!({combine: [{"$ref": format!("#/$defs/{next}")}, {"$ref": format!("#/$defs/{next}")}]});
        let mut levels: Map<String, Value> = (0..60).map(|at| (at.to_string(), level(at + 1))).collect();
        levels.insert("60".into(), json!({"type": "string"}));
        let bomb = json!({"$ref": "#/$defs/0", "$defs": levels});
        assert!(matches!(compile(&bomb), Err(Error::SchemaLimit { .. })), "{combine}");
    }
}

#[test]
fn a_schema_that_doubles_with_each_level_of_the_document_is_counted() {
    let twice = json!({"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}});
    let dynamic = json!({"$dynamicAnchor": "n", "properties": {"a": {"anyOf": [{"$dynamicRef": "#n"}, {"$dynamicRef": "#n"}]}}});
    let patterns = json!({"patternProperties": {"^a": {"$ref": "#"}, "a$": {"$ref": "#"}}});
    let document = |depth| (0..depth).fold(json!({}), |inner, _| json!({"a": inner}));
    for schema in [twice, dynamic, patterns] {
        let schema = compile(&schema).unwrap();
        assert!(schema.allows(&document(8)));
        assert_eq!(keyword(&schema.validate(&document(90))), "limit");
        // Patterns that exclude one another do not double.
    }
    let apart = compile(&json!({"patternProperties": {"^a": {"$ref": "#"}, "^b": {"$ref": "#"}}})).unwrap();
    assert!(apart.allows(&document(90)));
}

#[test]
fn references_that_lead_back_at_one_place_are_refused() {
    let looped = json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}});
    for schema in [json!({"$ref": "#"}), json!({"anyOf": [{"type": "null"}, {"$ref": "#"}]}), looped] {
        assert!(matches!(compile(&schema), Err(Error::Schema { .. })), "{schema}");
    }
    let tree = json!({"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": false});
    let tree = compile(&tree).unwrap();
    assert!(tree.allows(&json!({"next": {"next": {}}})));
    assert!(!tree.allows(&json!({"next": {"next": {"x": 1}}})));
}

#[test]
fn a_dynamic_reference_is_followed_and_ends() {
    let schema = json!({
        "$id": "https://example.org/strict-tree", "$dynamicAnchor": "node", "$ref": "tree", "unevaluatedProperties": false,
        "$defs": {"tree": {
            "$id": "tree", "$dynamicAnchor": "node", "type": "object",
            "properties": {"data": true, "children": {"type": "array", "items": {"$dynamicRef": "#node"}}}
        }}
    });
    let schema = compile(&schema).unwrap();
    assert!(schema.allows(&json!({"children": [{"data": 1}]})));
    assert!(!schema.allows(&json!({"children": [{"daat": 1}]})));
}

#[test]
fn a_long_chain_of_references_is_refused_and_one_that_is_allowed_fits_a_small_stack() {
    let chain = |length: usize| {
        let links = (0..length).map(|at| (at.to_string(), json!({"$ref": format!("#/$defs/{}", at + 1)})));
        let mut links: Map<String, Value> = links.collect();
        links.insert(length.to_string(), json!({"type": "integer"}));
        json!({"$ref": "#/$defs/0", "$defs": links})
    };
    assert!(matches!(compile(&chain(20_000)), Err(Error::SchemaLimit { .. })));
    let run = move || {
        let schema = compile(&chain(990)).unwrap();
        assert!(schema.allows(&json!(1)));
        assert_eq!(schema.validate(&json!("1")).len(), 1);
        // As deep as schemas and documents may be, in every way.
        let schema = (0..99).fold(json!({"type": "integer"}), |inner, _| json!({"items": inner, "not": false}));
        let schema = compile(&schema).unwrap();
        assert!(schema.allows(&nested(98)) && !schema.allows(&nested(99)));
        let schema =
            compile(&json!({"anyOf": [{"type": "integer"}, {"allOf": [{"oneOf": [{"items": {"$ref": "#"}, "type": "array"}]}]}]})).unwrap();
        assert!(!schema.allows(&nested(100)));
        assert!(schema.validate(&nested(100))[0].message.contains("alternatives"));
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn patterns_run_in_linear_time_or_are_refused() {
    let schema = compile(&json!({"pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"})).unwrap();
    assert!(!schema.allows(&json!("a".repeat(100_000))));
    let schema = compile(&json!({"pattern": "^(a+)+$", "patternProperties": {"^(a|aa)+$": true}})).unwrap();
    assert!(!schema.allows(&json!("a".repeat(1_000_000) + "!")));
    for pattern in ["((a{1000}){1000}){1000}", r"(a)\1", "(?<=a)b", "a(?=b)c", r"^(?=.*\d).{3,}$"] {
        assert!(matches!(compile(&json!({"pattern": pattern})), Err(Error::Schema { .. })), "{pattern}");
    }
    assert!(compile(&json!({"pattern": r"^\p{Letter}+\d$"})).unwrap().allows(&json!("äé1")));
}

#[test]
fn texts_that_readers_disagree_about_are_refused() {
    let anything = compile(&json!(true)).unwrap();
    let digits = "9".repeat(100_000);
    let twice = r#"{"a": 1, "b": {"c": 1, "c": 2}}"#;
    for text in [twice, r#"{"a":1,"\u0061":2}"#, "1e400", "-1e400", &digits, "NaN", "[1] 2", "", "\u{feff}1", r#""\ud800""#, "\"\u{1}\""] {
        let shown = &text[..text.len().min(20)];
        assert_eq!(keyword(&anything.check_text(text).unwrap_err()), "json", "{shown}");
        let mut reading = anything.incremental();
        assert!(reading.push(text).and_then(|()| reading.finish().map(drop)).is_err(), "{shown}");
    }
    for bytes in [&b"\"\xff\""[..], b"\xff", b"\"\xed\xa0\x80\""] {
        assert_eq!(keyword(&anything.check_bytes(bytes).unwrap_err()), "json");
    }
    let small = format!("0.{}1", "0".repeat(100_000));
    assert_eq!(anything.check_text(&small).unwrap(), json!(0.0));
    assert!(compile(&json!({"maximum": 1})).unwrap().check_text("123456789012345678901234567890").is_err());
}

#[test]
fn sizes_are_limited() {
    let extent = Extent { bytes: 20, depth: 3, values: 4 };
    let schema = Schema::compile(&json!(true), &SchemaConfig { instance: extent, ..SchemaConfig::default() }).unwrap();
    assert!(schema.check_text("[1,2,3]").is_ok());
    assert_eq!(keyword(&schema.check_text("[1,2,3,4]").unwrap_err()), "json");
    assert_eq!(keyword(&schema.validate(&json!([1, 2, 3, 4]))), "limit");
    assert_eq!(keyword(&schema.check_text(&" ".repeat(21)).unwrap_err()), "limit");
    assert_eq!(schema.incremental().push(&" ".repeat(21)).unwrap_err().violation.keyword, "limit");
    assert_eq!(schema.incremental().push("[1,2,3,4]").unwrap_err().violation.keyword, "limit");
    let many: Vec<_> = (0..60_000).collect();
    assert!(matches!(compile(&json!({"enum": many})), Err(Error::SchemaLimit { what: "values", .. })));
}

#[test]
fn what_is_told_is_capped() {
    let config = SchemaConfig { violations: 5, message_chars: 50, ..SchemaConfig::default() };
    let schema = Schema::compile(&json!({"items": {"enum": ["x".repeat(10_000)]}}), &config).unwrap();
    let many = schema.validate(&json!(vec![1; 400_000]));
    assert_eq!((many.len(), many[0].path.as_str()), (1, "/0"));
    let violations = schema.validate(&json!(vec!["ü".repeat(10_000); 1_000]));
    assert_eq!(violations.len(), 5);
    assert!(violations.iter().all(|violation| violation.message.chars().count() <= 50));
}

#[test]
fn nothing_is_fetched_but_what_is_allowed() {
    for uri in ["https://example.org/a.json", "file:///etc/passwd", "http://localhost:1/x"] {
        match compile(&json!({"properties": {"a": {"$ref": format!("{uri}#/$defs/b")}}})) {
            Err(Error::SchemaRemote { uri: named }) => assert_eq!(named, uri),
            other => panic!("{other:?}"),
        }
    }
    let remotes = BTreeMap::from([("https://example.org/a.json".to_owned(), json!({"$defs": {"b": {"type": "integer"}}}))]);
    let config = SchemaConfig { remotes, ..SchemaConfig::default() };
    let schema = Schema::compile(&json!({"$ref": "https://example.org/a.json#/$defs/b"}), &config).unwrap();
    assert!(schema.allows(&json!(1)) && !schema.allows(&json!("1")));
    assert_eq!(schema.incremental().push("\"").unwrap_err().at, 0);
}

#[test]
fn a_schema_that_is_none_is_refused() {
    for schema in [json!({"type": "strnig"}), json!(3), json!({"$ref": "#/nowhere"}), json!({"$schema": "urn:nobody"})] {
        assert!(compile(&schema).is_err(), "{schema}");
    }
}

#[test]
fn the_dialect_counts_where_the_schema_names_none() {
    let draft4 = SchemaConfig { dialect: Some(Dialect::Draft4), ..SchemaConfig::default() };
    let exclusive = json!({"maximum": 3, "exclusiveMaximum": true});
    let schema = Schema::compile(&exclusive, &draft4).unwrap();
    assert!(!schema.allows(&json!(3)) && schema.allows(&json!(2)));
    assert!(schema.incremental().push("[3]").is_ok(), "bounds are about numbers");
    assert!(compile(&exclusive).is_err());
    let named = json!({"$schema": "http://json-schema.org/draft-07/schema#", "exclusiveMaximum": 3});
    assert!(!Schema::compile(&named, &draft4).unwrap().allows(&json!(3)));
}

#[test]
#[ignore = "slow: reads 100 MB"]
fn a_hundred_megabytes_are_refused_by_default_and_read_where_that_is_asked_for() {
    let text = format!("[{}1]", "12345678,".repeat(11_111_111));
    let items = json!({"type": "array", "items": {"type": "integer"}});
    assert_eq!(keyword(&compile(&items).unwrap().check_text(&text).unwrap_err()), "limit");
    let instance = Extent { bytes: 200 << 20, depth: 4, values: 20_000_000 };
    let config = SchemaConfig { instance, steps: 1_000_000_000, ..SchemaConfig::default() };
    let schema = Schema::compile(&items, &config).unwrap();
    assert_eq!(schema.check_text(&text).unwrap().as_array().unwrap().len(), 11_111_112);
    let mut reading = schema.incremental();
    reading.push(&text).unwrap();
    assert_eq!(reading.finish().unwrap().as_array().unwrap().len(), 11_111_112);
}

/// Values made of the words that schemas are made of.
fn schema_like() -> impl Strategy<Value = Value> {
    const WORDS: &[&str] =
        &["type", "$ref", "properties", "items", "allOf", "anyOf", "not", "enum", "$defs", "required", "pattern", "maximum", "$id"];
    const NAMES: &[&str] = &["string", "object", "integer", "#", "#/$defs/a", "a", "[", "http://x/y", "#a", "~2", "%"];
    let leaf = prop_oneof![any::<i64>().prop_map(Value::from), prop::sample::select(NAMES).prop_map(Value::from), Just(json!(true))];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let object = prop::collection::vec((prop::sample::select(WORDS), inner.clone()), 0..5);
        let object = object.prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
        prop_oneof![object.prop_map(Value::Object), prop::collection::vec(inner, 0..4).prop_map(Value::Array)]
    })
}

proptest! {
    #[test]
    fn whatever_the_schema_there_is_an_answer(schema in schema_like(), value in schema_like()) {
        if let Ok(schema) = compile(&schema) {
            prop_assert_eq!(schema.allows(&value), schema.validate(&value).is_empty());
            let text = value.to_string();
            let mut reading = schema.incremental();
            if reading.push(&text).and_then(|()| reading.finish().map(drop)).is_err() {
                prop_assert!(!schema.allows(&value), "{}", text);
            }
        }
    }

    #[test]
    fn what_a_text_is_read_as_is_allowed(text in "[\\[\\]{}\",:0-9a-e. ]{0,40}") {
        let schema = compile(&json!({"anyOf": [{"type": "array", "maxItems": 3}, {"type": "object", "required": ["a"]}]})).unwrap();
        match schema.check_text(&text) {
            Ok(value) => prop_assert!(schema.validate(&value).is_empty()),
            Err(violations) => prop_assert!(!violations.is_empty()),
        }
    }
}
