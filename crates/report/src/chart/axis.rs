use super::ticks::{self, Step, Tick};

/// How an axis spaces its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equal distances.
    #[default]
    Linear,
    /// Equal ratios are equal distances. What is zero or negative has no place, is left out, and counted in the description.
    Log,
}

impl Scale {
    /// The value on the scale; none where it has no place. Values beyond 1e307 stand for more than any chart tells apart.
    fn transform(self, value: f64) -> Option<f64> {
        match self {
            _ if !value.is_finite() => None,
            Self::Linear => Some(value.clamp(-LIMIT, LIMIT)),
            Self::Log => (value > 0.0).then(|| value.log10()),
        }
    }
}

/// Keeps differences of axis ends from overflowing.
const LIMIT: f64 = 1e307;

/// What is asked of an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct AxisSpec {
    pub(super) scale: Scale,
    pub(super) range: Option<(f64, f64)>,
}

/// How the ends of an axis follow from the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// A little beyond the data, so that marks at the ends are whole.
    Padded,
    /// At a tick beyond the data.
    Ticks,
}

/// An axis with its ends and ticks.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    ticks: Vec<Tick>,
}

impl Axis {
    /// The axis that shows `values`, with about `count` ticks. Without a value that has a place, it goes from 0 to 1 (from 1 to 10 on a
    /// logarithmic scale).
    pub(super) fn new(spec: AxisSpec, values: impl Iterator<Item = f64>, ends: Ends, count: usize) -> Self {
        let scale = spec.scale;
        let asked = spec.range.and_then(|(from, to)| Some((scale.transform(from)?, scale.transform(to)?))).and_then(distinct);
        let (low, high) = asked.unwrap_or_else(|| match extent(values.filter_map(|value| scale.transform(value))) {
            Some(extent) => widen(scale, apart(scale, extent), ends, count),
            None => (0.0, 1.0),
        });
        let ticks = match scale {
            Scale::Linear => ticks::linear(low, high, count),
            Scale::Log => ticks::logarithmic(low, high, count),
        };
        Self { scale, low, high, ticks }
    }

    /// Where a value stands, 0 at the low end and 1 at the high one, and at most 1,000 lengths away; none where it has no place.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        self.scale.transform(value).map(|value| self.fraction(value))
    }

    /// The same, with what lies beyond every value put outside: infinities, and zero or less on a logarithmic scale.
    pub(super) fn place_of_bound(&self, value: f64) -> Option<f64> {
        match self.place(value) {
            None if value.is_nan() => None,
            None if value > 0.0 => Some(2.0),
            None => Some(-1.0),
            place => place,
        }
    }

    /// Ticks as fractions of the axis.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, Option<&str>)> {
        self.ticks.iter().map(|tick| (self.fraction(tick.at), tick.label.as_deref()))
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.ticks.iter().filter_map(|tick| tick.label.as_deref())
    }

    fn fraction(&self, at: f64) -> f64 {
        ((at - self.low) / (self.high - self.low)).clamp(-1000.0, 1001.0)
    }
}

fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |extent, value| match extent {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

/// A range as asked for, unless it has no length.
fn distinct((from, to): (f64, f64)) -> Option<(f64, f64)> {
    let (low, high) = (from.min(to), from.max(to));
    (high - low > least_span(low, high)).then_some((low, high))
}

/// The span under which two ends are one for all that an axis can show: too few digits would be left to label it.
fn least_span(low: f64, high: f64) -> f64 {
    (low.abs().max(high.abs()) * 1e-11).max(1e-290)
}

/// Makes room around a single value.
fn apart(scale: Scale, (low, high): (f64, f64)) -> (f64, f64) {
    if high - low > least_span(low, high) {
        return (low, high);
    }
    let room = match scale {
        Scale::Log => 0.5,
        Scale::Linear if low.abs() < 1e-280 => 1.0,
        Scale::Linear => low.abs() * 0.1,
    };
    (low - room, high + room)
}

fn widen(scale: Scale, (low, high): (f64, f64), ends: Ends, count: usize) -> (f64, f64) {
    if (scale, ends) == (Scale::Linear, Ends::Ticks) {
        return Step::for_span(high - low, count).widen(low, high);
    }
    let room = (high - low) * 0.025;
    (low - room, high + room)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn axis(scale: Scale, values: &[f64]) -> Axis {
        Axis::new(AxisSpec { scale, range: None }, values.iter().copied(), Ends::Ticks, 5)
    }

    #[test]
    fn ends_lie_on_ticks() {
        let axis = axis(Scale::Linear, &[0.3, 4.1]);
        assert_eq!((axis.low, axis.high), (0.0, 5.0));
        assert_eq!(axis.labels().collect::<Vec<_>>(), ["0", "1", "2", "3", "4", "5"]);
        assert_eq!(axis.place(2.5), Some(0.5));
    }

    #[test]
    fn a_logarithmic_axis_leaves_out_what_has_no_logarithm() {
        let axis = axis(Scale::Log, &[-5.0, 0.0, 1.0, 1000.0, f64::INFINITY]);
        assert_eq!(axis.labels().collect::<Vec<_>>(), ["1", "10", "100", "1k"]);
        assert_eq!(axis.place(0.0), None);
        assert_eq!(axis.place_of_bound(0.0), Some(-1.0));
        let middle = axis.place(10_f64.powf(1.5)).unwrap();
        assert!((middle - 0.5).abs() < 1e-12);
    }

    #[test]
    fn one_value_stands_in_the_middle() {
        for value in [0.0, 7.0, -3e300, 5e-324, 1e308] {
            let place = axis(Scale::Linear, &[value, value]).place(value).unwrap();
            assert!((0.2..=0.8).contains(&place), "{value} at {place}");
        }
        assert_eq!(axis(Scale::Linear, &[]).labels().count(), 6);
        assert_eq!(axis(Scale::Log, &[-1.0]).labels().collect::<Vec<_>>(), ["1", "2", "5", "10"]);
    }

    #[test]
    fn a_range_asked_for_is_kept_and_a_useless_one_is_not() {
        let spec = AxisSpec { scale: Scale::Linear, range: Some((1.0, 0.25)) };
        let axis = Axis::new(spec, [5.0].into_iter(), Ends::Ticks, 5);
        assert_eq!((axis.low, axis.high), (0.25, 1.0));
        for range in [(f64::NAN, 1.0), (3.0, 3.0), (0.0, f64::INFINITY)] {
            let spec = AxisSpec { scale: Scale::Linear, range: Some(range) };
            let axis = Axis::new(spec, [0.0, 10.0].into_iter(), Ends::Ticks, 5);
            assert_eq!((axis.low, axis.high), (0.0, 10.0), "{range:?}");
        }
    }

    proptest! {
        #[test]
        fn every_value_finds_its_place(values in prop::collection::vec(any::<f64>(), 0..8), log in any::<bool>(), padded in any::<bool>()) {
            let scale = if log { Scale::Log } else { Scale::Linear };
            let ends = if padded { Ends::Padded } else { Ends::Ticks };
            let axis = Axis::new(AxisSpec { scale, range: None }, values.iter().copied(), ends, 5);
            prop_assert!(axis.low < axis.high && (axis.high - axis.low).is_finite());
            for value in values {
                if let Some(place) = axis.place(value) {
                    prop_assert!((-1e-6..=1.000_001).contains(&place), "{value} at {place} of {axis:?}");
                }
            }
            prop_assert!(axis.ticks().all(|(place, _)| (-1e-6..=1.000_001).contains(&place)), "{axis:?}");
            prop_assert!(axis.ticks.len() <= 50);
        }
    }
}
