use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use super::buckets;
use super::others::Others;
use crate::{CacheConfig, KvType, SchedulerStats};

type Real = Gauge<f64, AtomicU64>;
/// `block_size`, `cache_dtype`, `enable_prefix_caching` and `num_gpu_blocks`, as vLLM calls the blocks wherever they lie.
type CacheLabels = [(&'static str, String); 4];
type Reasons = Family<[(&'static str, &'static str); 1], Counter>;

/// Metrics of an engine, by vLLM's names without their prefix.
#[derive(Clone)]
pub(super) struct EngineMetrics {
    pub(super) running: Gauge,
    pub(super) waiting: Gauge,
    pub(super) cache_usage: Real,
    blocks: Gauge,
    cache_config: Family<CacheLabels, Gauge>,
    pub(super) prefix_queries: Counter,
    pub(super) prefix_hits: Counter,
    pub(super) preemptions: Counter,
    pub(super) prompt_tokens: Counter,
    pub(super) generation_tokens: Counter,
    pub(super) success: Reasons,
    pub(super) drafts: Counter,
    pub(super) draft_tokens: Counter,
    pub(super) accepted_tokens: Counter,
    pub(super) step_tokens: Histogram,
    pub(super) first_token: Histogram,
    pub(super) next_token: Histogram,
    pub(super) per_output_token: Histogram,
    pub(super) e2e: Histogram,
    pub(super) queue: Histogram,
    pub(super) inference: Histogram,
    pub(super) prefill: Histogram,
    pub(super) decode: Histogram,
    pub(super) request_prompt_tokens: Histogram,
    pub(super) request_generation_tokens: Histogram,
    pub(super) request_max_generation_tokens: Histogram,
    pub(super) params_n: Histogram,
    pub(super) params_max_tokens: Histogram,
    pub(super) computed_tokens: Histogram,
    pub(super) block_lifetime: Histogram,
    pub(super) block_idle: Histogram,
    pub(super) block_reuse_gap: Histogram,
    pub(super) others: Others,
}

impl EngineMetrics {
    pub(super) fn new(registry: &mut Registry, others: Others, max_len: usize) -> Self {
        let names = &mut Names(registry);
        let cache_usage = names.add("kv_cache_usage_perc", "Share of the cache's blocks that are held, 0 to 1", Real::default());
        names.add("gpu_cache_usage_perc", "The same by its older name", cache_usage.clone());
        let next_token = names.histogram("inter_token_latency_seconds", "From one token of an answer to the next", buckets::NEXT_TOKEN);
        names.add("time_per_output_token_seconds", "The same by its older name", next_token.clone());
        let tokens = || buckets::tokens(max_len);
        Self {
            running: names.add("num_requests_running", "Sequences that are computed", Gauge::default()),
            waiting: names.add("num_requests_waiting", "Sequences in the queue", Gauge::default()),
            blocks: names.add("num_kv_blocks", "Blocks of the cache", Gauge::default()),
            cache_config: names.add("cache_config_info", "How the cache is laid out", Family::default()),
            prefix_queries: names.add("prefix_cache_queries", "Tokens that were looked up in the prefix cache", Counter::default()),
            prefix_hits: names.add("prefix_cache_hits", "Tokens that the prefix cache had", Counter::default()),
            preemptions: names.add("num_preemptions", "How often a sequence made room for another", Counter::default()),
            prompt_tokens: names.add("prompt_tokens", "Tokens of prompts that were read", Counter::default()),
            generation_tokens: names.add("generation_tokens", "Tokens that were generated", Counter::default()),
            success: names.add("request_success", "Answers that ended, by reason", Reasons::default()),
            drafts: names.add("spec_decode_num_drafts", "Runs of proposed tokens that were checked", Counter::default()),
            draft_tokens: names.add("spec_decode_num_draft_tokens", "Tokens that were proposed", Counter::default()),
            accepted_tokens: names.add("spec_decode_num_accepted_tokens", "Proposed tokens that were taken", Counter::default()),
            step_tokens: names.histogram("iteration_tokens_total", "Tokens of a step", buckets::STEP),
            first_token: names.histogram("time_to_first_token_seconds", "From arrival to the first token", buckets::FIRST_TOKEN),
            per_output_token: names.histogram("request_time_per_output_token_seconds", "Mean of a request", buckets::NEXT_TOKEN),
            e2e: names.histogram("e2e_request_latency_seconds", "From arrival to the last token", buckets::REQUEST),
            queue: names.histogram("request_queue_time_seconds", "From arrival to the first step", buckets::REQUEST),
            inference: names.histogram("request_inference_time_seconds", "From the first step to the last token", buckets::REQUEST),
            prefill: names.histogram("request_prefill_time_seconds", "From the first step to the first token", buckets::REQUEST),
            decode: names.histogram("request_decode_time_seconds", "From the first token to the last", buckets::REQUEST),
            request_prompt_tokens: names.histogram("request_prompt_tokens", "Tokens of a prompt", tokens()),
            request_generation_tokens: names.histogram("request_generation_tokens", "Tokens of a request's answers", tokens()),
            request_max_generation_tokens: names.histogram("request_max_num_generation_tokens", "Tokens asked for", tokens()),
            params_n: names.histogram("request_params_n", "Answers that a request asked for", buckets::ANSWERS),
            params_max_tokens: names.histogram("request_params_max_tokens", "The limit that a request set", tokens()),
            computed_tokens: names.histogram("request_prefill_kv_computed_tokens", "Tokens of a prompt that no cache had", tokens()),
            block_lifetime: names.residency("lifetime", "From the taking of a block to the eviction of its text"),
            block_idle: names.residency("idle_before_evict", "From the last use of a block to the eviction of its text"),
            block_reuse_gap: names.residency("reuse_gap", "From one prompt that found a block to the next, told at its eviction"),
            others,
            cache_usage,
            next_token,
        }
    }

    /// Tells how the cache is laid out.
    pub(super) fn set_cache(&self, cache: &CacheConfig, kind: KvType) {
        let labels = [
            ("block_size", cache.block_size.to_string()),
            ("cache_dtype", format!("{kind:?}").to_lowercase()),
            ("enable_prefix_caching", if cache.prefix_caching { "True" } else { "False" }.to_owned()),
            ("num_gpu_blocks", cache.num_blocks.to_string()),
        ];
        self.cache_config.get_or_create(&labels).set(1);
    }

    /// Takes over what the scheduler counts.
    pub(super) fn set(&self, stats: &SchedulerStats) {
        self.running.set(stats.running as i64);
        self.waiting.set(stats.waiting as i64);
        self.blocks.set(stats.blocks as i64);
        self.cache_usage.set(stats.kv_usage);
        self.prefix_queries.inner().store(stats.prefix_cache_queries, Ordering::Relaxed);
        self.prefix_hits.inner().store(stats.prefix_cache_hits, Ordering::Relaxed);
        self.preemptions.inner().store(stats.preemptions, Ordering::Relaxed);
    }
}

/// Registers metrics under vLLM's prefix.
struct Names<'a>(&'a mut Registry);

impl Names<'_> {
    fn add<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register(format!("vllm:{name}"), help, metric.clone());
        metric
    }

    fn residency(&mut self, what: &str, help: &str) -> Histogram {
        self.histogram(&format!("kv_block_{what}_seconds"), help, buckets::RESIDENCY)
    }

    fn histogram(&mut self, name: &str, help: &str, buckets: impl IntoIterator<Item = f64>) -> Histogram {
        self.add(name, help, Histogram::new(buckets))
    }
}
