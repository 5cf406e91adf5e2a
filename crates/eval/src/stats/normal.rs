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

    #[test]
    fn the_ends_stay_finite() {
        assert_eq!((cdf(f64::NEG_INFINITY), cdf(f64::INFINITY)), (0.0, 1.0));
        assert!(quantile(0.0) < -8.0 && quantile(1.0) > 8.0 && quantile(-1.0).is_finite());
    }
}
