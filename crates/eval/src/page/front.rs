//! Who is dominated, by intervals rather than by means.

use super::Estimate;

/// For each point `(worth, price)`, more of the first and less of the second being better, the first other point that dominates it.
///
/// A point is dominated where another is at least as good on both axes even if the worst bounds of the other and the best bounds of the
/// point were true, and better on one of them. Points whose intervals overlap on either axis do not dominate each other; where everything is
/// exact this is Pareto's order. A bound that is NaN settles nothing.
pub(super) fn dominated_by(points: &[(Estimate, Estimate)]) -> Vec<Option<usize>> {
    let dominator = |place: usize| (0..points.len()).find(|other| *other != place && dominates(points[*other], points[place]));
    (0..points.len()).map(dominator).collect()
}

fn dominates((worth, price): (Estimate, Estimate), (other_worth, other_price): (Estimate, Estimate)) -> bool {
    let no_worse = worth.low >= other_worth.high && price.high <= other_price.low;
    no_worse && (worth.low > other_worth.high || price.high < other_price.low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn around(value: f64, half: f64) -> Estimate {
        Estimate { value, low: value - half, high: value + half }
    }

    #[test]
    fn overlapping_intervals_settle_nothing() {
        let fast = (around(0.8, 0.02), around(1.0, 0.1));
        let slow_and_sure = (around(0.7, 0.02), around(2.0, 0.1));
        let slow_and_unsure = (around(0.79, 0.02), around(2.0, 0.1));
        let unknown = (Estimate::default(), around(9.0, 0.0));
        assert_eq!(dominated_by(&[fast, slow_and_sure, slow_and_unsure, unknown]), [None, Some(0), None, None]);
    }

    proptest! {
        #[test]
        fn exact_points_are_ordered_as_pareto_orders_them(points in prop::collection::vec((0..6_i32, 0..6_i32), 0..12)) {
            let exact: Vec<_> = points.iter().map(|(a, b)| (Estimate::exact((*a).into()), Estimate::exact((*b).into()))).collect();
            for (place, found) in dominated_by(&exact).into_iter().enumerate() {
                let (worth, price) = points[place];
                let better = points.iter().any(|(a, b)| *a >= worth && *b <= price && (*a, *b) != (worth, price));
                prop_assert_eq!(found.is_some(), better);
            }
        }
    }
}
