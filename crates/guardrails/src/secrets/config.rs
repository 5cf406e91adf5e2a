use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pii::Action;

/// What [`SecretsGuard`](super::SecretsGuard) does about what it finds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsConfig {
    /// What is done about a secret that `actions` does not name: by default it is masked, as `[GITHUB_TOKEN]`.
    pub action: Action,
    /// What is done about secrets by their label, as [`SecretsGuard::labels`](super::SecretsGuard::labels) has them.
    pub actions: BTreeMap<String, Action>,
    /// The least score of a finding, from 0 to 1; 0.5 by default.
    pub threshold: f32,
    /// Whether random text in quotation marks counts though nothing names it. It does not by default: digests and identifiers look the same.
    pub entropy: bool,
}

impl Default for SecretsConfig {
    fn default() -> Self {
        Self { action: Action::Mask, actions: BTreeMap::new(), threshold: 0.5, entropy: false }
    }
}

impl SecretsConfig {
    /// What is done about the secret with this label.
    pub fn action_for(&self, label: &str) -> Action {
        self.actions.get(label).copied().unwrap_or(self.action)
    }
}
