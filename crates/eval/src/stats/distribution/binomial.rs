//! Tails of the binomial distribution with a chance of one half.

use super::{beta, normal};

/// The chance of `most` successes or fewer among `trials`.
pub(crate) fn half_tail(most: u64, trials: u64) -> f64 {
    if most >= trials {
        return 1.0;
    }
    let (k, n) = (most as f64, trials as f64);
    if trials > NORMAL_FROM {
        return normal::cdf((2.0 * k + 1.0 - n) / n.sqrt());
    }
    beta::regularized(n - k, k + 1.0, 0.5, 0.5)
}

/// The chance of exactly `successes` among `trials`.
pub(crate) fn half_mass(successes: u64, trials: u64) -> f64 {
    let (k, rest, n) = (successes as f64, trials.saturating_sub(successes) as f64, trials as f64);
    if successes == 0 || successes >= trials {
        return if successes > trials { 0.0 } else { (-n * std::f64::consts::LN_2).exp() };
    }
    beta::density(k, rest, 0.5, 0.5) * n / k / rest
}

/// From here on the continued fraction takes longer than it is worth, and the normal approximation with its correction for continuity is
/// good to a millionth.
const NORMAL_FROM: u64 = 1 << 36;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_sums_of_binomial_coefficients() {
        for trials in [1_u64, 2, 7, 22, 60, 100] {
            let (mut coefficient, mut sum) = (1_u128, 0_u128);
            for k in 0..=trials {
                sum += coefficient;
                let expected = sum as f64 / 2_f64.powi(trials as i32);
                let mass = coefficient as f64 / 2_f64.powi(trials as i32);
                assert!((half_tail(k, trials) / expected - 1.0).abs() < 1e-13, "{k} of {trials}");
                assert!((half_mass(k, trials) / mass - 1.0).abs() < 1e-13, "{k} of {trials}");
                coefficient = coefficient * u128::from(trials - k) / u128::from(k + 1);
            }
        }
    }

    #[test]
    fn the_centre_of_many_trials_is_a_half_and_a_half_mass() {
        for trials in [1_000_u64, 1_000_000, 1 << 35, 1 << 40, 1 << 62] {
            let expected = 0.5 + half_mass(trials / 2, trials) / 2.0;
            assert!((half_tail(trials / 2, trials) - expected).abs() < 1e-9, "{trials}");
        }
    }
}
