//! Experiments repeated on sources whose truth is known. Seeds are fixed: nothing here is left to chance but the choice of the seed.

use std::num::NonZeroUsize;

use jarre_eval::stats::{
    BinaryPairs, Bootstrap, Design, Direction, Interval, JudgeCalibration, Mean, NonInferiority, PairedMeans, Power, Question,
    RectifiedMean, Verdict,
};

use crate::random::Random;

const SIMULATIONS: u64 = 1_000;

/// In how many of 1,000 simulations each of the intervals holds the truth.
fn covered<const M: usize>(truth: f64, simulate: impl Fn(u64) -> [Interval; M]) -> [usize; M] {
    let mut covered = [0; M];
    for seed in 0..SIMULATIONS {
        for (count, interval) in covered.iter_mut().zip(simulate(seed)) {
            *count += usize::from(interval.contains(truth));
        }
    }
    covered
}

/// Within two points of 95 %, which three standard deviations of the simulation itself would leave.
#[track_caller]
fn assert_nominal(covered: &[usize]) {
    println!("{covered:?} of {SIMULATIONS}");
    assert!(covered.iter().all(|count| (930..=970).contains(count)), "{covered:?} of {SIMULATIONS}");
}

fn bootstrap(seed: u64) -> Bootstrap {
    Bootstrap::default().with_resamples(NonZeroUsize::new(1_000).unwrap()).with_seed(seed)
}

fn mean(values: &[f64], items: &[usize]) -> f64 {
    items.iter().map(|item| values[*item]).sum::<f64>() / items.len() as f64
}

#[test]
fn bootstrap_intervals_of_means_cover() {
    assert_nominal(&covered(0.0, |seed| {
        let mut random = Random::new(seed);
        let values: Vec<f64> = (0..100).map(|_| random.normal()).collect();
        let estimate = bootstrap(seed).mean(&values).unwrap();
        [estimate.percentile, estimate.bca]
    }));
}

#[test]
fn bootstrap_intervals_of_skewed_means_cover() {
    assert_nominal(&covered(1.0, |seed| {
        let mut random = Random::new(seed);
        let values: Vec<f64> = (0..200).map(|_| random.exponential()).collect();
        let estimate = bootstrap(seed).mean(&values).unwrap();
        [estimate.percentile, estimate.bca]
    }));
}

#[test]
fn bootstrap_intervals_of_ratios_cover() {
    assert_nominal(&covered(0.5, |seed| {
        let mut random = Random::new(seed);
        let tokens: Vec<f64> = (0..100).map(|_| 1.0 + random.exponential()).collect();
        let costs: Vec<f64> = tokens.iter().map(|tokens| tokens * (0.25 + 0.5 * random.uniform())).collect();
        let estimate = bootstrap(seed).ratio_of_means(&tokens, &costs, &Design::Simple).unwrap();
        [estimate.percentile, estimate.bca.unwrap()]
    }));
}

#[test]
fn bootstrap_intervals_of_medians_cover() {
    assert_nominal(&covered(std::f64::consts::LN_2, |seed| {
        let mut random = Random::new(seed);
        let values: Vec<f64> = (0..101).map(|_| random.exponential()).collect();
        [bootstrap(seed).percentiles(&values, &Design::Simple).unwrap().p50.percentile]
    }));
}

#[test]
fn bootstrap_intervals_of_two_samples_cover() {
    assert_nominal(&covered(-0.5, |seed| {
        let mut random = Random::new(seed);
        let first: Vec<f64> = (0..120).map(|_| random.exponential()).collect();
        let second: Vec<f64> = (0..80).map(|_| 0.5 + 0.5 * random.normal()).collect();
        let difference = |left: &[usize], right: &[usize]| mean(&second, right) - mean(&first, left);
        let estimate = bootstrap(seed).two_samples(first.len(), second.len(), difference).unwrap();
        [estimate.percentile, estimate.bca.unwrap()]
    }));
}

/// Two hundred documents of one to four questions that share half of their variance.
fn clustered(random: &mut Random) -> (Vec<f64>, Design) {
    let (mut values, mut ids) = (Vec::new(), Vec::new());
    for document in 0..200 {
        let common = random.normal();
        for _ in 0..=(random.uniform() * 4.0) as usize {
            values.push(common + random.normal());
            ids.push(Some(document.to_string()));
        }
    }
    (values, Design::clustered(ids).unwrap())
}

#[test]
fn intervals_of_clustered_means_cover_and_those_that_ignore_clusters_do_not() {
    let [by_t, percentile, bca, naive] = covered(0.0, |seed| {
        let (values, design) = clustered(&mut Random::new(seed));
        let estimate = bootstrap(seed).statistic_by(&design, values.len(), |items| mean(&values, items)).unwrap();
        let t = |design: &Design| Mean::of(&values, design).unwrap().interval(0.95).unwrap();
        [t(&design), estimate.percentile, estimate.bca.unwrap(), t(&Design::Simple)]
    });
    assert_nominal(&[by_t, percentile, bca]);
    assert!(naive < 880, "{naive}");
}

/// Documents of two subjects that lie far apart.
#[test]
fn intervals_of_clusters_in_strata_cover() {
    let subject = |document: usize| ["history", "law"][document % 2];
    assert_nominal(&covered(0.0, |seed| {
        let mut random = Random::new(seed);
        let (mut values, mut documents, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
        for document in 0..160_usize {
            let common = [-3.0, 3.0][document % 2] + random.normal();
            for _ in 0..3 {
                values.push(common + random.normal());
                documents.push(Some(document.to_string()));
                subjects.push(Some(subject(document)));
            }
        }
        let design = Design::clustered_in_strata(documents, subjects).unwrap();
        let estimate = bootstrap(seed).statistic_by(&design, values.len(), |items| mean(&values, items)).unwrap();
        [Mean::of(&values, &design).unwrap().interval(0.95).unwrap(), estimate.percentile, estimate.bca.unwrap()]
    }));
}

#[test]
fn intervals_of_stratified_means_cover_and_are_narrower() {
    let (mut narrower, mut squared) = (0, 0.0);
    let strata = || (0..120).map(|item| Some(["a", "b", "c"][item % 3]));
    let design = Design::stratified(strata()).unwrap();
    for seed in 0..SIMULATIONS {
        let (values, _) = stratified(seed);
        let [plain, apart] = [&Design::Simple, &design].map(|design| Mean::of(&values, design).unwrap().standard_error.unwrap());
        narrower += usize::from(apart < plain);
        squared += plain.powi(2) - apart.powi(2);
    }
    assert!(narrower > 990 && squared > 0.0, "{narrower}");
    assert_nominal(&covered(2.0, |seed| {
        let (values, bootstrap) = stratified(seed);
        let estimate = bootstrap.statistic_by(&design, values.len(), |items| mean(&values, items)).unwrap();
        [Mean::of(&values, &design).unwrap().interval(0.95).unwrap(), estimate.percentile, estimate.bca.unwrap()]
    }));
}

fn stratified(seed: u64) -> (Vec<f64>, Bootstrap) {
    let mut random = Random::new(seed);
    ((0..120).map(|item| f64::from(item % 3 + 1) + random.normal()).collect(), bootstrap(seed))
}

/// Without strata that differ, a stratified standard error is the plain one in expectation, not less by construction.
#[test]
fn strata_without_a_difference_change_nothing_on_average() {
    let design = Design::stratified((0..60).map(|item| Some(["a", "b"][item % 2]))).unwrap();
    let ratios = (0..SIMULATIONS).map(|seed| {
        let mut random = Random::new(seed);
        let values: Vec<f64> = (0..60).map(|_| random.normal()).collect();
        let [plain, apart] = [&Design::Simple, &design].map(|design| Mean::of(&values, design).unwrap().standard_error.unwrap());
        (apart / plain).powi(2)
    });
    let ratio = ratios.sum::<f64>() / SIMULATIONS as f64;
    assert!((ratio - 1.0).abs() < 0.005, "{ratio}");
}

#[test]
fn t_intervals_cover_for_few_items() {
    assert_nominal(&covered(0.0, |seed| {
        let mut random = Random::new(seed);
        let values: Vec<f64> = (0..6).map(|_| random.normal()).collect();
        [Mean::of(&values, &Design::Simple).unwrap().interval(0.95).unwrap()]
    }));
}

fn pairs(random: &mut Random, n: u64, wins: f64, losses: f64) -> BinaryPairs {
    let mut pairs = BinaryPairs { both: n, ..BinaryPairs::default() };
    for _ in 0..n {
        let draw = random.uniform();
        pairs.candidate_only += u64::from(draw < wins);
        pairs.baseline_only += u64::from((wins..wins + losses).contains(&draw));
    }
    pairs.both -= pairs.discordant();
    pairs
}

#[test]
fn newcombe_intervals_cover() {
    assert_nominal(&covered(0.1, |seed| [pairs(&mut Random::new(seed), 80, 0.2, 0.1).newcombe(0.95).unwrap()]));
}

#[test]
fn corrected_rates_cover_for_small_calibration_sets() {
    assert_nominal(&covered(0.3, |seed| {
        let mut random = Random::new(seed);
        let (sensitivity, specificity) = (0.85, 0.9);
        let hits = (0..60).filter(|_| random.chance(sensitivity)).count() as u64;
        let rejections = (0..80).filter(|_| random.chance(specificity)).count() as u64;
        let observed = 0.3 * sensitivity + 0.7 * (1.0 - specificity);
        let positives = (0..400).filter(|_| random.chance(observed)).count() as u64;
        let judge = JudgeCalibration {
            true_positives: hits,
            false_negatives: 60 - hits,
            true_negatives: rejections,
            false_positives: 80 - rejections,
        };
        [judge.corrected_rate(positives, 400, 0.95).unwrap().interval]
    }));
}

/// The judge is 0.2 too kind, noisy, and blind to a third of what people see.
#[test]
fn rectified_means_cover_however_wrong_the_judge_is() {
    let [rectified, judged] = covered(0.0, |seed| {
        let mut random = Random::new(seed);
        let mut item = || {
            let seen = random.normal();
            (0.2 + seen + 0.3 * random.normal(), seen + 0.5 * random.normal())
        };
        let unlabelled: Vec<f64> = (0..500).map(|_| item().0).collect();
        let (judge, people): (Vec<f64>, Vec<f64>) = (0..30).map(|_| item()).unzip();
        let plain = Mean::of(&unlabelled, &Design::Simple).unwrap().interval(0.95).unwrap();
        [RectifiedMean::of(&unlabelled, &judge, &people, 0.95).unwrap().interval, plain]
    });
    assert_nominal(&[rectified]);
    assert!(judged < 50, "the judge alone covers {judged}");
}

/// As many items as the formula asks for show the effect in 80 of 100 runs; the standard deviation of the simulation is 1.3 points.
#[test]
fn power_is_what_the_formula_promises() {
    let n = Power::default().items(2.0, 0.25).unwrap();
    let seen = (0..SIMULATIONS).filter(|seed| {
        let mut random = Random::new(*seed);
        let (first, second): (Vec<f64>, Vec<f64>) = (0..n).map(|_| (random.normal(), 0.25 + random.normal())).unzip();
        PairedMeans::of(&first, &second, &Design::Simple).unwrap().difference.p_value().unwrap() <= 0.05
    });
    let seen = seen.count();
    println!("{n} items: {seen} of {SIMULATIONS}");
    assert!((760..=840).contains(&seen), "{seen}");
}

#[test]
fn power_of_mcnemar_is_what_the_formula_promises() {
    let n = Power::default().mcnemar_items(0.3, 0.08).unwrap();
    let seen = (0..SIMULATIONS).filter(|seed| pairs(&mut Random::new(*seed), n, 0.19, 0.11).mcnemar().mid_p <= 0.05).count();
    println!("{n} items: {seen} of {SIMULATIONS}");
    assert!((760..=840).contains(&seen), "{seen}");
}

/// Verdicts on two runs from one source must find a difference in one of twenty at most; three standard deviations of 1,000 simulations
/// are 21.
#[test]
fn runs_of_one_source_are_not_told_apart() {
    let indistinct = |verdict: &Verdict| matches!(verdict, Verdict::NotDistinguishable(_));
    let question = Question::default();
    let runs = |seed: u64, draw: &dyn Fn(&mut Random, f64) -> f64| -> (Vec<f64>, Vec<f64>) {
        let mut random = Random::new(seed);
        (0..150)
            .map(|_| {
                let hardness = random.uniform();
                (draw(&mut random, hardness), draw(&mut random, hardness))
            })
            .unzip()
    };
    let (mut binary, mut graded) = (0, 0);
    for seed in 0..SIMULATIONS {
        let (first, second) = runs(seed, &|random, hardness| random.score(hardness));
        binary += usize::from(indistinct(&question.pairs(&BinaryPairs::of_scores(&first, &second).unwrap())));
        let (first, second) = runs(seed, &|random, hardness| hardness + 0.2 * random.normal());
        graded += usize::from(indistinct(&question.means(&PairedMeans::of(&first, &second, &Design::Simple).unwrap())));
    }
    println!("right or wrong {binary}, graded {graded} of {SIMULATIONS}");
    assert!(binary >= 950 - 21 && graded >= 950 - 21, "{binary}, {graded}");
}

/// A candidate that is worse by the margin passes in one of forty runs, that is the lower half of what 95 % leave.
#[test]
fn a_loss_of_the_margin_rarely_passes() {
    let passes = (0..SIMULATIONS).filter(|seed| {
        let mut random = Random::new(*seed);
        let (first, second): (Vec<f64>, Vec<f64>) = (0..60).map(|_| (random.normal(), random.normal() - 0.5)).unzip();
        let runs = PairedMeans::of(&first, &second, &Design::Simple).unwrap();
        NonInferiority::of_means(&runs, 0.5, Direction::HigherIsBetter, 0.95).unwrap() == NonInferiority::NonInferior
    });
    let passes = passes.count();
    println!("{passes} of {SIMULATIONS}");
    assert!((10..=40).contains(&passes), "{passes}");
}
