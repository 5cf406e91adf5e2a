use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use jarre_kv_store::{Error, KeyRange, Op, RangeRequest, ReadLevel, Remote, RemoteOptions, Session, Store, Txn};
use tokio::{task::JoinSet, time::Instant};

use crate::{members::Members, process::soon};

/// Writers add numbers of their own by sessions, so that what was not answered may be asked again; members are killed and paused meanwhile.
/// In the end each number that was acknowledged is there, each key was put once, and the members are the same.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_members_are_killed_and_paused() {
    let mut members = Members::started();
    members.leader();
    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        writers.spawn(keep_adding(members.remote(), writer, Arc::clone(&stop), Arc::clone(&acknowledged)));
    }
    for round in 0..6 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let at = if round % 3 == 2 { (members.leader() + 1) % 3 } else { members.leader() };
        if round % 2 == 0 {
            members.kill(at);
            tokio::time::sleep(Duration::from_millis(700)).await;
            members.start(at);
        } else {
            members.signal(at, "-STOP");
            tokio::time::sleep(Duration::from_millis(900)).await;
            members.signal(at, "-CONT");
        }
        members.leader();
    }
    stop.store(true, SeqCst);
    writers.join_all().await;
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() > 50, "hardly anything was written: {}", acknowledged.len());
    let mut next = Some(RangeRequest::new(KeyRange::prefix("added/")));
    let mut found = BTreeSet::new();
    while let Some(request) = next {
        let page = members.remote().range(request).await.unwrap();
        for entry in page.entries {
            assert_eq!(entry.version, 1, "{} was carried out twice", String::from_utf8_lossy(&entry.key));
            found.insert(String::from_utf8(entry.key).unwrap());
        }
        next = page.next;
    }
    let lost: Vec<_> = acknowledged.difference(&found).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    members.remote().put(b"last", b"").await.unwrap();
    let own = RangeRequest::new(KeyRange::key("last")).with_level(ReadLevel::Stale { max_age: Duration::from_hours(1) });
    let has_last = |at| members.ask(at, async |remote| remote.range(own.clone()).await).is_ok_and(|page| page.entries.len() == 1);
    soon("a member does not carry out the last of what was written", || (0..3).all(has_last));
    members.digests();
}

async fn keep_adding(store: Remote, writer: usize, stop: Arc<AtomicBool>, acknowledged: Arc<Mutex<BTreeSet<String>>>) {
    let mut session = open(&store).await;
    let mut number = 0;
    while !stop.load(SeqCst) {
        number += 1;
        let key = format!("added/{writer}/{number:06}");
        let request = session.tag(Txn::new().then(Op::put(key.as_bytes(), "")));
        loop {
            match store.txn(request.clone()).await {
                Ok(_) => {
                    acknowledged.lock().unwrap().insert(key);
                    break;
                }
                Err(error) if error.is_retryable() => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

async fn open(store: &Remote) -> Session<Remote> {
    loop {
        match Session::open(store.clone()).await {
            Ok(session) => return session,
            Err(Error::Unknown { .. } | Error::NoQuorum) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// For people: how long nobody could write, over kills of the leader and over leaders that were asked to end. Nothing is asserted of time.
///
/// `cargo test -p jarre-kv-store --features cli,testing --test program -- --ignored --nocapture write_gaps`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures, for minutes"]
async fn write_gaps() {
    for (what, signal, rounds) in [("killed", "-KILL", 100), ("asked to end", "-TERM", 30)] {
        let mut members = Members::started();
        let mut gaps = Vec::new();
        for _ in 0..rounds {
            let leader = members.leader();
            gaps.push(gap(&members, leader, signal).await);
            members.kill(leader);
            members.start(leader);
            // Until it has caught up, another one cannot be spared.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        gaps.sort_unstable();
        let at = |part: usize| gaps[(gaps.len() - 1) * part / 100];
        println!("{rounds} leaders {what}: nobody could write for {:?} (p50), {:?} (p99), {:?} at most", at(50), at(99), at(100));
    }
}

/// How long it took from the last put that was acknowledged before the leader went until the next one.
async fn gap(members: &Members, leader: usize, signal: &str) -> Duration {
    let urls = members.urls().into_iter().enumerate().filter(|(at, _)| *at != leader).map(|(_, url)| url);
    let store = Remote::new(RemoteOptions::new(urls).with_timeout(Duration::from_millis(100))).unwrap();
    let began = Instant::now();
    let (mut last, mut gap, mut sent) = (Instant::now(), Duration::ZERO, false);
    while began.elapsed() < Duration::from_secs(5) {
        if !sent && began.elapsed() > Duration::from_millis(100) {
            members.signal(leader, signal);
            sent = true;
        }
        if store.put(b"gap", b"").await.is_ok() {
            gap = gap.max(last.elapsed());
            last = Instant::now();
            if sent && gap > Duration::from_millis(100) && began.elapsed() > Duration::from_secs(2) {
                break;
            }
        }
    }
    gap
}

/// A folder of a member is no store of its own.
#[test]
fn a_members_file_is_not_opened_by_another() {
    let mut members = Members::started();
    members.kill(1);
    let file = Path::new(&members.path("member-2")).join("state.kv").display().to_string();
    let refused = members.serving(0).run(&["--file", &file, "put", "a", "b"], "");
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("member"), "{refused:?}");
}
