//! What a sink is told.

use std::sync::{Arc, Mutex};

use jarre_core::{RequestId, testing::ManualClock};
use jarre_guardrails::{
    Context, Effect, Stage,
    pipeline::{Decision, DecisionSink, Layer, Pipeline},
};

use crate::guards::pattern;

struct Memory(Mutex<Vec<Decision>>, bool);

impl DecisionSink for Memory {
    fn record(&self, decision: &Decision) {
        self.0.lock().unwrap().push(decision.clone());
    }

    fn wants_text(&self) -> bool {
        self.1
    }
}

fn pipeline(wants_text: bool) -> (Pipeline, Arc<Memory>) {
    let memory = Arc::new(Memory(Mutex::default(), wants_text));
    let layer = Layer::new(Arc::new(pattern("secret", "s3cr3t", Effect::Replace("***".into()))));
    (Pipeline::new(Arc::new(ManualClock::new())).with_group([layer]).with_sink(memory.clone()), memory)
}

#[test]
fn a_sink_sees_no_text_unless_it_wants_it() {
    for wants in [false, true] {
        let (pipeline, memory) = pipeline(wants);
        let context = Context { tool: Some("mail".into()), ..Context::new(Stage::ToolCall) };
        pipeline.check("the s3cr3t word", &context);
        let told = memory.0.lock().unwrap();
        let wire = serde_json::to_string(&*told).unwrap();
        assert!(!wire.contains("s3cr3t"));
        assert_eq!(wire.contains("the *** word"), wants, "{wire}");
        assert_eq!((told[0].stage, told[0].tool.as_deref(), told[0].complete), (Stage::ToolCall, Some("mail"), true));
    }
}

#[test]
fn a_stream_that_is_given_up_is_told_of() {
    let (pipeline, memory) = pipeline(false);
    let mut scan = pipeline.scan(&Context::new(Stage::Output)).with_request(Some(RequestId::from("r1")));
    scan.push("a s3cr3t and more than the guard looks ahead");
    drop(scan);
    let told = memory.0.lock().unwrap();
    assert_eq!((told.len(), told[0].complete, told[0].request.clone()), (1, false, Some("r1".into())));
    assert_eq!(told[0].layers[0].spans[0].start, 2);
}
