use jarre_kv_store::{KeyRange, namespace::OrderedKey};

/// The records of runs, before the run's name in its ordered bytes, the record's number and the part's.
const RECORDS: &[u8] = b"agent_log/";

/// The keys of a run's records from `from` on, up to and without `to`.
pub(super) fn record_range(run: &str, from: u64, to: Option<u64>) -> KeyRange {
    match to {
        Some(to) => KeyRange::new(record_key(run, from), record_key(run, to)),
        None => KeyRange { start: record_key(run, from), end: KeyRange::prefix(run_key(run)).end },
    }
}

pub(super) fn record_key(run: &str, seq: u64) -> Vec<u8> {
    let mut key = run_key(run);
    seq.encode(&mut key);
    key
}

fn run_key(run: &str) -> Vec<u8> {
    let mut key = RECORDS.to_vec();
    run.to_owned().encode(&mut key);
    key
}
