use super::{Bootstrap, BootstrapEstimate};
use crate::{
    Result,
    stats::{Design, values},
};

impl Bootstrap {
    /// The mean of `candidate` over the mean of `baseline`, items resampled in pairs: 0.8 for a cost that fell by a fifth. The same as the
    /// ratio of the sums, and not the mean of the items' ratios, which items with a small baseline would rule.
    ///
    /// # Errors
    /// [`Error::UnpairedLengths`](crate::Error::UnpairedLengths), [`Error::EmptySample`](crate::Error::EmptySample),
    /// [`Error::NonFiniteValue`](crate::Error::NonFiniteValue), [`Error::GroupCount`](crate::Error::GroupCount), and
    /// [`Error::Undefined`](crate::Error::Undefined) where the baseline's mean is 0.
    pub fn ratio_of_means(&self, baseline: &[f64], candidate: &[f64], design: &Design) -> Result<BootstrapEstimate> {
        values::check_pairs(baseline, candidate)?;
        let sum = |values: &[f64], items: &[usize]| items.iter().map(|item| values[*item]).sum::<f64>();
        self.statistic_by(design, baseline.len(), |items| sum(candidate, items) / sum(baseline, items))
    }
}
