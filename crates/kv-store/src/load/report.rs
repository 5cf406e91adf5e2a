use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Load, client::Told};

/// What a load found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// The load.
    pub load: Load,
    /// Operations that were answered in the time that counts.
    pub operations: u64,
    /// The same for each second.
    pub per_second: f64,
    /// The time that half of them took at most. Times are right to one part in 32.
    pub p50: Duration,
    /// The time that nine of ten took at most.
    pub p90: Duration,
    /// The time that 99 of 100 took at most.
    pub p99: Duration,
    /// The longest time.
    pub max: Duration,
    /// What was not answered, by the kind of error.
    pub errors: BTreeMap<String, u64>,
}

impl LoadReport {
    pub(super) fn new(load: &Load, all: &Told) -> Self {
        let seconds = all.took.as_secs_f64();
        let operations = all.latencies.count();
        let quantile = |part| all.latencies.quantile(part);
        Self {
            load: load.clone(),
            operations,
            per_second: if seconds > 0.0 { operations as f64 / seconds } else { 0.0 },
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            max: quantile(1.0),
            errors: all.errors.clone(),
        }
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { load, per_second, p50, p90, p99, max, errors, .. } = self;
        let millis = |time: &Duration| time.as_secs_f64() * 1e3;
        write!(f, "{}, {} clients, {} B: {per_second:.0}/s", load.work, load.clients, load.value)?;
        write!(f, ", p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, max {:.2} ms", millis(p50), millis(p90), millis(p99), millis(max))?;
        errors.iter().try_for_each(|(kind, count)| write!(f, ", {count} x {kind}"))
    }
}
