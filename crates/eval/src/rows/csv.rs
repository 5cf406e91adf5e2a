use std::{collections::BTreeSet, io::Read};

use csv::{ByteRecord, ReaderBuilder, StringRecord};
use serde_json::Value;

use super::Row;
use crate::{Error, Result};

/// RFC 4180, with a first row of names. Every value is a text.
pub(super) fn read(file: impl Read) -> Result<Vec<Row>> {
    let mut reader = ReaderBuilder::new().from_reader(file);
    let header = header(reader.byte_headers().map_err(malformed)?)?;
    let mut rows = Vec::new();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(malformed)? {
        let line = record.position().map_or(0, |position| position.line() as usize);
        let fields = header.iter().zip(&texts(line, &record)?).map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        rows.push(Row { line, fields });
    }
    Ok(rows)
}

fn header(record: &ByteRecord) -> Result<StringRecord> {
    let mut header = texts(1, record)?;
    if let Some(first) = header.get(0).and_then(|first| first.strip_prefix('\u{feff}')) {
        header = std::iter::once(first).chain(header.iter().skip(1)).collect();
    }
    let mut names = BTreeSet::new();
    match header.iter().find(|name| !names.insert(*name)) {
        Some(twice) => Err(Error::Malformed { line: 1, problem: format!("the column `{twice}` stands there twice; rename one") }),
        None => Ok(header),
    }
}

fn texts(line: usize, record: &ByteRecord) -> Result<StringRecord> {
    StringRecord::from_byte_record(record.clone()).map_err(|_| Error::Malformed { line, problem: "not UTF-8 text".into() })
}

fn malformed(error: csv::Error) -> Error {
    let line = error.position().map_or(1, |position| position.line() as usize);
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::Io(error),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Error::Malformed { line, problem: format!("{len} values where the header names {expected_len}; is a quotation mark missing?") }
        }
        other => Error::Malformed { line, problem: format!("no CSV: {other:?}") },
    }
}
