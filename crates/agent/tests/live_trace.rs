//! Spans of `tracing` while a run goes on.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jarre_agent::trace::LiveTrace;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

#[path = "view/sample.rs"]
mod sample;

type Fields = BTreeMap<String, String>;

/// What was told, in order: beginnings and ends of spans with their parents and fields.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

struct Reader<'a>(&'a mut Fields);

impl Visit for Reader<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Told {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Reader(&mut fields));
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        record.record(&mut Reader(span.extensions_mut().get_mut::<Fields>().unwrap()));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        let extensions = span.extensions();
        let fields = extensions.get::<Fields>().unwrap();
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let parent = span.parent().map_or("-", |parent| parent.name());
        let tokens = field("gen_ai.usage.input_tokens");
        self.0.lock().unwrap().push(format!("{parent}/{} {} {tokens}", span.name(), field("otel.name")).trim_end().to_owned());
    }
}

#[test]
fn a_run_is_a_span_around_those_of_its_calls() {
    let told = Told::default();
    let subscriber = tracing_subscriber::registry().with(told.clone());
    tracing::subscriber::with_default(subscriber, || {
        let mut trace = LiveTrace::new();
        for record in sample::run("r1", sample::START) {
            trace.record(&record);
        }
        // What no run would write is taken too.
        for record in sample::hostile("x\u{0}").iter().rev() {
            trace.record(record);
        }
    });
    let told = told.0.lock().unwrap();
    let expected = [
        "invoke_agent/chat  1240",
        "invoke_agent/chat  1410",
        "invoke_agent/execute_tool execute_tool file_read",
        "invoke_agent/execute_tool execute_tool list_files",
        "invoke_agent/chat  1980",
        "invoke_agent/execute_tool execute_tool file_edit",
    ];
    assert_eq!(told[..6], expected);
    assert_eq!(told.iter().filter(|line| line.starts_with("invoke_agent/")).count(), 9 + 7);
    assert!(told.contains(&"-/invoke_agent invoke_agent Mend the calendar".to_owned()), "{told:?}");
}
