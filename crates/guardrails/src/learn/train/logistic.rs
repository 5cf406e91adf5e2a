use super::space::Space;
use crate::learn::{
    model::sigmoid,
    random::{scramble, shuffle},
};

/// The largest error of the optimality condition, in logits, that a fit may end with.
const TOLERANCE: f32 = 0.03;

/// A row, whether it is positive, and what an error on it costs.
pub(super) type Chosen = (usize, bool, f32);

/// Finds the `w` that makes `|w|^2 / 2 + sum of cost * ln(1 + exp(-y (w . x)))` least over the rows `chosen` of `space`.
///
/// Solves the dual, one example at a time, in an order that is drawn anew for each pass (Yu, Huang and Lin 2011): `w` is the sum of
/// `share * y * x`.
pub(super) fn solve(space: &mut dyn Space, chosen: &[Chosen], epochs: usize, seed: u64) {
    let norms: Vec<f32> = chosen.iter().map(|&(row, ..)| space.norm(row)).collect();
    let mut shares: Vec<f32> = vec![0.0; chosen.len()];
    let mut order: Vec<usize> = (0..chosen.len()).filter(|&at| chosen[at].2 > 0.0).collect();
    for epoch in 0..epochs {
        shuffle(&mut order, scramble(seed) ^ epoch as u64);
        let mut worst = 0.0_f32;
        for &at in &order {
            let (row, positive, cost) = chosen[at];
            let sign = if positive { 1.0 } else { -1.0 };
            let share = best_share(norms[at], cost, sign * space.margin(row) - norms[at] * shares[at]);
            let step = share - shares[at];
            worst = worst.max((step * norms[at]).abs()).max(step.abs() / cost);
            if step != 0.0 {
                space.add(row, sign * step);
            }
            shares[at] = share;
        }
        if worst < TOLERANCE {
            break;
        }
    }
}

/// The share `s` between 0 and `cost` where `ln(s / (cost - s)) + norm s + rest = 0`.
///
/// With `s = cost * sigmoid(t)` the left side rises with `t` at a slope of at least 1, so that Newton's method, kept between bounds, is sure.
fn best_share(norm: f32, cost: f32, rest: f32) -> f32 {
    let (mut low, mut high) = (-rest - norm * cost, -rest);
    let mut at = f32::midpoint(low, high);
    for _ in 0..40 {
        let part = sigmoid(at);
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
    cost * sigmoid(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::{
        Example, Ngrams, TrainConfig,
        train::{
            rows::{Rows, reader},
            space::{Columns, Gram, Kernel},
        },
    };

    #[test]
    fn a_share_solves_its_equation() {
        for (norm, cost, rest) in [(1.0, 1.0, 0.0), (0.2, 30.0, -5.0), (9.0, 0.1, 4.0), (1.0, 100.0, -2.0), (0.0, 1.0, 1.0)] {
            let share = f64::from(best_share(norm, cost, rest));
            let (norm, cost, rest) = (f64::from(norm), f64::from(cost), f64::from(rest));
            let error = (share / (cost - share)).ln() + norm * share + rest;
            assert!(error.abs() < 1e-3, "{norm} {cost} {rest}: {error}");
        }
    }

    /// At the optimum `w` is the sum of `cost * sigmoid(-y w . x) * y * scale^2 * x`; both ways of keeping `w` find it.
    #[test]
    fn both_spaces_find_the_optimum() {
        let letter = |at: usize| char::from(b'a' + at as u8);
        let text = |at: usize| format!("word{} thing{} other{}", letter(at % 5), letter(at % 7), letter(at * at % 11));
        let examples: Vec<Example> = (0..60).map(|at| Example::new(text(at), [])).collect();
        let config = TrainConfig { ngrams: Ngrams { words_to: 2, ..Ngrams::default() }, bits: 8, ..TrainConfig::default() };
        let rows = Rows::read(&reader(&config, None, &examples), &examples);
        let scales: Vec<f32> = (0..rows.columns).map(|at| 0.5 + (at % 3) as f32).collect();
        let chosen: Vec<Chosen> = (0..50).map(|at| (at, at % 5 < 2 || at % 7 == 1, 1.0 + (at % 2) as f32)).collect();
        let gram = Gram::new(&rows, scales.clone());
        let (mut columns, mut kernel) = (Columns::new(&rows, &scales), Kernel::new(&gram));
        for space in [&mut columns as &mut dyn Space, &mut kernel] {
            solve(space, &chosen, 200, 1);
            let weights = space.weights();
            let margin = |row: usize| rows.row(row).iter().map(|&(column, value)| value * weights[column as usize]).sum::<f32>();
            let mut optimum = Columns::new(&rows, &scales);
            for &(row, positive, cost) in &chosen {
                let sign = if positive { 1.0 } else { -1.0 };
                optimum.add(row, cost * sigmoid(-sign * margin(row)) * sign);
            }
            let away = optimum.weights().iter().zip(&weights).map(|(best, found)| (best - found).powi(2)).sum::<f32>();
            let length = weights.iter().map(|weight| weight * weight).sum::<f32>();
            assert!(away < 1e-3 * length, "{away} of {length}");
            assert!((0..60).all(|row| (space.margin(row) - margin(row)).abs() < 1e-3));
        }
    }
}
