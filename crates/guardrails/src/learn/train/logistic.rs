use super::rows::Rows;
use crate::learn::random::{scramble, shuffle};

/// The largest error of the optimality condition, in logits, that a fit may end with.
const TOLERANCE: f32 = 0.01;

/// A logistic regression: the weights that make `|w|^2 / 2 + sum of cost * ln(1 + exp(-y (w . x)))` least, where each column of `x` is scaled.
pub(super) struct Problem<'a> {
    pub(super) rows: &'a Rows,
    /// Rows, and whether they are positive; both occur.
    pub(super) chosen: Vec<(usize, bool)>,
    /// A cost for each that is chosen.
    pub(super) costs: Vec<f32>,
    pub(super) scales: Vec<f32>,
    pub(super) seed: u64,
    pub(super) epochs: usize,
}

/// Weights for the columns as they are, not scaled.
pub(super) struct Fit {
    pub(super) weights: Vec<f32>,
}

impl Fit {
    pub(super) fn nothing(columns: usize) -> Self {
        Self { weights: vec![0.0; columns] }
    }

    pub(super) fn margin(&self, row: &[(u32, f32)]) -> f32 {
        row.iter().map(|&(column, value)| value * self.weights[column as usize]).sum()
    }
}

impl Problem<'_> {
    /// Solves the dual, one example at a time, in an order that is drawn anew for each pass (Yu, Huang and Lin 2011).
    ///
    /// With `w` over the columns as they are, an example's `w . x` needs no scale, and its share `a` adds `a y scale^2 x` to `w`.
    pub(super) fn solve(mut self) -> Fit {
        self.scales.iter_mut().for_each(|scale| *scale *= *scale);
        let mut columns: Vec<(f32, f32)> = self.scales.iter().map(|&square| (0.0, square)).collect();
        let norms: Vec<f32> = self.chosen.iter().map(|&(at, _)| self.norm(at)).collect();
        let mut shares: Vec<f32> = vec![0.0; self.chosen.len()];
        let mut order: Vec<usize> = (0..self.chosen.len()).collect();
        for epoch in 0..self.epochs {
            shuffle(&mut order, scramble(self.seed) ^ epoch as u64);
            let mut worst = 0.0_f32;
            for &at in &order {
                worst = worst.max(self.improve(at, norms[at], &mut shares[at], &mut columns));
            }
            if worst < TOLERANCE {
                break;
            }
        }
        Fit { weights: columns.into_iter().map(|(weight, _)| weight).collect() }
    }

    fn norm(&self, row: usize) -> f32 {
        self.rows.row(row).iter().map(|&(column, value)| value * value * self.scales[column as usize]).sum()
    }

    /// Finds the best share of one example, and tells by how much the old one was off.
    fn improve(&self, at: usize, norm: f32, share: &mut f32, columns: &mut [(f32, f32)]) -> f32 {
        let (row, positive) = self.chosen[at];
        let (sign, cost) = (if positive { 1.0 } else { -1.0 }, self.costs[at]);
        if cost <= 0.0 {
            return 0.0;
        }
        let row = self.rows.row(row);
        let margin = sign * row.iter().map(|&(column, value)| value * columns[column as usize].0).sum::<f32>();
        let better = best_share(norm, cost, margin - norm * *share);
        let step = better - *share;
        for &(column, value) in row {
            let (weight, square) = &mut columns[column as usize];
            *weight += sign * step * *square * value;
        }
        *share = better;
        (step * norm).abs().max(step.abs() / cost)
    }
}

/// The share `s` between 0 and `cost` where `ln(s / (cost - s)) + norm s + rest = 0`.
///
/// With `s = cost * sigmoid(t)` the left side rises with `t` at a slope of at least 1, so that Newton's method, kept between bounds, is sure.
fn best_share(norm: f32, cost: f32, rest: f32) -> f32 {
    let (mut low, mut high) = (-rest - norm * cost, -rest);
    let mut at = f32::midpoint(low, high).clamp(low, high);
    for _ in 0..40 {
        let part = super::super::model::sigmoid(at);
        let error = at + norm * cost * part + rest;
        if error.abs() < 1e-4 {
            break;
        }
        if error > 0.0 {
            high = at;
        } else {
            low = at;
        }
        let next = at - error / (1.0 + norm * cost * part * (1.0 - part));
        at = if next > low && next < high { next } else { f32::midpoint(low, high) };
    }
    cost * super::super::model::sigmoid(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_solves_its_equation() {
        for (norm, cost, rest) in [(1.0, 1.0, 0.0), (0.2, 30.0, -5.0), (9.0, 0.1, 4.0), (1.0, 100.0, -2.0), (0.0, 1.0, 1.0)] {
            let share = f64::from(best_share(norm, cost, rest));
            let (norm, cost, rest) = (f64::from(norm), f64::from(cost), f64::from(rest));
            let error = (share / (cost - share)).ln() + norm * share + rest;
            assert!(error.abs() < 1e-3, "{norm} {cost} {rest}: {error}");
        }
    }
}
