use std::{
    fmt,
    io::{self, Write},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use jarre_kv_store::Entry;
use serde_json::{Value, json};

/// Bytes as text where they are that, or else as base64 under another name.
pub fn bytes(name: &str, bytes: &[u8]) -> (String, Value) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (name.to_owned(), json!(text)),
        Err(_) => (format!("{name}_base64"), json!(STANDARD.encode(bytes))),
    }
}

/// An entry as an object.
pub fn entry(entry: &Entry) -> Value {
    let mut object = json!({
        "create_revision": entry.create_revision, "mod_revision": entry.mod_revision, "version": entry.version,
        "lease": entry.lease.map(|lease| lease.to_string()),
    });
    for (name, value) in [bytes("key", &entry.key), bytes("value", &entry.value)] {
        object[name] = value;
    }
    object
}

/// Prints bytes as they are, and ends the line.
pub fn raw(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.write_all(b"\n")
}

/// Prints `value` for machines, or else `text`.
pub fn say(json: bool, value: &Value, text: fmt::Arguments<'_>) -> io::Result<()> {
    if json { line(value) } else { writeln!(io::stdout().lock(), "{text}") }
}

/// Prints a line of JSON.
pub fn line(value: &Value) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{value}")
}
