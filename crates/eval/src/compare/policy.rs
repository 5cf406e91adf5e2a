use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a candidate must keep to in order to take a baseline's place. As a TOML file:
///
/// ```
/// let policy = jarre_eval::compare::Policy::parse(r#"
///     metric = "exact_match"
///     margin = 0.01              # a point of a share
///     slice_margin = 0.05
///     max_errors = 0.02
///     max_latency_ratio = 1.2
///     max_cost_ratio = 1.5
/// "#)?;
/// assert_eq!(policy.margin, 0.01);
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The one metric that decides; the run's first where it is not given.
    pub metric: Option<String>,
    /// Whether a lower figure of it is better.
    pub lower_is_better: bool,
    /// How much worse the candidate may be, in the metric's unit: the interval of the difference has to stay above that.
    pub margin: f64,
    /// How much worse it may be in a stratum; strata decide nothing where it is not given.
    pub slice_margin: Option<f64>,
    /// How sure intervals are, two-sided; of the slices, the whole family.
    pub confidence: f64,
    /// The largest share of the candidate's answers that may have failed or have no figure.
    pub max_errors: f64,
    /// How many times as long the candidate's 95th percentile of latencies may be.
    pub max_latency_ratio: Option<f64>,
    /// How many times as much an answer of the candidate may cost.
    pub max_cost_ratio: Option<f64>,
}

impl Default for Policy {
    /// No worse by a hundredth, 95 % confidence, at most 2 % of answers without a figure.
    fn default() -> Self {
        Self {
            metric: None,
            lower_is_better: false,
            margin: 0.01,
            slice_margin: None,
            confidence: 0.95,
            max_errors: 0.02,
            max_latency_ratio: None,
            max_cost_ratio: None,
        }
    }
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// [`Error::InvalidExperiment`] where it is no TOML, holds a name that is none of a policy's, or a number that cannot be.
    #[cfg(feature = "run")]
    pub fn parse(text: &str) -> Result<Self> {
        toml::from_str::<Self>(text).map_err(|error| Error::InvalidExperiment(error.to_string()))?.checked()
    }

    /// The same policy, if it makes sense.
    ///
    /// # Errors
    /// [`Error::InvalidExperiment`] with what does not.
    pub fn checked(self) -> Result<Self> {
        let bounds = [
            ("margin", Some(self.margin), 0.0, f64::MAX),
            ("slice_margin", self.slice_margin, 0.0, f64::MAX),
            ("confidence", Some(self.confidence), 0.5, 0.999_999),
            ("max_errors", Some(self.max_errors), 0.0, 1.0),
            ("max_latency_ratio", self.max_latency_ratio, f64::MIN_POSITIVE, f64::MAX),
            ("max_cost_ratio", self.max_cost_ratio, f64::MIN_POSITIVE, f64::MAX),
        ];
        match bounds.iter().find(|(_, value, low, high)| value.is_some_and(|value| !(*low..=*high).contains(&value))) {
            Some((name, value, ..)) => Err(Error::InvalidExperiment(format!("`{name}` cannot be {}", value.unwrap_or_default()))),
            None => Ok(self),
        }
    }
}
