use std::fs::File;

use parquet::{
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
};
use serde_json::Value;

use super::Row;
use crate::{Error, Result};

/// The rows of all groups. Columns of bytes are read as base64, dates and times as texts.
pub(super) fn read(file: File) -> Result<Vec<Row>> {
    let reader = SerializedFileReader::new(file).map_err(|error| malformed(0, &error))?;
    let mut rows = Vec::new();
    for (number, row) in reader.get_row_iter(None).map_err(|error| malformed(0, &error))?.enumerate() {
        let row = row.map_err(|error| malformed(number + 1, &error))?;
        match row.to_json_value() {
            Value::Object(fields) => rows.push(Row { line: number + 1, fields }),
            _ => return Err(Error::Malformed { line: number + 1, problem: "the row has no columns".into() }),
        }
    }
    Ok(rows)
}

fn malformed(row: usize, error: &ParquetError) -> Error {
    Error::Malformed {
        line: row,
        problem: format!("cannot be read as Parquet: {error}; files packed by other ways than snappy and gzip have to be packed again"),
    }
}
