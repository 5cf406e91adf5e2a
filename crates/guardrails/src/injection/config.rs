use serde::{Deserialize, Serialize};

use super::Family;
use crate::Effect;

/// What an [`InjectionGuard`](super::InjectionGuard) does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InjectionConfig {
    /// The score, from 0 to 1, from which on a text is an attack: 0.65 by default.
    pub threshold: f32,
    /// The same for text that is disguised or encoded, which honest text seldom is.
    pub disguised_threshold: f32,
    /// Families whose patterns are not looked for. What the classifier says of them stays.
    pub off: Vec<Family>,
    /// Whether the patterns are enough by themselves; else the classifier weighs them alone.
    pub patterns: bool,
    /// How many encodings within each other are decoded, at most 4.
    pub depth: usize,
    /// What is done about an attack.
    pub effect: Effect,
}

impl Default for InjectionConfig {
    fn default() -> Self {
        Self { threshold: 0.65, disguised_threshold: 0.3, off: Vec::new(), patterns: true, depth: 2, effect: Effect::Block }
    }
}
