use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::harness::Rig;

/// Notes `span.field` of each span, and `span in parent`.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<BTreeSet<String>>>);

struct Named<'a>(&'a str, &'a mut BTreeSet<String>);

impl Visit for Named<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.1.insert(format!("{}.{}", self.0, field.name()));
        self.1.insert(format!("{}.{}={value:?}", self.0, field.name()));
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Notes {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let mut notes = self.0.lock().unwrap();
        attributes.record(&mut Named(span.name(), &mut notes));
        if let Some(parent) = span.parent() {
            notes.insert(format!("{} in {}", span.name(), parent.name()));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        values.record(&mut Named(context.span(id).unwrap().name(), &mut self.0.lock().unwrap()));
    }
}

#[tokio::test]
async fn a_request_leaves_spans_of_its_parts() {
    let notes = Notes::default();
    // The spans are made on threads of the runtime: the subscriber is that of the process, and other tests add to its notes.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(notes.clone())).unwrap();
    let rig = Rig::new();
    let body = json!({"model": "jarre-tiny", "prompt": "fn main() {", "max_tokens": 3, "ignore_eos": true, "n": 13});
    rig.post("/v1/completions", &body).await.ok();
    let notes = notes.0.lock().unwrap();
    for noted in [
        "queue in request",
        "prefill in request",
        "decode in request",
        "queue.seconds",
        "prefill.cached_tokens",
        "decode.preemptions=0",
        "request.gen_ai.usage.output_tokens=39",
        "request.gen_ai.latency.time_to_first_token",
        "request.gen_ai.operation.name=\"text_completion\"",
        "request.gen_ai.request.model=\"jarre-tiny\"",
    ] {
        assert!(notes.contains(noted), "{noted}: {notes:?}");
    }
}
