//! What was reached once is held: a file with the mistakes of each layer on each set, which only get fewer.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::figures::Rate;

/// The mistakes that a layer may make on a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) texts: u64,
    pub(crate) wrong: u64,
}

/// What may be wrong with a measurement beside what was held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    /// More mistakes than before: this fails.
    Worse { key: String, held: Held, now: Held },
    /// Fewer: the file should be written anew, or the gain can be lost.
    Better { key: String, held: Held, now: Held },
    /// The set is another one: this fails, because nothing was compared.
    Changed { key: String, held: Held, now: Held },
    /// Measured now, and not held: this fails, because nothing holds it.
    New { key: String },
    /// Held, and not measured now.
    Missing { key: String },
}

impl Departure {
    /// Whether this must not land.
    pub(crate) fn fails(&self) -> bool {
        matches!(self, Self::Worse { .. } | Self::Changed { .. } | Self::New { .. })
    }

    pub(crate) fn told(&self) -> String {
        let of = |held: &Held| format!("{} of {}", held.wrong, held.texts);
        match self {
            Self::Worse { key, held, now } => format!("worse: {key}: {} are wrong, {} were", of(now), of(held)),
            Self::Better { key, held, now } => format!("better: {key}: {} are wrong, {} were; hold it by --update", of(now), of(held)),
            Self::Changed { key, held, now } => {
                format!("another set: {key}: {} texts, {} were; look at it, then --update", now.texts, held.texts)
            }
            Self::New { key } => format!("not held: {key}; hold it by --update"),
            Self::Missing { key } => format!("not measured: {key}"),
        }
    }
}

/// Reads what is held.
pub(crate) fn read(path: &Path) -> Result<BTreeMap<String, Held>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}; --update writes it", path.display()))?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// Holds `rates`.
pub(crate) fn write(path: &Path, rates: &[Rate]) -> Result<()> {
    let text = serde_json::to_string_pretty(&held(rates))? + "\n";
    let written = path.with_extension("json.new");
    fs::write(&written, text).and_then(|()| fs::rename(&written, path)).with_context(|| format!("cannot write {}", path.display()))
}

/// How `rates` depart from what is held.
pub(crate) fn compare(before: &BTreeMap<String, Held>, rates: &[Rate]) -> Vec<Departure> {
    let now = held(rates);
    let mut departures: Vec<Departure> = now.iter().filter_map(|(key, now)| departure(key, before.get(key).copied(), *now)).collect();
    departures.extend(before.keys().filter(|key| !now.contains_key(*key)).map(|key| Departure::Missing { key: key.clone() }));
    departures
}

fn departure(key: &str, held: Option<Held>, now: Held) -> Option<Departure> {
    let key = key.to_owned();
    let Some(held) = held else { return Some(Departure::New { key }) };
    match held {
        Held { texts, .. } if texts != now.texts => Some(Departure::Changed { key, held, now }),
        Held { wrong, .. } if wrong < now.wrong => Some(Departure::Worse { key, held, now }),
        Held { wrong, .. } if wrong > now.wrong => Some(Departure::Better { key, held, now }),
        _ => None,
    }
}

fn held(rates: &[Rate]) -> BTreeMap<String, Held> {
    rates.iter().map(|rate| (rate.key(), Held { texts: rate.texts, wrong: rate.wrong })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::Side;

    fn rate(set: &str, texts: u64, wrong: u64) -> Rate {
        Rate { layer: "pii".into(), set: set.into(), side: Side::Harmless, seen: false, texts, wrong }
    }

    #[test]
    fn one_mistake_more_fails_and_one_less_is_told() {
        let before = held(&[rate("a", 10, 2), rate("b", 10, 2), rate("c", 10, 2), rate("d", 10, 2), rate("gone", 1, 0)]);
        let now = [rate("a", 10, 3), rate("b", 10, 1), rate("c", 11, 2), rate("d", 10, 2), rate("new", 1, 0)];
        let departures = compare(&before, &now);
        let failing: Vec<&Departure> = departures.iter().filter(|departure| departure.fails()).collect();
        assert_eq!(departures.len(), 5);
        assert!(matches!(failing[..], [Departure::Worse { .. }, Departure::Changed { .. }, Departure::New { .. }]), "{failing:?}");
        assert_eq!(failing[0].told(), "worse: pii/a: 3 of 10 are wrong, 2 of 10 were");
    }

    #[test]
    fn what_is_written_is_read_and_compares_as_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ratchet.json");
        assert!(read(&path).is_err());
        write(&path, &[rate("a", 10, 2)]).unwrap();
        assert!(compare(&read(&path).unwrap(), &[rate("a", 10, 2)]).is_empty());
    }
}
