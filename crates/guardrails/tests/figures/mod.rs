//! Data that is measured on, and figures with their uncertainty.
#![expect(clippy::disallowed_methods, reason = "data is found through the environment")]

use std::{fmt, fs, path::PathBuf};

use serde_json::Value;

/// The place of a file of the data.
///
/// # Panics
/// Where `JARRE_DATA` does not say where the data is.
pub(crate) fn data(path: &str) -> PathBuf {
    PathBuf::from(std::env::var("JARRE_DATA").expect("JARRE_DATA is the folder of the data")).join(path)
}

/// The rows of a file of JSON lines.
pub(crate) fn rows(path: &str) -> Vec<Value> {
    let text = fs::read_to_string(data(path)).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether a text is of the half that choices are made on, by its hash (FNV-1a); the other half is reported on.
pub(crate) fn is_for_choosing(text: &str) -> bool {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 32).is_multiple_of(2)
}

/// A share, with its Wilson interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share {
    hits: usize,
    all: usize,
}

impl Share {
    pub(crate) fn of(items: impl IntoIterator<Item = bool>) -> Self {
        items.into_iter().fold(Self { hits: 0, all: 0 }, |share, hit| Self { hits: share.hits + usize::from(hit), all: share.all + 1 })
    }

    pub(crate) fn value(self) -> f64 {
        self.hits as f64 / self.all as f64
    }

    fn interval(self) -> [f64; 2] {
        let (all, z) = (self.all as f64, 1.959_964);
        let centre = self.value() + z * z / (2.0 * all);
        let half = z * (self.value() * (1.0 - self.value()) / all + z * z / (4.0 * all * all)).sqrt();
        [centre - half, centre + half].map(|bound| (bound / (1.0 + z * z / all)).clamp(0.0, 1.0))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, high] = self.interval().map(|bound| bound * 100.0);
        write!(out, "{:.2} % [{low:.2}, {high:.2}] of {}", self.value() * 100.0, self.all)
    }
}
