//! What holds for every text that a document is taken from.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use jarre_guardrails::json::{Check, Reason, Recovery, RecoveryConfig, RepairConfig, Unrecovered, coerce, repair};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Documents of all kinds of values, with texts that are hard to tell from structure.
fn document() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-zA-Z ]{0,12}",
        "\\PC{0,12}",
        prop::sample::select(vec![
            "it's",
            "a, b",
            "x: y",
            "{z}",
            "[1, 2]",
            "\"",
            "\",",
            "\": 1",
            "\\",
            "// no",
            "# no",
            "/* no",
            "...",
            "true",
            "None",
            "1,234",
            "'",
            "“q”",
            "```",
            "line\nbreak",
            "\t",
            "\u{202e}rtl",
            "http://x.org/a,b",
            "}",
            "]",
            ",",
            ":",
            "NaN",
            "</json>",
            "é\u{301}",
            "😀",
            "\u{0}",
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..5).prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// An object of plain keys and texts: a document in which it is known what a fault does not touch.
fn members() -> impl Strategy<Value = Vec<(String, Value)>> {
    let value = prop_oneof![
        "[a-zA-Z0-9éß ,.:;!?(){}\\[\\]/#-]{0,16}".prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        prop::collection::vec(any::<i16>(), 0..4).prop_map(|items| json!(items)),
        prop::collection::vec("[a-zA-Z ,.!?-]{1,8}", 0..4).prop_map(|items| json!(items)),
        ("[a-z]{1,5}", "[a-zA-Z ,.]{0,9}").prop_map(|(key, value)| json!({ key: value })),
    ];
    prop::collection::btree_map("[a-z][a-z0-9_]{0,7}", value, 2..6).prop_map(|members| members.into_iter().collect())
}

/// A document with one fault between or around its members, and none in them.
fn broken(members: &[(String, Value)], fault: usize, place: usize) -> String {
    let place = place % members.len();
    let last = members.len() - 1;
    let mut text = String::from("{");
    for (at, (key, value)) in members.iter().enumerate() {
        let here = at == place;
        let (mut key, mut colon, mut comma) = (format!("\"{key}\""), ":", if at < last { ", " } else { "" });
        match fault {
            0 if here && at < last => comma = " ",
            1 if here => colon = " ",
            2 if at == last => comma = ", ",
            3 if here => key = key.trim_matches('"').to_owned(),
            4 if here => key = key.replace('"', "'"),
            5 if here && at < last => comma = ", // why, \"not\"?\n",
            6 if here && at < last => comma = ",, ",
            7 if here => key.truncate(key.len() - 1),
            8 if here => drop(key.remove(0)),
            9 if here && at < last => comma = "\n",
            _ => {}
        }
        write!(text, "{key}{colon} {value}{comma}").unwrap();
    }
    match fault {
        10 => {}
        11 => text += "}}",
        12 => text += "}]",
        _ => text += "}",
    }
    text
}

struct Checked(Value, jsonschema::Validator);

impl Check for Checked {
    fn schema(&self) -> &Value {
        &self.0
    }

    fn violations(&self, document: &Value) -> Vec<String> {
        self.1.iter_errors(document).map(|error| error.to_string()).collect()
    }
}

fn schemas() -> Vec<Checked> {
    let schemas = [
        json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": ["string", "null"]}}, "required": ["a"], "additionalProperties": false}),
        json!({"type": "array", "items": {"anyOf": [{"type": "number"}, {"$ref": "#"}]}}),
        json!({"oneOf": [{"type": "boolean"}, {"type": "array", "items": {"enum": ["x", "Y", 3]}}, {"type": "object", "required": ["k"]}]}),
        json!({"allOf": [{"$ref": "#/$defs/n"}], "$defs": {"n": {"properties": {"n": {"$ref": "#"}, "c": {"const": 1}}, "type": "object"}}}),
        json!({"$ref": "#"}),
    ];
    schemas.into_iter().filter_map(|schema| Some(Checked(schema.clone(), jsonschema::validator_for(&schema).ok()?))).collect()
}

/// What must hold whatever the text is.
fn holds(text: &str) {
    let recovery = Recovery::default();
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        let same = recovery.recover(text, None).unwrap();
        assert!(same.value == value && same.steps.is_empty());
    }
    if let Ok(recovered) = recovery.recover(text, None) {
        let written = serde_json::to_string(&recovered.value).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), recovered.value);
    }
    for check in schemas() {
        match recovery.recover(text, Some(&check)) {
            Ok(recovered) => assert_eq!(check.violations(&recovered.value), Vec::<String>::new()),
            Err(Unrecovered::Invalid { value, violations }) => assert_eq!(check.violations(&value), violations),
            Err(_) => {}
        }
    }
    if let Ok(repaired) = repair(text, &RepairConfig::default()) {
        assert!(repaired.fixes.iter().all(|fix| fix.at <= text.len()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_is_read_as_it_is(document in document(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&document).unwrap() } else { document.to_string() };
        let repaired = repair(&text, &RepairConfig::default()).unwrap();
        prop_assert_eq!(&repaired.value, &document);
        prop_assert!(repaired.fixes.is_empty(), "{:?} in {}", repaired.fixes, text);
        let recovered = Recovery::default().recover(&text, None).unwrap();
        prop_assert_eq!(recovered.value, document);
        prop_assert!(recovered.steps.is_empty());
    }

    #[test]
    fn what_a_fault_does_not_touch_stays(members in members(), fault in 0_usize..13, place: usize) {
        // A colon in quotes after a key without its closing quote can be read in two ways.
        let colon = matches!(&members[place % members.len()].1, Value::String(text) if text.trim_start().starts_with(':'));
        let two = fault == 7 && colon;
        let text = broken(&members, fault, place);
        let document: Value = members.into_iter().collect::<Map<_, _>>().into();
        match Recovery::default().recover(&text, None) {
            Ok(recovered) => prop_assert_eq!(recovered.value, document, "{}", text),
            Err(error) => prop_assert!(two, "{}: {}", error, text),
        }
    }

    #[test]
    fn a_document_in_words_is_found(members in members(), before in "[a-zA-Z ,.'\n]{0,20}", after in "[a-zA-Z ,.'\n]{0,20}", way in 0..4) {
        let document: Value = members.into_iter().collect::<Map<_, _>>().into();
        let text = match way {
            0 => format!("{before} {document} {after}"),
            1 => format!("{before}\n```json\n{document:#}\n```\n{after}"),
            2 => format!("{before} <json>{document}</json> {after}"),
            _ => format!("{before} [1] {{x}} {document} {after}"),
        };
        prop_assert_eq!(Recovery::default().recover(&text, None).unwrap().value, document, "{}", text);
    }

    #[test]
    fn a_cut_document_keeps_what_was_whole(members in members(), cut: prop::sample::Index) {
        let document: Map<_, _> = members.iter().cloned().collect();
        let text = Value::from(document.clone()).to_string();
        let end = (1..=cut.index(text.len()) + 1).rev().find(|&end| text.is_char_boundary(end)).unwrap();
        let Ok(repaired) = repair(&text[..end], &RepairConfig::default()) else { panic!("{}", &text[..end]) };
        let kept = repaired.value.as_object().unwrap();
        for (place, (key, value)) in kept.iter().enumerate() {
            prop_assert!(place + 1 == kept.len() || value == &document[key], "{} of {}", key, &text[..end]);
        }
        // What is left was there, in its order: nothing is made up.
        prop_assert!(kept.keys().zip(document.keys()).all(|(kept, was)| kept == was), "{}", &text[..end]);
    }

    #[test]
    fn any_text_is_survived(text in prop_oneof![".{0,80}", "[\\[\\]{}\"':,\\\\ \n/*#`<>a1.+-]{0,120}", "[{\\[]{1,4}([\"'a1:,\\]} \n]{0,5}[xtn\\\\“…(]?){0,20}"]) {
        holds(&text);
    }

    #[test]
    fn any_broken_document_is_survived(document in document(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = document.to_string().into_bytes();
        for (place, byte) in edits {
            let place = place.index(bytes.len());
            match byte % 3 {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, b"{}[]\",:'\\\n"[usize::from(byte) % 10]),
                _ if bytes.len() > 1 => drop(bytes.remove(place)),
                _ => {}
            }
        }
        holds(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        holds(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn what_fits_is_not_changed(document in document()) {
        for schema in schemas() {
            if schema.1.is_valid(&document) {
                prop_assert_eq!(coerce(document.clone(), &schema.0).value, document.clone());
            }
        }
    }
}

#[test]
fn a_colon_in_quotes_after_a_key_without_its_closing_quote_is_refused() {
    for text in [
        r#"{"a: ":", "b": ""}"#,
        r#"{"a": ":", "b: ":"}"#,
        r#"{"a:": x", "b": "y"}"#,
        r#"{"a = "= 1", "b": 2}"#,
        r"{'a: ':', 'b': ''}",
        r#"{"a: ": true,", "b": ""}"#,
        r#"[{"x": [1]}, {"a: ": 5 ", "b": [2]}]"#,
        "{\n  \"a: \":\",\n  \"b\": \"\"\n}",
    ] {
        let refused = repair(text, &RepairConfig::default()).unwrap_err();
        assert_eq!(refused.reason, Reason::AmbiguousText, "{text}");
    }
    // Where every quote has its place the key is what it looks like, whatever else there is to mend.
    for text in [r#"{"a: ":": ", "b": "",}"#, r#"{"a:": 1 "b:": 2}"#, r#"{"a: ": [1, 2, "b =": 3}"#, r#"{"a: ": {"x:": ","}}}"#] {
        let repaired = repair(text, &RepairConfig::default());
        assert!(
            repaired.as_ref().is_ok_and(|repaired| text.contains(repaired.value.as_object().unwrap().keys().next().unwrap())),
            "{text}"
        );
    }
}

#[test]
fn each_step_can_be_switched_off() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let check = Checked(schema.clone(), jsonschema::validator_for(&schema).unwrap());
    let recover = |config: RecoveryConfig, text: &str| Recovery::new(config).recover(text, Some(&check)).map(|recovered| recovered.value);
    let all = RecoveryConfig::default();
    for (config, text) in [
        (RecoveryConfig { extract: false, ..all.clone() }, "It is {\"n\": 1}."),
        (RecoveryConfig { repair: false, ..all.clone() }, "{\"n\": 1,}"),
        (RecoveryConfig { coerce: false, ..all.clone() }, "{\"n\": \"1\"}"),
        (RecoveryConfig { bytes: 7, ..all.clone() }, "{\"n\": 1}"),
        (RecoveryConfig { limits: RepairConfig { depth: 1, ..all.limits }, ..all.clone() }, "{\"n\": 1, \"x\": []}"),
    ] {
        assert!(recover(config, text).is_err(), "{text}");
        assert_eq!(recover(all.clone(), text).unwrap()["n"], json!(1), "{text}");
    }
}

#[test]
fn documents_in_a_row_are_an_array_or_the_valid_one_among_them() {
    let lines = "{\"id\": 1}\n{\"id\": \"x\"}";
    assert_eq!(Recovery::default().recover(lines, None).unwrap().value, json!([{"id": 1}, {"id": "x"}]));
    let schema = json!({"type": "object", "properties": {"id": {"type": "string"}}});
    let check = Checked(schema.clone(), jsonschema::validator_for(&schema).unwrap());
    assert_eq!(Recovery::default().recover(lines, Some(&check)).unwrap().value, json!({"id": "x"}));
    assert!(repair(lines, &RepairConfig { documents: false, ..RepairConfig::default() }).is_err());
}

#[test]
fn alternatives_that_multiply_end() {
    let mut schema = json!({"type": "integer"});
    for _ in 0..40 {
        schema =
            json!({"anyOf": [{"type": "array", "items": schema}, {"type": "array", "items": schema, "minItems": 1}, {"type": "boolean"}]});
        if schema.to_string().len() > 100_000 {
            break;
        }
    }
    let mut value = json!("x");
    for _ in 0..40 {
        value = json!([value, "y"]);
    }
    let _ = coerce(value, &schema);
    let schema = json!({"anyOf": [{"$ref": "#"}, {"properties": {"a": {"$ref": "#"}}, "required": ["b"]}]});
    let mut value = json!({});
    for _ in 0..100 {
        value = json!({"a": value});
    }
    let _ = coerce(value, &schema);
}
