//! Student's t distribution.

use super::beta;

/// The chance that |T| lies beyond `t`, with `freedom` > 0 degrees of freedom.
pub(crate) fn two_sided(t: f64, freedom: f64) -> f64 {
    let square = t * t;
    if !square.is_finite() {
        return 0.0;
    }
    beta::regularized(freedom / 2.0, 0.5, freedom / (freedom + square), square / (freedom + square))
}

/// The t that |T| stays below with a chance of `confidence`, between 0 and 1: the half-width of an interval in standard errors.
pub(crate) fn critical(confidence: f64, freedom: f64) -> f64 {
    let beyond = 1.0 - confidence;
    let mut high = 2.0;
    while two_sided(high, freedom) > beyond && high < f64::MAX / 2.0 {
        high *= 2.0;
    }
    let mut low = if high > 2.0 { high / 2.0 } else { 0.0 };
    while high - low > f64::EPSILON * high {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if two_sided(middle, freedom) > beyond { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_exact_arithmetic() {
        for (t, freedom, expected) in TAILS {
            let actual = two_sided(t, freedom);
            assert!((actual / expected - 1.0).abs() < 2e-13, "P(|T_{freedom}| > {t}) = {actual:e}, not {expected:e}");
        }
    }

    #[test]
    fn critical_values_are_those_of_exact_arithmetic() {
        for (confidence, freedom, expected) in CRITICAL {
            let actual = critical(confidence, freedom);
            assert!((actual / expected - 1.0).abs() < 1e-12, "{confidence} of {freedom}: {actual}, not {expected}");
        }
    }

    #[test]
    fn the_ends_stay_finite() {
        assert_eq!((two_sided(0.0, 3.0), two_sided(f64::INFINITY, 3.0)), (1.0, 0.0));
        assert!(critical(0.999_999_999, 1.0) > 1e8 && critical(1e-9, 1.0) < 1e-8);
    }

    /// `mpmath.betainc(v / 2, 1 / 2, 0, v / (v + t²), regularized=True)` at 40 digits.
    const TAILS: [(f64, f64, f64); 9] = [
        (1.0, 1.0, 0.5),
        (2.0, 28.0, 0.055_285_237_641_956_905),
        (5.0, 49.0, 7.736_116_446_289_055e-6),
        (50.0, 99.0, 4.595_365_899_359_383e-72),
        (14.13, 1318.0, 2.576_627_464_611_364e-42),
        (3.0, 1_000_000.0, 0.002_699_862_541_421_797),
        (5.0, 1_000_000_000.0, 5.733_032_403_951_629e-7),
        (0.1, 3.7, 0.925_525_267_470_190_3),
        (12.0, 2.0, 0.006_872_933_677_158_46),
    ];

    /// Where that is 1 less the confidence, by `mpmath.findroot`.
    const CRITICAL: [(f64, f64, f64); 11] = [
        (0.95, 1.0, 12.706_204_736_174_694),
        (0.95, 2.0, 4.302_652_729_749_462),
        (0.95, 28.0, 2.048_407_141_795_244_5),
        (0.9, 49.0, 1.676_550_892_616_854),
        (0.99, 99.0, 2.626_405_457_280_827),
        (0.95, 1318.0, 1.961_765_512_767_314_8),
        (0.95, 1_000_000.0, 1.959_966_356_814_106_6),
        (0.999, 1_000_000_000.0, 3.290_526_741_221_625_3),
        (0.5, 3.7, 0.746_485_153_482_454_3),
        (0.05, 5.0, 0.065_914_855_393_024_54),
        (0.999_999_999, 10.0, 21.622_044_216_833_572),
    ];
}
