//! Runs as text, to carry them from one database to another: one JSON record a line.

mod export;
mod import;

pub use import::{Imported, OnConflict};

use jarre_core::base64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Run;
use crate::Sample;

/// The version of the format.
const VERSION: u32 = 1;

/// A line of a bundle. What belongs to a run follows it, up to the next run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Record {
    /// The first line.
    Bundle { version: u32 },
    /// A run.
    Run(Box<Run>),
    /// A setting of it.
    Param { name: String, value: Value },
    /// A tag of it.
    Tag { name: String, value: String },
    /// Some points of a metric of it: step, microseconds since 1970, figure.
    Metric { name: String, points: Vec<(u64, i64, Figure)> },
    /// Something that it made.
    Artifact { name: String, media_type: String, digest: String, size: u64, created: i64, path: Option<String>, bytes: Option<Bytes> },
    /// A sample of it, whose scores stand apart with their history.
    Sample { created: i64, sample: Box<Sample>, scores: Vec<ScoreRecord> },
    /// The last line, with the number of those before it: without it the bundle was cut off.
    End { lines: u64 },
}

/// A score, current or not.
#[derive(Debug, Serialize, Deserialize)]
struct ScoreRecord {
    scorer: String,
    version: String,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Figure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    created: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    withdrawn: Option<i64>,
}

/// Bytes in base 64.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Bytes(#[serde(with = "base64")] Vec<u8>);

/// A figure, also one that JSON has no number for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Figure {
    Finite(f64),
    Other(Special),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Special {
    #[serde(rename = "nan")]
    Nan,
    #[serde(rename = "inf")]
    Infinite,
    #[serde(rename = "-inf")]
    MinusInfinite,
}

impl Figure {
    fn of(value: f64) -> Self {
        match value {
            _ if value.is_nan() => Self::Other(Special::Nan),
            f64::INFINITY => Self::Other(Special::Infinite),
            f64::NEG_INFINITY => Self::Other(Special::MinusInfinite),
            finite => Self::Finite(finite),
        }
    }

    fn value(self) -> f64 {
        match self {
            Self::Finite(value) => value,
            Self::Other(Special::Nan) => f64::NAN,
            Self::Other(Special::Infinite) => f64::INFINITY,
            Self::Other(Special::MinusInfinite) => f64::NEG_INFINITY,
        }
    }
}
