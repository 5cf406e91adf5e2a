use std::time::Duration;

use serde_json::{Value, json};

use crate::{Clock, ErrorKind, MetricSink, Tool, ToolContext, testing::doubles::required};

/// Checks what every [`Tool`] keeps. `arguments` are valid and lead to a success; the call is made twice with one idempotency key.
///
/// # Panics
/// Where it does not.
pub async fn tool(tool: &dyn Tool, arguments: &Value) {
    check_spec(tool);
    refuses(tool, json!("no object"), "arguments that are no object").await;
    refuses(tool, json!([arguments]), "arguments that are no object").await;
    for name in required(tool.spec()) {
        let mut lacking = arguments.clone();
        assert!(lacking.as_object_mut().is_some_and(|given| given.remove(name).is_some()), "the suite is given the argument {name:?}");
        refuses(tool, lacking, "arguments that lack what the schema requires").await;
    }

    let context = ToolContext::new("contract-once");
    let first = tool.call(arguments.clone(), &context).await.expect("valid arguments are accepted");
    assert!(!first.is_error, "valid arguments lead to a success, not to {:?}", first.text);
    let again = tool.call(arguments.clone(), &context).await.expect("a call can be repeated");
    assert_eq!(first, again, "a call with the key of an earlier one gives its output");
}

fn check_spec(tool: &dyn Tool) {
    let spec = tool.spec();
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    assert!((1..=64).contains(&spec.name.len()) && spec.name.chars().all(allowed), "every provider takes the name {:?}", spec.name);
    assert!(!spec.description.trim().is_empty(), "the model is told what the tool does");
    assert_eq!(spec.parameters["type"], "object", "the schema of the arguments is of type object");
    let known = |name: &str| spec.parameters["properties"].get(name).is_some();
    assert!(required(spec).all(known), "what the schema requires is among its properties");
}

async fn refuses(tool: &dyn Tool, arguments: Value, what: &str) {
    let refused = tool.call(arguments, &ToolContext::new(format!("contract-{what}"))).await;
    assert_eq!(refused.err().map(|error| error.kind()), Some(ErrorKind::InvalidRequest), "the tool refuses {what}");
}

/// Checks what every [`Clock`] keeps. `pass` lets time pass on it: a sleep for a real clock.
///
/// # Panics
/// Where it does not.
#[track_caller]
pub fn clock(clock: &dyn Clock, pass: impl Fn(Duration)) {
    const STEP: Duration = Duration::from_millis(2);
    let (start, date) = (clock.now(), clock.timestamp());
    pass(STEP);
    assert!(clock.now() >= start + STEP, "time that has passed has passed on the clock");
    // A machine's clock may be slewed or set meanwhile, but hardly by a day.
    let dated = clock.timestamp().since(date);
    assert!(dated > Duration::ZERO && dated < Duration::from_hours(24), "the date moves with the time, not by {dated:?}");

    let mut latest = clock.now();
    for _ in 0..1000 {
        let later = clock.now();
        assert!(later >= latest, "the clock never goes back");
        latest = later;
    }
    let elsewhere = std::thread::scope(|scope| scope.spawn(|| clock.now()).join().expect("reading the time does not panic"));
    assert!(elsewhere >= latest, "the clock never goes back, also between threads");
}

/// Checks what every [`MetricSink`] that keeps its figures keeps. `scalars` reads a metric's values in order of the steps, `param` a
/// setting, as what looks at the runs later does.
///
/// # Panics
/// Where it does not.
#[track_caller]
pub fn metric_sink(sink: &dyn MetricSink, scalars: impl Fn(&str) -> Vec<(u64, f64)>, param: impl Fn(&str) -> Option<Value>) {
    let record = |name: &str, step, value| sink.scalar(name, step, value).expect("figures are recorded");
    assert!(scalars("loss").is_empty(), "the suite is given an empty sink");
    for (step, value) in [(10, 0.5), (2, 1.5), (u64::from(u32::MAX) + 1, f64::MIN_POSITIVE), (10, 0.25)] {
        record("loss", step, value);
    }
    let expected = [(2, 1.5), (10, 0.25), (u64::from(u32::MAX) + 1, f64::MIN_POSITIVE)];
    assert_eq!(scalars("loss"), expected, "steps come in any order, a repeated one replaces its value, and nothing is rounded");

    for (step, value) in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].into_iter().enumerate() {
        record("diverged/π", step as u64, value);
    }
    let diverged: Vec<f64> = scalars("diverged/π").into_iter().map(|(_, value)| value).collect();
    assert!(diverged[0].is_nan() && diverged[1..] == [f64::INFINITY, f64::NEG_INFINITY], "NaN and infinities are kept: {diverged:?}");

    for value in [json!(1e-3), json!({"lr": [0.1, null], "name": "a\nb"})] {
        sink.param("config", &value).expect("settings are recorded");
        assert_eq!(param("config"), Some(value), "a setting is kept, and a repeated one replaced");
    }
    assert_eq!(param("absent"), None, "what was not recorded is not there");
    threads_share(sink, &scalars);
}

fn threads_share(sink: &dyn MetricSink, scalars: &dyn Fn(&str) -> Vec<(u64, f64)>) {
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for step in 0..25 {
                    sink.scalar("shared", thread * 25 + step, 1.0).expect("figures are recorded");
                }
            });
        }
    });
    assert!(scalars("shared").into_iter().eq((0..100).map(|step| (step, 1.0))), "figures of several threads are all kept");
}
