use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Candidate, Change, Check, Fix, MAX_DEPTH, Origin, Refusal, RepairConfig, Repaired, coerce, extract, repair};

/// Which steps are taken to a document, and how far they go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecoveryConfig {
    /// Whether a document is taken out of prose, fences and tags.
    pub extract: bool,
    /// Whether what is no JSON is mended.
    pub repair: bool,
    /// Whether values are fitted to the schema.
    pub coerce: bool,
    /// The longest text that is read, in bytes.
    pub bytes: usize,
    /// How many documents are considered.
    pub candidates: usize,
    /// How far mending goes.
    pub limits: RepairConfig,
}

impl Default for RecoveryConfig {
    fn default() -> Self {
        Self { extract: true, repair: true, coerce: true, bytes: 10 << 20, candidates: 32, limits: RepairConfig::default() }
    }
}

/// Takes documents out of what models write.
///
/// A text that is JSON and valid is returned as it is, without a step. Otherwise every [candidate](extract()) is mended and fitted as
/// far as the configuration allows, and of those that are valid the cheapest is taken: [`Recovered::price`]. Nothing invalid is returned.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    config: RecoveryConfig,
}

/// A document, and the steps that led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovered {
    /// The document.
    pub value: Value,
    /// The steps in their order; none where the text is the document.
    pub steps: Vec<Step>,
}

impl Recovered {
    /// What the steps cost together.
    pub fn price(&self) -> u32 {
        self.steps.iter().fold(0, |price, step| price.saturating_add(step.price()))
    }
}

/// One step from a text to a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// The document was taken out of a text.
    Extract {
        /// Where it stood.
        origin: Origin,
        /// The bytes of the text.
        span: Range<usize>,
    },
    /// Its text was mended.
    Repair {
        /// What was mended.
        fixes: Vec<Fix>,
    },
    /// Its values were fitted.
    Coerce {
        /// What was changed.
        changes: Vec<Change>,
    },
}

impl Step {
    /// What it costs: the sum of its parts.
    pub fn price(&self) -> u32 {
        match self {
            Self::Extract { origin, .. } => origin.price(),
            Self::Repair { fixes } => fixes.iter().fold(0, |price, fix| price.saturating_add(fix.kind.price())),
            Self::Coerce { changes } => changes.iter().fold(0, |price, change| price.saturating_add(change.kind.price())),
        }
    }
}

/// Why no document came out of a text.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unrecovered {
    /// The text is longer than is read.
    #[error("the text has {bytes} bytes, and at most {limit} are read")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The text holds no document.
    #[error("the text holds no JSON document")]
    Nothing,
    /// The text begins as a document that cannot be read.
    #[error("the JSON document cannot be read: {0}")]
    Refused(#[from] Refusal),
    /// Every document that the text holds is invalid.
    #[error("the JSON document is not valid: {}", violations.join("; "))]
    Invalid {
        /// The likeliest document, as far as it could be mended and fitted.
        value: Box<Value>,
        /// What is wrong with it.
        violations: Vec<String>,
    },
}

impl Recovery {
    /// Recovers as `config` says.
    pub fn new(config: RecoveryConfig) -> Self {
        Self { config }
    }

    /// The document that `text` was meant to be; `check` says what it has to be.
    ///
    /// # Errors
    /// Where there is none, none that can be read without guessing, or none that is valid.
    ///
    /// ```
    /// use jarre_guardrails::json::{Recovery, Step};
    ///
    /// let recovered = Recovery::default().recover("Sure:\n```json\n{'n': 1,}\n```\nAnything else?", None)?;
    /// assert_eq!(recovered.value, serde_json::json!({"n": 1}));
    /// assert!(matches!(&recovered.steps[..], [Step::Extract { .. }, Step::Repair { .. }]));
    /// assert_eq!(recovered.price(), 1 + 2);
    /// # Ok::<(), jarre_guardrails::json::Unrecovered>(())
    /// ```
    pub fn recover(&self, text: &str, check: Option<&dyn Check>) -> Result<Recovered, Unrecovered> {
        let limit = self.config.bytes;
        if text.len() > limit {
            return Err(Unrecovered::TooLong { bytes: text.len(), limit });
        }
        let candidates = match self.as_json(text) {
            Some(candidate) => vec![candidate],
            None => self.candidates(text)?,
        };
        let Some(check) = check else {
            let first = candidates.into_iter().next().ok_or(Unrecovered::Nothing)?;
            return Ok(recovered(first));
        };
        self.cheapest(candidates, check)
    }

    /// The text, if it is JSON.
    fn as_json(&self, text: &str) -> Option<Candidate> {
        let value: Value = serde_json::from_str(text).ok()?;
        let fits = self.config.limits.depth >= MAX_DEPTH || depth(&value) <= self.config.limits.depth;
        fits.then(|| Candidate::whole(text, Repaired { value, fixes: Vec::new() }))
    }

    fn candidates(&self, text: &str) -> Result<Vec<Candidate>, Unrecovered> {
        let RecoveryConfig { extract: searched, repair: mended, candidates, limits, .. } = &self.config;
        let found = if *searched {
            extract(text, *candidates, limits)
        } else {
            repair(text, limits).map(|repaired| vec![Candidate::whole(text, repaired)])
        };
        let begins = text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[', '(']);
        let mut found = found.map_err(|refusal| if begins { refusal.into() } else { Unrecovered::Nothing })?;
        found.retain(|candidate| *mended || candidate.repaired.fixes.is_empty());
        if found.is_empty() { Err(Unrecovered::Nothing) } else { Ok(found) }
    }

    fn cheapest(&self, candidates: Vec<Candidate>, check: &dyn Check) -> Result<Recovered, Unrecovered> {
        let mut best: Option<Recovered> = None;
        let mut likeliest = None;
        for candidate in candidates {
            match self.valid(recovered(candidate), check) {
                Ok(next) if best.as_ref().is_none_or(|best| next.price() < best.price()) => best = Some(next),
                Ok(_) => {}
                Err(invalid) => likeliest = likeliest.or(Some(invalid)),
            }
        }
        match (best, likeliest) {
            (Some(best), _) => Ok(best),
            (None, Some(invalid)) => Err(invalid),
            (None, None) => Err(Unrecovered::Nothing),
        }
    }

    /// A document that is valid, fitted where it has to be.
    fn valid(&self, mut document: Recovered, check: &dyn Check) -> Result<Recovered, Unrecovered> {
        let violations = check.violations(&document.value);
        if violations.is_empty() {
            return Ok(document);
        }
        if !self.config.coerce {
            return Err(Unrecovered::Invalid { value: Box::new(document.value), violations });
        }
        let coerced = coerce(document.value, check.schema());
        let violations = if coerced.changes.is_empty() { violations } else { check.violations(&coerced.value) };
        if !violations.is_empty() {
            return Err(Unrecovered::Invalid { value: Box::new(coerced.value), violations });
        }
        document.value = coerced.value;
        document.steps.push(Step::Coerce { changes: coerced.changes });
        Ok(document)
    }
}

/// A candidate with its steps.
fn recovered(candidate: Candidate) -> Recovered {
    let Candidate { origin, span, repaired, .. } = candidate;
    let mut steps = Vec::new();
    if origin != Origin::Whole {
        steps.push(Step::Extract { origin, span });
    }
    if !repaired.fixes.is_empty() {
        steps.push(Step::Repair { fixes: repaired.fixes });
    }
    Recovered { value: repaired.value, steps }
}

/// How deep a value nests. It came from a reader with a limit, so this does not go deep itself.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
