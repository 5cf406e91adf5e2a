//! Classification against scikit-learn 1.9.1 (`golden/classification.py` made `golden/classification.json`) and against definitions.
#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_eval::{
    Error,
    classification::{Average, Averages, BinaryScores, Binning, ClassProbabilities, ConfusionMatrix, Forecasts, ZeroDivision},
};
use proptest::prelude::*;
use serde_json::Value;

fn golden(section: &str) -> Vec<Value> {
    let golden: Value = serde_json::from_str(include_str!("golden/classification.json")).unwrap();
    golden[section].as_array().unwrap().clone()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn figures(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|figure| figure.as_f64().unwrap()).collect()
}

#[track_caller]
fn assert_close(actual: Option<f64>, expected: &Value, what: &str) {
    let close = match (actual, expected.as_f64()) {
        (Some(actual), Some(expected)) => (actual - expected).abs() < 1e-9,
        (None, None) => true,
        _ => false,
    };
    assert!(close, "{what}: {actual:?}, expected {expected}");
}

#[track_caller]
fn assert_averages(actual: Averages, expected: &Value, what: &str) {
    for (actual, expected) in [actual.precision, actual.recall, actual.f1].into_iter().zip(expected.as_array().unwrap()) {
        assert_close(actual, expected, what);
    }
}

#[test]
fn confusion_figures_agree() {
    for case in golden("confusion") {
        let pairs = strings(&case["truth"]).into_iter().zip(strings(&case["predicted"])).collect::<Vec<_>>();
        let matrix = ConfusionMatrix::new(["a", "b", "c", "d"], pairs).unwrap();
        let counts: Vec<u64> = (0..16).map(|cell| matrix.count(cell / 4, cell % 4)).collect();
        assert_eq!(counts, case["matrix"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect::<Vec<_>>());
        assert_close(matrix.accuracy(), &case["accuracy"], "accuracy");
        assert_close(matrix.balanced_accuracy(), &case["balanced_accuracy"], "balanced accuracy");
        // scikit-learn has 0 where it is not defined.
        assert_close(Some(matrix.matthews().unwrap_or(0.0)), &case["matthews"], "Matthews");
        for (place, class) in matrix.classes().iter().enumerate() {
            let expected = &case["classes"][place];
            assert_close(class.precision, &expected[0], "precision");
            assert_close(class.recall, &expected[1], "recall");
            assert_close(class.f1, &expected[2], "F1");
            assert_close(matrix.f_beta(place, 0.5), &expected[3], "F0.5");
        }
        assert_averages(matrix.averages(Average::Macro, ZeroDivision::Zero), &case["macro_zero"], "macro, 0");
        assert_averages(matrix.averages(Average::Macro, ZeroDivision::One), &case["macro_one"], "macro, 1");
        assert_averages(matrix.averages(Average::Macro, ZeroDivision::Exclude), &case["macro_exclude"], "macro, none");
        assert_averages(matrix.averages(Average::Weighted, ZeroDivision::Zero), &case["weighted_zero"], "weighted");
        assert_averages(matrix.averages(Average::Micro, ZeroDivision::Zero), &case["micro"], "micro");
    }
}

#[test]
fn threshold_figures_agree() {
    for case in golden("binary") {
        let positive: Vec<bool> = case["positive"].as_array().unwrap().iter().map(|positive| positive.as_bool().unwrap()).collect();
        let pairs: Vec<(f64, bool)> = figures(&case["scores"]).into_iter().zip(positive).collect();
        let scores = BinaryScores::new(pairs.clone()).unwrap();
        assert_close(scores.roc_auc(), &case["roc_auc"], "ROC-AUC");
        assert_close(scores.average_precision(), &case["average_precision"], "average precision");
        let point = scores.best_at_false_positive_rate(0.1).unwrap();
        assert_close(Some(point.recall), &case["recall_at_10"], "recall at FPR 10 %");
        assert_eq!(scores.at(point.threshold.unwrap()), Some(point));
        let forecasts = Forecasts::new(pairs.clone()).unwrap();
        assert_close(forecasts.brier(), &case["brier"], "Brier");
        let clipped = Forecasts::new(pairs.iter().map(|(score, positive)| (score.clamp(0.001, 0.999), *positive))).unwrap();
        assert_close(clipped.log_loss(), &case["log_loss"], "log loss");
        let calibration = forecasts.calibration(Binning::EqualWidth(10)).unwrap();
        assert_close(Some(calibration.expected_error), &case["calibration_error"][0], "ECE");
        assert_close(Some(calibration.maximum_error), &case["calibration_error"][1], "MCE");
    }
}

#[test]
fn figures_over_several_classes_agree() {
    for case in golden("multiclass") {
        let truth = case["truth"].as_array().unwrap().iter().map(|class| class.as_u64().unwrap() as usize);
        let items: Vec<(Vec<f64>, usize)> = case["rows"].as_array().unwrap().iter().map(figures).zip(truth).collect();
        let top: Vec<(f64, bool)> = items
            .iter()
            .map(|(row, truth)| {
                let most = row.iter().copied().fold(0.0, f64::max);
                (most, row[*truth] >= most)
            })
            .collect();
        let probabilities = ClassProbabilities::new(3, items).unwrap();
        assert_close(probabilities.log_loss(), &case["log_loss"], "log loss");
        assert_close(probabilities.brier(), &case["brier"], "Brier");
        assert_close(probabilities.roc_auc(), &case["roc_auc"], "ROC-AUC");
        assert_eq!(probabilities.top_label(), Forecasts::new(top).unwrap());
    }
}

#[test]
fn what_is_undefined_is_none() {
    let empty = ConfusionMatrix::of_pairs(&[]);
    assert_eq!((empty.accuracy(), empty.balanced_accuracy(), empty.matthews()), (None, None, None));
    assert_eq!(empty.averages(Average::Macro, ZeroDivision::Zero).f1, None);
    let one = ConfusionMatrix::of_pairs(&[("a", "a"), ("a", "a")]);
    assert_eq!((one.accuracy(), one.matthews()), (Some(1.0), None));
    let unseen = ConfusionMatrix::new(["a", "z"], [("a", "a")]).unwrap();
    assert_eq!((unseen.classes()[1].precision, unseen.classes()[1].recall, unseen.f_beta(1, 2.0)), (None, None, None));

    let positives = BinaryScores::new([(0.5, true), (0.7, true)]).unwrap();
    assert_eq!((positives.roc_auc(), positives.average_precision(), positives.at(0.5)), (None, Some(1.0), None));
    let negatives = BinaryScores::new([(0.5, false)]).unwrap();
    assert_eq!((negatives.roc_auc(), negatives.average_precision(), negatives.best_at_false_positive_rate(1.0)), (None, None, None));

    let none = Forecasts::new([]).unwrap();
    assert_eq!((none.log_loss(), none.brier(), none.calibration(Binning::EqualWidth(10))), (None, None, None));
    let some = Forecasts::new([(0.5, true)]).unwrap();
    assert_eq!((some.calibration(Binning::EqualWidth(0)), some.calibration(Binning::EqualMass(0))), (None, None));
    assert_eq!(ClassProbabilities::new(0, []).unwrap().roc_auc(), None);
    assert_eq!(ClassProbabilities::new(2, []).unwrap().log_loss(), None);
}

#[test]
fn a_certain_forecast_that_fails_costs_without_end() {
    assert_eq!(Forecasts::new([(1.0, false), (0.5, true)]).unwrap().log_loss(), Some(f64::INFINITY));
    assert_eq!(Forecasts::new([(1.0, true), (0.0, false)]).unwrap().log_loss(), Some(0.0));
}

#[test]
fn wrong_input_is_told() {
    assert!(matches!(BinaryScores::new([(0.0, true), (f64::NAN, true)]), Err(Error::NonFiniteValue { index: 1, .. })));
    assert!(matches!(BinaryScores::new([(f64::INFINITY, true)]), Err(Error::NonFiniteValue { index: 0, .. })));
    for value in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(Forecasts::new([(value, true)]), Err(Error::ValueOutOfRange { index: 0, .. })));
        assert!(matches!(ClassProbabilities::new(2, [(vec![value, 0.0], 0)]), Err(Error::ValueOutOfRange { index: 0, .. })));
    }
    assert!(matches!(ClassProbabilities::new(2, [(vec![0.5, 0.4], 0)]), Err(Error::ValueOutOfRange { .. })));
    assert!(matches!(ClassProbabilities::new(2, [(vec![1.0], 0)]), Err(Error::UnpairedLengths { first: 2, second: 1 })));
    assert!(matches!(ClassProbabilities::new(2, [(vec![0.5, 0.5], 2)]), Err(Error::UnknownClass { .. })));
    assert!(matches!(ConfusionMatrix::new(["a"], [("a", "b")]), Err(Error::UnknownClass { label }) if label == "b"));
    assert!(matches!(ConfusionMatrix::new(["a", "a"], [("a", "a")]), Err(Error::RepeatedClass { .. })));
}

#[test]
fn bins_hold_all_forecasts() {
    let forecasts = Forecasts::new([(0.0, false), (0.1, false), (0.100_000_1, true), (0.5, true), (1.0, true)]).unwrap();
    let counts = |binning| forecasts.calibration(binning).unwrap().bins.iter().map(|bin| bin.count).collect::<Vec<_>>();
    assert_eq!(counts(Binning::EqualWidth(10)), [2, 1, 1, 1]);
    assert_eq!(counts(Binning::EqualWidth(1)), [5]);
    assert_eq!(counts(Binning::EqualWidth(usize::MAX)).iter().sum::<u64>(), 5);
    assert_eq!(counts(Binning::EqualMass(5)), [1; 5]);
    assert_eq!(counts(Binning::EqualMass(2)), [2, 3]);
    assert_eq!(counts(Binning::EqualMass(usize::MAX)), [1; 5]);
    let tied = Forecasts::new(vec![(0.5, true); 9].into_iter().chain([(0.6, false)])).unwrap();
    let counts = tied.calibration(Binning::EqualMass(5)).unwrap().bins.iter().map(|bin| bin.count).collect::<Vec<_>>();
    assert_eq!(counts, [9, 1], "equal probabilities stay together");
}

proptest! {
    /// The area is the share of pairs of a positive and a negative in which the positive scores higher, ties counting half.
    #[test]
    fn the_area_counts_pairs(items in prop::collection::vec((0_u8..8, any::<bool>()), 0..40)) {
        let scores = |wanted: bool| items.iter().filter(move |(_, positive)| *positive == wanted).map(|(score, _)| *score);
        let pair = |positive: u8, negative: u8| match positive.cmp(&negative) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Greater => 1.0,
        };
        let pairs: Vec<f64> = scores(true).flat_map(|positive| scores(false).map(move |negative| pair(positive, negative))).collect();
        let expected = (!pairs.is_empty()).then(|| pairs.iter().sum::<f64>() / pairs.len() as f64);
        let area = BinaryScores::new(items.iter().map(|(score, positive)| (f64::from(*score), *positive))).unwrap().roc_auc();
        prop_assert_eq!(area.is_some(), expected.is_some());
        prop_assert!(area.zip(expected).is_none_or(|(area, expected)| (area - expected).abs() < 1e-9));
    }

    /// No threshold that keeps the rate finds more.
    #[test]
    fn the_best_threshold_is_best(items in prop::collection::vec((0_u8..8, any::<bool>()), 0..40), rate in 0.0..1.0) {
        let scores = BinaryScores::new(items.iter().map(|(score, positive)| (f64::from(*score), *positive))).unwrap();
        if let Some(best) = scores.best_at_false_positive_rate(rate) {
            prop_assert!(best.false_positive_rate <= rate);
            for threshold in 0..9 {
                let other = scores.at(f64::from(threshold)).unwrap();
                prop_assert!(other.false_positive_rate > rate || other.recall <= best.recall);
            }
        }
    }

    #[test]
    fn errors_of_calibration_are_bounded(items in prop::collection::vec((0.0..=1.0, any::<bool>()), 1..60), bins in 1_usize..20) {
        let forecasts = Forecasts::new(items.clone()).unwrap();
        for binning in [Binning::EqualWidth(bins), Binning::EqualMass(bins)] {
            let calibration = forecasts.calibration(binning).unwrap();
            prop_assert!(calibration.expected_error <= calibration.maximum_error + 1e-12 && calibration.maximum_error <= 1.0);
            prop_assert_eq!(calibration.bins.iter().map(|bin| bin.count).sum::<u64>(), items.len() as u64);
            prop_assert!(calibration.bins.len() <= bins);
        }
    }
}
