//! `validate`: whether JSON is what a schema allows.

use std::{io::Write, path::Path};

use anyhow::{Context, Result};
use jarre_guardrails::schema::{Schema, SchemaConfig, Violation};
use serde_json::json;

use crate::{args::ValidateArgs, input};

/// Whether all documents are valid.
pub(crate) fn validate(args: &ValidateArgs) -> Result<bool> {
    let schema = schema(&args.schema)?;
    let mut valid = true;
    let mut tell = |line: Option<usize>, document: &[u8]| -> Result<()> {
        let violations = schema.check_bytes(document).err().unwrap_or_default();
        valid &= violations.is_empty();
        write(line, &violations, args.json)
    };
    if args.jsonl {
        input::lines(args.file.as_deref(), |line, document| tell(Some(line), document))?;
    } else {
        tell(None, &input::bytes(args.file.as_deref())?)?;
    }
    Ok(valid)
}

/// The schema in the file `path`.
pub(crate) fn schema(path: &Path) -> Result<Schema> {
    let text = input::text(Some(path))?;
    Schema::compile_text(&text, &SchemaConfig::default()).with_context(|| path.display().to_string())
}

fn write(line: Option<usize>, violations: &[Violation], json: bool) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        let mut result = json!({"valid": violations.is_empty(), "violations": violations});
        if let (Some(line), Some(object)) = (line, result.as_object_mut()) {
            object.insert("line".to_owned(), line.into());
        }
        writeln!(out, "{result}")?;
        return Ok(());
    }
    let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
    if violations.is_empty() {
        writeln!(out, "{place}valid")?;
    }
    for violation in violations {
        writeln!(out, "{place}{violation}")?;
    }
    Ok(())
}
