use std::collections::BTreeMap;

use jarre_core::MetricSink;
use jarre_eval::{Error, track::LatestMetric};
use proptest::prelude::*;

use crate::support::{new_run, tracker};

fn figures() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => (-5i32..5).prop_map(f64::from),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE])
    ]
}

/// What a metric has come to by the plainest reading of its points.
fn come_to(points: &BTreeMap<u64, f64>) -> (u64, f64, f64, f64, u64) {
    let (step, value) = points.last_key_value().unwrap();
    // `min` and `max` of floats pass NaN over.
    let least = points.values().copied().fold(f64::NAN, f64::min);
    let most = points.values().copied().fold(f64::NAN, f64::max);
    (*step, *value, least, most, points.len() as u64)
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

fn matches(latest: &LatestMetric, (step, value, least, most, points): (u64, f64, f64, f64, u64)) -> bool {
    latest.step == step && latest.points == points && same(latest.value, value) && same(latest.least, least) && same(latest.most, most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn metrics_come_to_what_a_plain_model_says(
        writes in prop::collection::vec((0..3usize, 0u64..8, figures(), any::<bool>()), 1..60),
    ) {
        let (tracker, _) = tracker();
        let (run, other) = (new_run(&tracker), new_run(&tracker));
        tracker.log_metric(&other, "0", 7, 1e9).unwrap();
        let sink = tracker.sink(&run).unwrap();
        let mut model: BTreeMap<String, BTreeMap<u64, f64>> = BTreeMap::new();
        for (metric, step, value, flush) in writes {
            let name = metric.to_string();
            sink.scalar(&name, step, value).unwrap();
            model.entry(name).or_default().insert(step, value);
            if flush {
                sink.flush().unwrap();
            }
        }
        drop(sink);
        let latest = tracker.latest_metrics(&run).unwrap();
        prop_assert_eq!(latest.iter().map(|latest| &latest.name).collect::<Vec<_>>(), model.keys().collect::<Vec<_>>());
        for (latest, points) in latest.iter().zip(model.values()) {
            prop_assert!(matches(latest, come_to(points)), "{latest:?} of {points:?}");
            let history = tracker.metric_history(&run, &latest.name).unwrap();
            prop_assert!(history.iter().map(|point| point.step).eq(points.keys().copied()));
            prop_assert!(history.iter().zip(points.values()).all(|(point, value)| same(point.value, *value)));
        }
        prop_assert!(same(tracker.latest_metrics(&other).unwrap()[0].most, 1e9));
    }
}

#[test]
fn names_and_steps_that_cannot_be_kept_are_refused() {
    let (tracker, _) = tracker();
    let run = new_run(&tracker);
    assert!(matches!(tracker.log_metric(&run, "", 0, 1.0), Err(Error::Refused(_))));
    assert!(matches!(tracker.log_metric(&run, "a", 1 << 63, 1.0), Err(Error::Refused(_))));
    tracker.log_metric(&run, "a", (1 << 63) - 1, f64::MIN_POSITIVE).unwrap();
    assert_eq!(tracker.latest_metrics(&run).unwrap()[0].step, (1 << 63) - 1);
}
