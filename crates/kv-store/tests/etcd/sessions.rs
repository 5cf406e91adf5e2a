//! Requests of a session are carried out once, whatever becomes of the server and of the history.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use jarre_kv_store::{Compare, Error, Etcd, KeyRange, LeaseId, Op, Operator, Refusal, Revision, Session, Store, Target, Txn};

use crate::cluster::Cluster;

#[test]
fn requests_are_carried_out_once_while_the_server_is_killed() {
    let mut cluster = Cluster::start(1);
    let store = cluster.store("p/");
    let stop = AtomicBool::new(false);
    let again = thread::scope(|scope| {
        let clients: Vec<_> = (0..6)
            .map(|client| {
                scope.spawn({
                    let (store, stop) = (&store, &stop);
                    move || appends(store, client, stop)
                })
            })
            .collect();
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(500));
            cluster.kill(0);
            thread::sleep(Duration::from_millis(300));
            cluster.launch(0);
            pollster::block_on(store.get(b"none")).expect("it answers again");
        }
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).sum::<usize>()
    });
    assert!(again > 0, "no answer was lost");
}

/// Puts one key again and again, each time once. Returns how often it had to ask again.
fn appends(store: &Etcd, client: usize, stop: &AtomicBool) -> usize {
    let mut again = 0;
    pollster::block_on(async {
        let mut session = loop {
            match Session::open(store).await {
                Ok(session) => break session,
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
        };
        let key = format!("counter/{client}");
        for version in (1..).take_while(|_| !stop.load(Ordering::Relaxed)) {
            let request = session.tag(Txn::new().then(Op::put(key.clone(), version.to_string()).with_prev()).then(Op::get(key.clone())));
            let outcome = loop {
                match store.txn(request.clone()).await {
                    Ok(outcome) => break outcome,
                    Err(error) => assert!(error.is_retryable(), "{error}"),
                }
                again += 1;
            };
            let [_, jarre_kv_store::OpResult::Get(page)] = &*outcome.results else { panic!("{outcome:?}") };
            assert_eq!(page.entries[0].version, version, "client {client} was carried out once each time");
            assert_eq!(page.entries[0].mod_revision, outcome.revision);
        }
    });
    again
}

#[test]
fn a_repeated_request_has_the_answer_of_the_first_time() {
    let cluster = Cluster::start(1);
    let store = cluster.store("p/");
    pollster::block_on(async {
        let lease = store.lease_grant(Duration::from_secs(1000)).await.unwrap();
        let mut session = Session::open(&store).await.unwrap();
        for round in 0..3 {
            for txn in requests(lease) {
                let request = session.tag(txn);
                let first = store.txn(request.clone()).await.unwrap();
                store.put(b"a", b"in between").await.unwrap();
                store.delete_range(KeyRange::prefix("b")).await.unwrap();
                let again = store.txn(request.clone()).await.unwrap();
                assert_eq!(again, first, "round {round}: {request:?}");
                store.put(b"b", b"back").await.unwrap();
            }
        }
    });
}

/// Transactions whose answers take some working out.
fn requests(lease: LeaseId) -> Vec<Txn> {
    let all = || Op::get_range(KeyRange::all());
    let back = |limit| Op::Get { range: KeyRange::all(), limit, reverse: true };
    vec![
        Txn::new(),
        Txn::new().then(all()),
        Txn::new().then(Op::put("a", "1").with_prev()).then(all()).then(back(Some(1))).then(back(Some(0))),
        Txn::new().then(Op::put_with_lease("b", "2", lease).with_prev()).then(Op::put("c", "3")).then(all()),
        Txn::new()
            .then(Op::delete_range(KeyRange::new("a", "c")).with_prev())
            .then(all())
            .then(Op::delete_range(KeyRange::all()))
            .then(all()),
        Txn::new().then(Op::put("b/1", "x")).then(Op::put("b/2", "y")).then(back(None)).then(Op::delete("c").with_prev()),
        Txn::new().then(Op::delete_range(KeyRange::new("c", "a")).with_prev()).then(Op::get_range(KeyRange::new("c", "a"))),
        Txn::new().when(Compare::missing("a")).then(Op::put("a", "4")).otherwise(Op::delete("a").with_prev()).otherwise(all()),
        Txn::new().when(Compare::missing("a")).then(Op::put("a", "5").with_prev()).otherwise(Op::get("a")),
        Txn::new().when(Compare::new("b", Operator::Equal, Target::Lease(None))).when(Compare::value("b", "back")).then(Op::get("b")),
        Txn::new()
            .when(Compare::new("a", Operator::Less, Target::Modified(Revision(3))))
            .then(all())
            .otherwise(Op::put("c", "6").with_prev()),
    ]
}

#[test]
fn an_answer_that_was_compacted_is_forgotten_and_nothing_done_twice() {
    let cluster = Cluster::start(1);
    let store = cluster.store("p/");
    pollster::block_on(async {
        let mut session = Session::open(&store).await.unwrap();
        let request = session.tag(Txn::new().then(Op::put("a", "1").with_prev()));
        store.txn(request.clone()).await.unwrap();
        let last = store.put(b"b", b"1").await.unwrap();
        store.compact(last).await.unwrap();
        let again = store.txn(request).await;
        assert!(matches!(again, Err(Error::Refused(Refusal::SessionExpired))), "{again:?}");
        assert_eq!(store.get(b"a").await.unwrap().unwrap().version, 1);
        let next = session.txn(Txn::new().then(Op::put("a", "2")), 1).await;
        assert!(next.is_ok(), "the session itself goes on: {next:?}");
    });
}

#[test]
fn an_idle_session_is_forgotten_after_its_time() {
    let cluster = Cluster::start(1);
    let options = cluster.options("p/").with_timeout(Duration::from_secs(20)).with_session_ttl(Duration::from_secs(2));
    let store = pollster::block_on(Etcd::connect(options)).unwrap();
    pollster::block_on(async {
        let (mut busy, mut idle) = (Session::open(&store).await.unwrap(), Session::open(&store).await.unwrap());
        for number in 0..12 {
            busy.txn(Txn::new().then(Op::put("a", number.to_string())), 1).await.unwrap();
            thread::sleep(Duration::from_millis(500));
        }
        let forgotten = idle.txn(Txn::new().then(Op::put("b", "1")), 1).await;
        assert!(matches!(forgotten, Err(Error::Refused(Refusal::SessionExpired))), "{forgotten:?}");
        assert_eq!(store.get(b"b").await.unwrap(), None);
    });
}
