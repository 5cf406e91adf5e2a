//! Typed records, sessions that are forgotten, and reads while a store is written.

use jarre_kv_store::{Error, Memory, Namespace, Op, RangeRequest, Refusal, Session, SessionTag, Store, Txn};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    name: String,
    #[serde(default)]
    tries: u32,
}

fn run(name: &str) -> Run {
    Run { name: name.to_owned(), tries: 1 }
}

#[test]
fn records_are_written_over_what_was_expected_and_come_in_the_order_of_their_keys() {
    pollster::block_on(async {
        let runs: Namespace<i64, Run, _> = Namespace::new(Memory::new(), "runs").unwrap();
        let others: Namespace<i64, Run, _> = Namespace::new(runs.store(), "runs-of-others").unwrap();
        others.put(&0, &run("not ours")).await.unwrap();
        for number in [300, -2, 0, 5, -300] {
            runs.compare_and_swap(&number, None, &run(&number.to_string())).await.unwrap();
        }
        let all = runs.range(runs.all().into()).await.unwrap();
        assert_eq!(all.records.iter().map(|record| record.key).collect::<Vec<_>>(), [-300, -2, 0, 5, 300]);
        let some = runs.range(RangeRequest::new(runs.between(&-2, &5)).reversed()).await.unwrap();
        assert_eq!(some.records.iter().map(|record| &*record.value.name).collect::<Vec<_>>(), ["0", "-2"]);

        let read = runs.get(&5).await.unwrap().unwrap();
        runs.compare_and_swap(&5, Some(read.revision), &run("again")).await.unwrap();
        let late = runs.compare_and_swap(&5, Some(read.revision), &run("late")).await;
        assert!(matches!(late, Err(Error::Conflict { actual: Some(_) })), "{late:?}");
        assert!(runs.delete(&5).await.unwrap() && !runs.delete(&5).await.unwrap());
        assert_eq!(runs.get(&5).await.unwrap(), None);
    });
}

#[test]
fn older_records_stay_readable_and_what_is_no_record_is_told() {
    pollster::block_on(async {
        let runs: Namespace<u8, Run, _> = Namespace::new(Memory::new(), "runs").unwrap();
        runs.store().put(&runs.key(&1), br#"{"name":"old"}"#).await.unwrap();
        assert_eq!(runs.get(&1).await.unwrap().unwrap().value, Run { name: "old".to_owned(), tries: 0 });
        runs.store().put(&runs.key(&2), b"{").await.unwrap();
        runs.store().put(b"runs/too long for a byte", b"{}").await.unwrap();
        let broken = runs.get(&2).await;
        assert!(matches!(&broken, Err(Error::Codec { reason, .. }) if reason.contains("runs/")), "{broken:?}");
        assert!(matches!(runs.range(runs.all().into()).await, Err(Error::Codec { .. })));
        for name in ["", "a/b"] {
            assert!(matches!(Namespace::<u8, Run, _>::new(Memory::new(), name), Err(Error::Invalid(_))));
        }
    });
}

#[test]
fn the_session_that_was_used_longest_ago_is_forgotten_first() {
    let store = Memory::new();
    pollster::block_on(async {
        let (first, second) = (Session::open(&store).await.unwrap(), Session::open(&store).await.unwrap());
        let put = |id| {
            let mut txn = Txn::new().then(Op::put("a", "1"));
            txn.session = Some(SessionTag { id, sequence: 1 });
            txn
        };
        store.txn(put(first.id())).await.unwrap();
        for _ in 2..4097 {
            Session::open(&store).await.unwrap();
        }
        let before = store.get(b"a").await.unwrap();
        let forgotten = store.txn(put(second.id())).await;
        assert!(matches!(forgotten, Err(Error::Refused(Refusal::SessionExpired))), "{forgotten:?}");
        store.txn(put(first.id())).await.unwrap();
        assert_eq!(store.get(b"a").await.unwrap(), before, "its answer was kept");
    });
    store.verify().unwrap();
}

#[test]
fn a_page_goes_on_where_it_was_cut_by_bytes() {
    pollster::block_on(async {
        let store = Memory::new();
        for number in 0..5 {
            store.put(format!("{number}").as_bytes(), &vec![number; 600_000]).await.unwrap();
        }
        let (mut next, mut sizes) = (Some(RangeRequest::new(jarre_kv_store::KeyRange::all())), Vec::new());
        while let Some(request) = next {
            let page = store.range(request).await.unwrap();
            sizes.push(page.entries.len());
            next = page.next;
        }
        assert_eq!(sizes, [2, 2, 1]);
    });
}
