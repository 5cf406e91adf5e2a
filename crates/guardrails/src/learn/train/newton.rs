/// Rows of numbers with a target probability and a weight each.
pub(super) type Row = (Vec<f64>, f64, f64);

/// A small dense logistic regression: coefficients that make the weighted log loss plus `ridge / 2 * |c - prior|^2` least, by Newton's method with
/// steps that are halved until they help.
pub(super) fn logistic(rows: &[Row], prior: &[f64], ridge: f64) -> Vec<f64> {
    let mut found = prior.to_vec();
    let mut loss = objective(rows, &found, prior, ridge);
    for _ in 0..50 {
        let Some(step) = solve(system(rows, &found, prior, ridge)) else { break };
        let moved = |by: f64| found.iter().zip(&step).map(|(old, step)| old - by * step).collect::<Vec<f64>>();
        let tried = (0..20).map(|halvings| moved(0.5_f64.powi(halvings)));
        let better = tried.map(|tried| (objective(rows, &tried, prior, ridge), tried)).find(|(new, _)| *new < loss);
        let Some((new, tried)) = better else { break };
        let gained = loss - new;
        (loss, found) = (new, tried);
        if gained < 1e-10 {
            break;
        }
    }
    found
}

pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// `-target ln p - (1 - target) ln (1 - p)`, without overflow.
pub(super) fn log_loss(logit: f64, target: f64) -> f64 {
    logit.max(0.0) - logit * target + (-logit.abs()).exp().ln_1p()
}

fn objective(rows: &[Row], at: &[f64], prior: &[f64], ridge: f64) -> f64 {
    let losses: f64 = rows.iter().map(|(row, target, weight)| weight * log_loss(dot(row, at), *target)).sum();
    let away: f64 = at.iter().zip(prior).map(|(at, prior)| (at - prior).powi(2)).sum();
    losses + ridge / 2.0 * away
}

/// The Hessian, with the gradient as its last column.
fn system(rows: &[Row], at: &[f64], prior: &[f64], ridge: f64) -> Vec<Vec<f64>> {
    let width = at.len();
    let mut system = vec![vec![0.0; width + 1]; width];
    for (line, (at, prior)) in at.iter().zip(prior).enumerate() {
        // The little keeps the matrix regular where a column is constant.
        system[line][line] = ridge + 1e-9;
        system[line][width] = ridge * (at - prior);
    }
    for (row, target, weight) in rows {
        let likely = 1.0 / (1.0 + (-dot(row, at)).exp());
        let curve = weight * likely * (1.0 - likely);
        for (line, left) in row.iter().enumerate() {
            system[line].iter_mut().zip(row).for_each(|(sum, right)| *sum += curve * left * right);
            system[line][width] += weight * (likely - target) * left;
        }
    }
    system
}

/// Solves a positive definite system by elimination; `None` where it is singular.
fn solve(mut system: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let width = system.len();
    for pivot in 0..width {
        let head = system[pivot][pivot];
        if !(head.is_finite() && head > 0.0) {
            return None;
        }
        let (above, below) = system.split_at_mut(pivot + 1);
        for line in below {
            let factor = line[pivot] / head;
            line[pivot..].iter_mut().zip(&above[pivot][pivot..]).for_each(|(to, from)| *to -= factor * from);
        }
    }
    let mut found = vec![0.0; width];
    for line in (0..width).rev() {
        let known = dot(&system[line][line + 1..width], &found[line + 1..]);
        found[line] = (system[line][width] - known) / system[line][line];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regression_finds_what_made_the_targets() {
        let sigmoid = |logit: f64| 1.0 / (1.0 + (-logit).exp());
        let row = |at: i32| {
            let (x, y) = (f64::from(at % 7) - 3.0, f64::from(at % 5) - 2.0);
            (vec![x, y, 1.0], sigmoid(1.5 * x - 0.5 * y + 0.25), 1.0)
        };
        let rows: Vec<Row> = (0..35).map(row).collect();
        let found = logistic(&rows, &[0.0; 3], 0.0);
        assert!(found.iter().zip([1.5, -0.5, 0.25]).all(|(found, made)| (found - made).abs() < 1e-4), "{found:?}");
        let held = logistic(&rows, &[0.0, 0.0, 1.0], 1e6);
        assert!(held.iter().zip([0.0, 0.0, 1.0]).all(|(found, prior)| (found - prior).abs() < 1e-3), "{held:?}");
    }
}
