use crate::number::{fixed, short, significant};

/// What a cell holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing: not measured, not applicable. Shown as a dash.
    Missing,
    /// Text.
    Text(String),
    /// A whole number, written in full.
    Integer(i128),
    /// A number, written in its column's format.
    Number(f64),
    /// A number and the bounds of an interval around it.
    Estimate {
        /// The number.
        value: f64,
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
}

/// How a number is written for readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberFormat {
    /// Three significant digits at most, thousands as `k`, `M`, `B`, `T`: `1.23k`.
    #[default]
    Short,
    /// This many decimals: `0.427`.
    Fixed(usize),
    /// This many significant digits: `1.30e-5`.
    Significant(usize),
    /// A share as per cent with this many decimals: `42.7 %`.
    Percent(usize),
}

impl NumberFormat {
    /// The number as readers see it.
    ///
    /// ```
    /// assert_eq!(jarre_report::NumberFormat::Short.write(12_345.0), "12.3k");
    /// ```
    pub fn write(self, value: f64) -> String {
        match self {
            Self::Short => short(value),
            Self::Fixed(decimals) => fixed(value, decimals),
            Self::Significant(digits) => significant(value, digits),
            Self::Percent(decimals) => fixed(value * 100.0, decimals) + " %",
        }
    }
}

impl Cell {
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Integer(_) | Self::Number(_) | Self::Estimate { .. })
    }

    /// The cell as a reader sees it.
    pub(super) fn shown(&self, format: NumberFormat) -> String {
        match self {
            Self::Missing => "–".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Integer(value) => value.to_string(),
            Self::Number(value) => format.write(*value),
            Self::Estimate { value, low, high } => format!("{} [{}, {}]", format.write(*value), format.write(*low), format.write(*high)),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<f32> for Cell {
    /// Through the shortest decimal of the number, so that 0.1 stays 0.1.
    fn from(value: f32) -> Self {
        Self::Number(value.to_string().parse().unwrap_or_else(|_| value.into()))
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Into::into)
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {
        $(impl From<$integer> for Cell {
            fn from(value: $integer) -> Self {
                Self::Integer(value.into())
            }
        })*
    };
}

from_integers!(i32 i64 u8 u16 u32 u64);

impl From<usize> for Cell {
    fn from(value: usize) -> Self {
        Self::Integer(value as i128)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_written_its_way() {
        assert_eq!(Cell::from(1234.0).shown(NumberFormat::Short), "1.23k");
        assert_eq!(Cell::from(0.1_f32), Cell::Number(0.1));
        assert_eq!(Cell::from(1_234_567_u64).shown(NumberFormat::Short), "1234567");
        assert_eq!(Cell::from(0.4271).shown(NumberFormat::Percent(1)), "42.7 %");
        let estimate = Cell::Estimate { value: 0.5, low: 0.41, high: 0.6 };
        assert_eq!(estimate.shown(NumberFormat::Fixed(2)), "0.50 [0.41, 0.60]");
        assert_eq!(Cell::from(None::<f64>).shown(NumberFormat::Short), "–");
        assert_eq!(Cell::from(f32::NAN).shown(NumberFormat::Short), "NaN");
    }
}
