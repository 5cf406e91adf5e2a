use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use jarre_kv_store::{Error, KeyRange, Op, RangeRequest, Remote, RemoteOptions, Session, Store, Txn};
use tempfile::TempDir;
use tokio::{task::JoinSet, time::Instant};

use crate::process::Serving;

/// Three members, each a process with a folder of its own.
pub(crate) struct Members {
    folder: TempDir,
    founders: String,
    addresses: Vec<[String; 2]>,
    running: Vec<Option<Serving>>,
}

impl Members {
    pub(crate) fn started() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token"), "what these members know, and nobody else").unwrap();
        let addresses: Vec<_> = (0..3).map(|_| [free_address(), free_address()]).collect();
        let founder = |(at, [peer, client]): (usize, &[String; 2])| format!("{}={peer}@http://{client}", at + 1);
        let founders = addresses.iter().enumerate().map(founder).collect::<Vec<_>>().join(",");
        let mut members = Self { folder, founders, addresses, running: vec![None, None, None] };
        (0..3).for_each(|at| members.start(at));
        members
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(crate) fn start(&mut self, at: usize) {
        let (node, [peer, client]) = ((at + 1).to_string(), &self.addresses[at]);
        let (folder, token) = (self.path(&format!("member-{node}")), self.path("token"));
        self.running[at] = Some(Serving::start(&[
            "--node",
            &node,
            "--folder",
            &folder,
            "--listen",
            client,
            "--peer",
            peer,
            "--cluster-token-file",
            &token,
            "--founders",
            &self.founders,
            "--heartbeat",
            "50ms",
            "--election",
            "300ms",
            "--timeout",
            "2s",
        ]));
    }

    pub(crate) fn kill(&mut self, at: usize) {
        self.running[at].take().unwrap().kill();
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.addresses.iter().map(|[_, client]| format!("http://{client}")).collect()
    }

    fn remote(&self) -> Remote {
        Remote::new(RemoteOptions::new(self.urls()).with_timeout(Duration::from_secs(10))).unwrap()
    }

    /// Which member leads, as those that run know.
    pub(crate) async fn leader(&self) -> usize {
        let began = Instant::now();
        loop {
            for serving in self.running.iter().flatten() {
                let leader = serving.remote().status().await.ok().and_then(|status| status.leader);
                let at = self.urls().iter().position(|url| Some(url) == leader.as_ref());
                if let Some(at) = at.filter(|at| self.running[*at].is_some()) {
                    return at;
                }
            }
            assert!(began.elapsed() < Duration::from_secs(20), "nobody leads");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends all, and holds them to the same content.
    fn digests(mut self) {
        for serving in self.running.iter().flatten() {
            serving.signal("-TERM");
        }
        for serving in self.running.iter_mut().flatten() {
            assert!(serving.child.wait().unwrap().success());
        }
        let serving = self.running[0].as_ref().unwrap();
        let digests: BTreeSet<_> =
            (1..=3).map(|node| serving.json(&["verify", &self.path(&format!("member-{node}"))])["digest"].to_string()).collect();
        assert_eq!(digests.len(), 1, "members that ended together differ");
    }
}

/// Writers add numbers of their own by sessions, so that what was not answered may be asked again; members are killed and paused meanwhile.
/// In the end each number that was acknowledged is there, each key was put once, and the members are the same.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_members_are_killed_and_paused() {
    let mut members = Members::started();
    members.leader().await;
    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        writers.spawn(keep_adding(members.remote(), writer, Arc::clone(&stop), Arc::clone(&acknowledged)));
    }
    for round in 0..6 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let at = if round % 3 == 2 { (members.leader().await + 1) % 3 } else { members.leader().await };
        if round % 2 == 0 {
            members.kill(at);
            tokio::time::sleep(Duration::from_millis(700)).await;
            members.start(at);
        } else {
            members.running[at].as_ref().unwrap().signal("-STOP");
            tokio::time::sleep(Duration::from_millis(900)).await;
            members.running[at].as_ref().unwrap().signal("-CONT");
        }
        members.leader().await;
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
    // The last of them is on every disk before they end.
    members.remote().put(b"last", b"").await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
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
            let leader = members.leader().await;
            gaps.push(gap(&members, leader, signal).await);
            drop(members.running[leader].take());
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
            members.running[leader].as_ref().unwrap().signal(signal);
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

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A folder of a member is no store of its own.
#[test]
fn a_members_file_is_not_opened_by_another() {
    let mut members = Members::started();
    let serving = members.running[1].take().unwrap();
    serving.kill();
    let file = Path::new(&members.path("member-2")).join("state.kv").display().to_string();
    let refused = members.running[0].as_ref().unwrap().run(&["--file", &file, "put", "a", "b"], "");
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("member"), "{refused:?}");
}
