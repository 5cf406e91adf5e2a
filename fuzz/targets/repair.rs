//! JSON out of any text: JSON stays as it is, whatever comes out can be written and read again, and with a schema it is valid.
#![no_main]

use std::sync::LazyLock;

use jarre_guardrails::{
    json::{Recovery, RepairConfig, repair},
    schema::{Schema, SchemaConfig},
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = json!({
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "kind": {"enum": ["Red", "Grün"]},
            "list": {"type": "array", "items": {"anyOf": [{"type": "number"}, {"$ref": "#"}]}},
            "no": {"type": ["boolean", "null"]}
        },
        "required": ["n"],
        "additionalProperties": false
    });
    Schema::compile(&schema, &SchemaConfig::default()).expect("a schema")
});

fuzz_target!(|text: &str| {
    let recovery = Recovery::default();
    let json = serde_json::from_str::<Value>(text).ok();
    if let Ok(recovered) = recovery.recover(text, None) {
        let written = recovered.value.to_string();
        assert_eq!(serde_json::from_str::<Value>(&written).expect("what is written is JSON"), recovered.value);
        if let Some(json) = &json {
            assert!(recovered.value == *json && recovered.steps.is_empty());
        }
    } else {
        assert!(json.is_none(), "JSON is refused");
    }
    if let Some(json) = json {
        let repaired = repair(text, &RepairConfig::default()).expect("JSON is read");
        assert!(repaired.value == json);
    }
    if let Ok(recovered) = recovery.recover(text, Some(&*SCHEMA)) {
        assert!(SCHEMA.allows(&recovered.value));
    }
});
