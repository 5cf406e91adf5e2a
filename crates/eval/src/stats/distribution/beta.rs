//! The regularised incomplete beta function, of which the tails of Student's t and of the binomial are special cases.

/// `I_x(a, b)` for positive `a` and `b`; `y` is 1 - x, passed apart because the subtraction would lose it near 1.
///
/// By a continued fraction, on the side of the mean where it converges fast: after about the root of the larger of `a` and `b` steps.
pub(crate) fn regularized(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        0.0
    } else if y <= 0.0 {
        1.0
    } else if x * (a + b + 2.0) < a + 1.0 {
        (density(a, b, x, y) / fraction(a, b, x, y)).clamp(0.0, 1.0)
    } else {
        (1.0 - density(b, a, y, x) / fraction(b, a, y, x)).clamp(0.0, 1.0)
    }
}

/// `x^a y^b / B(a, b)` by the saddle-point expansion of Loader, "Fast and accurate computation of binomial probabilities" (2000): the
/// large logarithms that cancel in the plain formula never arise.
pub(crate) fn density(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let total = a + b;
    let excess = a * y - b * x;
    let exponent =
        stirling_error(total) - stirling_error(a) - stirling_error(b) - deviance(a, total * x, excess) - deviance(b, total * y, -excess);
    (a / total * b / std::f64::consts::TAU).sqrt() * exponent.exp()
}

/// `value ln(value / mean) + mean - value`, where `excess` is `value - mean`.
fn deviance(value: f64, mean: f64, excess: f64) -> f64 {
    let ratio = excess / (value + mean);
    if ratio.abs() > 0.1 {
        return value * (value / mean).ln() - excess;
    }
    let square = ratio * ratio;
    let mut term = 2.0 * value * ratio;
    let mut sum = excess * ratio;
    for odd in (3..60).step_by(2) {
        term *= square;
        sum += term / f64::from(odd);
    }
    sum
}

/// `ln Γ(z + 1)` less Stirling's formula for it.
fn stirling_error(z: f64) -> f64 {
    let (mut z, mut sum) = (z, 0.0);
    while z < 16.0 {
        sum += (z + 0.5) * (1.0 / z).ln_1p() - 1.0;
        z += 1.0;
    }
    let square = z * z;
    let series = 1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square) / square;
    sum + series / z
}

/// The continued fraction of Didonato and Morris, "Significant digit computation of the incomplete beta function ratios" (1992), where
/// nothing cancels for `x` below the mean; by the method of Lentz, as modified by Thompson and Barnett (1986).
fn fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let excess = a * y - b * x;
    let denominator = |step: f64| {
        step + step * (b - step) * x / (a + 2.0 * step - 1.0) + (a + step) * (excess + 1.0 + step * (1.0 + y)) / (a + 2.0 * step + 1.0)
    };
    let mut product = away_from_zero(a * (excess + 1.0) / (a + 1.0));
    let (mut above, mut below) = (product, 0.0);
    for step in (1..MOST_STEPS).map(f64::from) {
        let scale = x / (a + 2.0 * step - 1.0);
        let numerator = (a + step - 1.0) * scale * (a + b + step - 1.0) * scale * step * (b - step);
        below = 1.0 / away_from_zero(denominator(step) + numerator * below);
        above = away_from_zero(denominator(step) + numerator / above);
        product *= above * below;
        if (above * below - 1.0).abs() < 1e-16 {
            break;
        }
    }
    product
}

const TINY: f64 = 1e-300;
/// Enough for `a` and `b` of 1e11.
const MOST_STEPS: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// `mpmath.betainc(a, b, 0, x, regularized=True)` of mpmath at 40 digits, where x is 1 - y.
    #[test]
    fn figures_are_those_of_exact_arithmetic() {
        for (a, b, y, expected) in EXACT {
            let (x, y) = (1.0 - y, y);
            let actual = regularized(a, b, x, y);
            assert!((actual - expected).abs() <= 2e-13 * expected, "I_{x}({a}, {b}) = {actual:e}, not {expected:e}");
        }
    }

    #[test]
    fn the_ends_are_zero_and_one() {
        assert_eq!((regularized(2.0, 3.0, 0.0, 1.0), regularized(2.0, 3.0, 1.0, 0.0)), (0.0, 1.0));
        assert!(regularized(1e9, 0.5, 1e-300, 1.0) <= 0.0);
    }

    const EXACT: [(f64, f64, f64, f64); 8] = [
        (0.5, 0.5, 0.75, 0.333_333_333_333_333_3),
        (14.0, 0.5, 0.125, 0.055_285_237_641_956_905),
        (659.0, 0.5, 0.003_906_25, 0.023_158_678_233_478_73),
        (500_000.0, 0.5, 7.629_394_531_25e-6, 0.005_742_377_181_469_524),
        (384.0, 96.0, 0.5, 1.594_123_551_417_354_7e-42),
        (2.0, 3.0, 0.000_976_562_5, 0.999_999_996_277_438_2),
        (1501.0, 1500.0, 0.5, 0.492_716_950_742_102_14),
        (5.0, 400.0, 0.75, 1.0),
    ];
}
