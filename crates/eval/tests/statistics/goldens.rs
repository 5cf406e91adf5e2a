//! Two models on the test items of GSM8K and MMLU: published per-item results of `RouteLLM` (Apache-2.0).
#![expect(clippy::disallowed_methods, reason = "the folder of test data is named by the environment")]

use std::{fs, num::NonZeroUsize, path::PathBuf};

use jarre_eval::stats::{BinaryPairs, Bootstrap, Confusion, Design, Interval, PairedMeans, SignificantCounts, Weights, wilson};

use crate::{assert_close, assert_interval};

struct Golden {
    first: usize,
    pairs: BinaryPairs,
    shares: [f64; 2],
    wilson: [Interval; 2],
    difference: f64,
    paired: f64,
    unpaired: f64,
    exact: f64,
    mid_p: f64,
    chi_squared: f64,
    kappa: f64,
    bootstrap: Interval,
}

/// Right or wrong, of both models.
fn columns(path: &PathBuf) -> (Vec<bool>, Vec<bool>) {
    let verdict = |field: &str| match field {
        "True" => true,
        "False" => false,
        other => panic!("{}: `{other}` is no verdict", path.display()),
    };
    let rows = csv::Reader::from_path(path).unwrap().into_records();
    rows.map(Result::unwrap).map(|row| (verdict(&row[1]), verdict(&row[2]))).unzip()
}

fn router() -> PathBuf {
    PathBuf::from(std::env::var("JARRE_DATA").expect("JARRE_DATA names the folder of test data")).join("router")
}

fn scores(verdicts: &[bool]) -> Vec<f64> {
    verdicts.iter().map(|right| f64::from(u8::from(*right))).collect()
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn gsm8k_has_the_published_figures() {
    let (baseline, candidate) = columns(&router().join("gsm8k_responses.csv"));
    assert_eq!(baseline.len(), 1319);
    for golden in GSM8K {
        golden.check(&baseline[..golden.first], &candidate[..golden.first]);
    }
}

impl Golden {
    fn check(&self, baseline: &[bool], candidate: &[bool]) {
        let pairs = BinaryPairs::count(baseline, candidate).unwrap();
        assert_eq!(pairs, self.pairs);
        self.check_counts(&pairs);
        let (baseline, candidate) = (scores(baseline), scores(candidate));
        self.check_means(&PairedMeans::of(&baseline, &candidate, &Design::Simple).unwrap());
        self.check_bootstrap(&baseline, &candidate);
    }

    fn check_counts(&self, pairs: &BinaryPairs) {
        let n = self.first as u64;
        let right = [pairs.both + pairs.baseline_only, pairs.both + pairs.candidate_only];
        for (right, expected) in right.into_iter().zip(self.wilson) {
            let interval = wilson(right, n, 0.95).unwrap();
            assert_close(interval.low, expected.low, 1e-12);
            assert_close(interval.high, expected.high, 1e-12);
        }
        let test = pairs.mcnemar();
        assert_close(test.exact, self.exact, 1e-12);
        assert_close(test.mid_p, self.mid_p, 1e-12);
        assert_close(test.chi_squared.statistic(), self.chi_squared, 1e-14);
        let table = vec![vec![pairs.both, pairs.baseline_only], vec![pairs.candidate_only, pairs.neither]];
        let kappa = Confusion::from_counts(["right", "wrong"], table).unwrap().kappa(Weights::Unweighted).unwrap();
        assert_close(kappa, self.kappa, 1e-12);
    }

    fn check_means(&self, runs: &PairedMeans) {
        assert_close(runs.baseline.mean, self.shares[0], 1e-14);
        assert_close(runs.candidate.mean, self.shares[1], 1e-14);
        assert_close(runs.difference.mean, self.difference, 1e-13);
        assert_close(runs.difference.standard_error.unwrap(), self.paired, 1e-12);
        assert_close(runs.unpaired_standard_error.unwrap(), self.unpaired, 1e-12);
        assert_eq!((runs.wins, runs.losses), (self.pairs.candidate_only as usize, self.pairs.baseline_only as usize));
        assert_eq!(runs.ties, (self.pairs.both + self.pairs.neither) as usize);
    }

    /// At 100,000 resamples a bound wanders by 0.008 standard errors. The reference, whose number of resamples is not told, is itself
    /// resampled: allow one item at either end.
    fn check_bootstrap(&self, baseline: &[f64], candidate: &[f64]) {
        let bootstrap = Bootstrap::default().with_resamples(NonZeroUsize::new(100_000).unwrap());
        let compared = bootstrap.paired_difference(baseline, candidate).unwrap();
        assert_interval(compared.difference.percentile, (self.bootstrap.low, self.bootstrap.high), 1.01 / self.first as f64);
    }
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn mmlu_differs_in_as_many_subjects_as_other_programs_find() {
    let mut files: Vec<PathBuf> = fs::read_dir(router().join("mmlu")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 29);
    let p_value = |path: &PathBuf| {
        let (baseline, candidate) = columns(path);
        BinaryPairs::count(&baseline, &candidate).unwrap().mcnemar().exact
    };
    let counts = SignificantCounts::at(0.05, &files.iter().map(p_value).collect::<Vec<_>>()).unwrap();
    println!("{counts:?}");
    // `statsmodels` 0.15: `mcnemar(table, exact=True)` a subject, then `multipletests(p, method="holm")` and `"fdr_bh"`.
    assert_eq!(counts, SignificantCounts { tests: 29, raw: 20, holm: 17, benjamini_hochberg: 20 });
}

/// Naive by `scipy.stats.sem`; clustered by `statsmodels`' `OLS(values, ones).fit(cov_type="cluster")`, whose correction for one parameter is
/// C / (C - 1); stratified by numpy from `var(ddof=1)` of each subject.
#[test]
#[ignore = "needs JARRE_DATA"]
fn mmlu_has_the_standard_errors_of_other_programs() {
    let mut files: Vec<PathBuf> = fs::read_dir(router().join("mmlu")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut baseline, mut candidate, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
    for path in &files {
        let (first, second) = columns(path);
        subjects.extend(first.iter().map(|_| Some(path.to_str().unwrap())));
        baseline.extend(scores(&first));
        candidate.extend(scores(&second));
    }
    assert_eq!(baseline.len(), 6348);
    let designs = [Design::Simple, Design::clustered(subjects.clone()).unwrap(), Design::stratified(subjects).unwrap()];
    let expected = [
        (0.005_522_453_096_277_356, 0.004_640_410_081_695_039, 0.005_320_815_457_125_612),
        (0.029_214_022_426_290_093, 0.026_327_840_085_761_244, 0.011_099_353_920_796_853),
        (0.005_274_979_077_156_561_5, 0.004_399_315_795_438_222, 0.005_278_167_202_842_84),
    ];
    for (design, (first, second, difference)) in designs.iter().zip(expected) {
        let runs = PairedMeans::of(&baseline, &candidate, design).unwrap();
        assert_close(runs.difference.mean, 0.099_086_326_402_016_38, 1e-12);
        let errors = [runs.baseline, runs.candidate, runs.difference].map(|mean| mean.standard_error.unwrap());
        println!("{errors:?}");
        for (actual, expected) in errors.into_iter().zip([first, second, difference]) {
            assert_close(actual, expected, 1e-12);
        }
    }
    let subjects_apart = PairedMeans::of(&baseline, &candidate, &designs[1]).unwrap().difference;
    assert_eq!((subjects_apart.units, subjects_apart.degrees_of_freedom), (29, 28));
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn clusters_of_items_widen_the_bootstrap_as_they_widen_the_standard_error() {
    let path = router().join("gsm8k_responses.csv");
    let (baseline, candidate) = columns(&path);
    let differences: Vec<f64> = scores(&candidate).iter().zip(scores(&baseline)).map(|(second, first)| second - first).collect();
    // Every item twice is no more than the items once, as long as one says so.
    let doubled: Vec<f64> = differences.iter().chain(&differences).copied().collect();
    let ids: Vec<String> = (0..doubled.len()).map(|item| (item % differences.len()).to_string()).collect();
    let design = Design::clustered(ids.iter().map(Some)).unwrap();
    let bootstrap = Bootstrap::default().with_resamples(NonZeroUsize::new(2_000).unwrap());
    let mean = |items: &[usize]| items.iter().map(|item| doubled[*item]).sum::<f64>() / items.len() as f64;
    let clustered = bootstrap.statistic_by(&design, doubled.len(), mean).unwrap();
    let once = bootstrap.mean(&differences).unwrap();
    assert_close(clustered.standard_error, once.standard_error, 0.05);
    assert_interval(clustered.percentile, (once.percentile.low, once.percentile.high), 1e-12);
}

const GSM8K: [Golden; 5] = [
    Golden {
        first: 50,
        pairs: BinaryPairs { both: 21, baseline_only: 5, candidate_only: 17, neither: 7 },
        shares: [0.52, 0.76],
        wilson: [
            Interval { low: 0.385_117_448_900_446_1, high: 0.652_028_647_134_219_6 },
            Interval { low: 0.625_873_162_420_570_8, high: 0.857_026_086_030_082_8 },
        ],
        difference: 0.24,
        paired: 0.088_340_713_335_658_92,
        unpaired: 0.093_895_295_572_314_19,
        exact: 0.016_900_539_398_193_36,
        mid_p: 0.010_622_024_536_132_812,
        chi_squared: 5.5,
        kappa: 0.101_307_189_542_483_83,
        bootstrap: Interval { low: 0.06, high: 0.4 },
    },
    Golden {
        first: 100,
        pairs: BinaryPairs { both: 49, baseline_only: 10, candidate_only: 33, neither: 8 },
        shares: [0.59, 0.82],
        wilson: [
            Interval { low: 0.492_014_300_534_107_8, high: 0.681_326_869_788_634_8 },
            Interval { low: 0.733_326_416_136_992_6, high: 0.882_997_745_010_536_4 },
        ],
        difference: 0.23,
        paired: 0.061_717_832_990_886_13,
        unpaired: 0.062_724_344_829_925_75,
        exact: 0.000_606_106_631_266_811_7,
        mid_p: 0.000_388_130_902_933_880_86,
        chi_squared: 11.255_813_953_488_373,
        kappa: 0.028_028_933_092_224_154,
        bootstrap: Interval { low: 0.11, high: 0.35 },
    },
    Golden {
        first: 200,
        pairs: BinaryPairs { both: 106, baseline_only: 19, candidate_only: 60, neither: 15 },
        shares: [0.625, 0.83],
        wilson: [
            Interval { low: 0.556_143_036_989_781_6, high: 0.689_145_631_415_901_8 },
            Interval { low: 0.771_841_163_716_873_7, high: 0.875_720_920_874_130_2 },
        ],
        difference: 0.205,
        paired: 0.042_115_836_909_563_68,
        unpaired: 0.043_437_415_268_707_355,
        exact: 4.194_042_408_924_102e-6,
        mid_p: 2.731_869_922_882_265_3e-6,
        chi_squared: 20.253_164_556_962_027,
        kappa: 0.053_892_215_568_862_444,
        bootstrap: Interval { low: 0.12, high: 0.29 },
    },
    Golden {
        first: 400,
        pairs: BinaryPairs { both: 231, baseline_only: 32, candidate_only: 107, neither: 30 },
        shares: [0.6575, 0.845],
        wilson: [
            Interval { low: 0.609_694_645_788_912_9, high: 0.702_308_981_495_783_6 },
            Interval { low: 0.806_269_103_626_874_5, high: 0.877_167_413_282_460_7 },
        ],
        difference: 0.1875,
        paired: 0.027_978_856_589_219_3,
        unpaired: 0.029_877_307_589_070_5,
        exact: 1.206_928_135_332_377_6e-10,
        mid_p: 7.793_986_201_015_429e-11,
        chi_squared: 39.395_683_453_237_41,
        kappa: 0.111_991_311_569_666_91,
        bootstrap: Interval { low: 0.13, high: 0.2425 },
    },
    Golden {
        first: 1319,
        pairs: BinaryPairs { both: 747, baseline_only: 95, candidate_only: 383, neither: 94 },
        shares: [0.638_362_395_754_359_4, 0.856_709_628_506_444_3],
        wilson: [
            Interval { low: 0.612_065_539_186_127_5, high: 0.663_855_658_751_980_3 },
            Interval { low: 0.836_764_606_996_560_4, high: 0.874_582_919_742_506_3 },
        ],
        difference: 0.218_347_232_752_084_92,
        paired: 0.015_452_709_205_254_043,
        unpaired: 0.016_379_742_669_931_138,
        exact: 5.116_157_326_697_435e-42,
        mid_p: 3.188_247_102_834_709_5e-42,
        chi_squared: 172.320_083_682_008_37,
        kappa: 0.096_922_142_582_948,
        bootstrap: Interval { low: 0.188_779_378_316_906_75, high: 0.247_915_087_187_263_07 },
    },
];
