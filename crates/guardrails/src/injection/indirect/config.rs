use serde::{Deserialize, Serialize};

use crate::{
    Effect,
    injection::{Family, InjectionConfig},
};

/// What an [`IndirectGuard`](super::IndirectGuard) does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndirectConfig {
    /// The score, from 0 to 1, from which on a sentence is one that demands something of the assistant: 0.5 by default.
    pub threshold: f32,
    /// The score from which on a sentence, or a window of about half a kilobyte, is an attack.
    pub attack_threshold: f32,
    /// Families whose patterns are not looked for.
    pub off: Vec<Family>,
    /// How many encodings within each other are decoded, at most 4.
    pub depth: usize,
    /// What is done about it.
    pub effect: Effect,
}

impl Default for IndirectConfig {
    fn default() -> Self {
        let direct = InjectionConfig::default();
        Self {
            threshold: 0.5,
            attack_threshold: direct.threshold,
            off: Vec::new(),
            depth: direct.depth,
            effect: Effect::Replace("[removed: an instruction in data]".into()),
        }
    }
}
