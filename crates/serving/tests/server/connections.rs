use std::net::SocketAddr;
use std::time::Duration;

use jarre_serving::server::{ServeError, ServerConfig};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::harness::{config, options, server};

/// What a test waits for at most.
const LONG: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

async fn start(config: ServerConfig) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(server(&options(), config).serve(listener, async move { stopped.await.unwrap_or_default() }));
    Running { address, stop, served }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        timeout(LONG, self.served).await.expect("it stops").unwrap().unwrap();
    }
}

fn head(length: usize) -> String {
    format!("POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n")
}

/// All that comes until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    timeout(LONG, stream.read_to_end(&mut bytes)).await.expect("the server closes").unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer with a stated length, of a connection that stays open.
async fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4096];
        let read = timeout(LONG, stream.read(&mut bytes)).await.expect("an answer comes").unwrap();
        assert!(read > 0, "closed after {text}");
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned)).unwrap();
        if body.len() >= length.parse().unwrap() {
            return text;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_ten_megabytes_reads_why_they_are_too_many() {
    let running = start(config()).await;
    let body = vec![b'x'; 10 << 20];
    for length in [Some(body.len()), None] {
        let mut stream = running.connect().await;
        let head = length.map_or_else(|| head(0).replace("content-length: 0", "transfer-encoding: chunked"), head);
        stream.write_all(head.as_bytes()).await.unwrap();
        for chunk in body.chunks(1 << 16) {
            if length.is_none() {
                stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await.expect("what is written is taken");
            }
            stream.write_all(chunk).await.expect("what is written is taken");
            if length.is_none() {
                stream.write_all(b"\r\n").await.expect("what is written is taken");
            }
        }
        stream.shutdown().await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.to_lowercase().contains("connection: close"), "{answer}");
        assert!(answer.contains("\"error\"") && answer.ends_with('}'), "{answer}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_on_writing_is_not_read_for_ever() {
    let mut impatient = config();
    impatient.linger_timeout = Duration::from_millis(200);
    let running = start(impatient).await;
    let mut stream = running.connect().await;
    stream.write_all(head(1 << 30).as_bytes()).await.unwrap();
    let writing = async {
        while stream.write_all(&[0; 1024]).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, writing).await.expect("the server closes at last");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_heads_and_idle_connections_are_closed_and_working_ones_are_not() {
    let mut impatient = config();
    impatient.header_timeout = Duration::from_millis(300);
    let running = start(impatient).await;
    let mut slow = running.connect().await;
    let drip = async {
        let mut sent = 0;
        for byte in head(2).bytes().cycle() {
            if slow.write_all(&[if byte == b'\n' { b'x' } else { byte }]).await.is_err() || sent > 2_000 {
                break;
            }
            sent += 1;
            sleep(Duration::from_millis(10)).await;
        }
        sent
    };
    assert!(timeout(LONG, drip).await.unwrap() < 1_000, "a byte now and then keeps nothing open");
    let mut silent = running.connect().await;
    assert_eq!(rest(&mut silent).await, "");

    // An answer may take as long as it does.
    let mut working = running.connect().await;
    let body = json!({"model": "jarre-tiny", "prompt": "fn", "max_tokens": 490, "n": 16, "ignore_eos": true}).to_string();
    working.write_all((head(body.len()) + &body).as_bytes()).await.unwrap();
    assert!(answer(&mut working).await.starts_with("HTTP/1.1 200"));
    working.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(answer(&mut working).await.contains("ok"), "connections are used again");
    assert_eq!(rest(&mut working).await, "", "until they are idle");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_limit_are_told_and_find_room_later() {
    let mut narrow = config();
    narrow.max_connections = 2;
    let running = start(narrow).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = running.connect().await;
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        answer(&mut stream).await;
        held.push(stream);
    }
    for _ in 0..3 {
        let mut refused = running.connect().await;
        // One that writes much meanwhile gets to read it all the same.
        refused.write_all((head(1 << 20) + &"x".repeat(1 << 20)).as_bytes()).await.unwrap();
        let answer = answer(&mut refused).await;
        assert!(
            answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1") && answer.contains("too_many_connections"),
            "{answer}"
        );
    }
    held[0].write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(answer(&mut held[0]).await.contains("jarre:connections_refused_total 3"));
    held.pop();
    let found = async {
        loop {
            let mut stream = running.connect().await;
            stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            if answer(&mut stream).await.starts_with("HTTP/1.1 200") {
                return;
            }
        }
    };
    timeout(LONG, found).await.expect("there is room again");
    drop(held);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_do_not_hold_up_a_server_that_stops() {
    let running = start(config()).await;
    let mut idle = running.connect().await;
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    answer(&mut idle).await;
    let fresh = running.connect().await;
    sleep(Duration::from_millis(50)).await;
    running.stop.send(()).unwrap();
    timeout(Duration::from_secs(4), running.served).await.expect("it waits for nobody").unwrap().unwrap();
    drop((idle, fresh));
}
