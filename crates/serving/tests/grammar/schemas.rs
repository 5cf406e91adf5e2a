use jarre_serving::Grammar;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde_json::{Value, json};

use crate::judge::Judge;
use crate::model::{Answer, RandomModel, is_past_f64};

/// Schemas as people write them for tools and for answers, each with a value that is valid and one that is not.
#[expect(clippy::too_many_lines, reason = "a list")]
fn schemas() -> Vec<(Value, Value, Value)> {
    let object = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    vec![
        (
            object(json!({"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}}), json!(["city"])),
            json!({"city": "Zürich \"HB\"\n", "unit": "celsius"}),
            json!({"city": "Bern", "unit": "kelvin"}),
        ),
        (
            object(
                json!({"query": {"type": "string", "minLength": 1, "maxLength": 40}, "top_k": {"type": "integer", "minimum": 1, "maximum": 50}}),
                json!(["query", "top_k"]),
            ),
            json!({"query": "kv cache", "top_k": 50}),
            json!({"query": "kv cache", "top_k": 51}),
        ),
        (
            object(
                json!({"path": {"type": "string", "pattern": "^/[a-z0-9_/.-]+$"}, "lines": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}}),
                json!(["path"]),
            ),
            json!({"path": "/etc/hosts", "lines": [-1, 20]}),
            json!({"path": "etc"}),
        ),
        (
            json!({"type": "array", "items": {"anyOf": [{"type": "null"}, {"type": "boolean"}, {"type": "number", "exclusiveMinimum": 0, "maximum": 1.5}]}, "maxItems": 6}),
            json!([null, true, 0.25, 1.5]),
            json!([0]),
        ),
        (
            json!({"$defs": {"node": {"type": "object", "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
                "required": ["value", "next"], "additionalProperties": false}}, "$ref": "#/$defs/node"}),
            json!({"value": 1, "next": {"value": 2, "next": null}}),
            json!({"value": 1, "next": {"value": 2}}),
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "integer", "multipleOf": 5}}),
            json!({"a": 10, "b c": -5}),
            json!({"a": 11}),
        ),
        (
            json!({"type": "array", "prefixItems": [{"const": "move"}, {"type": "number"}, {"type": "number"}], "items": false, "minItems": 3}),
            json!(["move", -1.5, 2]),
            json!(["move", 1, 2, 3]),
        ),
        (
            object(
                json!({"when": {"type": "string", "format": "date-time"}, "id": {"type": "string", "format": "uuid"}}),
                json!(["when", "id"]),
            ),
            json!({"when": "2024-02-29T12:00:00Z", "id": "123e4567-e89b-12d3-a456-426614174000"}),
            json!({"when": "yesterday", "id": "123e4567-e89b-12d3-a456-426614174000"}),
        ),
        (
            json!({"oneOf": [object(json!({"kind": {"const": "circle"}, "r": {"type": "number"}}), json!(["kind", "r"])),
                object(json!({"kind": {"const": "square"}, "side": {"type": "number"}}), json!(["kind", "side"]))]}),
            json!({"kind": "square", "side": 2}),
            json!({"kind": "square", "r": 2}),
        ),
        (
            json!({"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"b": {"type": "string"}}, "required": ["b"]}]}),
            json!({"a": 1, "b": "", "c": [{}]}),
            json!({"a": 1}),
        ),
        (json!({"enum": ["a", 1, null, [2], {"x": []}]}), json!({"x": []}), json!({"x": [1]})),
        (json!({"type": ["string", "null"], "maxLength": 3}), json!("😀é語"), json!("four")),
        (json!(true), json!([{"a": "\\\"\u{7}"}]), Value::Null),
        (json!({}), json!("\u{2028}"), Value::Null),
    ]
}

#[test]
fn random_answers_are_valid() {
    let model = RandomModel::shipped();
    let mut complete = 0;
    for (schema, _, _) in schemas() {
        let judge = Judge::new(&schema);
        let grammar = Grammar::JsonSchema(schema.clone());
        for seed in 0..12 {
            let Answer::Complete(text) = model.answer(&grammar, &mut Pcg64::seed_from_u64(seed)).unwrap() else { continue };
            complete += 1;
            let valid = serde_json::from_str::<Value>(&text).is_ok_and(|value| judge.is_valid(&value));
            assert!(valid || is_past_f64(&text), "{schema}: {text}");
        }
    }
    assert!(complete > schemas().len() * 8, "{complete}");
}

#[test]
fn valid_values_are_allowed_token_by_token_and_others_are_not() {
    let model = RandomModel::shipped();
    for (schema, valid, invalid) in schemas() {
        let grammar = Grammar::JsonSchema(schema.clone());
        assert!(Judge::new(&schema).is_valid(&valid) && (invalid.is_null() || !Judge::new(&schema).is_valid(&invalid)), "{schema}");
        for text in [valid.to_string(), serde_json::to_string_pretty(&valid).unwrap()] {
            assert_eq!(model.read(&grammar, &text).unwrap(), Ok(()), "{schema}: {text}");
        }
        if !invalid.is_null() {
            assert!(!model.takes(&grammar, &invalid.to_string()), "{schema}: {invalid}");
        }
    }
}

#[test]
fn schemas_that_cannot_be_held_to_are_refused() {
    let model = RandomModel::shipped();
    let refused = [
        json!({"not": {"type": "string"}}),
        json!({"type": "array", "uniqueItems": true}),
        json!({"if": {"type": "string"}, "then": {"minLength": 1}}),
        json!({"type": "object", "dependentRequired": {"a": ["b"]}}),
        json!({"$ref": "https://example.com/schema.json"}),
        json!({"$ref": "#/$defs/none"}),
        json!({"type": "strng"}),
        json!({"type": "integer", "minimum": 2, "maximum": 1}),
        json!({"type": "string", "pattern": "(?=a)b"}),
        json!({"x-guidance": {"lenient": true}, "not": {}}),
        json!(false),
        json!(3),
    ];
    for schema in refused {
        let error = model.compiler.compile(&Grammar::JsonSchema(schema.clone()));
        let error = error.expect_err(&schema.to_string()).to_string();
        assert!(error.len() < 700 && !error.contains("<state>") && !error.contains("panic"), "{schema}: {error}");
    }
}
