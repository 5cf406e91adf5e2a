use jarre_report::NumberFormat;
use serde::{Deserialize, Deserializer, Serialize};

/// A figure and its interval. What is not finite is shown as it is and written to JSON as `null`, which reads as NaN.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure.
    #[serde(deserialize_with = "number")]
    pub value: f64,
    /// Lower bound.
    #[serde(deserialize_with = "number")]
    pub low: f64,
    /// Upper bound.
    #[serde(deserialize_with = "number")]
    pub high: f64,
}

/// An estimate under a name, with its unit: `latency p95`, `Cohen's kappa`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// The estimate.
    pub estimate: Estimate,
    /// Its unit; empty where it has none.
    pub unit: String,
}

impl Estimate {
    /// A figure that is known exactly.
    pub const fn exact(value: f64) -> Self {
        Self { value, low: value, high: value }
    }

    /// Whether its interval holds zero. An interval with a bound that is NaN holds everything: it rules nothing out.
    pub fn includes_zero(&self) -> bool {
        !(self.low > 0.0 || self.high < 0.0)
    }

    /// `0.857 [0.837, 0.875]`, or the figure alone where there is no interval around it.
    pub(super) fn shown(&self) -> String {
        let write = |value| self.format().write(value);
        if self.low.to_bits() == self.high.to_bits() {
            return write(self.value);
        }
        format!("{} [{}, {}]", write(self.value), write(self.low), write(self.high))
    }

    /// How its three numbers are written: with the decimals that give the largest of them three digits.
    pub(super) fn format(&self) -> NumberFormat {
        let sizes = [self.value, self.low, self.high].map(f64::abs).into_iter().filter(|size| size.is_finite());
        let largest = sizes.fold(0.0, f64::max);
        match largest.log10().floor() {
            exponent if (-9.0..3.0).contains(&exponent) => NumberFormat::Fixed((2.0 - exponent) as usize),
            _ => NumberFormat::Short,
        }
    }
}

impl Default for Estimate {
    /// Not known.
    fn default() -> Self {
        Self::exact(f64::NAN)
    }
}

/// JSON has no NaN: `null` stands for it.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_survives_json() {
        let json = serde_json::to_string(&Estimate { value: 0.5, low: f64::NEG_INFINITY, high: f64::NAN }).unwrap();
        assert_eq!(json, r#"{"value":0.5,"low":null,"high":null}"#);
        let read: Estimate = serde_json::from_str(&json).unwrap();
        assert!(read.low.is_nan() && read.high.is_nan() && (read.value - 0.5).abs() < 1e-12);
        assert!(read.includes_zero(), "nothing is ruled out");
    }

    #[test]
    fn an_interval_that_touches_zero_includes_it() {
        let interval = |low, high| Estimate { value: 0.1, low, high };
        assert!(interval(0.0, 0.2).includes_zero() && interval(-0.1, 0.1).includes_zero());
        assert!(!interval(0.01, 0.2).includes_zero() && !interval(-0.2, -0.01).includes_zero());
        assert_eq!(interval(0.01, 0.2).shown(), "0.100 [0.010, 0.200]");
        assert_eq!(Estimate { value: 12.0, low: -0.004, high: 123_456.0 }.shown(), "12 [-0.004, 123k]");
        assert_eq!((Estimate::exact(3.0).shown(), Estimate::exact(0.0).shown()), ("3.00".to_owned(), "0".to_owned()));
    }
}
