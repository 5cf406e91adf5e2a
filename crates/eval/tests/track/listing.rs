use std::{cmp::Ordering, collections::BTreeMap, time::Duration};

use jarre_core::testing::ManualClock;
use jarre_eval::{
    DatasetRef, Error, PromptRef, Provenance,
    track::{Filter, NewRun, RunId, RunQuery, RunRow, RunSort, RunStatus, SortBy, Tracker},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{new_run, tracker};

/// What the model knows of a run.
#[derive(Clone, Debug)]
struct Known {
    id: Option<RunId>,
    name: String,
    metric: Option<f64>,
    param: Option<Value>,
    tag: Option<String>,
    status: RunStatus,
}

/// A filter as text, and what the model makes of it.
#[derive(Clone, Debug)]
enum Wanted {
    Metric(&'static str, f64),
    MetricNan,
    MetricNull,
    ParamNumber(&'static str, f64),
    ParamText(&'static str, String),
    TagLike(bool, bool, String),
    Status(RunStatus),
    NameIn(bool, Vec<String>),
    Not(Box<Wanted>),
    All(Vec<Wanted>),
    Any(Vec<Wanted>),
}

impl Wanted {
    fn text(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let joined = |parts: &[Self], with: &str| parts.iter().map(|part| format!("({})", part.text())).collect::<Vec<_>>().join(with);
        match self {
            Self::Metric(sign, value) => format!("metrics.\"an \"\"m\"\"\" {sign} {value}"),
            Self::MetricNan => "metrics.\"an \"\"m\"\"\" is nan".into(),
            Self::MetricNull => "metrics.\"an \"\"m\"\"\" IS NULL".into(),
            Self::ParamNumber(sign, value) => format!("params.p {sign} {value:e}"),
            Self::ParamText(sign, text) => format!("params.`p`{sign}{}", quoted(text)),
            Self::TagLike(any_case, negated, pattern) => {
                format!("tags.t {}{} {}", if *negated { "not " } else { "" }, if *any_case { "ilike" } else { "like" }, quoted(pattern))
            }
            Self::Status(status) => format!("status = '{status}'"),
            Self::NameIn(negated, names) => {
                let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
                format!("name {}in ({})", if *negated { "not " } else { "" }, names.join(", "))
            }
            Self::Not(inner) => format!("not ({})", inner.text()),
            Self::All(parts) => joined(parts, " and "),
            Self::Any(parts) => joined(parts, " OR "),
        }
    }

    fn holds(&self, run: &Known) -> bool {
        let compare = |sign: &str, order: Option<Ordering>| match (sign, order) {
            (_, None) => false,
            ("=", Some(order)) => order.is_eq(),
            ("!=", Some(order)) => order.is_ne(),
            ("<", Some(order)) => order.is_lt(),
            ("<=", Some(order)) => order.is_le(),
            (">", Some(order)) => order.is_gt(),
            (_, Some(order)) => order.is_ge(),
        };
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match self {
            Self::Metric(sign, value) => compare(sign, run.metric.and_then(|metric| metric.partial_cmp(value))),
            Self::MetricNan => run.metric.is_some_and(f64::is_nan),
            Self::MetricNull => run.metric.is_none(),
            Self::ParamNumber(sign, value) => {
                compare(sign, run.param.as_ref().and_then(Value::as_f64).and_then(|param| param.partial_cmp(value)))
            }
            Self::ParamText(sign, value) => compare(sign, run.param.as_ref().map(|param| text(param).cmp(value))),
            Self::TagLike(any_case, negated, pattern) => run.tag.as_ref().is_some_and(|tag| {
                let fold = |text: &str| if *any_case { text.to_ascii_lowercase() } else { text.to_owned() };
                like(&fold(tag).chars().collect::<Vec<_>>(), &fold(pattern).chars().collect::<Vec<_>>()) != *negated
            }),
            Self::Status(status) => run.status == *status,
            Self::NameIn(negated, names) => names.contains(&run.name) != *negated,
            Self::Not(inner) => !inner.holds(run),
            Self::All(parts) => parts.iter().all(|part| part.holds(run)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(run)),
        }
    }
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|skipped| like(&text[skipped..], rest)),
        Some(('_', rest)) => !text.is_empty() && like(&text[1..], rest),
        Some((one, rest)) => text.first() == Some(one) && like(&text[1..], rest),
    }
}

fn figures() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => prop::sample::select(vec![-1.0, 0.0, 0.5, 1.0, 2.0]),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY])
    ]
}

fn finite() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![-1.0, 0.0, 0.5, 1.0, 2.0])
}

fn texts() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "A", "ab", "b'", "é%", "*", "a*b", "[a]", "0.5", "x_y"]).prop_map(str::to_owned)
}

fn patterns() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["%", "", "a%", "_", "%b%", "*", "[%", "_*_", "É%", "é%", "%'", "[a]", "x__"]).prop_map(str::to_owned)
}

fn statuses() -> impl Strategy<Value = RunStatus> {
    use RunStatus::{Cancelled, Done, Failed, Interrupted, Queued, Running};
    prop::sample::select(vec![Queued, Running, Interrupted, Done, Failed, Cancelled])
}

fn known() -> impl Strategy<Value = Known> {
    let param = prop_oneof![finite().prop_map(|value| json!(value)), texts().prop_map(Value::from), Just(json!(1)), Just(json!(null))];
    let parts = (texts(), prop::option::of(figures()), prop::option::of(param), prop::option::of(texts()), statuses());
    parts.prop_map(|(name, metric, param, tag, status)| Known { id: None, name, metric, param, tag, status })
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let sign = || prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]);
    let one = prop_oneof![
        (sign(), finite()).prop_map(|(sign, value)| Wanted::Metric(sign, value)),
        Just(Wanted::MetricNan),
        Just(Wanted::MetricNull),
        (sign(), finite()).prop_map(|(sign, value)| Wanted::ParamNumber(sign, value)),
        (sign(), texts()).prop_map(|(sign, text)| Wanted::ParamText(sign, text)),
        (any::<bool>(), any::<bool>(), patterns()).prop_map(|(any_case, negated, pattern)| Wanted::TagLike(any_case, negated, pattern)),
        statuses().prop_map(Wanted::Status),
        (any::<bool>(), prop::collection::vec(texts(), 1..4)).prop_map(|(negated, names)| Wanted::NameIn(negated, names)),
    ];
    one.prop_recursive(3, 12, 3, |inner| {
        let some = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![inner.prop_map(|inner| Wanted::Not(Box::new(inner))), some.clone().prop_map(Wanted::All), some.prop_map(Wanted::Any)]
    })
}

fn sorts() -> impl Strategy<Value = RunSort> {
    let metric = || SortBy::Metric("an \"m\"".into());
    let by = vec![
        SortBy::Created,
        SortBy::Started,
        SortBy::Ended,
        SortBy::Name,
        SortBy::Status,
        metric(),
        SortBy::Param("p".into()),
        SortBy::Tag("t".into()),
    ];
    (prop::sample::select(by), any::<bool>()).prop_map(|(by, down)| if down { RunSort::descending(by) } else { RunSort::ascending(by) })
}

fn write(tracker: &Tracker, clock: &ManualClock, run: &mut Known) {
    let id = tracker.create_run(&NewRun::new("e").with_name(&run.name)).unwrap();
    if let Some(metric) = run.metric {
        tracker.log_metric(&id, "an \"m\"", 0, 77.0).unwrap();
        tracker.log_metric(&id, "an \"m\"", 1, metric).unwrap();
    }
    if let Some(param) = &run.param {
        tracker.set_param(&id, "p", param).unwrap();
    }
    if let Some(tag) = &run.tag {
        tracker.set_tag(&id, "t", tag).unwrap();
    }
    clock.advance(Duration::from_micros(3));
    let start = |ttl| tracker.start_run(&id, Duration::from_micros(ttl)).unwrap();
    match run.status {
        RunStatus::Queued => {}
        RunStatus::Running => drop(start(1_000_000)),
        RunStatus::Interrupted => drop(start(1)),
        ended => tracker.finish_run(&start(1), ended).unwrap(),
    }
    clock.advance(Duration::from_micros(3));
    run.id = Some(id);
}

/// The rank of a run and its value in an order, as a text or a number.
fn place(tracker: &Tracker, by: &SortBy, run: &Known) -> (u8, f64, String) {
    let id = run.id.as_ref().unwrap();
    let time = |time: Option<jarre_core::Timestamp>| {
        time.map_or((2, 0.0, String::new()), |time| (0, (time.unix_micros() - 1_700_000_000_000_000) as f64, String::new()))
    };
    let text = |text: Option<String>| text.map_or((2, 0.0, String::new()), |text| (0, f64::INFINITY, text));
    let kept = tracker.run(id).unwrap();
    match by {
        SortBy::Created => time(Some(kept.created)),
        SortBy::Started => time(kept.started),
        SortBy::Ended => time(kept.ended),
        SortBy::Name => text(Some(run.name.clone())),
        SortBy::Status => text(Some(run.status.to_string())),
        SortBy::Metric(_) => match run.metric {
            None => (2, 0.0, String::new()),
            Some(nan) if nan.is_nan() => (1, 0.0, String::new()),
            Some(value) => (0, value, String::new()),
        },
        SortBy::Param(_) => match run.param.as_ref().map(|param| (param.as_f64(), param)) {
            None => (2, 0.0, String::new()),
            Some((Some(number), _)) => (0, number, String::new()),
            Some((None, param)) => text(Some(param.as_str().map_or_else(|| param.to_string(), str::to_owned))),
        },
        SortBy::Tag(_) => text(run.tag.clone()),
    }
}

fn expected(tracker: &Tracker, runs: &[Known], wanted: &Wanted, sort: &RunSort, by: &SortBy) -> Vec<RunId> {
    let down = *sort == RunSort::descending(by.clone());
    let mut placed: Vec<_> = runs.iter().enumerate().filter(|(_, run)| wanted.holds(run)).collect();
    placed.sort_by(|(i, a), (j, b)| {
        let ((rank_a, number_a, text_a), (rank_b, number_b, text_b)) = (place(tracker, by, a), place(tracker, by, b));
        let value = number_a.partial_cmp(&number_b).unwrap().then(text_a.cmp(&text_b)).then(i.cmp(j));
        rank_a.cmp(&rank_b).then(if down { value.reverse() } else { value })
    });
    placed.into_iter().map(|(_, run)| run.id.clone().unwrap()).collect()
}

fn read_pages(tracker: &Tracker, query: &RunQuery) -> Vec<RunRow> {
    let mut rows = Vec::new();
    let mut next = query.clone();
    for _ in 0..100 {
        let page = tracker.list_runs(&next).unwrap();
        assert!(!page.rows.is_empty() || rows.is_empty(), "no page but the first is empty");
        rows.extend(page.rows);
        match page.next {
            Some(cursor) => next = query.clone().after(cursor.to_string().parse().unwrap()),
            None => return rows,
        }
    }
    panic!("the pages do not end");
}

fn by_of(sort: &RunSort) -> SortBy {
    let all = [SortBy::Created, SortBy::Started, SortBy::Ended, SortBy::Name, SortBy::Status];
    let named = [SortBy::Metric("an \"m\"".into()), SortBy::Param("p".into()), SortBy::Tag("t".into())];
    let is = |by: &SortBy| *sort == RunSort::ascending(by.clone()) || *sort == RunSort::descending(by.clone());
    all.into_iter().chain(named).find(is).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn lists_are_what_a_plain_model_says(
        runs in prop::collection::vec(known(), 0..12),
        wanted in wanted(),
        sort in sorts(),
        limit in 1usize..6,
    ) {
        let (tracker, clock) = tracker();
        let mut runs = runs;
        for run in &mut runs {
            write(&tracker, &clock, run);
        }
        let expected = expected(&tracker, &runs, &wanted, &sort, &by_of(&sort));
        let query = RunQuery::default()
            .with_filter(wanted.text().parse().unwrap())
            .with_sort(sort)
            .with_limit(limit)
            .with_metrics(["an \"m\"", "none"])
            .with_params(["p"])
            .with_tags(["t"]);
        let rows = read_pages(&tracker, &query);
        prop_assert_eq!(rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), expected, "{}", wanted.text());
        let by_id: BTreeMap<_, _> = runs.iter().map(|run| (run.id.clone().unwrap(), run)).collect();
        for row in rows {
            let run = by_id[&row.id];
            prop_assert_eq!((&row.name, row.status, &row.params[0], &row.tags[0]), (&run.name, run.status, &run.param, &run.tag));
            prop_assert_eq!(row.metrics[0].map(f64::to_bits), run.metric.map(f64::to_bits));
            prop_assert_eq!(row.metrics[1], None);
        }
    }

    #[test]
    fn any_text_is_a_filter_or_an_error(text in r#"(?s)([a-z. ()'"`=<>!,0-9%_é-]|metrics\.a|params\.b|and|or|not|like|in|is|null){0,12}"#) {
        let (tracker, _) = tracker();
        match Filter::parse(&text) {
            Ok(filter) => drop(tracker.list_runs(&RunQuery::default().with_filter(filter)).unwrap()),
            Err(Error::Filter { at, problem }) => {
                prop_assert!(at <= text.chars().count() + 1 && !problem.is_empty());
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn what_is_wrong_with_a_filter_is_said_with_its_place() {
    let cases = [
        ("metrics.acc >", 14, "a number or a text in single quotes belongs here"),
        ("metrics.acc > 'a'", 15, "a metric is compared with a number"),
        ("tags.é = 1", 10, "a tag is compared with a text in single quotes"),
        ("status = 'dead'", 10, "`dead` is no status of a run"),
        ("seed = 1.5", 8, "this field is compared with a whole number"),
        ("metric = 1", 1, "`metric` is no field"),
        ("loss = 1", 1, "`loss` is no field"),
        ("params. = 1", 1, "a name belongs behind the dot"),
        ("params.a\"b\" = 1", 9, "`\"` has no meaning here"),
        ("params.\"a = 1", 8, "what begins with \" does not end with it"),
        ("params.a. = 'it's'", 18, "what begins with ' does not end with it"),
        ("(name = 'a'", 12, "`)`, `and` or `or` belongs here"),
        ("name = 'a' name = 'b'", 12, "`and`, `or` or the end belongs here"),
        ("metrics.a like 'b'", 16, "only texts are like a pattern"),
        ("name not = 'a'", 10, "`in`, `like` or `ilike` belongs here"),
        ("name is nan", 9, "`null` belongs here, or `nan` for a metric"),
        ("name in 'a'", 9, "a list belongs here: ('a', 'b')"),
        ("metrics.a > 1e", 13, "`1e` is no number"),
        ("metrics.a > 1e999", 13, "`1e999` is no number"),
        ("name = 'a' ; drop table run", 12, "`;` has no meaning here"),
        ("and", 1, "`and` is no field"),
    ];
    for (text, place, says) in cases {
        match Filter::parse(text) {
            Err(Error::Filter { at, problem }) => assert!(at == place && problem.starts_with(says), "{text}: {at}, {problem}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn a_filter_that_is_too_much_is_refused() {
    let deep = format!("{}name = 'a'{}", "(".repeat(10_000), ")".repeat(10_000));
    let negated = format!("{}name = 'a'", "not ".repeat(2000));
    let many = vec!["name = 'a'"; 1000].join(" or ");
    for text in [deep, negated, many, " ".repeat(1 << 20)] {
        assert!(matches!(Filter::parse(&text), Err(Error::Filter { .. })), "{}", &text[..20]);
    }
    let (tracker, _) = tracker();
    new_run(&tracker);
    let most = format!("{}{}{}", "(".repeat(30), vec!["not name = 'a'"; 200].join(" and "), ")".repeat(30));
    let page = tracker.list_runs(&RunQuery::default().with_filter(most.parse().unwrap())).unwrap();
    assert_eq!(page.rows.len(), 1, "what is allowed is carried out");
}

#[test]
fn values_never_become_statements() {
    let (tracker, _) = tracker();
    let id = new_run(&tracker);
    let hostile = "'); DROP TABLE run; --";
    tracker.set_tag(&id, hostile, hostile).unwrap();
    let quoted = hostile.replace('\'', "''");
    let query = RunQuery::default().with_filter(format!("tags.\"{hostile}\" = '{quoted}'").parse().unwrap());
    let query = query.with_sort(RunSort::ascending(SortBy::Tag(hostile.into()))).with_tags([hostile]);
    let rows = tracker.list_runs(&query).unwrap().rows;
    assert_eq!((rows.len(), rows[0].tags[0].as_deref()), (1, Some(hostile)));
    assert_eq!(tracker.list_runs(&query.in_experiment(hostile)).unwrap().rows, []);
}

#[test]
fn a_cursor_belongs_to_its_query() {
    let (tracker, _) = tracker();
    for _ in 0..3 {
        new_run(&tracker);
    }
    let query = RunQuery::default().with_limit(2);
    let cursor = tracker.list_runs(&query).unwrap().next.unwrap();
    assert_eq!(tracker.list_runs(&query.clone().after(cursor.clone())).unwrap().rows.len(), 1);
    let wider = query.clone().with_limit(3).with_metrics(["a"]).after(cursor.clone());
    assert!(tracker.list_runs(&wider).is_ok(), "columns and limit may change on the way");
    for other in [query.clone().with_sort(RunSort::ascending(SortBy::Name)), query.clone().in_experiment("an experiment")] {
        assert!(matches!(tracker.list_runs(&other.after(cursor.clone())), Err(Error::Refused(_))));
    }
    assert!(matches!(tracker.list_runs(&query.clone().after("abc".parse().unwrap())), Err(Error::Refused(_))));
    assert!(tracker.list_runs(&query.clone().with_limit(0)).is_err() && tracker.list_runs(&query.with_limit(1001)).is_err());
}

#[test]
fn what_was_put_away_is_not_listed() {
    let (tracker, _) = tracker();
    let (first, second) = (new_run(&tracker), tracker.create_run(&NewRun::new("other")).unwrap());
    let listed = |query: RunQuery| tracker.list_runs(&query).unwrap().rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    tracker.set_run_deleted(&first, true).unwrap();
    assert_eq!(listed(RunQuery::default()), std::slice::from_ref(&second));
    tracker.delete_experiment("other").unwrap();
    assert_eq!(listed(RunQuery::default()), []);
    assert_eq!(listed(RunQuery::default().with_deleted()), [second.clone(), first.clone()]);
    tracker.restore_experiment("other").unwrap();
    tracker.set_run_deleted(&first, false).unwrap();
    assert_eq!(listed(RunQuery::default()), [second, first]);
}

#[test]
fn seeds_and_times_are_compared_to_the_last_digit() {
    let (tracker, _) = tracker();
    let seed = 9_007_199_254_740_993;
    for seed in [seed - 1, seed] {
        tracker.create_run(&NewRun::new("e").with_seed(seed)).unwrap();
    }
    let count = |filter: &str| tracker.list_runs(&RunQuery::default().with_filter(filter.parse().unwrap())).unwrap().rows.len();
    assert_eq!(count("seed = 9007199254740993"), 1);
    assert_eq!(count("seed in (9007199254740993, 9007199254740992)"), 2);
    assert_eq!((count("created >= 1700000000000000"), count("created > 1700000000000000"), count("started is null")), (2, 0, 2));
}

#[test]
fn runs_are_found_by_where_their_figures_come_from() {
    let (tracker, _) = tracker();
    let dataset = DatasetRef { digest: "d1".into(), ..DatasetRef::default() };
    let prompt = PromptRef { digest: "p1".into(), ..PromptRef::default() };
    let provenance =
        Provenance { git: Some("g1".into()), dataset: Some(dataset), prompt: Some(prompt), model: "m1".into(), ..Provenance::default() };
    let id = tracker.create_run(&NewRun::new("e").with_provenance(provenance.clone())).unwrap();
    let bare = new_run(&tracker);
    let found = |filter: &str| {
        let query = RunQuery::default().with_filter(filter.parse().unwrap());
        tracker.list_runs(&query).unwrap().rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    for filter in ["dataset_digest = 'd1'", "prompt_digest like 'p%'", "git in ('g0', 'g1')", "model ilike 'M1'"] {
        assert_eq!(found(filter), std::slice::from_ref(&id), "{filter}");
    }
    for filter in ["dataset_digest is null", "git is null and model = ''"] {
        assert_eq!(found(filter), std::slice::from_ref(&bare), "{filter}");
    }
    assert_eq!(found("dataset_digest != 'd1'"), [], "what is not there is not unequal");
    tracker.set_provenance(&bare, &provenance).unwrap();
    assert_eq!(found("dataset_digest = 'd1' and prompt_digest = 'p1' and git = 'g1'").len(), 2);
    assert_eq!(tracker.run(&bare).unwrap().provenance, provenance);
}

#[test]
fn runs_stand_beside_one_another() {
    let (tracker, _) = tracker();
    let runs: Vec<RunId> = (0..3).map(|_| new_run(&tracker)).collect();
    for (index, run) in runs.iter().enumerate() {
        tracker.set_param(run, "same", &json!("x")).unwrap();
        tracker.set_param(run, "lr", &json!(index / 2)).unwrap();
        tracker.log_metric(run, "loss", 3, index as f64).unwrap();
        tracker.log_metric(run, "loss", 1, 99.0).unwrap();
    }
    tracker.log_metric(&runs[1], "acc", 0, f64::NAN).unwrap();
    tracker.set_param(&runs[2], "only", &json!(null)).unwrap();
    let matrix = tracker.run_matrix(&[runs[2].clone(), runs[1].clone(), runs[0].clone()]).unwrap();
    assert_eq!(matrix.metrics, ["acc", "loss"]);
    assert_eq!((matrix.values[0][0], matrix.values[2][0]), (None, None));
    assert!(matrix.values[1][0].unwrap().is_nan());
    assert_eq!(matrix.values.iter().map(|row| row[1].unwrap()).collect::<Vec<_>>(), [2.0, 1.0, 0.0]);
    let differing =
        [("lr".to_owned(), vec![Some(json!(1)), Some(json!(0)), Some(json!(0))]), ("only".to_owned(), vec![Some(json!(null)), None, None])];
    assert_eq!(matrix.differing_params, differing);
    let none = tracker.run_matrix(&[]).unwrap();
    assert!(none.runs.is_empty() && none.metrics.is_empty() && none.values.is_empty());
}
