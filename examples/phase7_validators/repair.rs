//! `repair`: JSON out of what a model wrote, every step told.

use std::io::Write;

use anyhow::Result;
use jarre_guardrails::{
    json::{Check, Recovered, Recovery, Step, Unrecovered},
    schema::Schema,
};
use serde_json::{Value, json};

use crate::{args::RepairArgs, input, validate};

/// Whether a document came out of every text.
pub(crate) fn repair(args: &RepairArgs) -> Result<bool> {
    let schema = args.schema.as_deref().map(validate::schema).transpose()?;
    let mut mended = true;
    let mut tell = |line: Option<usize>, text: &str| -> Result<()> {
        let recovered = Recovery::default().recover(text, schema.as_ref().map(|schema: &Schema| schema as &dyn Check));
        mended &= recovered.is_ok();
        if args.json { write_json(line, &recovered) } else { write_text(line, &recovered) }
    };
    if args.jsonl {
        input::lines(args.file.as_deref(), |line, text| tell(Some(line), &String::from_utf8_lossy(text)))?;
    } else {
        tell(None, &input::text(args.file.as_deref())?)?;
    }
    Ok(mended)
}

fn write_json(line: Option<usize>, recovered: &Result<Recovered, Unrecovered>) -> Result<()> {
    let mut told = match recovered {
        Ok(recovered) => json!({"value": recovered.value, "steps": recovered.steps, "price": recovered.price()}),
        Err(Unrecovered::Invalid { value, violations }) => {
            json!({"error": "the document is not valid", "value": value, "violations": violations})
        }
        Err(error) => json!({"error": error.to_string()}),
    };
    if let (Some(line), Some(object)) = (line, told.as_object_mut()) {
        object.insert("line".to_owned(), line.into());
    }
    writeln!(std::io::stdout().lock(), "{told}")?;
    Ok(())
}

/// The document goes to the output and what was done to it to the error output, so that one can be piped on.
fn write_text(line: Option<usize>, recovered: &Result<Recovered, Unrecovered>) -> Result<()> {
    let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
    match recovered {
        Ok(Recovered { value, steps }) => {
            let mut out = std::io::stdout().lock();
            // Lines stay lines.
            if line.is_some() {
                writeln!(out, "{value}")?;
            } else {
                writeln!(out, "{value:#}")?;
            }
            for step in steps {
                eprintln!("{place}{}", told(step));
            }
        }
        Err(error) => eprintln!("{place}{error}"),
    }
    Ok(())
}

/// A step in words, as its JSON has them.
fn told(step: &Step) -> String {
    let list = |value: Value, name: &str| match &value[name] {
        Value::Array(items) => items.iter().map(Value::to_string).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    let value = serde_json::to_value(step).unwrap_or_default();
    match step {
        Step::Extract { .. } => format!("taken out of the text: {}, bytes {}", value["origin"], value["span"]),
        Step::Repair { .. } => format!("mended: {}", list(value, "fixes")),
        Step::Coerce { .. } => format!("fitted: {}", list(value, "changes")),
    }
}
