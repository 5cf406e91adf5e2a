use std::io::{BufReader, Read};

use serde_json::Value;

use super::Row;
use crate::{Error, Result, line};

/// One JSON object a line; blank lines are passed over.
pub(super) fn read(file: impl Read) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    line::for_each(BufReader::new(file), |line, text| {
        let problem = |problem: String| Error::Malformed { line, problem };
        match serde_json::from_str(text).map_err(|error| problem(format!("not JSON: {error}")))? {
            Value::Object(fields) => rows.push(Row { line, fields }),
            _ => return Err(problem("each line must be a JSON object, `{\"field\": ..}`".into())),
        }
        Ok(())
    })?;
    Ok(rows)
}
