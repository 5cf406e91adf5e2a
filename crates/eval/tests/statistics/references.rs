//! Figures of other programs: scipy 1.17.1, statsmodels 0.15, scikit-learn 1.9.1, krippendorff 0.9.

use jarre_eval::stats::{
    BinaryPairs, ChiSquared, Confusion, Design, DifferenceVariance, Direction, JudgeCalibration, Mean, NonInferiority, PairedMeans, Power,
    Ratings, RectifiedMean, Repeats, Scale, SignificantCounts, Weights, benjamini_hochberg, holm,
};

use crate::{assert_close, assert_interval};

const BASELINE: [f64; 12] = [0.31, 0.82, 0.55, 0.47, 0.93, 0.12, 0.68, 0.74, 0.39, 0.58, 0.21, 0.77];
const CANDIDATE: [f64; 12] = [0.42, 0.80, 0.71, 0.52, 0.97, 0.30, 0.66, 0.91, 0.35, 0.77, 0.33, 0.85];

fn compared(design: &Design) -> PairedMeans {
    PairedMeans::of(&BASELINE, &CANDIDATE, design).unwrap()
}

/// `scipy.stats.sem(x)` and `t.interval(0.95, 11, x.mean(), sem(x))`.
#[test]
fn means_have_the_t_interval_of_scipy() {
    let mean = Mean::of(&BASELINE, &Design::Simple).unwrap();
    assert_close(mean.standard_error.unwrap(), 0.073_320_849_488_375_21, 1e-13);
    assert_interval(mean.interval(0.95).unwrap(), (0.386_121_898_350_773_4, 0.708_878_101_649_226_4), 1e-13);
}

/// `scipy.stats.ttest_rel(candidate, baseline)`, `sem(d)`, `numpy.corrcoef` and `hypot(sem(x), sem(y))`.
#[test]
fn paired_differences_have_the_t_test_of_scipy() {
    let runs = compared(&Design::Simple);
    assert_close(runs.difference.mean, 0.085, 1e-13);
    assert_close(runs.difference.standard_error.unwrap(), 0.023_947_543_683_744_448, 1e-12);
    assert_close(runs.difference.p_value().unwrap(), 0.004_556_666_033_548_110_5, 1e-11);
    assert_close(runs.correlation.unwrap(), 0.945_159_716_281_052_1, 1e-13);
    assert_close(runs.unpaired_standard_error.unwrap(), 0.100_801_710_543_446_89, 1e-13);
    assert_eq!((runs.wins, runs.losses, runs.ties), (9, 3, 0));
}

/// `scipy.stats.ttest_1samp(baseline - candidate, -margin, alternative="less")`.
#[test]
fn inferiority_has_the_one_sided_test_of_scipy() {
    let runs = compared(&Design::Simple);
    for (margin, expected) in [(0.05, 0.085_920_911_659_575_23), (0.1, 0.728_073_899_195_033_7)] {
        let p_value = NonInferiority::inferiority_p_value(&runs, margin, Direction::LowerIsBetter).unwrap().unwrap();
        assert_close(p_value, expected, 1e-11);
    }
    let better = NonInferiority::inferiority_p_value(&runs, 0.05, Direction::HigherIsBetter).unwrap().unwrap();
    assert!(better > 0.999, "{better}");
    assert!(NonInferiority::inferiority_p_value(&runs, -0.05, Direction::HigherIsBetter).is_err());
}

/// `OLS(d, ones).fit(cov_type="cluster", cov_kwds={"groups": g}, use_t=True)` of statsmodels: `bse`, `pvalues`, `conf_int()`.
#[test]
fn clusters_have_the_standard_error_of_statsmodels() {
    let clusters = ["a", "a", "a", "b", "b", "c", "c", "c", "c", "d", "e", "e"].map(Some);
    let difference = compared(&Design::clustered(clusters).unwrap()).difference;
    assert_close(difference.standard_error.unwrap(), 0.013_453_236_909_135_8, 1e-11);
    assert_close(difference.p_value().unwrap(), 0.003_210_140_299_956_879, 1e-11);
    assert_interval(difference.interval(0.95).unwrap(), (0.047_647_826_234_563_65, 0.122_352_173_765_436_42), 1e-12);
    assert_eq!((difference.units, difference.degrees_of_freedom), (5, 4));
}

/// `sqrt(sum((n_h / 12)**2 * d[h].var(ddof=1) / n_h))` in numpy.
#[test]
fn strata_have_the_standard_error_of_numpy() {
    let strata = ["a", "a", "a", "a", "a", "b", "b", "b", "b", "c", "c", "c"].map(Some);
    let difference = compared(&Design::stratified(strata).unwrap()).difference;
    assert_close(difference.standard_error.unwrap(), 0.024_932_779_999_801_84, 1e-12);
    assert_eq!((difference.units, difference.degrees_of_freedom), (12, 9));
}

/// By hand: item variances 1/3, 1/3 and 0, means 1/3, 2/3 and 1.
#[test]
fn repeats_are_told_apart_from_items() {
    let repeats = Repeats::of(&[[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]).unwrap();
    assert_close(repeats.within.unwrap(), 2.0 / 9.0, 1e-14);
    assert_close(repeats.between.unwrap(), 1.0 / 9.0 - 2.0 / 27.0, 1e-13);
    assert_close(repeats.mean(&Design::Simple).unwrap().mean, 2.0 / 3.0, 1e-14);
    let uneven = Repeats::of(&[vec![1.0], vec![0.0, 1.0]]).unwrap();
    assert_close(uneven.repeats, 4.0 / 3.0, 1e-14);
    assert_eq!(Repeats::of(&[[1.0], [0.0]]).unwrap().within, None);
}

/// `statsmodels.stats.contingency_tables.mcnemar(table, exact=True)` and `exact=False, correction=True`.
#[test]
fn mcnemar_is_that_of_statsmodels() {
    for (counts, exact, statistic, p_value) in [
        ([21, 5, 17, 7], 0.016_900_539_398_193_36, 5.5, None),
        ([40, 12, 30, 18], 0.007_915_897_334_896_727, 6.880_952_380_952_381, Some(0.008_711_912_962_379_598)),
        ([3, 0, 6, 1], 0.031_25, 4.166_666_666_666_667, None),
        ([1, 8, 8, 2], 1.0, 0.0, None),
    ] {
        let test = pairs(counts).mcnemar();
        assert_close(test.exact, exact, 1e-12);
        match (test.chi_squared, p_value) {
            (ChiSquared::Valid { statistic: actual, p_value }, Some(expected)) => {
                assert_close(actual, statistic, 1e-14);
                assert_close(p_value, expected, 1e-12);
            }
            (ChiSquared::TooFewPairs { statistic: actual, discordant }, None) => {
                assert_close(actual, statistic, 1e-14);
                assert!(discordant < 25);
            }
            (unexpected, _) => panic!("{unexpected:?}"),
        }
    }
}

/// The formulas of Newcombe's paper in numpy, with `scipy.stats.norm.ppf`.
#[test]
fn newcombe_intervals_are_those_of_the_formulas() {
    for (counts, expected) in [
        ([21, 5, 17, 7], (0.058_437_515_051_631_084, 0.400_598_390_142_507_75)),
        ([3, 0, 6, 1], (0.170_522_723_934_503_02, 0.809_017_973_535_488_1)),
        ([10, 0, 0, 0], (-0.277_532_799_862_889_26, 0.277_532_799_862_889_26)),
        ([747, 95, 383, 94], (0.187_809_954_594_857_28, 0.248_422_222_790_264_52)),
        ([1, 8, 8, 2], (-0.376_434_535_418_041_6, 0.376_434_535_418_041_6)),
        ([794, 150, 86, 570], (-0.058_703_872_895_728_836, -0.021_230_423_982_877_018)),
    ] {
        assert_interval(pairs(counts).newcombe(0.95).unwrap(), expected, 1e-11);
    }
}

fn pairs([both, baseline_only, candidate_only, neither]: [u64; 4]) -> BinaryPairs {
    BinaryPairs { both, baseline_only, candidate_only, neither }
}

/// `multipletests(p, method="holm")` and `"fdr_bh"` of statsmodels.
#[test]
fn families_are_adjusted_as_by_statsmodels() {
    let raw = [0.001, 0.04, 0.03, 0.2, 0.008, 0.9, 0.04, 0.0004, 0.051];
    let expected_holm = [0.008, 0.2, 0.18, 0.4, 0.056, 0.9, 0.2, 0.0036, 0.2];
    let expected_bh = [0.0045, 0.06, 0.06, 0.225, 0.024, 0.9, 0.06, 0.0036, 0.065_571_428_571_428_57];
    for (actual, expected) in holm(&raw).unwrap().into_iter().zip(expected_holm) {
        assert_close(actual, expected, 1e-14);
    }
    for (actual, expected) in benjamini_hochberg(&raw).unwrap().into_iter().zip(expected_bh) {
        assert_close(actual, expected, 1e-14);
    }
    let counts = SignificantCounts::at(0.05, &raw).unwrap();
    assert_eq!(counts, SignificantCounts { tests: 9, raw: 6, holm: 2, benjamini_hochberg: 3 });
}

/// `sklearn.metrics.cohen_kappa_score(a, b, weights=None | "linear" | "quadratic")`.
#[test]
fn kappa_is_that_of_scikit_learn() {
    let first = ["0", "1", "2", "2", "1", "0", "3", "3", "2", "1", "0", "2", "3", "1", "1", "2", "0", "3", "2", "2"];
    let second = ["0", "1", "2", "1", "1", "0", "3", "2", "2", "0", "0", "2", "3", "2", "1", "3", "1", "3", "2", "0"];
    let table = Confusion::new(["0", "1", "2", "3"], &first, &second).unwrap();
    for (weights, expected) in [
        (Weights::Unweighted, 0.528_619_528_619_528_7),
        (Weights::Linear, 0.658_119_658_119_658_2),
        (Weights::Quadratic, 0.773_242_630_385_487_6),
    ] {
        assert_close(table.kappa(weights).unwrap(), expected, 1e-13);
    }
    assert_eq!((table.n(), table.first_totals(), table.second_totals()), (20, vec![4, 5, 7, 4], vec![5, 5, 6, 4]));
}

/// `krippendorff.alpha(ratings, level_of_measurement=..)` on the four observers of Krippendorff (2011), whose figures are .743, .815, .849.
#[test]
fn alpha_is_the_published_one() {
    let observers: [[u8; 12]; 4] = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ];
    let rating = |item: usize, observer: usize| Some(observers[observer][item]).filter(|rating| *rating > 0);
    let items: Vec<Vec<Option<f64>>> = (0..12).map(|item| (0..4).map(|observer| rating(item, observer).map(f64::from)).collect()).collect();
    let ratings = Ratings::new(&items).unwrap();
    let expected =
        [(Scale::Nominal, 0.743_421_052_631_579), (Scale::Ordinal, 0.815_387_503_754_881_4), (Scale::Interval, 0.849_107_142_857_142_8)];
    for (scale, expected) in expected {
        assert_close(ratings.alpha(scale).unwrap(), expected, 1e-13);
    }
    let named: Vec<Vec<Option<String>>> =
        items.iter().map(|item| item.iter().map(|rating| rating.map(|rating| rating.to_string())).collect()).collect();
    assert_close(Ratings::from_labels(&named).alpha(Scale::Nominal).unwrap(), expected[0].1, 1e-13);
}

/// `NormalIndPower().solve_power(effect_size, alpha, power, ratio=0)` of statsmodels, rounded up; Connor's formula in numpy.
#[test]
fn sample_sizes_are_those_of_statsmodels() {
    assert_eq!(Power::default().items(0.55_f64.powi(2), 0.02).unwrap(), 5936);
    assert_eq!(Power::new(0.99, 0.9).items(0.81, -0.1).unwrap(), 1206);
    assert_eq!(Power::default().mcnemar_items(0.36, 0.05).unwrap(), 1128);
    assert_close(Power::default().detectable(0.55_f64.powi(2), 5936).unwrap(), 0.02, 1e-4);
    assert_close(Power::default().mcnemar_detectable(0.36, 1128).unwrap().unwrap(), 0.05, 1e-4);
    assert_eq!(Power::default().mcnemar_detectable(0.5, 3).unwrap(), None);
}

/// The worked example of Miller (2024), section 5: about 969 questions with ten answers each where 3,876 take one.
#[test]
fn more_answers_an_item_make_up_for_items() {
    let variance = |repeats| DifferenceVariance {
        between: 1.0 / 9.0,
        baseline_within: 1.0 / 6.0,
        baseline_repeats: repeats,
        candidate_within: 1.0 / 6.0,
        candidate_repeats: repeats,
    };
    assert_close(variance(10).per_item(), 1.0 / 9.0 + 1.0 / 30.0, 1e-14);
    let items = |repeats| Power::default().items(variance(repeats).per_item(), 0.03).unwrap();
    assert_eq!((items(1), items(10)), (3876, 1260));
    assert!(variance(0).per_item().is_infinite());
}

/// The delta method, and the formulas of Lang and Reiczigel (2014), in numpy.
#[test]
fn corrected_rates_are_those_of_the_formulas() {
    let judge = JudgeCalibration { true_positives: 90, false_negatives: 10, true_negatives: 80, false_positives: 20 };
    let corrected = judge.corrected_rate(550, 1000, 0.95).unwrap();
    assert_close(corrected.rate, 0.5, 1e-13);
    assert_close(corrected.standard_error, 0.042_197_301_393_548_35, 1e-12);
    assert_interval(corrected.interval, (0.413_803_921_670_576_7, 0.583_472_741_548_523_7), 1e-12);
    let faultless = JudgeCalibration { true_positives: 50, false_negatives: 0, true_negatives: 48, false_positives: 2 };
    let corrected = faultless.corrected_rate(70, 100, 0.95).unwrap();
    assert_close(corrected.standard_error, 0.048_580_099_234_837_58, 1e-12);
    assert_interval(corrected.interval, (0.584_872_829_277_581, 0.789_581_768_992_544_5), 1e-12);
}

/// `scipy.stats.ttest_ind(judge_unlabelled, judge - people, equal_var=False).confidence_interval()`.
#[test]
fn rectified_means_have_the_interval_of_welch() {
    let unlabelled = [0.9, 0.8, 0.7, 0.9, 0.6, 0.8, 0.9, 0.8];
    let rectified = RectifiedMean::of(&unlabelled, &[0.9, 0.7, 0.8, 0.6], &[0.8, 0.6, 0.7, 0.6], 0.95).unwrap();
    assert_close(rectified.mean, 0.725, 1e-13);
    assert_close(rectified.standard_error, 0.045_316_348_358_748_294, 1e-12);
    assert_interval(rectified.interval, (0.624_027_651_560_707_8, 0.825_972_348_439_292_3), 1e-12);
}
