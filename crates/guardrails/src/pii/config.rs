use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::Effect;

/// What [`PiiGuard`](super::PiiGuard) looks for and what is done about it.
///
/// ```
/// use jarre_guardrails::pii::{Action, Kind, PiiConfig};
///
/// let config: PiiConfig = toml::from_str("action = 'mask'\nactions = { card = 'block' }").unwrap();
/// assert_eq!(config.action_for(Kind::Card), Action::Block);
/// assert_eq!(config.action_for(Kind::Email), Action::Mask);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PiiConfig {
    /// What is looked for: by default all but names.
    pub kinds: BTreeSet<Kind>,
    /// What is done about a kind that `actions` does not name: by default it gets a pseudonym.
    pub action: Action,
    /// What is done about single kinds.
    pub actions: BTreeMap<Kind, Action>,
    /// The least score of a finding, from 0 to 1; 0.5 by default. Numbers whose form says little reach 0.5 only where words name them.
    pub threshold: f32,
    /// Whether IP addresses of private, local and reserved ranges count; they do not by default.
    pub private_addresses: bool,
}

impl Default for PiiConfig {
    fn default() -> Self {
        Self {
            kinds: Kind::ALL.iter().copied().filter(|&kind| kind != Kind::Name).collect(),
            action: Action::default(),
            actions: BTreeMap::new(),
            threshold: 0.5,
            private_addresses: false,
        }
    }
}

impl PiiConfig {
    /// What is done about `kind`.
    pub fn action_for(&self, kind: Kind) -> Action {
        self.actions.get(&kind).copied().unwrap_or(self.action)
    }
}

/// What is done about a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A pseudonym of the conversation's vault takes its place, as `<EMAIL_1>`.
    #[default]
    Pseudonym,
    /// Its kind takes its place, as `[EMAIL]`; what it was is lost.
    Mask,
    /// The text goes no further.
    Block,
    /// It is recorded.
    Note,
}

impl Action {
    /// The effect on `value`, whose finding has this label; `pseudonym` makes one up.
    pub(crate) fn effect(self, label: &str, pseudonym: impl FnOnce() -> String) -> Effect {
        match self {
            Self::Pseudonym => Effect::Replace(pseudonym()),
            Self::Mask => Effect::Replace(format!("[{}]", label.to_uppercase())),
            Self::Block => Effect::Block,
            Self::Note => Effect::Note,
        }
    }
}
