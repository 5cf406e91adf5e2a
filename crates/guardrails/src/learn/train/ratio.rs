use super::{Example, TrainConfig, rows::Rows};

/// What each column is scaled by: buckets by the log ratio of their counts in the positive and the negative texts, the numbers of a hook as
/// the configuration says, the constant by 1.
pub(super) fn scales(config: &TrainConfig, rows: &Rows, examples: &[Example], sides: &[(usize, bool)]) -> Vec<f32> {
    let mut scales = vec![config.hook_scale; rows.columns];
    scales[rows.columns - 1] = 1.0;
    if config.smoothing <= 0.0 {
        scales[..rows.buckets].fill(1.0);
        return scales;
    }
    let mut counts = vec![[config.smoothing; 2]; rows.buckets];
    for &(at, positive) in sides {
        for &(column, _) in rows.row(at).iter().take_while(|(column, _)| (*column as usize) < rows.buckets) {
            counts[column as usize][usize::from(positive)] += examples[at].weight;
        }
    }
    let totals = counts.iter().fold([0.0_f64; 2], |sums, count| [sums[0] + f64::from(count[0]), sums[1] + f64::from(count[1])]);
    let base = (totals[0] / totals[1]).ln() as f32;
    scales.iter_mut().zip(&counts).for_each(|(scale, [without, with])| *scale = (with / without).ln() + base);
    scales
}
