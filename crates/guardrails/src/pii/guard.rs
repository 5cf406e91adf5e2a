use std::{str::FromStr, sync::Arc};

use super::{Action, Kind, PiiConfig, kinds, pseudonym};
use crate::{
    Basis, Context, Error, Guard, Reach, Result, Scan,
    scan::{Matcher, Pattern},
};

/// Finds personal data by its form, its check digits and the words before it, with a score that the words raise or lower.
///
/// Where anything gets a pseudonym, text that looks like one gets one too, of the kind `TEXT`: so what [`RestoreGuard`](super::RestoreGuard)
/// gives back is what was written, and nobody can ask for another's data by writing its pseudonym.
#[derive(Clone, Debug)]
pub struct PiiGuard {
    patterns: Arc<[Pattern]>,
    config: Arc<PiiConfig>,
}

impl PiiGuard {
    /// Looks for what `config` names.
    ///
    /// # Errors
    /// [`Error::Config`] where the threshold is not from 0 to 1.
    pub fn new(config: PiiConfig) -> Result<Self> {
        if !(0.0..=1.0).contains(&config.threshold) {
            return Err(Error::config("pii", format!("a threshold of {} is not from 0 to 1", config.threshold)));
        }
        let rules = Kind::ALL.iter().filter(|kind| config.kinds.contains(kind)).flat_map(|&kind| kinds::rules(kind, &config));
        let mut patterns = rules.map(|rule| rule.pattern(config.threshold)).collect::<Result<Vec<_>>>()?;
        if config.kinds.iter().any(|&kind| config.action_for(kind) == Action::Pseudonym) {
            patterns.push(pseudonym::written()?);
        }
        Ok(Self { patterns: patterns.into(), config: Arc::new(config) })
    }
}

impl Guard for PiiGuard {
    fn name(&self) -> &'static str {
        "pii"
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
            let action = Kind::from_str(label).map_or(Action::Pseudonym, |kind| config.action_for(kind));
            action.effect(label, || vault.pseudonym(label, seen.text))
        }))
    }
}
