//! Least squares of `ln(E + exp(height - slope x)) - ln L`, with `x = ln N` less its mean, so that height and slope are nearly independent.

use super::PowerLaw;

/// The runs of one size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) log_parameters: f64,
    /// The mean over the runs.
    pub(super) log_loss: f64,
    /// How many they are.
    pub(super) weight: f64,
}

/// The law with the least squares over `points`, at least one, and what they are.
pub(super) fn solve(points: &[Point]) -> (PowerLaw, f64) {
    let problem = Problem::new(points);
    let Candidate { irreducible, line, squares } = problem.best();
    let law = PowerLaw { irreducible, log_coefficient: line.height + line.slope * problem.centre, exponent: line.slope };
    (law, squares)
}

/// The highest `E` that is tried.
pub(super) fn lowest_mean_loss(points: &[Point]) -> f64 {
    points.iter().map(|point| point.log_loss).fold(f64::INFINITY, f64::min).exp()
}

struct Problem<'a> {
    points: &'a [Point],
    centre: f64,
    /// The mean log loss.
    level: f64,
    highest: f64,
}

/// What is above `E`, in logs.
#[derive(Clone, Copy)]
struct Line {
    height: f64,
    slope: f64,
}

#[derive(Clone, Copy)]
struct Candidate {
    irreducible: f64,
    line: Line,
    squares: f64,
}

const GRID: usize = 32;
const GOLDEN_STEPS: usize = 45;
const DESCENT_STEPS: usize = 60;

impl<'a> Problem<'a> {
    fn new(points: &'a [Point]) -> Self {
        let total: f64 = points.iter().map(|point| point.weight).sum();
        let mean = |of: fn(&Point) -> f64| points.iter().map(|point| point.weight * of(point)).sum::<f64>() / total;
        let (centre, level) = (mean(|point| point.log_parameters), mean(|point| point.log_loss));
        Self { points, centre, level, highest: lowest_mean_loss(points) }
    }

    /// The best line for each of some `E`, each started from its neighbour's; then a closer search around the best of them.
    fn best(&self) -> Candidate {
        let mut best = self.fit_line(0.0, Line { height: self.level, slope: 0.0 });
        let mut last = best;
        let cell = self.highest / GRID as f64;
        for step in 1..=GRID {
            last = self.fit_line(cell * step as f64, last.line);
            best = best.better(last);
        }
        self.search((best.irreducible - cell).max(0.0), (best.irreducible + cell).min(self.highest), best)
    }

    /// Golden-section search between two `E`.
    fn search(&self, mut low: f64, mut high: f64, start: Candidate) -> Candidate {
        let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
        let at = |irreducible| self.fit_line(irreducible, start.line);
        let (mut left, mut right) = (at(high - golden * (high - low)), at(low + golden * (high - low)));
        let mut best = start.better(left).better(right);
        for _ in 0..GOLDEN_STEPS {
            if left.squares < right.squares {
                (high, right) = (right.irreducible, left);
                left = at(high - golden * (high - low));
            } else {
                (low, left) = (left.irreducible, right);
                right = at(low + golden * (high - low));
            }
            best = best.better(left).better(right);
        }
        best
    }

    /// The best line for a given `E`, by the method of Levenberg and Marquardt.
    fn fit_line(&self, irreducible: f64, start: Line) -> Candidate {
        let mut found = self.candidate(irreducible, start);
        let mut damping = 1e-9;
        for _ in 0..DESCENT_STEPS {
            let next = self.candidate(irreducible, self.step(irreducible, found.line, damping));
            let gain = found.squares - next.squares;
            if gain > 0.0 {
                found = next;
                damping = (damping / 4.0).max(1e-12);
            } else {
                damping *= 10.0;
            }
            // Below that it is rounding that moves.
            if gain.abs() <= 1e-14 * found.squares + 1e-30 {
                break;
            }
        }
        found
    }

    fn candidate(&self, irreducible: f64, line: Line) -> Candidate {
        let square = |point: &Point| point.weight * ((irreducible + self.above(line, point)).ln() - point.log_loss).powi(2);
        Candidate { irreducible, line, squares: self.points.iter().map(square).sum() }
    }

    /// One step from `line`: the normal equations of the linearised problem, their diagonal enlarged by `damping`.
    fn step(&self, irreducible: f64, line: Line, damping: f64) -> Line {
        let ([mut hh, mut hs, mut ss], [mut h, mut s]) = ([0.0; 3], [0.0; 2]);
        for point in self.points {
            let above = self.above(line, point);
            let residual = (irreducible + above).ln() - point.log_loss;
            let by_height = above / (irreducible + above);
            let by_slope = (self.centre - point.log_parameters) * by_height;
            let (height, slope) = (point.weight * by_height, point.weight * by_slope);
            (hh, hs, ss) = (hh + height * by_height, hs + height * by_slope, ss + slope * by_slope);
            (h, s) = (h + height * residual, s + slope * residual);
        }
        let (hh, ss) = (hh * (1.0 + damping), ss * (1.0 + damping));
        let determinant = hh * ss - hs * hs;
        Line { height: line.height - (ss * h - hs * s) / determinant, slope: line.slope - (hh * s - hs * h) / determinant }
    }

    fn above(&self, line: Line, point: &Point) -> f64 {
        (line.height - line.slope * (point.log_parameters - self.centre)).exp()
    }
}

impl Candidate {
    fn better(self, other: Self) -> Self {
        if other.squares < self.squares { other } else { self }
    }
}
