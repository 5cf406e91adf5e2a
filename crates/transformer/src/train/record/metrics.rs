use std::{collections::BTreeMap, fs::File, path::Path};

use serde_json::Value;

use super::line::{NonFinite, Record, each_record};
use crate::error::{Error, Result};

/// What a [`MetricsLog`](super::MetricsLog) holds. Of figures with one name and step, and of settings with one name, the last counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    scalars: BTreeMap<String, BTreeMap<u64, f64>>,
    params: BTreeMap<String, Value>,
}

impl Metrics {
    /// Reads a log, also while it is written.
    ///
    /// # Errors
    /// As for [`MetricsLog::append`](super::MetricsLog::append); also where there is no such file.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path))?;
        let mut metrics = Self::default();
        each_record(path, &file, |record, _| {
            metrics.add(record);
            Ok(())
        })?;
        Ok(metrics)
    }

    /// The values of the metric `name` by step, in order of the steps.
    pub fn scalars(&self, name: &str) -> Vec<(u64, f64)> {
        self.scalars.get(name).into_iter().flatten().map(|(&step, &value)| (step, value)).collect()
    }

    /// The setting `name`.
    pub fn param(&self, name: &str) -> Option<&Value> {
        self.params.get(name)
    }

    /// The names of all metrics in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.scalars.keys().map(String::as_str)
    }

    fn add(&mut self, record: Record) {
        match record {
            Record::Scalar { step, name, value, nonfinite } => {
                let value = value.or(nonfinite.map(NonFinite::value)).expect("a record that was read has one or the other");
                self.scalars.entry(name).or_default().insert(step, value);
            }
            Record::Param { param, value } => {
                self.params.insert(param, value);
            }
        }
    }
}
