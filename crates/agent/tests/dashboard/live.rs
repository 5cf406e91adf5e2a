use std::time::Duration;

use jarre_agent::Decision;
use jarre_agent::serve::DashboardConfig;
use serde_json::Value;
use tokio::time::timeout;

use crate::client::{Event, Events};
use crate::sample::{self, START};
use crate::site::{Site, bearer};

const PATIENCE: Duration = Duration::from_secs(20);

/// The ids of the parts that an event puts in place, with their HTML.
fn parts(event: &Event) -> Vec<(String, String)> {
    let data: Vec<Value> = serde_json::from_str(&event.data).unwrap();
    data.iter().map(|part| (part[0].as_str().unwrap().to_owned(), part[1].as_str().unwrap().to_owned())).collect()
}

fn ids(event: &Event) -> Vec<String> {
    parts(event).into_iter().map(|(id, _)| id).collect()
}

#[tokio::test]
async fn a_page_hears_of_what_happens_until_the_run_is_over() {
    let site = Site::start(DashboardConfig::default()).await;
    let (mut log, token) = site.with_question("r1");
    let page = site.get("/runs/r1", &bearer()).await.body;
    let next = log.records.len();
    assert!(page.contains(&format!("data-next=\"{next}\"")) && page.contains("EventSource"));
    let mut events = Events::open(site.address, &format!("/runs/r1/events?from={next}"), &bearer()).await;
    log.answer(Duration::from_secs(1), token, Decision::Approved);
    site.push("r1", &log.records[next..]);
    let event = timeout(PATIENCE, events.next_named("parts")).await.unwrap();
    assert_eq!((event.id.as_str(), ids(&event)), (next.to_string().as_str(), vec!["part-status".to_owned(), "step-3".to_owned()]));
    let before = log.records.len();
    sample::finish(&mut log);
    site.push("r1", &log.records[before..]);
    let mut seen = Vec::new();
    let mut last = String::new();
    loop {
        let event = timeout(PATIENCE, events.next()).await.unwrap().unwrap();
        match event.name.as_str() {
            "parts" => {
                seen.extend(ids(&event));
                last = event.id;
            }
            "end" => break,
            _ => {}
        }
    }
    assert_eq!(last, (log.records.len() - 1).to_string());
    for id in ["part-status", "part-plan", "part-failures", "part-charts", "step-4", "step-9"] {
        assert!(seen.iter().any(|seen| seen == id), "{id} in {seen:?}");
    }
    assert!(!seen.iter().any(|id| id == "step-1"), "what did not change is not sent");
    assert_eq!(timeout(PATIENCE, events.next()).await.unwrap(), None, "the stream ends with the run");
}

#[tokio::test]
async fn who_comes_back_goes_on_where_they_were() {
    let site = Site::start(DashboardConfig::default()).await;
    site.push("r1", &sample::run("r1", START));
    let of = async |headers: &str, path: &str| {
        let mut events = Events::open(site.address, path, &format!("{}{headers}", bearer())).await;
        let mut all = Vec::new();
        while let Some(event) = timeout(PATIENCE, events.next()).await.unwrap() {
            all.push(event);
        }
        all.into_iter().filter(|event| event.name == "parts").flat_map(|event| ids(&event)).collect::<Vec<_>>()
    };
    let whole = of("", "/runs/r1/events").await;
    assert_eq!(whole.iter().filter(|id| id.starts_with("step-")).count(), 9);
    // The browser's own word counts for more than the address that the page opened.
    let last = sample::run("r1", START).len() - 3;
    let rest = of(&format!("Last-Event-ID: {last}\r\n"), "/runs/r1/events?from=1").await;
    assert_eq!(rest, ["part-status", "step-9"]);
    assert!(of("Last-Event-ID: 18446744073709551615\r\n", "/runs/r1/events").await.is_empty(), "beyond the end");
}

#[tokio::test]
async fn silence_is_broken_and_what_is_sent_fits_the_page() {
    let site = Site::start(DashboardConfig::default().with_keep_alive(Duration::from_millis(50))).await;
    let hostile = "</li><script>alert(1)</script>\r\n\r\ndata: x\u{2028}";
    site.push("r1", &sample::hostile(hostile));
    let mut events = Events::open(site.address, "/runs/r1/events", &bearer()).await;
    let event = timeout(PATIENCE, events.next_named("parts")).await.unwrap();
    assert!(parts(&event).iter().all(|(_, html)| !html.contains("<script") && !html.contains('\u{2028}')));
    timeout(PATIENCE, events.next_named("comment")).await.unwrap();
}

#[tokio::test]
async fn only_who_may_answer_is_sent_forms() {
    let site = Site::start(DashboardConfig::default()).await;
    let (_, token) = site.with_question("r1");
    let cookie = site.sign_in().await;
    let page = site.get("/runs/r1", &cookie).await;
    let mut events = Events::open(site.address, "/runs/r1/events", &cookie).await;
    let event = timeout(PATIENCE, events.next_named("parts")).await.unwrap();
    let status = parts(&event).remove(0).1;
    assert!(status.contains(token.as_str()) && status.contains(&page.csrf()), "the form is that of this session");
    let mut events = Events::open(site.address, "/runs/r1/events", &bearer()).await;
    let event = timeout(PATIENCE, events.next_named("parts")).await.unwrap();
    assert!(!parts(&event).remove(0).1.contains("<form"));
}

#[tokio::test]
async fn many_follow_and_one_too_many_is_told() {
    let site = Site::start(DashboardConfig::default().with_max_followers(64)).await;
    let (mut log, token) = site.with_question("r1");
    let next = log.records.len();
    let mut all = Vec::new();
    for _ in 0..64 {
        all.push(Events::open(site.address, &format!("/runs/r1/events?from={next}"), &bearer()).await);
    }
    assert_eq!(site.get("/runs/r1/events", &bearer()).await.status, 503);
    log.answer(Duration::ZERO, token, Decision::Approved);
    site.push("r1", &log.records[next..]);
    for events in &mut all {
        let event = timeout(PATIENCE, events.next_named("parts")).await.unwrap();
        assert_eq!(event.id, next.to_string());
    }
    drop(all);
    timeout(PATIENCE, site.seat()).await.unwrap();
}

#[tokio::test]
async fn it_stops_when_asked_though_pages_follow() {
    let site = Site::start(DashboardConfig::default()).await;
    site.with_question("r1");
    let mut events = Events::open(site.address, "/runs/r1/events", &bearer()).await;
    timeout(PATIENCE, events.next_named("parts")).await.unwrap();
    let address = site.address;
    site.stop().await.unwrap();
    assert_eq!(timeout(PATIENCE, events.next()).await.unwrap(), None);
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
