//! The figures that calibrations are made of.

use crate::stats::{self, Interval, Ratings};

use super::{
    Scale,
    calibration::{Coefficient, Rate},
};

/// The share `successes` of `trials`, with Wilson's interval.
pub(super) fn rate(successes: u64, trials: u64, confidence: f64) -> Rate {
    let interval = stats::wilson(successes, trials, confidence).expect("what is counted among the trials is not more than they are");
    Rate { successes, trials, interval }
}

/// Cohen's kappa of pairs of figures (Cohen 1960): how far they agree beyond chance. With `quadratic` weights (Cohen 1968) a disagreement
/// costs the square of its size. `None` where chance alone would agree always: without pairs, or with one figure only.
///
/// The interval is normal with the variance of Fleiss, Cohen and Everitt (1969).
pub(super) fn kappa(pairs: &[(f64, f64)], quadratic: bool, confidence: f64) -> Option<Coefficient> {
    let figures = distinct(pairs.iter().flat_map(|(first, second)| [*first, *second]));
    let widest = figures.last()? - figures.first()?;
    let weight = |i: usize, j: usize| {
        if quadratic && widest > 0.0 { 1.0 - ((figures[i] - figures[j]) / widest).powi(2) } else { f64::from(u8::from(i == j)) }
    };
    let cells = shares(pairs, &figures);
    let size = figures.len();
    let rows: Vec<f64> = cells.iter().map(|row| row.iter().sum()).collect();
    let columns: Vec<f64> = (0..size).map(|j| cells.iter().map(|row| row[j]).sum()).collect();
    let over_cells =
        |value: &dyn Fn(usize, usize) -> f64| (0..size).flat_map(|i| (0..size).map(move |j| (i, j))).map(|(i, j)| value(i, j)).sum::<f64>();
    let observed = over_cells(&|i, j| weight(i, j) * cells[i][j]);
    let expected = over_cells(&|i, j| weight(i, j) * rows[i] * columns[j]);
    if 1.0 - expected < 1e-12 {
        return None;
    }
    let kappa = (observed - expected) / (1.0 - expected);
    let row_weights: Vec<f64> = (0..size).map(|i| (0..size).map(|j| columns[j] * weight(i, j)).sum()).collect();
    let column_weights: Vec<f64> = (0..size).map(|j| (0..size).map(|i| rows[i] * weight(i, j)).sum()).collect();
    let spread = over_cells(&|i, j| cells[i][j] * (weight(i, j) - (row_weights[i] + column_weights[j]) * (1.0 - kappa)).powi(2));
    let variance = (spread - (kappa - expected * (1.0 - kappa)).powi(2)).max(0.0) / (pairs.len() as f64 * (1.0 - expected).powi(2));
    Some(Coefficient { value: kappa, interval: normal(kappa, variance.sqrt(), confidence, -1.0, 1.0) })
}

/// The highest kappa with `passes` that a rule of one length reaches: all up to it pass, or all above it. `None` where no rule is better
/// than chance, as with one length only.
pub(super) fn best_length_kappa(lengths: &[usize], passes: &[bool]) -> Option<f64> {
    let mut items: Vec<(usize, bool)> = lengths.iter().copied().zip(passes.iter().copied()).collect();
    items.sort_unstable();
    let (total, passing) = (items.len() as f64, items.iter().filter(|(_, passes)| *passes).count() as f64);
    let (mut best, mut short, mut short_passing) = (0.0_f64, 0.0, 0.0);
    for same_length in items.chunk_by(|a, b| a.0 == b.0) {
        short += same_length.len() as f64;
        short_passing += same_length.iter().filter(|(_, passes)| *passes).count() as f64;
        let expected = (short * passing + (total - short) * (total - passing)) / total.powi(2);
        let agreeing = (short_passing + (total - short) - (passing - short_passing)) / total;
        // The opposite rule agrees where this one does not, and by chance too.
        for (agreeing, expected) in [(agreeing, expected), (1.0 - agreeing, 1.0 - expected)] {
            if expected < 1.0 {
                best = best.max((agreeing - expected) / (1.0 - expected));
            }
        }
    }
    better_than_chance(best)
}

/// A kappa that is above 0 by more than rounding.
pub(super) fn better_than_chance(kappa: f64) -> Option<f64> {
    (kappa > 1e-12).then_some(kappa)
}

/// What the figures of a scale mean to [`alpha`].
pub(super) fn measure(scale: Scale) -> stats::Scale {
    match scale {
        Scale::Binary => stats::Scale::Nominal,
        Scale::OneToFive | Scale::OneToTen => stats::Scale::Ordinal,
        Scale::Unit => stats::Scale::Interval,
    }
}

/// Krippendorff's alpha of units that raters gave figures to. `None` where the figures do not differ at all, or no unit has two.
pub(super) fn alpha(units: &[Vec<f64>], scale: stats::Scale) -> Option<f64> {
    let units: Vec<Vec<Option<f64>>> = units.iter().map(|unit| unit.iter().copied().map(Some).collect()).collect();
    Ratings::new(&units).and_then(|ratings| ratings.alpha(scale)).ok()
}

/// Pearson's correlation; `None` with fewer than two pairs or where one side does not vary.
pub(super) fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let (first, second): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    stats::correlation(&first, &second)
}

/// The normal interval about `value`, kept within `low` and `high`.
pub(super) fn normal(value: f64, standard_error: f64, confidence: f64, low: f64, high: f64) -> Interval {
    let half = stats::normal::critical(confidence) * standard_error;
    Interval { low: (value - half).max(low), high: (value + half).min(high) }
}

fn distinct(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

/// The share of the pairs in each cell.
fn shares(pairs: &[(f64, f64)], figures: &[f64]) -> Vec<Vec<f64>> {
    let place = |value: f64| figures.partition_point(|figure| *figure < value);
    let mut cells = vec![vec![0.0; figures.len()]; figures.len()];
    for (first, second) in pairs {
        cells[place(*first)][place(*second)] += 1.0 / pairs.len() as f64;
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
    }

    /// `cohens_kappa(table)` of statsmodels 0.15.
    #[test]
    fn kappa_of_a_table_and_its_interval() {
        let table = [[11, 3, 1, 0], [2, 9, 4, 1], [0, 3, 12, 2], [1, 0, 2, 9]];
        let cells = (0..4).flat_map(|i| (0..4).map(move |j| (i, j)));
        let pairs: Vec<(f64, f64)> =
            cells.flat_map(|(i, j): (usize, usize)| std::iter::repeat_n((i as f64, j as f64), table[i][j])).collect();
        let kappa = kappa(&pairs, false, 0.95).unwrap();
        close(kappa.value, 0.575_102_497_204_621_7);
        close(kappa.interval.low, 0.416_283_702_424_717_8);
        close(kappa.interval.high, 0.733_921_291_984_525_6);
    }

    #[test]
    fn kappa_of_perfect_chance_and_contrary_raters() {
        let of = |pairs: &[(f64, f64)]| kappa(pairs, false, 0.95).map(|kappa| kappa.value);
        assert_eq!(of(&[(0.0, 0.0), (1.0, 1.0)]), Some(1.0));
        assert_eq!(of(&[(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]), Some(0.0));
        assert_eq!(of(&[(0.0, 1.0), (1.0, 0.0)]), Some(-1.0));
        assert_eq!(of(&[(1.0, 1.0), (1.0, 1.0)]), None);
        assert_eq!(of(&[]), None);
    }

    /// Krippendorff's example of 2011: four raters, twelve units, some left out. `krippendorff.alpha` of krippendorff 0.9.
    #[test]
    fn alpha_of_the_published_example() {
        let units: [&[f64]; 12] = [
            &[1.0, 1.0, 1.0],
            &[2.0, 2.0, 3.0, 2.0],
            &[3.0, 3.0, 3.0, 3.0],
            &[3.0, 3.0, 3.0, 3.0],
            &[2.0, 2.0, 2.0, 2.0],
            &[1.0, 2.0, 3.0, 4.0],
            &[4.0, 4.0, 4.0, 4.0],
            &[1.0, 1.0, 2.0, 1.0],
            &[2.0, 2.0, 2.0, 2.0],
            &[5.0, 5.0, 5.0],
            &[1.0, 1.0],
            &[3.0],
        ];
        let units = units.map(<[f64]>::to_vec);
        for (distance, expected) in [
            (stats::Scale::Nominal, 0.743_421_052_631_579),
            (stats::Scale::Ordinal, 0.815_387_503_754_881_4),
            (stats::Scale::Interval, 0.849_107_142_857_142_8),
        ] {
            close(alpha(&units, distance).unwrap(), expected);
        }
        assert_eq!(alpha(&[vec![1.0, 1.0], vec![1.0, 1.0], vec![2.0]], stats::Scale::Nominal), None);
        assert_eq!(alpha(&[], stats::Scale::Ordinal), None);
    }

    #[test]
    fn a_rule_of_length_is_as_good_as_its_best_cut() {
        let of = |items: &[(usize, bool)]| {
            let (lengths, passes): (Vec<usize>, Vec<bool>) = items.iter().copied().unzip();
            best_length_kappa(&lengths, &passes)
        };
        assert_eq!(of(&[(1, true), (2, true), (9, false)]), Some(1.0));
        assert_eq!(of(&[(1, false), (9, true), (9, true)]), Some(1.0));
        // All up to 3 pass: four of five are right, against 12 of 25 by chance.
        close(of(&[(1, true), (3, false), (3, true), (5, false), (5, false)]).unwrap(), (0.8 - 0.48) / 0.52);
        assert_eq!(of(&[(5, true), (5, false)]), None);
        assert_eq!(of(&[(5, true), (7, true)]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn correlation_of_lines_and_of_nothing() {
        close(correlation(&[(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]).unwrap(), 1.0);
        close(correlation(&[(1.0, 1.0), (2.0, 3.0), (3.0, 2.0)]).unwrap(), 0.5);
        assert_eq!(correlation(&[(1.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(correlation(&[(1.0, 1.0)]), None);
        assert_eq!(correlation(&[]), None);
    }
}
