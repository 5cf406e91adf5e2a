use jarre_eval::{
    Error, Outcome, Sample,
    compare::{Comparison, Figure, Options, Pairs, Units, discrepancies},
    stats::Verdict,
};

use crate::samples::{METRIC, sample, share, side};

fn compare(baseline: &[Sample], candidate: &[Sample]) -> Comparison {
    Comparison::new(baseline, candidate, &Options::new(METRIC)).unwrap()
}

#[test]
fn what_cannot_be_paired_is_counted_by_its_reason() {
    let mut baseline = share("a", 5, 10).samples;
    let mut candidate = share("b", 5, 12).samples;
    baseline[0].scores[0].outcome = Outcome::Unscored("?".into());
    candidate[1].scores.clear();
    candidate[2].target_hash = "another".into();
    candidate[3].input_hash = "another".into();
    baseline.remove(4);
    let left = Pairs::new(&baseline, &candidate, |sample| sample.value(METRIC)).left_out;
    assert_eq!((left.only_baseline, left.only_candidate, left.different, left.without_figure, left.total()), (0, 3, 2, 2, 7));
    let comparison = compare(&baseline, &candidate);
    assert_eq!((comparison.means.difference.n, comparison.left_out), (5, left));
}

#[test]
fn runs_with_nothing_in_common_are_refused() {
    let error = Comparison::new(&share("a", 1, 2).samples, &[], &Options::new(METRIC)).unwrap_err();
    assert!(matches!(&error, Error::Refused(words) if words.contains("2 items only in the first")), "{error}");
}

#[test]
fn repeats_of_an_item_are_one_item() {
    let repeated = |values: [f64; 4]| {
        let answers = values
            .into_iter()
            .enumerate()
            .map(|(place, value)| Sample { repeat: (place % 2) as u32, ..sample(place / 2, Outcome::Scored(value)) });
        answers.collect::<Vec<_>>()
    };
    let pairs = Pairs::new(&repeated([0.0, 1.0, 1.0, 1.0]), &repeated([1.0, 1.0, 0.0, 0.0]), |sample| sample.value(METRIC));
    assert_eq!((pairs.baseline(), pairs.candidate(), pairs.is_binary()), (vec![0.5, 1.0], vec![1.0, 0.0], false));
}

#[test]
fn clusters_and_strata_are_different_things() {
    let figures = |shift: usize| (0..120).map(move |item| f64::from(u8::from((item / 10 + shift).is_multiple_of(3))));
    let mut baseline = side("a", figures(0)).samples;
    let mut candidate = side("b", figures(1)).samples;
    for (place, sample) in baseline.iter_mut().chain(&mut candidate).enumerate() {
        sample.stratum = Some(format!("s{}", place % 120 / 10));
    }
    let error = |samples: (&[Sample], &[Sample]), units| {
        let options = Options { units, ..Options::new(METRIC) };
        Comparison::new(samples.0, samples.1, &options).unwrap().means.difference.standard_error.unwrap()
    };
    let strata = error((&baseline, &candidate), Units::Auto);
    let items = error((&baseline, &candidate), Units::Items);
    for sample in baseline.iter_mut().chain(&mut candidate) {
        sample.cluster = sample.stratum.clone();
    }
    let clusters = error((&baseline, &candidate), Units::Auto);
    assert!(strata < items && items < clusters, "{strata} {items} {clusters}");
    let comparison = Comparison::new(&baseline, &candidate, &Options::new(METRIC)).unwrap();
    assert_eq!((comparison.units, comparison.slices.len(), comparison.slice_counts.unwrap().tests), (Units::Clusters, 12, 12));
}

#[test]
fn the_verdict_says_what_is_known_and_what_is_not() {
    let better = compare(&share("a", 300, 1000).samples, &share("b", 400, 1000).samples);
    assert!(matches!(better.verdict, Verdict::Better(_)), "{}", better.verdict);
    let same = compare(&share("a", 300, 1000).samples, &share("b", 301, 1000).samples);
    assert!(same.verdict.to_string().starts_with("not distinguishable: 95 % interval"), "{}", same.verdict);
}

#[test]
fn a_figure_counts_what_has_none() {
    let mut samples = share("a", 6, 10).samples;
    samples[9].scores[0].outcome = Outcome::Failed("judge is down".into());
    samples[8].scores[0].outcome = Outcome::Unscored("refused".into());
    samples[7] = Sample { error: Some("timed out".into()), scores: Vec::new(), ..samples[7].clone() };
    let figure = Figure::of(&samples, METRIC, Units::Auto, 0.95).unwrap();
    assert_eq!((figure.n, figure.unscored, figure.errors), (7, 1, 2));
    assert!((figure.mean - 6.0 / 7.0).abs() < 1e-12);
    let nothing = Figure::of(&samples, "another", Units::Auto, 0.95).unwrap();
    assert!(nothing.n == 0 && nothing.mean.is_nan() && nothing.interval.is_none());
}

#[test]
fn not_a_number_is_no_figure() {
    let mut candidate = share("b", 5, 10).samples;
    candidate[0].scores[0].outcome = Outcome::Scored(f64::NAN);
    candidate[1].scores[0].outcome = Outcome::Scored(f64::INFINITY);
    assert_eq!(compare(&share("a", 5, 10).samples, &candidate).left_out.without_figure, 2);
    assert!(matches!(Outcome::of(f64::NAN), Outcome::Unscored(_)));
}

#[test]
fn only_items_and_scorers_forbid_to_compare() {
    let (baseline, mut candidate) = (share("a", 1, 2).provenance, share("b", 1, 2).provenance);
    assert_eq!(discrepancies(&baseline, &candidate, &[METRIC]), []);
    candidate.model = "another".into();
    candidate.git = Some("c0ffee".into());
    let found = discrepancies(&baseline, &candidate, &[METRIC]);
    assert!(found.len() == 2 && found.iter().all(|found| !found.forbids), "{found:?}");
    candidate.scorers.insert(METRIC.into(), "2".into());
    assert!(discrepancies(&baseline, &candidate, &[METRIC])[0].forbids);
    assert!(discrepancies(&baseline, &candidate, &[]).iter().all(|found| !found.forbids), "of metrics that are compared alone");
    candidate.dataset.as_mut().unwrap().digest = "y".into();
    assert_eq!(discrepancies(&baseline, &candidate, &[])[0].field, "dataset");
}
