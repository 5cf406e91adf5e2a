//! Reading a document as it is written: where it has to stop, and that it never stops a document that is allowed.

#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_guardrails::schema::{Schema, SchemaConfig, Stopped};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn compile(schema: &Value) -> Schema {
    Schema::compile(schema, &SchemaConfig::default()).unwrap()
}

/// Reads `text`, cut after each of the `cuts` that is a character's boundary.
fn read(schema: &Schema, text: &str, cuts: impl Fn(usize) -> bool) -> Result<Value, Stopped> {
    let mut reading = schema.incremental();
    let mut from = 0;
    for at in 1..=text.len() {
        if text.is_char_boundary(at) && (cuts(at) || at == text.len()) {
            reading.push(&text[from..at])?;
            from = at;
        }
    }
    reading.finish()
}

#[test]
fn it_stops_at_the_first_byte_that_decides() {
    let tagged = json!({"oneOf": [
        {"properties": {"kind": {"const": "a"}, "x": {"type": "integer"}}, "required": ["kind"]},
        {"properties": {"kind": {"const": "b"}, "x": {"type": "string"}}, "required": ["kind"]}
    ]});
    let tree = json!({"$defs": {"t": {"type": "object", "properties": {"l": {"$ref": "#/$defs/t"}}, "additionalProperties": false}}, "$ref": "#/$defs/t"});
    let closed = json!({"properties": {"name": {}, "number": {}}, "additionalProperties": false});
    let table = [
        (json!({"type": "object"}), "[", 0, "type"),
        (json!({"type": "string"}), " \n 12", 3, "type"),
        (json!({"type": ["integer", "null"]}), "true", 0, "type"),
        (json!({"enum": ["red", "green"]}), r#""rex""#, 3, "enum"),
        (json!({"enum": ["red", "redder"]}), r#""redd""#, 5, "enum"),
        (json!({"enum": ["é", "ü"]}), r#""\u00ea""#, 6, "enum"),
        (json!({"enum": [true, 3]}), "false", 0, "enum"),
        (json!({"items": {"const": 5}}), "[5, 5.0, 6]", 10, "enum"),
        (closed.clone(), r#"{"nx""#, 3, "additionalProperties"),
        (closed, r#"{"nam": 1"#, 5, "additionalProperties"),
        (json!({"required": ["a", "b"]}), r#"{"a":{"b":2}}"#, 12, "required"),
        (json!({"maxLength": 3}), r#""äöüx""#, 7, "maxLength"),
        (json!({"minLength": 3}), r#""äö""#, 5, "minLength"),
        (json!({"maxItems": 2}), "[1,2,3]", 5, "maxItems"),
        (json!({"minItems": 2}), "[1]", 2, "minItems"),
        (json!({"maxProperties": 1}), r#"{"a":1,"b":2}"#, 7, "maxProperties"),
        (json!({"minProperties": 1}), "{}", 1, "minProperties"),
        (json!({"properties": {"n": {"maximum": 10}}}), r#"{"n":11}"#, 7, "maximum"),
        (json!({"items": {"exclusiveMinimum": 0}}), "[0]", 2, "minimum"),
        (json!({"items": {"type": "integer"}}), "[15e-1]", 6, "type"),
        (json!({"items": {"multipleOf": 3}}), "[9,10]", 5, "multipleOf"),
        (json!({"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": false}), r#"["a","b"]"#, 5, "type"),
        (json!({"prefixItems": [{"type": "string"}], "items": false}), r#"["a",1]"#, 5, "false"),
        (json!({"additionalProperties": {"type": "integer"}}), r#"{"a":1,"b":"x"}"#, 11, "type"),
        (json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}), "[", 0, "type"),
        (json!({"allOf": [{"type": ["string", "null"]}, {"type": ["string", "integer"]}]}), "null", 0, "type"),
        (tagged.clone(), r#"{"kind":"c""#, 9, "enum"),
        (tagged, r#"{"kind":"a","x":"y"}"#, 16, "type"),
        (tree, r#"{"l":{"l":{"m"#, 12, "additionalProperties"),
        (json!(false), " 1", 1, "false"),
    ];
    for (schema, text, at, keyword) in table {
        let compiled = compile(&schema);
        for cuts in [1, 2, 3, usize::MAX] {
            let stopped = read(&compiled, text, |place| place % cuts == 0).unwrap_err();
            assert_eq!((stopped.at, stopped.violation.keyword.as_str()), (at, keyword), "{schema} {text}");
        }
    }
}

#[test]
fn it_says_where_and_what() {
    let schema = compile(
        &json!({"properties": {"a/b": {"items": {"properties": {"age": {"type": "integer"}}, "required": ["age"]}, "maxItems": 2}}}),
    );
    let table = [
        (r#"{"a/b":[{"age":1},{"age":"#, "\"1", "/a~1b/1/age", "`/a~1b/1/age` must be an integer"),
        (r#"{"a/b":[{"age":1},{"#, "}", "/a~1b/1", "`/a~1b/1` lacks one of the properties \"age\""),
        (r#"{"a/b":[{"age":1},{"age":2},"#, "0", "/a~1b", "`/a~1b` must have at most 2 items"),
    ];
    for (good, bad, path, message) in table {
        let mut reading = schema.incremental();
        reading.push(good).unwrap();
        let stopped = reading.push(bad).unwrap_err();
        assert_eq!((stopped.violation.path.as_str(), stopped.violation.message.as_str()), (path, message));
        assert_eq!(reading.push("more").unwrap_err(), stopped);
    }
}

#[test]
fn it_stops_where_the_text_is_no_json() {
    let anything = compile(&json!(true));
    let table = [
        (r#"{"a" 1"#, 5),
        ("[1,]", 3),
        ("01", 1),
        (r#""\x""#, 2),
        ("trux", 3),
        ("[1 2]", 3),
        ("{,", 1),
        ("1 1", 2),
        ("-a", 1),
        ("1.e", 2),
        (r#"{"a":1,"a""#, 9),
        (r#""\ud83dx"#, 7),
        (r#""\ud83d\n"#, 8),
        ("\"\n", 1),
        ("1e999,", 5),
        ("]", 0),
        ("[}", 1),
        ("[", 1),
        ("\"a", 2),
        ("", 0),
    ];
    for (text, at) in table {
        for cuts in [1, 4] {
            let stopped = read(&anything, text, |place| place % cuts == 0).unwrap_err();
            assert_eq!((stopped.at, stopped.violation.keyword.as_str()), (at, "json"), "{text}");
        }
    }
}

#[test]
fn the_value_so_far_is_there() {
    let anything = compile(&json!(true));
    let mut reading = anything.incremental();
    assert_eq!(reading.value(), None);
    let steps = [
        ("{", json!({})),
        (r#""a"#, json!({})),
        (r#"": ["#, json!({"a": []})),
        ("12", json!({"a": []})),
        ("3, ", json!({"a": [123]})),
        ("\"x\\ud83d", json!({"a": [123, "x"]})),
        ("\\ude00y", json!({"a": [123, "x😀y"]})),
        ("\", {\"b\": tru", json!({"a": [123, "x😀y", {}]})),
        ("e}]", json!({"a": [123, "x😀y", {"b": true}]})),
        (", \"c\": null", json!({"a": [123, "x😀y", {"b": true}], "c": null})),
    ];
    for (text, value) in steps {
        reading.push(text).unwrap();
        assert_eq!(reading.value(), Some(&value), "{text}");
        assert!(!reading.is_complete());
    }
    reading.push("} ").unwrap();
    assert!(reading.is_complete());
    assert_eq!(reading.finish().unwrap()["c"], Value::Null);
}

/// A cheap source of choices, so that a failure can be had again by its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn word(&mut self) -> &'static str {
        ["", "a", "ab", "abc", "ä\"\\", "b", "name", "nämé"][self.below(8)]
    }

    fn schema(&mut self, depth: usize) -> Value {
        let inner = depth.saturating_sub(1);
        let several = |dice: &mut Self| (0..=dice.below(3)).map(|_| dice.schema(inner)).collect::<Vec<_>>();
        match self.below(if depth == 0 { 7 } else { 14 }) {
            0 => json!({"type": (["integer", "number", "boolean", "null"][self.below(4)])}),
            1 => json!({"enum": (0..=self.below(4)).map(|_| Value::from(self.word())).collect::<Vec<_>>()}),
            2 => json!({"type": "string", "minLength": self.below(2), "maxLength": self.below(6)}),
            3 => json!({"type": "number", "minimum": self.below(3), "exclusiveMaximum": 2 + self.below(9)}),
            4 => json!({"const": self.value(1)}),
            5 => json!({"type": "integer", "multipleOf": 1 + self.below(3)}),
            6 => json!({"type": (["string", "object", "array", "integer", "null"][self.below(5)])}),
            7 | 8 => {
                let names: Vec<_> = (0..=self.below(4)).map(|_| self.word()).collect();
                let properties: Map<_, _> = names.iter().map(|name| ((*name).to_owned(), self.schema(inner))).collect();
                let rest = [json!(false), json!(true), json!({"type": "integer"})][self.below(3)].clone();
                json!({"type": "object", "properties": properties, "required": &names[..self.below(2).min(names.len())], "additionalProperties": rest,
                    "maxProperties": 1 + self.below(5)})
            }
            9 => json!({"type": "array", "items": self.schema(inner), "maxItems": self.below(5)}),
            10 => json!({"type": "array", "prefixItems": several(self), "items": ([json!(false), json!(true)][self.below(2)])}),
            11 => json!({(["anyOf", "oneOf", "allOf"][self.below(3)]): several(self)}),
            12 => json!({"not": self.schema(inner)}),
            _ => json!({"properties": {"a": {"$ref": "#"}, "b": self.schema(inner)}, "items": {"$ref": "#"}}),
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => Value::from(self.below(2) == 0),
            2 => Value::from(self.below(12)),
            3 => json!([0.5, -1.0, 3.0, 1e300, 2.25][self.below(5)]),
            4 | 5 => Value::from(self.word()),
            6 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object((0..self.below(4)).map(|_| (self.word().to_owned(), self.value(depth - 1))).collect()),
        }
    }

    /// A value that `schema` likely allows.
    fn fitting(&mut self, schema: &Value, root: &Value, depth: usize) -> Value {
        let get = |key: &str| schema.get(key);
        if depth == 0 || self.below(16) == 0 {
            return self.value(1);
        }
        if get("$ref").is_some() {
            return self.fitting(root, root, depth - 1);
        }
        if let Some(one) = get("const") {
            return one.clone();
        }
        if let Some(several) = ["enum", "anyOf", "oneOf", "allOf"].iter().find_map(|key| get(key)).and_then(Value::as_array) {
            let one = &several[self.below(several.len())];
            return if get("enum").is_some() { one.clone() } else { self.fitting(one, root, depth - 1) };
        }
        if let Some(properties) = get("properties").and_then(Value::as_object) {
            let chosen = properties.iter().filter(|_| self.below(4) > 0).collect::<Vec<_>>();
            return Value::Object(chosen.into_iter().map(|(name, inner)| (name.clone(), self.fitting(inner, root, depth - 1))).collect());
        }
        if let Some(prefix) = get("prefixItems").and_then(Value::as_array) {
            return prefix.iter().map(|inner| self.fitting(inner, root, depth - 1)).collect();
        }
        if let Some(items) = get("items") {
            return (0..self.below(4)).map(|_| self.fitting(items, root, depth - 1)).collect();
        }
        match get("type").and_then(Value::as_str) {
            Some("integer") => Value::from(self.below(12)),
            Some("number") => json!([0.0, 1.5, 2.0, 3.25, 7e0][self.below(5)]),
            Some("string") => Value::from(self.word()),
            Some("boolean") => json!(true),
            Some("null") => Value::Null,
            _ => self.value(depth.min(2)),
        }
    }
}

#[test]
fn a_document_that_is_allowed_is_never_stopped_however_it_is_cut() {
    let (mut allowed, mut refused, mut stopped) = (0, 0, 0);
    for seed in 0..6_000 {
        let mut dice = Dice(seed * 7_919 + 1);
        let source = dice.schema(3);
        let Ok(schema) = Schema::compile(&source, &SchemaConfig::default()) else { continue };
        let value = dice.fitting(&source, &source, 5);
        let text = if dice.below(2) == 0 { value.to_string() } else { serde_json::to_string_pretty(&value).unwrap() };
        let fits = schema.allows(&value);
        let cut = 1 + dice.below(7);
        let outcomes = [1, cut, usize::MAX].map(|cuts| read(&schema, &text, |place| place % cuts == 0));
        assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}: cuts make a difference to {text}");
        match &outcomes[0] {
            Ok(read) => assert_eq!(read, &value, "seed {seed}"),
            Err(stop) => assert!(!fits, "seed {seed}: {source} stops {text}: {stop}"),
        }
        allowed += usize::from(fits);
        refused += usize::from(!fits);
        stopped += usize::from(outcomes[0].is_err());
    }
    assert!(allowed > 2_000 && refused > 1_000, "{allowed} allowed, {refused} refused");
    assert!(stopped * 2 > refused, "{stopped} of {refused} stopped");
}

proptest! {
    #[test]
    fn it_reads_what_the_whole_reader_reads(seed in any::<u64>(), edits in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}\",:0-9eE.+\\\\utrn-]"), 0..3), cut in 1_usize..6) {
        let mut text = Dice(seed).value(4).to_string();
        for (place, edit) in edits {
            let place = place.index(text.len() + 1);
            if text.is_char_boundary(place) {
                text.insert_str(place, &edit);
            }
        }
        let anything = compile(&json!(true));
        let whole = anything.check_text(&text);
        let read = read(&anything, &text, |place| place % cut == 0);
        prop_assert_eq!(whole.is_ok(), read.is_ok(), "{}: {:?} {:?}", text, whole, read);
        if let (Ok(whole), Ok(read)) = (whole, read) {
            prop_assert_eq!(whole, read);
        }
    }
}
