use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::buckets;

type Labels<const N: usize> = [(&'static str, String); N];

/// What became of requests before and beside the engine.
#[derive(Clone)]
pub(in crate::server) struct HttpMetrics {
    requests: Family<Labels<3>, Counter>,
    seconds: Family<Labels<2>, Histogram, fn() -> Histogram>,
}

impl HttpMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(buckets::FIRST_TOKEN);
        let metrics = Self { requests: Family::default(), seconds: Family::new_with_constructor(seconds) };
        registry.register("http_requests", "Requests that were answered, by route, method and status", metrics.requests.clone());
        registry.register("http_request_duration_seconds", "From a request to the head of its answer", metrics.seconds.clone());
        metrics
    }

    /// Counts an answer. `handler` is a route, and `method` a known one, so that nobody can make labels without end.
    pub(in crate::server) fn count(&self, handler: &str, method: &str, status: u16, seconds: f64) {
        let [handler, method] = [("handler", handler.to_owned()), ("method", method.to_owned())];
        self.seconds.get_or_create(&[handler.clone(), method.clone()]).observe(seconds);
        self.requests.get_or_create(&[handler, method, ("status", status.to_string())]).inc();
    }
}
