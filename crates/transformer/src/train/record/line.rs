//! What stands in a line of a log, and going through the lines.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};

/// A longer line is not read.
pub(super) const MAX_LINE: usize = 1 << 20;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Record {
    Scalar {
        step: u64,
        name: String,
        value: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nonfinite: Option<NonFinite>,
    },
    Param {
        param: String,
        value: Value,
    },
}

/// What JSON has no number for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum NonFinite {
    #[serde(rename = "nan")]
    NaN,
    #[serde(rename = "inf")]
    Infinity,
    #[serde(rename = "-inf")]
    NegativeInfinity,
}

impl Record {
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let record: Self = serde_json::from_slice(line).ok()?;
        let whole = match &record {
            Self::Scalar { value, nonfinite, .. } => value.is_some() != nonfinite.is_some(),
            Self::Param { .. } => true,
        };
        whole.then_some(record)
    }

    pub(super) fn is_after(&self, last: u64) -> bool {
        matches!(self, Self::Scalar { step, .. } if *step > last)
    }
}

impl NonFinite {
    pub(super) fn of(value: f64) -> Option<Self> {
        match value {
            _ if value.is_nan() => Some(Self::NaN),
            f64::INFINITY => Some(Self::Infinity),
            f64::NEG_INFINITY => Some(Self::NegativeInfinity),
            _ => None,
        }
    }

    pub(super) fn value(self) -> f64 {
        match self {
            Self::NaN => f64::NAN,
            Self::Infinity => f64::INFINITY,
            Self::NegativeInfinity => f64::NEG_INFINITY,
        }
    }
}

/// Calls `visit` with every record of finished lines and with its line; returns where the last one ends.
pub(super) fn each_record(path: &Path, file: &File, mut visit: impl FnMut(Record, &[u8]) -> Result<()>) -> Result<u64> {
    let (mut reader, mut line) = (BufReader::new(file), Vec::new());
    let mut end = 0;
    for number in 1_u64.. {
        line.clear();
        reader.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line).map_err(Error::io(path))?;
        if line.len() > MAX_LINE {
            return Err(Error::corrupt(path, format!("line {number} is longer than {MAX_LINE} bytes")));
        }
        if !line.ends_with(b"\n") {
            break;
        }
        let record = Record::parse(&line).ok_or_else(|| Error::corrupt(path, format!("line {number} is not a record of a metric")))?;
        visit(record, &line)?;
        end += line.len() as u64;
    }
    Ok(end)
}
