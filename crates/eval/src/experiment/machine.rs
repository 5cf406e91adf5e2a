//! What a run's figures may depend on besides what was asked.

use std::{collections::BTreeMap, thread};

use serde_json::Value;

pub(super) fn describe(provider: &str, endpoint: &str, repeats: u32) -> BTreeMap<String, Value> {
    let cores = thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let said = [
        ("os", Value::from(std::env::consts::OS)),
        ("arch", Value::from(std::env::consts::ARCH)),
        ("cores", Value::from(cores)),
        ("jarre_eval", Value::from(env!("CARGO_PKG_VERSION"))),
        ("provider", Value::from(provider)),
        ("endpoint", Value::from(endpoint)),
        ("repeats", Value::from(repeats)),
    ];
    said.into_iter().filter(|(_, value)| value.as_str() != Some("")).map(|(name, value)| (name.to_owned(), value)).collect()
}
