//! The standard normal distribution, exact to about 1e-15 absolutely.

/// The share of the distribution below `z`, by the series of Marsaglia, "Evaluating the normal distribution" (2004).
pub(crate) fn cdf(z: f64) -> f64 {
    if z.abs() > LIMIT {
        return f64::from(u8::from(z > 0.0));
    }
    let (mut sum, mut term, mut odd) = (z, z, 1.0);
    loop {
        odd += 2.0;
        term *= z * z / odd;
        let next = sum + term;
        if next.to_bits() == sum.to_bits() {
            break;
        }
        sum = next;
    }
    (0.5 + sum * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt()).clamp(0.0, 1.0)
}

/// The chance that |Z| lies beyond `z`; small ones are exact to about 1e-14 of their size. It is also the chance that a chi-square variable of
/// one degree of freedom exceeds `z` squared.
pub(crate) fn two_sided(z: f64) -> f64 {
    let z = z.abs();
    if z < 2.0 {
        return 2.0 * (1.0 - cdf(z));
    }
    // Laplace's continued fraction of Mills' ratio; at 2, its slowest, 200 terms are good to the last bit.
    let fraction = (1..=200).rev().fold(z, |fraction, term| z + f64::from(term) / fraction);
    2.0 * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt() / fraction
}

/// The `z` that |Z| stays below with a chance of `confidence`: the half-width of an interval in standard errors.
pub(crate) fn critical(confidence: f64) -> f64 {
    quantile(f64::midpoint(1.0, confidence))
}

/// The `z` below which the share `p` of the distribution lies, by bisection of [`cdf`]; a `p` of 0 or less or of 1 or more gives the ends
/// of what doubles resolve, near 8.3.
pub(crate) fn quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-LIMIT, LIMIT);
    while high - low > 1e-14 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if cdf(middle) < p { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Beyond it the tails are below half of the last bit of 1.
const LIMIT: f64 = 8.3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_values_are_met() {
        for (z, p) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-1.0, 0.158_655_253_931_457_05),
            (1.959_963_984_540_054, 0.975),
            (2.575_829_303_548_900_4, 0.995),
            (-3.090_232_306_167_813_7, 0.001),
        ] {
            assert!((cdf(z) - p).abs() < 1e-14, "cdf({z}) = {}", cdf(z));
            assert!((quantile(p) - z).abs() < 1e-11, "quantile({p}) = {}", quantile(p));
        }
    }

    /// `mpmath.erfc(z / sqrt(2))` at 40 digits.
    #[test]
    fn tails_are_those_of_exact_arithmetic() {
        for (z, expected) in [
            (0.5, 0.617_075_077_451_973_8),
            (1.9999, 0.045_511_063_169_534_37),
            (2.0, 0.045_500_263_896_358_42),
            (3.0, 0.002_699_796_063_260_189),
            (5.0, 5.733_031_437_583_878e-7),
            (13.127, 2.306_128_753_535_007e-39),
            (37.0, 1.145_114_244_504_915_4e-299),
        ] {
            assert!((two_sided(z) / expected - 1.0).abs() < 2e-14, "{z}: {:e}", two_sided(z));
            assert!((two_sided(-z) / expected - 1.0).abs() < 2e-14, "{z}: {:e}", two_sided(-z));
        }
        assert_eq!((two_sided(0.0), two_sided(f64::INFINITY)), (1.0, 0.0));
    }

    #[test]
    fn the_ends_stay_finite() {
        assert_eq!((cdf(f64::NEG_INFINITY), cdf(f64::INFINITY)), (0.0, 1.0));
        assert!(quantile(0.0) < -8.0 && quantile(1.0) > 8.0 && quantile(-1.0).is_finite());
    }
}
