//! Where an axis is labelled: round numbers, or powers of ten.

use crate::number;

/// A place on an axis, in the space of its scale (the logarithm on a logarithmic one). One without a label is a minor one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: Option<String>,
}

/// A distance between ticks: 1, 2 or 5 times a power of ten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    mantissa: f64,
    exponent: i32,
}

impl Step {
    /// The least step that makes no more than about `count` parts of `span`.
    pub(super) fn for_span(span: f64, count: usize) -> Self {
        let raw = span / count.max(1) as f64;
        let exponent = raw.log10().floor() as i32;
        let lead = raw / 10_f64.powi(exponent);
        match [1.0, 2.0, 5.0].into_iter().find(|mantissa| lead <= mantissa * (1.0 + 1e-9)) {
            Some(mantissa) => Self { mantissa, exponent },
            None => Self { mantissa: 1.0, exponent: exponent + 1 },
        }
    }

    /// `count` steps. Divides by a power of ten that is exact where multiplying by its inverse is not, so that three steps of 0.1 are 0.3.
    pub(super) fn times(self, count: f64) -> f64 {
        if self.exponent < 0 {
            count * self.mantissa / 10_f64.powi(-self.exponent)
        } else {
            count * self.mantissa * 10_f64.powi(self.exponent)
        }
    }

    /// The range widened to whole steps.
    pub(super) fn widen(self, low: f64, high: f64) -> (f64, f64) {
        let size = self.times(1.0);
        (self.times((low / size + 1e-9).floor()), self.times((high / size - 1e-9).ceil()))
    }
}

/// Ticks at whole steps from `low` to `high`.
pub(super) fn linear(low: f64, high: f64, count: usize) -> Vec<Tick> {
    let step = Step::for_span(high - low, count);
    let size = step.times(1.0);
    let (first, last) = ((low / size - 1e-9).ceil(), (high / size + 1e-9).floor());
    let largest = low.abs().max(high.abs());
    let label = |at: f64| Some(number::tick(at, size, largest));
    (0..=(last - first).clamp(0.0, 1000.0) as usize)
        .map(|place| step.times(first + place as f64))
        .map(|at| Tick { at, label: label(at) })
        .collect()
}

/// Ticks from `low` to `high`, which are logarithms to the base 10: powers of ten, with minor ticks between them where there is room; within
/// less than two powers also 2 and 5 times them, and within a fraction of one, round numbers.
pub(super) fn logarithmic(low: f64, high: f64, count: usize) -> Vec<Tick> {
    let decades = high - low;
    if decades < 0.6 {
        return round_numbers(low, high, count);
    }
    let (first, last) = (low.floor() as i32, high.ceil() as i32);
    let stride = (decades / count.max(1) as f64).ceil().max(1.0) as i32;
    let labelled = |exponent: i32, mantissa: u8| match mantissa {
        1 => exponent.rem_euclid(stride) == 0,
        2 | 5 => decades < 2.0,
        _ => false,
    };
    let mantissas: &[u8] = if decades <= 5.0 { &[1, 2, 3, 4, 5, 6, 7, 8, 9] } else { &[1] };
    (first..=last)
        .filter(|exponent| stride <= 10 || exponent.rem_euclid(stride) == 0)
        .flat_map(|exponent| mantissas.iter().map(move |mantissa| (exponent, *mantissa)))
        .map(|(exponent, mantissa)| Tick {
            at: f64::from(exponent) + f64::from(mantissa).log10(),
            label: labelled(exponent, mantissa).then(|| power_label(exponent, mantissa)),
        })
        .filter(|tick| tick.at >= low - 1e-9 && tick.at <= high + 1e-9)
        .collect()
}

fn round_numbers(low: f64, high: f64, count: usize) -> Vec<Tick> {
    let (from, to) = (10_f64.powf(low), 10_f64.powf(high));
    if !(to - from).is_normal() || to - from < 1e-290 {
        return Vec::new();
    }
    linear(from, to, count).into_iter().filter(|tick| tick.at > 0.0).map(|tick| Tick { at: tick.at.log10(), ..tick }).collect()
}

fn power_label(exponent: i32, mantissa: u8) -> String {
    if mantissa == 1 { number::decade(exponent) } else { number::short(f64::from(mantissa) * 10_f64.powi(exponent)) }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the figures are exact")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().filter_map(|tick| tick.label.as_deref()).collect()
    }

    #[test]
    fn steps_are_round() {
        assert_eq!(labels(&linear(0.0, 1.0, 5)), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&linear(-3.0, 17.0, 5)), ["0", "5", "10", "15"]);
        assert_eq!(labels(&linear(0.0, 2300.0, 5)), ["0", "500", "1k", "1.5k", "2k"]);
        assert_eq!(labels(&linear(0.0, 4e-5, 4)), ["0", "1e-5", "2e-5", "3e-5", "4e-5"]);
        assert_eq!(linear(0.0, 0.5, 5)[3].at, 0.3, "three tenths, not their sum");
        assert_eq!(Step::for_span(20.0, 5).widen(-3.0, 17.0), (-5.0, 20.0));
    }

    #[test]
    fn powers_of_ten_and_what_is_between() {
        assert_eq!(labels(&logarithmic(-4.0, 3.0, 10)), ["1e-4", "0.001", "0.01", "0.1", "1", "10", "100", "1k"]);
        assert_eq!(labels(&logarithmic(0.0, 1.0, 5)), ["1", "2", "5", "10"]);
        assert_eq!(labels(&logarithmic(0.0, 12.0, 5)), ["1", "1k", "1M", "1B", "1T"]);
        assert_eq!(labels(&logarithmic(0.04, 0.18, 4)), ["1.2", "1.4"]);
        assert_eq!(logarithmic(0.0, 3.0, 5).len(), 28, "eight minor ticks in each of three decades");
    }

    proptest! {
        #[test]
        fn there_are_neither_none_nor_too_many(low in -1e12..1e12_f64, span in 1e-3..1e12_f64, count in 2..12_usize) {
            let ticks = linear(low, low + span, count);
            prop_assert!(!ticks.is_empty() && ticks.len() <= count + 1, "{} ticks for {count}", ticks.len());
            prop_assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at && pair[0].label != pair[1].label), "{ticks:?}");
        }
    }
}
