use serde::Serialize;

use super::attributes::Attributes;
use super::spans::{Span, spans};
use crate::view::Story;

/// What a trace says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceOptions {
    /// The name of the service, by which traces are found.
    pub service: String,
    /// Whether what models wrote, and arguments and results of tools, are told: they hold personal data and whatever the files hold.
    pub content: bool,
}

impl Default for TraceOptions {
    fn default() -> Self {
        Self { service: "jarre-agent".to_owned(), content: false }
    }
}

impl TraceOptions {
    /// Sets [`service`](Self::service).
    pub fn with_service(self, service: impl Into<String>) -> Self {
        Self { service: service.into(), ..self }
    }

    /// Sets [`content`](Self::content).
    pub fn with_content(self, content: bool) -> Self {
        Self { content, ..self }
    }
}

/// A run as OTLP/JSON: what `POST /v1/traces` takes (OTLP 1, section "JSON Protobuf Encoding"). Ids follow from the run, so that the same log gives the
/// same bytes, and a log that has grown the same ids.
///
/// What has not ended yet ends with the last record.
///
/// # Panics
/// Never: a trace is texts and finite numbers.
pub fn otlp(story: &Story, options: &TraceOptions) -> String {
    let mut resource = Attributes::default();
    resource.text("service.name", &options.service);
    let scope = Scope { name: "jarre-agent", version: env!("CARGO_PKG_VERSION") };
    let scope_spans = vec![ScopeSpans { scope, spans: spans(story, options) }];
    let trace = Trace { resource_spans: vec![ResourceSpans { resource: Resource { attributes: resource }, scope_spans }] };
    serde_json::to_string(&trace).expect("texts and finite numbers can be written as JSON")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans {
    resource: Resource,
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Serialize)]
struct Resource {
    attributes: Attributes,
}

#[derive(Serialize)]
struct ScopeSpans {
    scope: Scope,
    spans: Vec<Span>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}
