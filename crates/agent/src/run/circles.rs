use std::collections::{BTreeMap, BTreeSet};

use blake3::Hash;

use super::step::Step;

/// Counts how often the same action led to the same observation.
///
/// A step that changed something in a way not seen before starts the counts anew: tests that fail alike after different edits are no circle.
#[derive(Clone, Debug, Default)]
pub(super) struct Circles {
    counts: BTreeMap<[u8; 32], u64>,
    seen: BTreeSet<[u8; 32]>,
}

impl Circles {
    /// Books a step and says how often it has been there. `changed` says whether it changed anything.
    pub(super) fn book(&mut self, step: &Step, changed: bool) -> u64 {
        let signature = *signature(step).as_bytes();
        if self.seen.insert(signature) && changed {
            self.counts.clear();
        }
        let count = self.counts.entry(signature).or_default();
        *count += 1;
        *count
    }

    /// Forgets the counts: the plan is another.
    pub(super) fn start_anew(&mut self) {
        self.counts.clear();
    }
}

/// What was asked for and what came of it; not why, and not under which id.
fn signature(step: &Step) -> Hash {
    let mut hasher = blake3::Hasher::new();
    for call in &step.calls {
        let output = call.output.as_ref().map(|output| output.text.as_str()).unwrap_or_default();
        for field in [&call.call.name, &call.call.arguments, output] {
            hasher.update(&(field.len() as u64).to_le_bytes()).update(field.as_bytes());
        }
    }
    hasher.finalize()
}
