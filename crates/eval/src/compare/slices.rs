use serde::{Deserialize, Serialize};

use super::{Options, Pairs};
use crate::{
    Result,
    stats::{BinaryPairs, Design, Interval, PairedMeans, SignificantCounts, benjamini_hochberg, holm},
};

/// A stratum of a comparison, by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// The stratum.
    pub name: String,
    /// Items.
    pub n: usize,
    /// The baseline's mean.
    pub baseline: f64,
    /// The candidate's mean.
    pub candidate: f64,
    /// Candidate less baseline.
    pub difference: f64,
    /// The interval of the difference, at the comparison's confidence for this slice alone; `None` of a single item.
    pub interval: Option<Interval>,
    /// `McNemar`'s exact, or of the paired t test; `None` where there is none.
    pub p_value: Option<f64>,
    /// The same adjusted by Holm: for decisions.
    pub p_holm: Option<f64>,
    /// The same adjusted by Benjamini and Hochberg: for looking around.
    pub p_benjamini_hochberg: Option<f64>,
}

/// The strata of `pairs`, in the order of their names; none where there is but one.
pub(super) fn compare(pairs: &Pairs, options: &Options) -> Result<Vec<Slice>> {
    let strata = pairs.by_stratum();
    if strata.len() < 2 {
        return Ok(Vec::new());
    }
    let mut slices = strata.into_iter().map(|(name, pairs)| slice(name, &pairs, options.confidence)).collect::<Result<Vec<_>>>()?;
    let tested: Vec<usize> = (0..slices.len()).filter(|place| slices[*place].p_value.is_some()).collect();
    let p_values: Vec<f64> = tested.iter().filter_map(|place| slices[*place].p_value).collect();
    for ((place, by_holm), by_bh) in tested.iter().zip(holm(&p_values)?).zip(benjamini_hochberg(&p_values)?) {
        (slices[*place].p_holm, slices[*place].p_benjamini_hochberg) = (Some(by_holm), Some(by_bh));
    }
    Ok(slices)
}

/// How many slices differ at the level that goes with `confidence`; `None` without slices.
pub(super) fn counts(slices: &[Slice], confidence: f64) -> Result<Option<SignificantCounts>> {
    let p_values: Vec<f64> = slices.iter().filter_map(|slice| slice.p_value).collect();
    if p_values.is_empty() { Ok(None) } else { SignificantCounts::at(1.0 - confidence, &p_values).map(Some) }
}

fn slice(name: &str, pairs: &Pairs, confidence: f64) -> Result<Slice> {
    let (baseline, candidate) = (pairs.baseline(), pairs.candidate());
    let means = PairedMeans::of(&baseline, &candidate, &Design::Simple)?;
    let table = BinaryPairs::of_scores(&baseline, &candidate);
    let interval = match &table {
        Some(table) => Some(table.newcombe(confidence)?),
        None => means.difference.interval(confidence),
    };
    Ok(Slice {
        name: name.to_owned(),
        n: pairs.items.len(),
        baseline: means.baseline.mean,
        candidate: means.candidate.mean,
        difference: means.difference.mean,
        interval,
        p_value: table.map(|table| table.mcnemar().exact).or(means.difference.p_value()),
        p_holm: None,
        p_benjamini_hochberg: None,
    })
}
