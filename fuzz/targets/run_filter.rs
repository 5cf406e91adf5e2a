//! Filters of runs: whatever is read is a condition that the database takes, and what is refused says where.
#![no_main]

use std::sync::{Arc, LazyLock};

use jarre_core::testing::ManualClock;
use jarre_eval::{
    Error,
    track::{Filter, NewRun, RunQuery, Template, Tracker},
};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

static RUNS: LazyLock<Tracker> = LazyLock::new(|| {
    let tracker = Tracker::open_in_memory(Arc::new(ManualClock::new())).expect("memory is there");
    for loss in [0.5, f64::NAN, f64::INFINITY] {
        let run = tracker.create_run(&NewRun::new("e").with_name("it's")).expect("a run is made");
        tracker.log_metric(&run, "loss", 0, loss).expect("a figure is kept");
        tracker.set_param(&run, "model", &json!("tiny")).expect("a setting is kept");
    }
    tracker
});

fuzz_target!(|text: &str| {
    match Filter::parse(text) {
        Ok(filter) => {
            let page = RUNS.list_runs(&RunQuery::default().with_filter(filter)).expect("what was read is a condition");
            assert!(page.rows.len() <= 3);
        }
        Err(Error::Filter { at, problem }) => assert!(at <= text.chars().count() + 1 && !problem.is_empty(), "{at}"),
        Err(other) => panic!("{other}"),
    }
    let template = Template::new(text);
    let variables = template.variables().len();
    let rendered = template.render(|_| Some("{{x}}")).expect("every value is there");
    assert!(variables > 0 || rendered == text);
});
