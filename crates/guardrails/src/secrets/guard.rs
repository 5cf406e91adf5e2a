use std::sync::Arc;

use super::{SecretsConfig, assignment, entropy, jwt, keys, pem, url};
use crate::{
    Basis, Context, Error, Guard, Reach, Result, Scan,
    pii::SECRET,
    scan::{Matcher, Pattern, Rule},
};

/// Finds secrets by the formats that issuers give them, by the names they are assigned to, and by how random they are.
#[derive(Clone, Debug)]
pub struct SecretsGuard {
    patterns: Arc<[Pattern]>,
    config: Arc<SecretsConfig>,
}

impl SecretsGuard {
    /// Looks for all secrets and does with them what `config` says.
    ///
    /// # Errors
    /// [`Error::Config`] where the threshold is not from 0 to 1, or an action is for what is no label.
    pub fn new(config: SecretsConfig) -> Result<Self> {
        if !(0.0..=1.0).contains(&config.threshold) {
            return Err(Error::config("secrets", format!("a threshold of {} is not from 0 to 1", config.threshold)));
        }
        let labels = Self::labels();
        if let Some(unknown) = config.actions.keys().find(|label| !labels.contains(&label.as_str())) {
            return Err(Error::config("secrets", format!("`{unknown}` is no label of a secret, use one of {}", labels.join(", "))));
        }
        let rules = rules().into_iter().filter(|rule| config.entropy || rule.label != entropy::LABEL);
        let patterns = rules.map(|rule| rule.pattern(config.threshold)).collect::<Result<Vec<_>>>()?;
        Ok(Self { patterns: patterns.into(), config: Arc::new(config) })
    }

    /// The labels of what is looked for.
    pub fn labels() -> Vec<&'static str> {
        let mut labels: Vec<_> = rules().iter().map(|rule| rule.label).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }
}

/// What issuers' formats tell before what names and randomness do.
fn rules() -> Vec<Rule> {
    let mut rules = vec![pem::rule(), url::rule("url_credentials"), jwt::rule()];
    rules.extend(keys::rules().into_iter().chain(assignment::rules()).chain(entropy::rules()));
    rules
}

impl Guard for SecretsGuard {
    fn name(&self) -> &'static str {
        "secrets"
    }

    fn reach(&self) -> Reach {
        Matcher::reach(&self.patterns)
    }

    fn basis(&self) -> Basis {
        Basis::Text
    }

    fn scan(&self, context: &Context) -> Box<dyn Scan> {
        let (config, vault) = (self.config.clone(), context.vault.clone());
        Box::new(Matcher::new(self.patterns.clone(), move |label, seen| {
            config.action_for(label).effect(label, || vault.pseudonym(SECRET, seen.text))
        }))
    }
}
