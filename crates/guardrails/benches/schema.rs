//! How fast documents of some thirty fields are checked: parsed values, texts, and texts as they come.
//!
//! `cargo bench -p jarre-guardrails --bench schema`

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jarre_guardrails::schema::{Schema, SchemaConfig};
use serde_json::{Value, json};

fn schema() -> Schema {
    let text = json!({"type": "string", "maxLength": 200});
    let count = json!({"type": "integer", "minimum": 0, "maximum": 1_000_000});
    let mut properties: serde_json::Map<String, Value> = (0..10).map(|at| (format!("text_{at}"), text.clone())).collect();
    properties.extend((0..10).map(|at| (format!("count_{at}"), count.clone())));
    properties.extend((0..5).map(|at| (format!("flag_{at}"), json!({"type": "boolean"}))));
    properties.insert("state".into(), json!({"enum": ["open", "waiting", "closed", "cancelled"]}));
    properties.insert("tags".into(), json!({"type": "array", "items": text, "maxItems": 20}));
    properties.insert("owner".into(), json!({"$ref": "#/$defs/person"}));
    properties.insert("contact".into(), json!({"anyOf": [{"$ref": "#/$defs/person"}, {"type": "null"}]}));
    properties.insert("score".into(), json!({"type": "number", "exclusiveMaximum": 1}));
    let required: Vec<_> = properties.keys().cloned().collect();
    let record = json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    let person = json!({"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["name"]});
    let source = json!({"type": "array", "items": {"$ref": "#/$defs/record"}, "$defs": {"record": record, "person": person}});
    Schema::compile(&source, &SchemaConfig::default()).expect("the schema is in order")
}

fn record(at: usize) -> Value {
    let mut record: serde_json::Map<String, Value> =
        (0..10).map(|field| (format!("text_{field}"), format!("the text of field {field} in record {at}").into())).collect();
    record.extend((0..10).map(|field| (format!("count_{field}"), (at * field).into())));
    record.extend((0..5).map(|field| (format!("flag_{field}"), at.is_multiple_of(field + 1).into())));
    let person = json!({"name": "Ada Lovelace", "age": 36});
    record.insert("state".into(), "cancelled".into());
    record.insert("tags".into(), json!(["first", "second", "third"]));
    record.insert("owner".into(), person.clone());
    record.insert("contact".into(), if at.is_multiple_of(2) { person } else { Value::Null });
    record.insert("score".into(), json!(0.25));
    record.into()
}

fn checks(bench: &mut Criterion) {
    let schema = schema();
    let value: Value = (0..1_000).map(record).collect();
    let text = value.to_string();
    assert!(schema.allows(&value), "the document is in order");
    let mut group = bench.benchmark_group("schema");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("validate", |bench| bench.iter(|| schema.validate(&value)));
    group.bench_function("parse_only", |bench| bench.iter(|| serde_json::from_str::<Value>(&text)));
    group.bench_function("check_text", |bench| bench.iter(|| schema.check_text(&text)));
    for piece in [4, 4_096] {
        group.bench_with_input(BenchmarkId::new("incremental", piece), &piece, |bench, &piece| {
            bench.iter(|| {
                let mut reading = schema.incremental();
                // The document is ASCII, so any cut is between characters.
                text.as_bytes()
                    .chunks(piece)
                    .for_each(|part| reading.push(std::str::from_utf8(part).unwrap_or_default()).expect("it fits"));
                reading.finish()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, checks);
criterion_main!(benches);
