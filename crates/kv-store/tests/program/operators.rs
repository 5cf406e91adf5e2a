//! What three members show to those who run them: Prometheus' page, and the headers and status of etcd's gateway.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};

use crate::{
    members::Members,
    process::{SOON, soon},
};

/// The samples of a page, each of which follows what it is and its type.
struct Page(BTreeMap<String, f64>);

impl Page {
    fn of(members: &Members, at: usize) -> Self {
        let text = ask(members, at, "GET", "/metrics", "");
        let (mut samples, mut known) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').unwrap();
                assert!(words.ends_with('.') && known.insert(name.to_owned(), None).is_none(), "{line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert!(["counter", "gauge"].contains(&kind), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                assert_eq!(known.insert(name.to_owned(), Some(kind.to_owned())), Some(None), "{line}");
            } else {
                let (name, value) = line.rsplit_once(' ').unwrap();
                let family = name.split('{').next().unwrap();
                assert!(known[family].is_some(), "{line} has no type");
                assert!(samples.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{line} is there twice");
            }
        }
        Self(samples)
    }

    fn get(&self, name: &str) -> f64 {
        self.0[&format!("jarre_kv_{name}")]
    }

    /// By member, what a leader knows it to lack.
    fn lag(&self) -> BTreeMap<usize, f64> {
        let of = |name: &str| {
            Some(name.strip_prefix("jarre_kv_raft_replication_lag_entries{member=\"")?.trim_end_matches("\"}").parse().unwrap())
        };
        self.0.iter().filter_map(|(name, lag)| Some((of(name)?, *lag))).collect()
    }
}

#[test]
fn raft_is_shown_as_it_is() {
    let mut members = Members::started();
    let leader = members.leader();
    (0..5).for_each(|number| put(&members, leader, number));
    for at in 0..3 {
        let (leader, term) = at_rest(&members);
        status_is_etcds(&members, at, leader, term);
        headers_are_whole(&members, at, term);
    }
    let (leader, term) = at_rest(&members);
    let follower = (leader + 1) % 3;
    members.kill(follower);
    (0..20).for_each(|number| put(&members, leader, number));
    let lag = Page::of(&members, leader).lag();
    assert!(lag[&(follower + 1)] >= 20.0, "a member that is gone is behind: {lag:?}");
    soon("the other one keeps up", || Page::of(&members, leader).lag()[&((leader + 2) % 3 + 1)] < 1.0);
    let seen = Page::of(&members, leader).get("leader_changes_seen_total");
    members.kill((leader + 2) % 3);
    soon("a leader without a majority has none", || Page::of(&members, leader).get("has_leader") < 1.0);
    let status = post(&members, leader, "/v3/maintenance/status", "{}");
    assert_eq!((&status["leader"], &status["errors"]), (&Value::Null, &json!(["etcdserver: no leader"])));
    for at in [follower, (leader + 2) % 3] {
        members.start(at);
    }
    let (_, later) = at_rest(&members);
    assert!(later >= term);
    soon("a leader of a later term is another", || (Page::of(&members, leader).get("leader_changes_seen_total") > seen) == (later > term));
}

/// Waits until one member leads the others, and all have carried out the same and say of themselves what they are. Returns which leads, and
/// in which term.
fn at_rest(members: &Members) -> (usize, u64) {
    let mut found = None;
    soon("all agree", || {
        let pages: Vec<Page> = (0..3).map(|at| Page::of(members, at)).collect();
        let leading: Vec<usize> = (0..3).filter(|at| pages[*at].get("is_leader") > 0.0).collect();
        found = leading.first().map(|at| (*at, pages[*at].get("raft_term") as u64));
        leading.len() == 1 && pages.iter().enumerate().all(|(at, page)| is_at_rest(page, at, &pages[leading[0]], leading[0]))
    });
    found.unwrap()
}

fn is_at_rest(page: &Page, at: usize, leads: &Page, leader: usize) -> bool {
    let same = ["raft_term", "raft_last_log_index", "proposals_committed_total", "proposals_applied_total", "revision"];
    let behind: BTreeSet<usize> = page.lag().into_keys().collect();
    let others: BTreeSet<usize> = (1..=3).filter(|id| at == leader && *id != at + 1).collect();
    same.iter().all(|name| page.get(name).to_bits() == leads.get(name).to_bits())
        && page.get("proposals_applied_total").to_bits() == page.get("raft_last_log_index").to_bits()
        && (page.get("has_leader"), page.get("is_learner")) == (1.0, 0.0)
        && (page.get("raft_voters"), page.get("raft_learners"), page.get("raft_members_changing")) == (3.0, 0.0, 0.0)
        && page.get("leader_changes_seen_total") >= 1.0
        && behind == others
        && page.lag().into_values().all(|lag| lag == 0.0)
}

fn status_is_etcds(members: &Members, at: usize, leader: usize, term: u64) {
    let status = post(members, at, "/v3/maintenance/status", "{}");
    let page = Page::of(members, at);
    let index = json!(page.get("proposals_applied_total").to_string());
    assert_eq!((&status["leader"], &status["raftTerm"]), (&json!((leader + 1).to_string()), &json!(term.to_string())));
    assert_eq!((&status["raftIndex"], &status["raftAppliedIndex"]), (&index, &index));
    assert_eq!((&status["isLearner"], &status["errors"]), (&Value::Null, &Value::Null), "what holds its default is left out");
    assert!(status["dbSize"].as_str().unwrap().parse::<u64>().unwrap() > 0, "{status}");
    assert!(status["version"].is_string());
}

/// Every answer of the gateway says who gives it, in which term, and where the store is.
fn headers_are_whole(members: &Members, at: usize, term: u64) {
    let granted = post(members, at, "/v3/lease/grant", r#"{"TTL": "60"}"#);
    let id = granted["ID"].as_str().unwrap().to_owned();
    let put = post(members, at, "/v3/kv/put", r#"{"key": "Zm9v", "value": "YmFy"}"#);
    let revision: u64 = put["header"]["revision"].as_str().unwrap().parse().unwrap();
    let compacted = post(members, at, "/v3/kv/compaction", &format!(r#"{{"revision": "{}"}}"#, revision - 1));
    assert_eq!(compacted["header"]["revision"], json!(revision.to_string()), "where the store is, not what was compacted");
    let mut answers = vec![granted, put, compacted];
    let lease = format!(r#"{{"ID": "{id}"}}"#);
    for (path, body) in [
        ("/v3/kv/range", r#"{"key": "Zm9v"}"#),
        ("/v3/kv/txn", r#"{"success": [{"requestPut": {"key": "Zm9v", "value": "YmFy"}}]}"#),
        ("/v3/kv/deleterange", r#"{"key": "Zm9v"}"#),
        ("/v3/lease/timetolive", &lease),
        ("/v3/lease/keepalive", &lease),
        ("/v3/lease/revoke", &lease),
        ("/v3/cluster/member/list", "{}"),
        ("/v3/maintenance/status", "{}"),
        ("/v3/watch", r#"{"create_request": {"key": "Zm9v", "start_revision": "1"}}"#),
    ] {
        answers.push(post(members, at, path, body));
    }
    for answer in answers {
        let header = if answer["result"].is_null() { &answer["header"] } else { &answer["result"]["header"] };
        let [cluster, member, in_term] = ["cluster_id", "member_id", "raft_term"].map(|field| header[field].as_str().unwrap_or("none"));
        assert_eq!((cluster, member, in_term), ("1", &*(at + 1).to_string(), &*term.to_string()), "{answer}");
        assert!(header["revision"].as_str().unwrap().parse::<u64>().unwrap() >= revision - 1, "{answer}");
    }
}

fn put(members: &Members, at: usize, number: u32) {
    assert!(post(members, at, "/v3/kv/put", r#"{"key": "Zm9v", "value": "YmFy"}"#)["header"].is_object(), "put {number}");
}

fn post(members: &Members, at: usize, path: &str, body: &str) -> Value {
    let text = ask(members, at, "POST", path, body);
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"))
}

/// What a member answers; of an answer that goes on, the first line.
fn ask(members: &Members, at: usize, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(members.urls()[at].trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    if path == "/v3/watch" { body.lines().nth(1).unwrap().to_owned() } else { body.to_owned() }
}
