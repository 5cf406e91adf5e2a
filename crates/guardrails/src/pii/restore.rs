use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::pseudonym;
use crate::{
    Basis, Context, Effect, Guard, Reach, Result, Scan,
    scan::{Matcher, Pattern},
};

/// How pseudonyms are taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestoreConfig {
    /// Whether pseudonyms as models write them count, as `<email_1>`, `[EMAIL_1]`, `<EMAIL\_1>` or `EMAIL_1`; only `<EMAIL_1>` does by default.
    pub lenient: bool,
}

/// Puts the values of the conversation's [`Vault`](super::Vault) in the place of their pseudonyms.
///
/// What looks like a pseudonym and is in no vault stays, and is noted. Values come from the vault of the [`Context`] alone: a conversation has
/// its own, so no text can name another's. Within a conversation a model can be led to write any pseudonym that it has seen; restore only
/// where the person reads, not in arguments of tools that send text elsewhere.
#[derive(Clone, Debug)]
pub struct RestoreGuard {
    patterns: Arc<[Pattern]>,
}

impl RestoreGuard {
    /// Restores as `config` says.
    ///
    /// # Errors
    /// None that its own patterns can cause.
    pub fn new(config: &RestoreConfig) -> Result<Self> {
        let pattern = if config.lenient { pseudonym::mended() } else { pseudonym::exact() };
        Ok(Self { patterns: [pattern?].into() })
    }
}

impl Guard for RestoreGuard {
    fn name(&self) -> &'static str {
        "restore"
    }

    fn reach(&self) -> Reach {
        Matcher::reach(&self.patterns)
    }

    fn basis(&self) -> Basis {
        Basis::Text
    }

    fn scan(&self, context: &Context) -> Box<dyn Scan> {
        let vault = context.vault.clone();
        Box::new(Matcher::new(self.patterns.clone(), move |_, seen| {
            vault.value(&pseudonym::read(seen.text)).map_or(Effect::Note, Effect::Replace)
        }))
    }
}
