use std::fmt;

use serde::{Deserialize, Serialize};

/// The figures that a judge may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Scale {
    /// 0 or 1: no or yes.
    #[serde(rename = "0/1")]
    Binary,
    /// Whole numbers from 1 to 5.
    #[serde(rename = "1-5")]
    OneToFive,
    /// Whole numbers from 1 to 10, the default of MT-bench (arXiv 2306.05685).
    #[serde(rename = "1-10")]
    OneToTen,
    /// Any number from 0 to 1: a share or a probability.
    #[serde(rename = "0..1")]
    Unit,
}

impl Scale {
    /// The lowest and the highest figure.
    pub const fn bounds(self) -> (f64, f64) {
        match self {
            Self::Binary | Self::Unit => (0.0, 1.0),
            Self::OneToFive => (1.0, 5.0),
            Self::OneToTen => (1.0, 10.0),
        }
    }

    /// Whether `value` is one of its figures.
    pub fn has(self, value: f64) -> bool {
        let (low, high) = self.bounds();
        (low..=high).contains(&value) && (self == Self::Unit || value.fract() == 0.0)
    }

    /// Whether its figures are steps of an order rather than a yes or no, or a quantity.
    pub const fn is_ordinal(self) -> bool {
        matches!(self, Self::OneToFive | Self::OneToTen)
    }

    /// Where `value` lies between the lowest figure, 0, and the highest, 1.
    ///
    /// ```
    /// use jarre_eval::judge::Scale;
    ///
    /// assert_eq!(Scale::OneToFive.share(2.0), 0.25);
    /// ```
    pub fn share(self, value: f64) -> f64 {
        let (low, high) = self.bounds();
        (value - low) / (high - low)
    }

    /// The lowest figure of its upper half, from which an answer passes unless a caller says otherwise.
    pub const fn pass_mark(self) -> f64 {
        match self {
            Self::Binary => 1.0,
            Self::OneToFive => 3.0,
            Self::OneToTen => 6.0,
            Self::Unit => 0.5,
        }
    }

    /// Reads a verdict; `None` where it is not one of the figures.
    pub(crate) fn read(self, verdict: &str) -> Option<f64> {
        let digits = verdict.trim();
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        digits.parse().ok().filter(|value| is_plain && self.has(*value))
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "0/1",
            Self::OneToFive => "1-5",
            Self::OneToTen => "1-10",
            Self::Unit => "0..1",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Scale; 4] = [Scale::Binary, Scale::OneToFive, Scale::OneToTen, Scale::Unit];

    #[test]
    fn only_figures_of_the_scale_are_read() {
        let table = [
            (Scale::Binary, "1", Some(1.0)),
            (Scale::Binary, "2", None),
            (Scale::Binary, "-0", None),
            (Scale::OneToFive, " 5 ", Some(5.0)),
            (Scale::OneToFive, "0", None),
            (Scale::OneToFive, "4.5", None),
            (Scale::OneToTen, "10", Some(10.0)),
            (Scale::OneToTen, "11", None),
            (Scale::OneToTen, "1e1", None),
            (Scale::OneToTen, "-3", None),
            (Scale::OneToTen, "7/10", None),
            (Scale::Unit, "0.25", Some(0.25)),
            (Scale::Unit, "NaN", None),
            (Scale::Unit, "inf", None),
        ];
        for (scale, verdict, expected) in table {
            assert_eq!(scale.read(verdict), expected, "{verdict} on {scale}");
        }
    }

    #[test]
    fn the_ends_are_0_and_1_and_the_pass_mark_is_the_upper_half() {
        for scale in ALL {
            let (low, high) = scale.bounds();
            assert_eq!((scale.share(low), scale.share(high)), (0.0, 1.0));
            assert!(scale.has(scale.pass_mark()) && scale.share(scale.pass_mark()) >= 0.5);
            assert!(scale == Scale::Unit || scale.share(scale.pass_mark() - 1.0) < 0.5);
        }
    }

    #[test]
    fn a_scale_is_written_as_it_is_shown() {
        for scale in ALL {
            assert_eq!(serde_json::to_value(scale).unwrap(), scale.to_string());
        }
    }
}
