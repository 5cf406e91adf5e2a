use jarre_core::{Mirostat, Sampling};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Settings of sampling that are tried out: each combination is a variant, compared with the first by pairs of items.
///
/// ```
/// use jarre_core::Sampling;
///
/// let sweep: jarre_eval::experiment::Sweep = toml::from_str("temperature = [0.0, 0.7]\ntop_p = [0.9, 1.0]")?;
/// let variants = sweep.variants(&Sampling::default())?;
/// let names: Vec<&str> = variants.iter().map(|(name, _)| name.as_str()).collect();
/// assert_eq!(names, ["temperature=0", "temperature=0.7,top_p=0.9", "temperature=0.7,top_p=1"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sweep {
    /// See [`Sampling::temperature`].
    pub temperature: Vec<f32>,
    /// See [`Sampling::top_p`].
    pub top_p: Vec<f32>,
    /// See [`Sampling::top_k`].
    pub top_k: Vec<u32>,
    /// See [`Sampling::min_p`].
    pub min_p: Vec<f32>,
    /// See [`Mirostat::tau`].
    pub mirostat_tau: Vec<f32>,
}

/// More are not a grid but a mistake.
const MOST: usize = 1000;

impl Sweep {
    /// Every combination as a name and settings, over `base`. Where the temperature is 0 nothing is drawn, and what draws is left out: one
    /// variant stands for all.
    ///
    /// # Errors
    /// [`Error::InvalidExperiment`] where there is nothing to try, or more than 1,000 combinations.
    pub fn variants(&self, base: &Sampling) -> Result<Vec<(String, Sampling)>> {
        let axes = self.axes();
        let count = axes.iter().map(|(_, values)| values.len()).fold(1_usize, usize::saturating_mul);
        if axes.is_empty() || count > MOST {
            let problem = format!("[sweep] must name between 1 and {MOST} combinations, not {}", if axes.is_empty() { 0 } else { count });
            return Err(Error::InvalidExperiment(problem));
        }
        let mut variants: Vec<(String, Sampling)> = (0..count).map(|index| variant(index, &axes, base)).collect();
        let mut names = std::collections::BTreeSet::new();
        variants.retain(|(name, _)| names.insert(name.clone()));
        Ok(variants)
    }

    fn axes(&self) -> Vec<(&'static str, Vec<f64>)> {
        let floats = |values: &[f32]| -> Vec<f64> { values.iter().map(|&value| shortest(value)).collect() };
        let axes = [
            ("temperature", floats(&self.temperature)),
            ("top_p", floats(&self.top_p)),
            ("top_k", self.top_k.iter().map(|&value| f64::from(value)).collect()),
            ("min_p", floats(&self.min_p)),
            ("mirostat_tau", floats(&self.mirostat_tau)),
        ];
        axes.into_iter().filter(|(_, values)| !values.is_empty()).collect()
    }
}

/// The `f64` that is written as the `f32` is: 0.7, not 0.699999988.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().expect("a number that was written is read")
}

/// Combination `index`, the last axis fastest.
fn variant(mut index: usize, axes: &[(&'static str, Vec<f64>)], base: &Sampling) -> (String, Sampling) {
    let mut chosen: Vec<(&'static str, f64)> = Vec::new();
    for (name, values) in axes.iter().rev() {
        chosen.push((name, values[index % values.len()]));
        index /= values.len();
    }
    chosen.reverse();
    let temperature = chosen.iter().find(|(name, _)| *name == "temperature").map(|&(_, value)| value as f32);
    if temperature.or(base.temperature) == Some(0.0) {
        chosen.retain(|(name, _)| *name == "temperature");
    }
    let name: Vec<String> = chosen.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let name = if name.is_empty() { "greedy".to_owned() } else { name.join(",") };
    (name, chosen.iter().fold(base.clone(), |sampling, &(name, value)| set(sampling, name, value)))
}

fn set(sampling: Sampling, name: &str, value: f64) -> Sampling {
    match name {
        "temperature" => sampling.with_temperature(value as f32),
        "top_p" => sampling.with_top_p(value as f32),
        "top_k" => sampling.with_top_k(value as u32),
        "min_p" => sampling.with_min_p(value as f32),
        _ => sampling.with_mirostat(Mirostat { tau: value as f32, ..Mirostat::default() }),
    }
}
