//! When requests of an average rate come.

use std::f64::consts::TAU;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Times from the beginning on, the first of them 0, between which gaps follow a gamma distribution of shape `burstiness` and mean
/// `1 / rate`, as vLLM's `bench serve` has it: a Poisson process at shape 1, bursts below, an even flow far above. Never ends.
pub(crate) struct Arrivals {
    rng: Pcg64,
    rate: f64,
    burstiness: f64,
    next: f64,
}

impl Arrivals {
    /// Requests a second, all at once where the rate is infinite. The same seed gives the same pattern at every rate.
    pub(crate) fn new(rate: f64, burstiness: f64, seed: u64) -> Self {
        Self { rng: Pcg64::seed_from_u64(seed), rate, burstiness, next: 0.0 }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = self.next;
        if self.rate.is_finite() {
            self.next += gamma(&mut self.rng, self.burstiness) / (self.burstiness * self.rate);
        }
        Some(Duration::try_from_secs_f64(now).unwrap_or(Duration::MAX))
    }
}

/// A draw from the gamma distribution of this shape and scale 1, by Marsaglia and Tsang (2000): a cube of a normal draw, accepted or not.
fn gamma(rng: &mut Pcg64, shape: f64) -> f64 {
    if shape < 1.0 {
        // A draw of the next shape times a power of an even one.
        return gamma(rng, shape + 1.0) * positive(rng).powf(shape.recip());
    }
    let d = shape - 1.0 / 3.0;
    let c = (9.0 * d).sqrt().recip();
    loop {
        let x = normal(rng);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && positive(rng).ln() < 0.5 * x * x + d * (1.0 - v + v.ln()) {
            return d * v;
        }
    }
}

/// A draw from the normal distribution, by Box and Muller.
fn normal(rng: &mut Pcg64) -> f64 {
    (-2.0 * positive(rng).ln()).sqrt() * (TAU * rng.random::<f64>()).cos()
}

/// Even in (0, 1].
fn positive(rng: &mut Pcg64) -> f64 {
    1.0 - rng.random::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 40_000;

    fn gaps(rate: f64, burstiness: f64, seed: u64) -> Vec<f64> {
        let times: Vec<f64> = Arrivals::new(rate, burstiness, seed).take(DRAWS + 1).map(|at| at.as_secs_f64()).collect();
        times.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// Mean 1/R, variance 1/(B R^2), skewness 2/sqrt(B): each within five standard errors.
    #[test]
    fn gaps_have_the_moments_of_their_distribution() {
        for (seed, (rate, burstiness)) in [(8.0, 1.0), (0.5, 0.25), (3.0, 0.7), (100.0, 3.5), (1.0, 50.0)].into_iter().enumerate() {
            let gaps = gaps(rate, burstiness, seed as u64);
            let scaled: Vec<f64> = gaps.iter().map(|gap| gap * rate).collect();
            let moment = |power: i32| scaled.iter().map(|gap| (gap - 1.0).powi(power)).sum::<f64>() / DRAWS as f64;
            let mean = scaled.iter().sum::<f64>() / DRAWS as f64;
            let error = (DRAWS as f64 * burstiness).sqrt().recip();
            assert!((mean - 1.0).abs() < 5.0 * error, "mean {mean} at {burstiness}");
            // The fourth central moment of the gamma distribution is (3 + 6 / B) variance^2.
            let variance = burstiness.recip();
            let error = variance * ((2.0 + 6.0 / burstiness) / DRAWS as f64).sqrt();
            assert!((moment(2) - variance).abs() < 5.0 * error, "variance {} at {burstiness}", moment(2));
            let (skewness, expected) = (moment(3) / moment(2).powf(1.5), 2.0 / burstiness.sqrt());
            assert!((skewness - expected).abs() < 0.1 * (1.0 + expected), "skewness {skewness} at {burstiness}");
        }
    }

    /// Kolmogorov and Smirnov's distance from distributions that have a closed form, below what one sample in a thousand exceeds.
    #[test]
    fn gaps_follow_the_distribution_itself() {
        let erlang = |shape: u32, x: f64| {
            let x = x * f64::from(shape);
            let terms = (1..shape).scan(1.0, |term, n| {
                *term *= x / f64::from(n);
                Some(*term)
            });
            1.0 - (-x).exp() * (1.0 + terms.sum::<f64>())
        };
        for shape in [1, 2, 5] {
            let mut gaps = gaps(2.0, f64::from(shape), 7);
            gaps.sort_by(f64::total_cmp);
            let distance = |(index, gap): (usize, &f64)| ((index as f64 + 0.5) / DRAWS as f64 - erlang(shape, gap * 2.0)).abs();
            let most = gaps.iter().enumerate().map(distance).fold(0.0, f64::max);
            assert!(most < 1.95 / (DRAWS as f64).sqrt(), "{most} at shape {shape}");
        }
    }

    /// Counts of a Poisson process in windows of a second have a variance equal to their mean; those of bursts far more.
    #[test]
    fn bursts_show_in_the_counts_of_a_second() {
        let dispersion = |burstiness: f64| {
            let mut counts = vec![0.0; 2_000];
            for at in Arrivals::new(10.0, burstiness, 3).take_while(|at| at.as_secs() < 2_000) {
                counts[at.as_secs() as usize] += 1.0;
            }
            let mean = counts.iter().sum::<f64>() / counts.len() as f64;
            counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / counts.len() as f64 / mean
        };
        let (poisson, bursts, even) = (dispersion(1.0), dispersion(0.1), dispersion(20.0));
        assert!((poisson - 1.0).abs() < 0.15, "{poisson}");
        assert!(bursts > 4.0 && even < 0.2, "{bursts} and {even}");
    }

    #[test]
    fn a_pattern_scales_with_the_rate() {
        let at = |rate| Arrivals::new(rate, 0.5, 11).take(50).map(|at| at.as_secs_f64() * rate).collect::<Vec<_>>();
        for (slow, fast) in at(1.0).into_iter().zip(at(64.0)) {
            assert!((slow - fast).abs() < 1e-6);
        }
        assert!(Arrivals::new(f64::INFINITY, 1.0, 0).take(9).all(|at| at.is_zero()));
    }
}
