use std::{sync::Arc, thread};

use jarre_agent::{
    Error, Event, Record,
    log::{EventLog, Follow},
};
use jarre_core::{BoxStream, future};
use jarre_kv_store::{KeyRange, Memory, Op, RangeRequest, Revision, Store, Txn};
use pollster::block_on;

use crate::sample::{finished, log, memory, note, started};

fn all(mut follow: Follow) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some(record) = block_on(follow.next()) {
        records.push(record.unwrap());
    }
    records
}

fn write(log: &EventLog, notes: usize) {
    let writer = block_on(log.create("run")).unwrap();
    block_on(writer.append(started("run"))).unwrap();
    for number in 0..notes {
        // Now and then one of several parts.
        let text = if number % 10 == 3 { "x".repeat(700_000) } else { number.to_string() };
        block_on(writer.append(note(text))).unwrap();
    }
    block_on(writer.append(finished())).unwrap();
}

#[test]
fn each_follower_gets_each_record_once_wherever_it_begins() {
    let log = memory();
    let followers: Vec<_> = [0, 1, 7, 31]
        .map(|from| {
            let follow = log.follow("run", from);
            thread::spawn(move || (from as usize, all(follow)))
        })
        .into();
    write(&log, 30);
    let records = block_on(log.read("run", 0)).unwrap();
    for follower in followers {
        let (from, followed) = follower.join().unwrap();
        assert_eq!(followed, records[from..]);
    }
    assert_eq!(all(log.follow("run", 0)), records, "after the end too");
    let mut stream: BoxStream<'static, _> = Box::pin(log.follow("run", 30));
    for record in &records[30..] {
        assert_eq!(block_on(future::next(&mut stream)).unwrap().unwrap(), *record);
    }
    assert!(block_on(future::next(&mut stream)).is_none() && block_on(future::next(&mut stream)).is_none());
    assert!(block_on(log.follow("no/name", 0).next()).unwrap().is_err());
    assert_eq!(all(log.follow("run", 5)), records[5..]);
}

#[test]
fn a_slow_follower_goes_on_after_the_past_was_compacted() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let log = log(store.clone());
    let writer = block_on(log.create("run")).unwrap();
    block_on(writer.append(started("run"))).unwrap();
    let mut follow = log.follow("run", 0);
    block_on(follow.next()).unwrap().unwrap();
    for number in 0..20 {
        block_on(writer.append(note(number.to_string()))).unwrap();
    }
    let revision = block_on(store.status()).unwrap().revision;
    block_on(store.compact(revision)).unwrap();
    block_on(writer.append(finished())).unwrap();
    assert_eq!(all(follow), block_on(log.read("run", 1)).unwrap());
}

#[test]
fn a_follower_ends_at_what_does_not_follow() {
    let log = memory();
    let writer = block_on(log.create("run")).unwrap();
    block_on(writer.append(started("run"))).unwrap();
    let mut follow = log.follow("run", 0);
    block_on(follow.next()).unwrap().unwrap();
    block_on(writer.append(Event::Remembered)).unwrap();
    let page = block_on(log.store().range(RangeRequest::new(KeyRange::prefix("agent_log/")))).unwrap();
    let forged = Txn::new().then(Op::put(&*page.entries[1].key, &*page.entries[0].value));
    assert!(block_on(log.store().txn(forged)).unwrap().revision > Revision::FIRST);
    assert_eq!(block_on(follow.next()).unwrap().unwrap().event, Event::Remembered);
    assert!(matches!(block_on(follow.next()), Some(Err(Error::Log { at: 2, .. }))));
    assert!(block_on(follow.next()).is_none());
}
