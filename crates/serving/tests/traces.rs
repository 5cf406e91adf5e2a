//! Real arrivals through scheduler and block manager, without a model: an hour of a public service's conversations (Azure, 2023) and of one
//! whose trace tells which blocks of prompts are equal (Mooncake, 2025). Lengths are those of the traces; arrivals come faster, so that the
//! scheduler is always full.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
};

use jarre_serving::{
    block_manager::CacheConfig,
    replay::{
        self, Arrival, Replayed, StepCost,
        trace::{self, BLOCK_TOKENS as TRACE_BLOCK, Recorded},
    },
    scheduler::{Scheduler, SchedulerConfig},
    sequence::NewSequence,
};

#[expect(clippy::disallowed_methods, reason = "tests find their data through this variable")]
fn read(path: &str) -> String {
    let root: PathBuf = std::env::var_os("JARRE_DATA").expect("JARRE_DATA names the folder of test data").into();
    fs::read_to_string(root.join(Path::new(path))).expect("the trace is there")
}

/// The Azure trace, coming so many times as fast: seconds, tokens of the prompt, tokens of the answer.
fn azure(speed: f64) -> Vec<(f64, usize, usize)> {
    let rows = trace::parse(&read("serving/azure_llm_trace/AzureLLMInferenceTrace_conv.csv")).expect("a trace");
    rows.into_iter().map(|row| (row.at / speed, row.prompt, row.answer)).collect()
}

fn mooncake(most: usize) -> Vec<Recorded> {
    let mut rows = trace::parse(&read("serving/mooncake_trace/traces/conversation_trace.jsonl")).expect("a trace");
    rows.truncate(most);
    rows
}

/// Text of which two blocks are equal where their ids are.
fn prompt(request: &Recorded) -> Vec<u32> {
    let block = |&id: &u64| (0..TRACE_BLOCK as u32).map(move |at| id as u32 * TRACE_BLOCK as u32 + at);
    request.blocks.iter().flat_map(block).take(request.prompt).collect()
}

/// Tokens that a cache of `capacity` trace blocks would find, did it know every prompt from its arrival on and held nothing else: the least
/// recently used block goes first, and of one prompt the last.
fn ideal_hits(requests: &[Recorded], capacity: usize) -> usize {
    let (mut stamps, mut order, mut clock) = (HashMap::new(), BTreeMap::new(), 0_u64);
    let mut hits = 0;
    for request in requests {
        let there = request.blocks.iter().take_while(|id| stamps.contains_key(*id)).count();
        hits += (there * TRACE_BLOCK).min(request.prompt - 1);
        for &id in request.blocks.iter().rev() {
            clock += 1;
            if let Some(old) = stamps.insert(id, clock) {
                order.remove(&old);
            }
            order.insert(clock, id);
        }
        while stamps.len() > capacity {
            let (_, id) = order.pop_first().expect("it has as many as stamps");
            stamps.remove(&id);
        }
    }
    hits
}

/// Steps, unweighted, and the share of allocated slots that hold a token after each.
#[derive(Default)]
struct Occupancy {
    steps: f64,
    shares: f64,
    least: f64,
    running: f64,
    usage: f64,
}

impl Occupancy {
    fn observe(&mut self, scheduler: &Scheduler) {
        let stats = scheduler.stats();
        if stats.slots_allocated == 0 {
            return;
        }
        let share = stats.slots_filled as f64 / stats.slots_allocated as f64;
        self.least = if self.steps == 0.0 { share } else { self.least.min(share) };
        self.steps += 1.0;
        self.shares += share;
        self.running += stats.running as f64;
        self.usage += stats.kv_usage;
    }
}

#[expect(clippy::print_stdout, reason = "the figures are for people")]
fn report(name: &str, done: &Replayed, occupancy: &Occupancy, scheduler: &Scheduler) {
    let (stats, steps) = (scheduler.stats(), occupancy.steps);
    println!(
        "{name}: {} finished, {} refused, {} steps, {:.1} M tokens in {:.0} simulated s; {:.1} run at a time, cache {:.1} % held; \
         {} preemptions; slots that hold a token: {:.2} % (mean of steps), {:.2} % (least)",
        done.finished,
        done.refused,
        done.steps,
        done.tokens as f64 / 1e6,
        done.seconds,
        occupancy.running / steps,
        100.0 * occupancy.usage / steps,
        stats.preemptions,
        100.0 * occupancy.shares / steps,
        100.0 * occupancy.least,
    );
}

/// Runs `rows` through a cache of so many blocks of 16.
fn occupancy(rows: &[(f64, usize, usize)], num_blocks: usize) -> (Occupancy, Scheduler) {
    let trace = rows.iter().zip(0_u32..).map(|(&(at, prompt, answer), number)| {
        // No two prompts begin alike.
        let tokens = (0..prompt as u32).map(|at| number.wrapping_mul(0x9E37_79B9).wrapping_add(at)).collect();
        Arrival { at, sequence: NewSequence::new(tokens, answer) }
    });
    let mut scheduler = Scheduler::new(SchedulerConfig::new(16_384), CacheConfig::new(num_blocks, 16)).expect("a scheduler");
    let mut occupancy = Occupancy::default();
    let cost = StepCost { step: 0.01, token: 5e-5 };
    let done = replay::replay(&mut scheduler, trace, cost, |_, _| 0, |scheduler, _| occupancy.observe(scheduler)).expect("a replay");
    report("azure", &done, &occupancy, &scheduler);
    assert_eq!((done.finished, done.refused), (rows.len() as u64, 0));
    assert_eq!(scheduler.stats().blocks_free, num_blocks);
    (occupancy, scheduler)
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn hardly_a_slot_is_wasted() {
    let rows = azure(4.0);
    let (occupancy, _) = occupancy(&rows, 16_384);
    assert!(occupancy.running / occupancy.steps > 100.0, "the trace does not fill the scheduler");
    assert!(occupancy.shares / occupancy.steps >= 0.96);
}

/// A cache that holds thirty conversations at a time: sequences lose their blocks, and all are answered.
#[test]
#[ignore = "needs JARRE_DATA"]
fn a_cache_that_is_short_thrashes_little() {
    let rows = azure(4.0);
    let (occupancy, scheduler) = occupancy(&rows[..4_000], 2_048);
    let (stats, requests) = (scheduler.stats(), 4_000);
    assert!(stats.preemptions > 0, "the cache is not short");
    assert!(stats.preemptions < requests / 10, "{} preemptions of {requests} requests", stats.preemptions);
    assert!(occupancy.shares / occupancy.steps >= 0.96);
}

/// Runs the Mooncake trace through a cache of so many of its blocks, and gives the shares of prompt tokens found: here, and by the ideal.
#[expect(clippy::print_stdout, reason = "the figures are for people")]
fn hit_rates(requests: &[Recorded], capacity: usize) -> (f64, f64) {
    let trace = requests.iter().map(|request| {
        let sequence = NewSequence::new(prompt(request), request.answer);
        Arrival { at: request.at / 4.0, sequence }
    });
    let config = SchedulerConfig::new(200_000).with_max_num_seqs(64).with_max_num_batched_tokens(8192).with_max_waiting(64);
    let mut scheduler = Scheduler::new(config, CacheConfig::new(capacity * TRACE_BLOCK / 16, 16)).expect("a scheduler");
    let mut occupancy = Occupancy::default();
    let cost = StepCost { step: 0.01, token: 2e-5 };
    // Answers are unlike each other and unlike every prompt.
    let answer = |number: u64, at: usize| (1 << 31) | (number as u32 * 8192 + at as u32);
    let done = replay::replay(&mut scheduler, trace, cost, answer, |scheduler, _| occupancy.observe(scheduler)).expect("a replay");
    report("mooncake", &done, &occupancy, &scheduler);
    assert_eq!((done.finished, done.refused), (requests.len() as u64, 0));
    let stats = scheduler.stats();
    let tokens: usize = requests.iter().map(|request| request.prompt).sum();
    assert_eq!(stats.prefix_cache_queries, tokens as u64);
    let (found, ideal) = (stats.prefix_cache_hits as f64 / tokens as f64, ideal_hits(requests, capacity) as f64 / tokens as f64);
    println!(
        "mooncake: {capacity} trace blocks ({} of 16 tokens), {} evictions: {:.2} % of prompt tokens found, {:.2} % by the ideal LRU",
        stats.blocks,
        stats.evictions,
        100.0 * found,
        100.0 * ideal
    );
    (found, ideal)
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn prefixes_are_found_as_by_the_ideal_cache() {
    let requests = mooncake(4_000);
    for capacity in [5_000, 20_000] {
        let (found, ideal) = hit_rates(&requests, capacity);
        assert!((found - ideal).abs() <= 0.02, "{found} and {ideal} at {capacity} blocks");
    }
}
