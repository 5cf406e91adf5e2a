use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The p-values of a family of tests, adjusted so that the chance of one false alarm in the whole family stays below the level at which they
/// are read (Holm, "A simple sequentially rejective multiple test procedure", 1979). In the order given.
///
/// ```
/// let adjusted = jarre_eval::stats::holm(&[0.01, 0.04, 0.03])?;
/// assert_eq!(adjusted, [0.03, 0.06, 0.06]);
/// # Ok::<(), jarre_eval::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotAProbability`].
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>> {
    let order = ascending(p_values)?;
    let mut adjusted = vec![0.0; p_values.len()];
    let mut floor = 0.0_f64;
    for (rank, index) in order.iter().enumerate() {
        floor = floor.max((p_values.len() - rank) as f64 * p_values[*index]).min(1.0);
        adjusted[*index] = floor;
    }
    Ok(adjusted)
}

/// The p-values of a family of tests, adjusted so that of the tests below a level no more than that share are false alarms on average
/// (Benjamini and Hochberg, "Controlling the false discovery rate", 1995). In the order given.
///
/// # Errors
/// [`Error::NotAProbability`].
pub fn benjamini_hochberg(p_values: &[f64]) -> Result<Vec<f64>> {
    let order = ascending(p_values)?;
    let mut adjusted = vec![0.0; p_values.len()];
    let mut ceiling = 1.0_f64;
    for (rank, index) in order.iter().enumerate().rev() {
        ceiling = ceiling.min(p_values.len() as f64 / (rank + 1) as f64 * p_values[*index]);
        adjusted[*index] = ceiling;
    }
    Ok(adjusted)
}

/// How many tests of a family are significant, by how strictly the family is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignificantCounts {
    /// Tests in the family.
    pub tests: usize,
    /// As if each were the only one: one in twenty by chance at a level of 0.05.
    pub raw: usize,
    /// After [`holm`]: for decisions.
    pub holm: usize,
    /// After [`benjamini_hochberg`]: for exploring.
    pub benjamini_hochberg: usize,
}

impl SignificantCounts {
    /// Counts p-values of at most `level`.
    ///
    /// # Errors
    /// [`Error::NotAProbability`].
    pub fn at(level: f64, p_values: &[f64]) -> Result<Self> {
        let count = |p_values: &[f64]| p_values.iter().filter(|p| **p <= level).count();
        Ok(Self {
            tests: p_values.len(),
            raw: count(p_values),
            holm: count(&holm(p_values)?),
            benjamini_hochberg: count(&benjamini_hochberg(p_values)?),
        })
    }
}

fn ascending(p_values: &[f64]) -> Result<Vec<usize>> {
    if let Some((index, &value)) = p_values.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        return Err(Error::NotAProbability { index, value });
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|first, second| p_values[*first].total_cmp(&p_values[*second]));
    Ok(order)
}
