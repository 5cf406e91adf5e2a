//! Agreement with the outputs that `trec_eval` 9.0.7 ships with its sources: every line of every output whose measure this crate has, to
//! the four decimals printed.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests; the folder of test data is named by the environment")]

use std::{collections::BTreeMap, fs, num::NonZeroU8, path::PathBuf};

use jarre_eval::{
    Error,
    retrieval::{Evaluation, Gain, Metric, MissingQueries, Qrels, Run},
};

fn read(file: &str) -> String {
    let data = std::env::var("JARRE_DATA").expect("JARRE_DATA names the folder of test data");
    fs::read_to_string(PathBuf::from(data).join("eval/trec_eval/test").join(file)).unwrap()
}

/// The crate's metric for a measure as `trec_eval` names it.
fn metric(measure: &str) -> Option<Metric> {
    let cutoff = |prefix: &str| measure.strip_prefix(prefix)?.parse().ok();
    let fixed = match measure {
        "map" => Some(Metric::AveragePrecision(None)),
        "Rprec" | "Rprec_mult_1.00" => Some(Metric::RPrecision),
        "bpref" => Some(Metric::Bpref),
        "recip_rank" => Some(Metric::ReciprocalRank(None)),
        "ndcg" => Some(Metric::Ndcg { k: None, gain: Gain::Linear }),
        _ => None,
    };
    fixed
        .or_else(|| cutoff("P_").map(Metric::Precision))
        .or_else(|| cutoff("recall_").map(Metric::Recall))
        .or_else(|| cutoff("success_").map(Metric::Success))
        .or_else(|| cutoff("ndcg_cut_").map(Metric::ndcg))
        .or_else(|| cutoff("map_cut_").map(|k| Metric::AveragePrecision(Some(k))))
}

/// The lines of an output: measure, query or `all`, value.
fn golden(file: &str) -> Vec<(String, String, String)> {
    let fields = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let line = |line| fields(line).try_into().map(|[measure, query, value]: [String; 3]| (measure, query, value)).unwrap();
    read(file).lines().map(line).collect()
}

fn mean(values: &[(&str, f64)]) -> f64 {
    values.iter().map(|(_, value)| value).sum::<f64>() / values.len() as f64
}

fn assert_close(actual: f64, expected: &str, what: &str) {
    let expected: f64 = expected.parse().unwrap();
    // Half of the last decimal printed, and a little for values that lie on the edge of rounding.
    assert!((actual - expected).abs() <= 0.000_050_1, "{what}: {actual:.6}, trec_eval has {expected}");
}

/// Checks every line that is a metric's or a count's and returns how many there were.
fn check(file: &str, qrels: &Qrels, run: &Run, missing: MissingQueries) -> usize {
    let mut checked = 0;
    for (measure, query, value) in golden(file) {
        let what = format!("{file}: {measure} of {query}");
        if let Some(metric) = metric(&measure) {
            let evaluation = Evaluation::new(qrels, run, &[metric], missing);
            let values = evaluation.values(metric).unwrap();
            let of_query = values.iter().find(|(other, _)| *other == query).map(|(_, value)| *value);
            let actual = if query == "all" { mean(&values) } else { of_query.expect("the query was scored") };
            assert_close(actual, &value, &what);
        } else if let Some(actual) = count(&measure, &query, qrels, run, missing) {
            assert_eq!(actual.to_string(), value, "{what}");
        } else {
            continue;
        }
        checked += 1;
    }
    checked
}

fn count(measure: &str, query: &str, qrels: &Qrels, run: &Run, missing: MissingQueries) -> Option<usize> {
    let scored = |other: &str| missing == MissingQueries::Zero || run.contains(other);
    let asked = |other: &str| if query == "all" { scored(other) } else { other == query };
    let queries: Vec<&str> = qrels.iter().map(|(query, _)| query).filter(|query| asked(query)).collect();
    let total = |count: fn(&Qrels, &Run, &str) -> usize| queries.iter().map(|query| count(qrels, run, query)).sum();
    match measure {
        "num_q" => Some(queries.len()),
        "num_ret" => Some(total(|_, run, query| run.get(query).len())),
        "num_rel" => Some(total(|qrels, _, query| qrels.get(query).unwrap().relevant_count())),
        "num_rel_ret" => Some(total(relevant_retrieved)),
        _ => None,
    }
}

fn relevant_retrieved(qrels: &Qrels, run: &Run, query: &str) -> usize {
    let judgements = qrels.get(query).unwrap();
    let retrieved = run.get(query).iter().filter_map(|retrieved| judgements.level(&retrieved.document));
    retrieved.filter(|level| judgements.is_relevant(*level)).count()
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn a_whole_run_agrees() {
    let (qrels, run) = (Qrels::parse(&read("qrels.test")).unwrap(), Run::parse(&read("results.test")).unwrap());
    assert_eq!(run.tag(), "STANDARD");
    assert_eq!(check("out.test", &qrels, &run, MissingQueries::Skip), 17);
    assert_eq!(check("out.test.a", &qrels, &run, MissingQueries::Skip), 49);
    assert_eq!(check("out.test.aq", &qrels, &run, MissingQueries::Skip), 48 * 3 + 49);
    assert_eq!(check("out.test.meas_params", &qrels, &run, MissingQueries::Skip), 11 * 4);
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn a_run_without_one_query_agrees() {
    let (qrels, mut run) = (Qrels::parse(&read("qrels.test")).unwrap(), Run::parse(&read("results.trunc")).unwrap());
    let scored = |file| golden(file).into_iter().filter(|(measure, _, _)| metric(measure).is_some()).count();
    assert!(check("out.test.aqc", &qrels, &run, MissingQueries::Zero) > scored("out.test.aqc"));
    run.truncate(100);
    assert!(check("out.test.aqcM", &qrels, &run, MissingQueries::Zero) > scored("out.test.aqcM"));
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn a_higher_relevance_level_agrees() {
    let qrels = Qrels::parse(&read("qrels.rel_level")).unwrap().with_relevance_level(NonZeroU8::new(2).unwrap());
    let run = Run::parse(&read("results.test")).unwrap();
    assert_eq!(check("out.test.aql", &qrels, &run, MissingQueries::Skip), 48 * 3 + 49);
}

/// `trec_eval -Z` prints how many standard deviations a value lies from the mean of other systems.
#[test]
#[ignore = "needs JARRE_DATA"]
fn z_scores_agree() {
    let (qrels, run) = (Qrels::parse(&read("qrels.test")).unwrap(), Run::parse(&read("results.test")).unwrap());
    let systems = read("zscores_file");
    let systems: BTreeMap<(&str, &str), (f64, f64)> = systems
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .map(|fields| ((fields[1], fields[0]), (fields[2].parse().unwrap(), fields[3].parse().unwrap())))
        .collect();
    let mut checked = 0;
    for (measure, query, expected) in golden("out.test.aqZ") {
        let measure = measure.strip_prefix('Z').unwrap_or(&measure);
        let Some((metric, (mean, deviation))) = metric(measure).zip(systems.get(&(measure, query.as_str()))) else { continue };
        let run: Vec<&str> = run.get(&query).iter().map(|retrieved| retrieved.document.as_str()).collect();
        let value = metric.score(&run, qrels.get(&query).unwrap());
        assert_close((value - mean) / deviation, &expected, &format!("z of {measure} of {query}"));
        checked += 1;
    }
    assert!(checked >= 3 * 15, "only {checked} z-scores were compared");
}

/// Several people judged the same documents: a measure is computed by each one's judgements and averaged.
#[test]
#[ignore = "needs JARRE_DATA"]
fn judgement_groups_agree() {
    let (text, run) = (read("qrels.123"), Run::parse(&read("results.test")).unwrap());
    let mut groups: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        groups.entry((fields[0], fields[1])).or_default().extend([line, "\n"]);
    }
    let groups: Vec<Qrels> = groups.values().map(|text| Qrels::parse(text).unwrap()).collect();
    let mut checked = 0;
    for (measure, query, expected) in golden("out.test.qrels_jg").iter().filter(|(_, query, _)| query != "all") {
        let Some(metric) = metric(&measure.replace("_avgjg", "")) else { continue };
        let ranked: Vec<&str> = run.get(query).iter().map(|retrieved| retrieved.document.as_str()).collect();
        let values: Vec<_> = groups.iter().filter_map(|group| Some((query.as_str(), metric.score(&ranked, group.get(query)?)))).collect();
        assert_close(mean(&values), expected, &format!("{measure} of {query}"));
        checked += 1;
    }
    assert_eq!(checked, 3 * 11);
}

/// Preference judgements are out of scope, so their files can only be refused or read as runs.
#[test]
#[ignore = "needs JARRE_DATA"]
fn files_of_other_formats_are_refused_with_the_line() {
    assert_eq!(Run::parse(&read("prefs.results.test")).unwrap().iter().map(|(_, retrieved)| retrieved.len()).sum::<usize>(), 480);
    for (file, line) in [("prefs.rank20", 1), ("qrels.test", 1), ("zscores_file", 1)] {
        let error = Run::parse(&read(file)).unwrap_err();
        assert!(matches!(error, Error::Malformed { line: found, .. } if found == line), "{file}: {error}");
    }
    assert!(matches!(Qrels::parse(&read("results.test")), Err(Error::Malformed { line: 1, .. })));
    assert!(matches!(Qrels::parse(&read("prefs.test")), Err(Error::Malformed { line: 1, .. })));
    assert!(matches!(Qrels::parse(&read("qrels.123")), Err(Error::Duplicate { .. })), "several judgement groups");
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn every_file_is_known() {
    let data = std::env::var("JARRE_DATA").expect("JARRE_DATA names the folder of test data");
    let source = include_str!("trec_eval.rs");
    for entry in fs::read_dir(PathBuf::from(data).join("eval/trec_eval/test")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // Outputs of preference measures.
        let skipped = name.ends_with("prefs") || name == "prefs.test";
        assert!(skipped || source.contains(&format!("{name:?}")), "{name} is not read by any test");
    }
}
