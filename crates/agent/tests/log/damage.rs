//! What somebody did to the store behind the log's back.

use jarre_agent::{Error, log::EventLog};
use jarre_kv_store::{KeyRange, Op, RangeRequest, Store, Txn};
use pollster::block_on;

use crate::sample::{memory, note, started};

/// A key and its value.
type Row = (Vec<u8>, Vec<u8>);

/// A log of six records, and the store's keys and values of them.
fn log() -> (EventLog, Vec<Row>) {
    let log = memory();
    let writer = block_on(log.create("run")).unwrap();
    block_on(writer.append(started("run"))).unwrap();
    for number in 1..6 {
        block_on(writer.append(note(format!("number {number}")))).unwrap();
    }
    let page = block_on(log.store().range(RangeRequest::new(KeyRange::prefix("agent_log/")))).unwrap();
    (log, page.entries.into_iter().map(|entry| (entry.key, entry.value)).collect())
}

/// The record at which the log is said to be broken, by everyone who reads it.
fn broken(log: &EventLog) -> u64 {
    let place = |error: Error| if let Error::Log { at, .. } = error { at } else { panic!("{error}") };
    let at = place(block_on(log.verify("run")).unwrap_err());
    assert_eq!(place(block_on(log.open("run")).unwrap_err()), at);
    assert_eq!(place(block_on(log.read("run", 0)).unwrap_err()), at);
    assert_eq!(place(block_on(log.export("run", &mut Vec::new())).unwrap_err()), at);
    at
}

#[test]
fn a_changed_record_is_found() {
    for changed in 0..6 {
        let (log, rows) = log();
        let (key, value) = &rows[changed];
        let text = String::from_utf8(value.clone()).unwrap().replace("number", "bumper").replace("fix the sum", "fix the son");
        block_on(log.store().put(key, text.as_bytes())).unwrap();
        // The hash of a record stands in the one after it, and that of the last in the summary.
        assert_eq!(broken(&log), (changed as u64 + 1).min(5));
    }
}

#[test]
fn a_missing_record_is_found() {
    for missing in 0..6 {
        let (log, rows) = log();
        block_on(log.store().delete(&rows[missing].0)).unwrap();
        assert_eq!(broken(&log), missing as u64);
    }
}

#[test]
fn records_in_another_order_are_found() {
    let (log, rows) = log();
    let swap = Txn::new().then(Op::put(&*rows[2].0, &*rows[3].1)).then(Op::put(&*rows[3].0, &*rows[2].1));
    block_on(log.store().txn(swap)).unwrap();
    assert_eq!(broken(&log), 2);
}

#[test]
fn a_later_schema_is_refused_with_what_to_do() {
    let (log, rows) = log();
    let newer = String::from_utf8(rows[4].1.clone()).unwrap().replace(r#""schema":1"#, r#""schema":9"#);
    block_on(log.store().put(&rows[4].0, newer.as_bytes())).unwrap();
    assert_eq!(broken(&log), 4);
    let message = block_on(log.open("run")).unwrap_err().to_string();
    assert!(message.contains("record 4") && message.contains("schema 9") && message.contains("later"), "{message}");
}

#[test]
fn reading_from_the_middle_finds_what_is_broken_behind_it() {
    let (log, rows) = log();
    block_on(log.store().put(&rows[3].0, b"{}")).unwrap();
    assert!(matches!(block_on(log.read("run", 1)), Err(Error::Log { at: 3, .. })));
    assert!(matches!(block_on(log.read("run", 4)), Err(Error::Log { at: 4, .. })), "its hash is not that of record 3");
    assert_eq!(block_on(log.read("run", 5)).unwrap().len(), 1, "record 4 was not looked at but for its hash");
}
