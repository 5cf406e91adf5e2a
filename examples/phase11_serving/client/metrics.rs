use std::collections::HashMap;

use crate::bench::measured::Counts;

/// What a server tells of itself, by the names of vLLM, summed over labels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics(HashMap<String, f64>);

impl Metrics {
    /// Reads the text that Prometheus reads: `name{label="value"} 1.5`, comments and unreadable lines passed over.
    pub(super) fn parse(text: &str) -> Self {
        let mut values = HashMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            // Values of labels hold spaces and braces; what follows them does not.
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            let rest = line.rfind('}').map_or(&line[name.len()..], |end| &line[end + 1..]);
            if let Some(value) = rest.split_whitespace().next().and_then(|value| value.parse::<f64>().ok()) {
                *values.entry(name.to_owned()).or_default() += value;
            }
        }
        Self(values)
    }

    /// The metric `vllm:name`, where there is one.
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(&format!("vllm:{name}")).copied()
    }

    /// The share of the cache that is held, where the server tells.
    pub(crate) fn kv_usage(&self) -> Option<f64> {
        self.get("kv_cache_usage_perc")
    }

    /// Sequences that run and that wait.
    pub(crate) fn running_and_waiting(&self) -> Option<(f64, f64)> {
        Some((self.get("num_requests_running")?, self.get("num_requests_waiting")?))
    }

    /// What an engine counts; none where this is no server with a paged cache.
    pub(crate) fn counts(&self) -> Option<Counts> {
        let count = |name: &str| self.get(name).unwrap_or_default() as u64;
        Some(Counts {
            peak_kv_usage: self.kv_usage()?,
            preemptions: count("num_preemptions_total"),
            prefix_cache_queries: count("prefix_cache_queries_total"),
            prefix_cache_hits: count("prefix_cache_hits_total"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_summed_over_labels() {
        let text = "# HELP vllm:x A \"gauge\" {x} 7\nvllm:kv_cache_usage_perc{model_name=\"a } b\",engine=\"0\"} 0.25\n\
            vllm:num_preemptions_total{engine=\"0\"} 3\nvllm:num_preemptions_total{engine=\"1\"} 4\n\
            vllm:num_requests_running 2 1700000000\nvllm:num_requests_waiting 1e1\nother 9\nbroken\n\n";
        let metrics = Metrics::parse(text);
        assert_eq!(metrics.running_and_waiting(), Some((2.0, 10.0)));
        assert_eq!(metrics.counts(), Some(Counts { preemptions: 7, peak_kv_usage: 0.25, ..Counts::default() }));
        assert_eq!((metrics.get("x"), metrics.get("other")), (None, None));
        assert_eq!(Metrics::parse("").counts(), None);
    }
}
