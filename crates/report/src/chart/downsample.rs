//! Fewer points that look the same.

/// Largest-triangle-three-buckets of Steinarsson, "Downsampling Time Series for Visual Representation" (2013): the first and the last point,
/// and from each of `budget - 2` equal runs between them the point that spans the largest triangle with the one chosen before and the mean
/// of the run after.
pub(super) fn largest_triangles(points: &[(f64, f64)], budget: usize) -> Vec<(f64, f64)> {
    if points.len() <= budget.max(2) {
        return points.to_vec();
    }
    let buckets = budget.saturating_sub(2);
    let inner = points.len() - 2;
    let start = |bucket: usize| 1 + bucket * inner / buckets;
    let mut chosen = Vec::with_capacity(budget);
    chosen.push(points[0]);
    for bucket in 0..buckets {
        let after = if bucket + 1 == buckets { &points[points.len() - 1..] } else { &points[start(bucket + 1)..start(bucket + 2)] };
        chosen.push(most_prominent(&points[start(bucket)..start(bucket + 1)], chosen[chosen.len() - 1], mean(after)));
    }
    chosen.push(points[points.len() - 1]);
    chosen
}

/// Runs of points thinned so that all together are about `budget`. Where there are more runs than that, whole runs are left out evenly.
pub(super) fn thin(runs: Vec<Vec<(f64, f64)>>, budget: usize) -> Vec<Vec<(f64, f64)>> {
    let total: usize = runs.iter().map(Vec::len).sum();
    if total <= budget {
        return runs;
    }
    let stride = (2 * runs.len()).div_ceil(budget).max(1);
    let share = |length: usize| (length as f64 * budget as f64 / total as f64).ceil() as usize;
    runs.iter().step_by(stride).map(|run| largest_triangles(run, share(run.len()).max(2))).collect()
}

/// One point for each cell of a grid, with cells as small as leave at most `budget` points; the first of a cell stands for it.
pub(super) fn one_a_cell(points: Vec<(f64, f64)>, budget: usize) -> Vec<(f64, f64)> {
    let mut cell = 1.0;
    let mut kept = points;
    while kept.len() > budget {
        let mut taken = std::collections::HashSet::new();
        kept.retain(|(x, y)| taken.insert(((x / cell).floor() as i64, (y / cell).floor() as i64)));
        cell *= 1.5;
    }
    kept
}

fn most_prominent(bucket: &[(f64, f64)], before: (f64, f64), after: (f64, f64)) -> (f64, f64) {
    let area = |point: (f64, f64)| ((before.0 - after.0) * (point.1 - before.1) - (before.0 - point.0) * (after.1 - before.1)).abs();
    let first = bucket[0];
    bucket.iter().fold((first, area(first)), |best, point| if area(*point) > best.1 { (*point, area(*point)) } else { best }).0
}

fn mean(points: &[(f64, f64)]) -> (f64, f64) {
    let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    (x / points.len() as f64, y / points.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_spike_survives() {
        let mut points: Vec<(f64, f64)> = (0..10_000).map(|place| (f64::from(place), (f64::from(place) * 0.01).sin())).collect();
        points[4321].1 = 50.0;
        let thinned = largest_triangles(&points, 100);
        assert_eq!(thinned.len(), 100);
        assert!(thinned.contains(&(4321.0, 50.0)));
        assert_eq!((thinned[0], thinned[99]), (points[0], points[9999]));
    }

    #[test]
    fn the_choice_is_the_largest_triangle() {
        // Worked by hand: of (1, 0), (2, 3) and (3, 1), seen from (0, 0) and the mean (5, 0) of what follows, the second is farthest.
        let points = [(0.0, 0.0), (1.0, 0.0), (2.0, 3.0), (3.0, 1.0), (4.0, 0.0), (5.0, 0.0), (6.0, 0.0), (7.0, 0.0)];
        assert_eq!(largest_triangles(&points, 4), [(0.0, 0.0), (2.0, 3.0), (4.0, 0.0), (7.0, 0.0)]);
    }

    #[test]
    fn a_cloud_is_thinned_evenly() {
        let points: Vec<(f64, f64)> = (0..100_000).map(|place| (f64::from(place % 500), f64::from(place / 500))).collect();
        let kept = one_a_cell(points, 2000);
        assert!((500..=2000).contains(&kept.len()), "{}", kept.len());
        let left = kept.iter().filter(|point| point.0 < 250.0).count();
        assert!(left.abs_diff(kept.len() - left) < kept.len() / 10);
    }

    proptest! {
        #[test]
        fn points_are_chosen_in_order(lengths in prop::collection::vec(1..200_usize, 1..20), budget in 4..100_usize) {
            let mut x = 0.0_f64;
            let runs: Vec<Vec<(f64, f64)>> = lengths
                .iter()
                .map(|length| (0..*length).map(|_| { x += 1.0; (x, (x * 7.3).sin()) }).collect())
                .collect();
            let thinned = thin(runs.clone(), budget);
            let count: usize = thinned.iter().map(Vec::len).sum();
            prop_assert!(count <= 3 * budget + 2, "{count} of {budget}");
            let flat: Vec<f64> = thinned.iter().flatten().map(|point| point.0).collect();
            prop_assert!(flat.windows(2).all(|pair| pair[0] < pair[1]));
            if runs.iter().map(Vec::len).sum::<usize>() <= budget {
                prop_assert_eq!(thinned, runs);
            }
        }
    }
}
