//! Readers that stop reading.

use std::net::SocketAddr;
use std::time::Duration;

use jarre_agent::serve::DashboardConfig;
use jarre_agent::{Event, Outcome, Purpose, Record};
use jarre_core::Usage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::client::Events;
use crate::sample::{Log, START};
use crate::site::{Site, bearer};
use crate::watched::Watched;

/// How long is waited for what has to come.
const PATIENCE: Duration = Duration::from_mins(1);
/// Shorter than the time that a dashboard gives a reader by itself: what is over within it was ended by the limit of the test.
const SOON: Duration = Duration::from_secs(25);
/// The limit where nobody else reads.
const LIMIT: Duration = Duration::from_millis(200);
/// The limit where somebody else reads, on a machine that may be busy.
const LONG_LIMIT: Duration = Duration::from_secs(4);
/// Records that an event tells of at most.
const RECORDS_OF_AN_EVENT: usize = 256;
/// Events that the whole of [`long_run`] makes at least: far more than sockets and a reader's queue hold.
const EVENTS: usize = 12;
/// Events that are drawn for a reader that takes none: two in its queue, one that waits for a place there, and what the connection has begun
/// to write, which is one, and a second where the sockets took the most of it.
const AHEAD: usize = 5;

/// A run whose events are some 600 KB each.
fn long_run(name: &str) -> Vec<Record> {
    let mut log = Log::new(name, START);
    log.start("Write much", "as much as there is");
    let text = "a line of what the model says\n".repeat(160);
    for _ in 0..EVENTS * RECORDS_OF_AN_EVENT / 2 {
        log.model(Purpose::Act, &text, Vec::new(), Usage::new(1, 1));
    }
    log.push(Duration::ZERO, Event::Finished { outcome: Outcome::Stuck { reason: "it is long enough".to_owned() } });
    log.records
}

/// A site with a long run, and small buffers in its sockets.
async fn site(config: DashboardConfig) -> (Site, Watched) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(64 << 10).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener: TcpListener = socket.listen(64).unwrap();
    let watched = Watched::default();
    let site = Site::start_over(watched.clone(), watched.runs.clone(), Some(listener), config).await;
    site.push("long", &long_run("long"));
    (site, watched)
}

/// Asks for `path`, and reads nothing of the answer but its first byte.
async fn stuck(address: SocketAddr, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{}\r\n", bearer());
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0]).await.unwrap();
    stream
}

/// What still comes on a connection that was cut off.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection may also be reset.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_following_is_cut_off_and_nothing_is_heaped_up_for_them() {
    let (site, watched) = site(DashboardConfig::default().with_write_timeout(LONG_LIMIT).with_max_followers(2)).await;
    let slow = stuck(site.address, "/runs/long/events").await;
    let mut others = Events::open(site.address, "/runs/long/events", &bearer()).await;
    let all = async { while others.next().await.unwrap().name != "end" {} };
    timeout(PATIENCE, all).await.unwrap();

    let mut follower = watched.follower(0);
    timeout(PATIENCE, follower.left()).await.unwrap();
    assert!(follower.taken() <= AHEAD * RECORDS_OF_AN_EVENT, "{} records were read for a reader that takes nothing", follower.taken());
    assert!(watched.follower(1).taken() > EVENTS * RECORDS_OF_AN_EVENT, "the other was told all");
    let got = rest(slow).await;
    assert!(!got.contains("event: end") && !got.ends_with("0\r\n\r\n"), "an answer that was cut off does not look whole");

    // Both seats come back.
    site.with_question("short");
    let mut both = Vec::new();
    for _ in 0..2 {
        timeout(PATIENCE, site.seat()).await.unwrap();
        both.push(Events::open(site.address, "/runs/short/events", &bearer()).await);
    }
}

#[tokio::test]
async fn a_page_that_nobody_takes_gives_its_connection_back() {
    let mut config = DashboardConfig::default().with_write_timeout(LIMIT);
    config.max_connections = 1;
    let (site, _) = site(config).await;
    let slow = stuck(site.address, "/runs/long").await;
    let next = timeout(SOON, site.get("/health", "")).await.unwrap();
    assert_eq!((next.status, next.body.as_str()), (200, "ok"), "it waited for the only connection");
    assert!(!rest(slow).await.contains("</html>"), "the page was cut off");
}

#[tokio::test]
async fn who_stops_reading_does_not_keep_the_dashboard_from_stopping() {
    let (site, _) = site(DashboardConfig::default().with_drain_timeout(LIMIT)).await;
    let page = stuck(site.address, "/runs/long").await;
    let events = stuck(site.address, "/runs/long/events").await;
    timeout(PATIENCE, site.stop()).await.unwrap().unwrap();
    for stream in [page, events] {
        let got = rest(stream).await;
        assert!(!got.contains("</html>") && !got.contains("event: end"));
    }
}
