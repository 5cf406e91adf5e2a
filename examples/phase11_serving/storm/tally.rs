//! What came of a storm, and whether the server kept to what it promises.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use super::args::StormArgs;
use super::ask::{Ending, Record};
use super::request::Kind;
use super::watch::Sample;
use crate::bench::summary::Times;

/// Requests of one kind that ended in one way.
#[derive(Debug, Serialize)]
pub(super) struct Count {
    pub(super) kind: Kind,
    pub(super) ending: Ending,
    pub(super) requests: usize,
    /// What was said of the first of them, where it went wrong.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) why: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Tally {
    /// Requests a second that the server answered with a full queue, before.
    pub(super) capacity: f64,
    pub(super) request_rate: f64,
    pub(super) counts: Vec<Count>,
    /// Answers a second that came to their end, until the last of them.
    pub(super) completions_per_second: f64,
    pub(super) refusal_ms: Times,
    /// Of good requests that were answered.
    pub(super) ttft_ms: Times,
    /// Sequences that ran together at most.
    pub(super) running: f64,
    /// `(max_waiting + running) / completions_per_second`, in milliseconds: how long a full queue takes.
    pub(super) queue_service_ms: f64,
    /// Before, at intervals, and after everything was answered.
    pub(super) samples: Vec<Sample>,
    pub(super) bounds: Vec<Bound>,
}

/// Something that has to hold.
#[derive(Debug, Serialize)]
pub(super) struct Bound {
    pub(super) what: &'static str,
    pub(super) measured: f64,
    pub(super) at_most: f64,
    pub(super) holds: bool,
}

impl Tally {
    pub(super) fn of(args: &StormArgs, capacity: f64, begin: Instant, records: &[Record], samples: Vec<Sample>) -> Self {
        let done: Vec<&Record> = records.iter().filter(|record| record.ending == Ending::Done).collect();
        let last = done.iter().map(|record| record.ended.saturating_duration_since(begin)).max().unwrap_or_default();
        let completions_per_second = done.len() as f64 / last.as_secs_f64().max(f64::MIN_POSITIVE);
        let refused = records.iter().filter(|record| record.ending == Ending::Status(429));
        let running = samples.iter().filter_map(|sample| sample.load).map(|load| load.running).fold(0.0, f64::max);
        let mut tally = Self {
            capacity,
            request_rate: capacity * args.times,
            counts: count(records),
            completions_per_second,
            refusal_ms: Times::of(refused.map(|record| record.head)),
            ttft_ms: Times::of(done.iter().filter(|record| record.kind == Kind::Good).filter_map(|record| record.first_token)),
            running,
            queue_service_ms: 1e3 * (args.max_waiting as f64 + running) / completions_per_second.max(f64::MIN_POSITIVE),
            samples,
            bounds: Vec::new(),
        };
        tally.bounds = tally.bounds(args);
        tally
    }

    /// The bounds that do not hold.
    pub(super) fn broken(&self) -> Vec<&'static str> {
        self.bounds.iter().filter(|bound| !bound.holds).map(|bound| bound.what).collect()
    }

    fn bounds(&self, args: &StormArgs) -> Vec<Bound> {
        let last = self.samples.last();
        let at_most = |what, measured: f64, at_most: f64| Bound { what, measured, at_most, holds: measured <= at_most };
        let mut bounds = vec![
            at_most("streams that broke off", self.ended(|_, ending| *ending == Ending::Broken), 0.0),
            at_most("requests that ended as none may", self.ended(|kind, ending| !may_end(kind, ending)), 0.0),
            at_most("refusals, ms at most", self.refusal_ms.max(), args.refusal_ms),
            at_most("TTFT of accepted requests, ms p99, within twice the queue", self.ttft_ms.p99, 2.0 * self.queue_service_ms),
        ];
        // A server that told how it stands and tells no more is gone; one that never told has another way to be watched.
        if self.samples.first().is_some_and(|sample| sample.load.is_some()) {
            let left = last.and_then(|sample| sample.load);
            let left = left.map_or(f64::INFINITY, |load| load.running + load.waiting + load.kv_usage);
            bounds.push(at_most("sequences and share of the cache held afterwards", left, 0.0));
        }
        if args.pid.is_some() {
            let memory = |sample: Option<&Sample>| sample.and_then(|sample| sample.memory).map(|bytes| bytes as f64);
            let growth = memory(last).zip(memory(self.samples.first())).map_or(f64::INFINITY, |(after, before)| after / before - 1.0);
            bounds.push(at_most("growth of the server's memory", growth, args.growth));
        }
        bounds
    }

    fn ended(&self, is: impl Fn(Kind, &Ending) -> bool) -> f64 {
        self.counts.iter().filter(|count| is(count.kind, &count.ending)).map(|count| count.requests).sum::<usize>() as f64
    }
}

/// A full queue may refuse anything. A body that is too long may be cut off while it is sent.
fn may_end(kind: Kind, ending: &Ending) -> bool {
    match (kind, ending) {
        (_, Ending::Status(429)) => true,
        (Kind::Good, ending) => *ending == Ending::Done,
        (Kind::Disconnect, ending) => matches!(ending, Ending::Done | Ending::Left),
        (Kind::Malformed, ending) => *ending == Ending::Status(400),
        (Kind::Huge, ending) => matches!(ending, Ending::Status(413) | Ending::Cut),
    }
}

fn count(records: &[Record]) -> Vec<Count> {
    let mut counts: BTreeMap<(Kind, &Ending), (usize, &str)> = BTreeMap::new();
    for Record { kind, ending, why, .. } in records {
        counts.entry((*kind, ending)).or_insert((0, why)).0 += 1;
    }
    let as_expected = |kind, ending: &Ending| may_end(kind, ending) && *ending != Ending::Cut;
    let why = |kind, ending: &Ending, why: &str| if as_expected(kind, ending) { String::new() } else { why.to_owned() };
    let counts = counts.into_iter();
    counts
        .map(|((kind, ending), (requests, said))| Count { kind, ending: ending.clone(), requests, why: why(kind, ending, said) })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;
    use crate::storm::watch::Standing;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: StormArgs,
    }

    fn args() -> StormArgs {
        Line::parse_from(["storm", "--url", "http://127.0.0.1:1", "--max-waiting", "6", "--pid", "1"]).args
    }

    fn record(begin: Instant, kind: Kind, ending: Ending, milliseconds: u64) -> Record {
        let time = Duration::from_millis(milliseconds);
        Record { kind, ending, head: time, first_token: Some(time), ended: begin + 2 * time, why: "so".to_owned() }
    }

    fn sample(memory: u64, running: f64, kv_usage: f64) -> Sample {
        Sample { at: 0.0, memory: Some(memory), load: Some(Standing { running, waiting: 0.0, kv_usage }) }
    }

    /// Four answers in two seconds, and one of each kind that ended as it may.
    fn calm(begin: Instant) -> Vec<Record> {
        let good = [250, 500, 750, 1000].map(|at| record(begin, Kind::Good, Ending::Done, at));
        let others = [
            record(begin, Kind::Good, Ending::Status(429), 20),
            record(begin, Kind::Disconnect, Ending::Left, 9000),
            record(begin, Kind::Malformed, Ending::Status(400), 9000),
            record(begin, Kind::Huge, Ending::Status(413), 9000),
        ];
        good.into_iter().chain(others).collect()
    }

    #[test]
    fn the_queue_bound_is_the_time_of_a_full_queue() {
        let begin = Instant::now();
        let samples = vec![sample(100, 0.0, 0.0), sample(300, 2.0, 0.5), sample(104, 0.0, 0.0)];
        let tally = Tally::of(&args(), 5.0, begin, &calm(begin), samples);
        assert_eq!(tally.broken(), Vec::<&str>::new());
        let figures =
            [tally.request_rate, tally.completions_per_second, tally.queue_service_ms, tally.refusal_ms.max(), tally.ttft_ms.max()];
        for (found, expected) in figures.into_iter().zip([15.0, 2.0, 4000.0, 20.0, 1000.0]) {
            assert!((found - expected).abs() < 1e-6, "{figures:?}");
        }
    }

    #[test]
    fn each_bound_can_break() {
        let begin = Instant::now();
        let broken = |more: &[(Kind, Ending, u64)], after: Sample| {
            let more = more.iter().map(|(kind, ending, at)| record(begin, *kind, ending.clone(), *at));
            let records: Vec<Record> = calm(begin).into_iter().chain(more).collect();
            Tally::of(&args(), 5.0, begin, &records, vec![sample(100, 2.0, 0.0), after]).broken()
        };
        let quiet = sample(100, 0.0, 0.0);
        assert_eq!(broken(&[], quiet), Vec::<&str>::new());
        assert!(broken(&[(Kind::Disconnect, Ending::Broken, 1)], quiet).contains(&"streams that broke off"));
        for (kind, ending) in [
            (Kind::Good, Ending::Status(503)),
            (Kind::Good, Ending::Error),
            (Kind::Good, Ending::Cut),
            (Kind::Malformed, Ending::Done),
            (Kind::Huge, Ending::Status(500)),
        ] {
            assert_eq!(broken(&[(kind, ending, 1)], quiet), ["requests that ended as none may"]);
        }
        assert_eq!(broken(&[(Kind::Huge, Ending::Status(429), 51)], quiet), ["refusals, ms at most"]);
        assert_eq!(broken(&[], sample(106, 0.0, 0.0)), ["growth of the server's memory"]);
        assert_eq!(broken(&[], sample(100, 1.0, 0.1)), ["sequences and share of the cache held afterwards"]);
        let gone = Sample { at: 0.0, memory: None, load: None };
        assert_eq!(broken(&[], gone).len(), 2);
        // The last answer comes after a minute: eight in the queue take 96 s at 5 in 60 s. Its first token is within twice that, and the
        // same with a queue of a tenth is not.
        assert_eq!(broken(&[(Kind::Good, Ending::Done, 30_000)], quiet), Vec::<&str>::new());
        let mut narrow = args();
        narrow.max_waiting = 0;
        let records = [calm(begin), vec![record(begin, Kind::Good, Ending::Done, 30_000)]].concat();
        let tally = Tally::of(&narrow, 5.0, begin, &records, vec![sample(100, 1.0, 0.0), quiet]);
        assert_eq!(tally.broken(), ["TTFT of accepted requests, ms p99, within twice the queue"]);
    }
}
