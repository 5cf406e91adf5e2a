//! A server under load, seen from outside.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, sleep_until, timeout};

use super::Target;
use super::load::{Planned, Room};
use super::measured::{Counts, Measured, Seen};
use crate::client::{Client, Event, Reply};

/// How often a stop is looked for.
const GLANCE: Duration = Duration::from_millis(50);
/// How often the server is asked how full its cache is.
const SAMPLE: Duration = Duration::from_millis(500);

pub(super) struct Remote {
    runtime: Runtime,
    client: Arc<Client>,
    room: Room,
}

impl Remote {
    pub(super) fn connect(url: &str, vocab_size: usize, max_len: Option<usize>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let client = runtime.block_on(Client::connect(url))?;
        let max_len = max_len.or(client.max_len()).unwrap_or(usize::MAX);
        Ok(Self { runtime, client: Arc::new(client), room: Room { vocab_size, max_len } })
    }
}

impl Target for Remote {
    fn room(&self) -> Room {
        self.room
    }

    fn drive(&mut self, plan: Vec<Planned>, stop: &AtomicBool, bar: &ProgressBar) -> Result<Measured> {
        self.runtime.block_on(drive(&self.client, plan, stop, bar))
    }
}

/// What became of a request.
pub(crate) enum Outcome {
    Answered(Seen),
    /// The server had no room; so long after it was sent.
    Refused(Duration),
    Failed(String),
}

/// Sends what is planned, each at its time, and reads all answers to their end.
pub(crate) async fn drive(client: &Arc<Client>, plan: Vec<Planned>, stop: &AtomicBool, bar: &ProgressBar) -> Result<Measured> {
    let bodies = plan.iter().map(|planned| client.completion(&planned.prompt, planned.output)).collect::<Result<Vec<_>>>()?;
    let gauge = Gauge::start(client).await;
    let begin = Instant::now();
    let mut open = JoinSet::new();
    let mut measured = Measured::default();
    for (planned, body) in plan.into_iter().zip(bodies) {
        let due = begin.checked_add(planned.at).context("a request would come after the end of time")?;
        while !stop.load(Ordering::Relaxed) && Instant::now() < due {
            sleep_until(due.min(Instant::now() + GLANCE).into()).await;
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let client = Arc::clone(client);
        open.spawn(async move { ask(&client, body, planned.prompt.len(), due).await });
        while let Some(outcome) = open.try_join_next() {
            take(&mut measured, outcome?, bar);
        }
    }
    while !open.is_empty() && !stop.load(Ordering::Relaxed) {
        if let Ok(Some(outcome)) = timeout(GLANCE, open.join_next()).await {
            take(&mut measured, outcome?, bar);
        }
    }
    measured.duration = begin.elapsed();
    if let Some(gauge) = gauge {
        measured.counts = gauge.end(client).await;
    }
    Ok(measured)
}

/// Sends a request that is due, and reads its answer to the end. Times count from when it was due, those of refusals from when it was sent.
async fn ask(client: &Client, body: Vec<u8>, input: usize, due: Instant) -> Outcome {
    let sent = Instant::now();
    let mut events = match client.send(body).await {
        Ok(Reply::Stream(events)) => events,
        Ok(Reply::Refused(429, _)) => return Outcome::Refused(sent.elapsed()),
        Ok(Reply::Refused(status, body)) => return Outcome::Failed(format!("the server answers {status}: {body}")),
        Err(error) => return Outcome::Failed(format!("{:#}", anyhow::Error::from(error))),
    };
    let mut seen = Seen { input, ..Seen::default() };
    loop {
        match events.next().await {
            Event::Piece => {
                seen.pieces.push(due.elapsed());
                seen.output = seen.output.max(seen.pieces.len());
            }
            Event::Usage(input, output) => (seen.input, seen.output) = (input, output),
            Event::Done => return Outcome::Answered(Seen { done: true, ..seen }),
            Event::Error(why) | Event::Broken(why) => return Outcome::Failed(why),
        }
    }
}

fn take(measured: &mut Measured, outcome: Outcome, bar: &ProgressBar) {
    bar.inc(1);
    match outcome {
        Outcome::Answered(seen) => measured.requests.push(seen),
        Outcome::Refused(time) => {
            measured.refused += 1;
            measured.refusals.push(time);
        }
        Outcome::Failed(why) => measured.failures.push(why),
    }
}

/// What the server counts while it is loaded.
struct Gauge {
    before: Counts,
    peak: Arc<Mutex<f64>>,
    task: JoinHandle<()>,
}

impl Gauge {
    /// Begins to look; none where the server tells nothing.
    async fn start(client: &Arc<Client>) -> Option<Self> {
        let before = client.metrics().await.ok()?.counts()?;
        let peak = Arc::new(Mutex::new(before.peak_kv_usage));
        let (client, seen) = (Arc::clone(client), Arc::clone(&peak));
        let task = tokio::spawn(async move {
            loop {
                let usage = client.metrics().await.ok().and_then(|metrics| metrics.kv_usage()).unwrap_or_default();
                if let Ok(mut peak) = seen.lock() {
                    *peak = peak.max(usage);
                }
                sleep(SAMPLE).await;
            }
        });
        Some(Self { before, peak, task })
    }

    async fn end(self, client: &Client) -> Option<Counts> {
        self.task.abort();
        let peak_kv_usage = self.peak.lock().map(|peak| *peak).ok()?;
        let counts = client.metrics().await.ok()?.counts()?.since(self.before);
        Some(Counts { peak_kv_usage, ..counts })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// A server that answers `/v1/completions` with what `reply` makes of the body, and knows one model.
    fn serve(reply: fn(&str) -> String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || answer(stream.unwrap(), reply));
            }
        });
        url
    }

    fn answer(mut stream: TcpStream, reply: fn(&str) -> String) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
            head += &line;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let reply = match head.split(' ').nth(1).unwrap() {
            "/v1/models" => whole("200 OK", r#"{"data": [{"id": "m", "max_model_len": 99}]}"#),
            "/v1/completions" => reply(&String::from_utf8(body).unwrap()),
            _ => whole("404 Not Found", "{}"),
        };
        stream.write_all(reply.as_bytes()).unwrap();
    }

    fn whole(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    }

    /// The body is what comes until the connection ends.
    fn stream(events: &str) -> String {
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{events}")
    }

    const PIECE: &str = "data: {\"choices\": [{\"text\": \"a\"}]}\n\n";
    const USAGE: &str = "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 4, \"completion_tokens\": 7, \"total_tokens\": 11}}\n\n";

    fn planned(prompt: u32) -> Planned {
        Planned { at: Duration::from_millis(u64::from(prompt)), prompt: vec![prompt; 3], output: 7 }
    }

    fn measure(url: &str, plan: Vec<Planned>) -> (Remote, Measured) {
        let mut remote = Remote::connect(url, 10, None).unwrap();
        let measured = remote.drive(plan, &AtomicBool::new(false), &ProgressBar::hidden()).unwrap();
        (remote, measured)
    }

    #[test]
    fn answers_refusals_and_failures_are_told_apart() {
        let url = serve(|body| {
            assert!(body.contains("\"ignore_eos\":true") && body.contains("\"stream\":true"), "{body}");
            match body {
                _ if body.contains("[2,2,2]") => whole("429 Too Many Requests", "{}"),
                _ if body.contains("[3,3,3]") => stream(PIECE),
                _ if body.contains("[4,4,4]") => stream(&format!("{PIECE}data: {{\"error\": {{\"message\": \"too late\"}}}}\n\n")),
                _ if body.contains("[5,5,5]") => whole("500 Internal Server Error", "on fire"),
                _ => stream(&format!(": keep-alive\n\n{PIECE}{PIECE}{USAGE}data: [DONE]\n\n")),
            }
        });
        let (remote, mut measured) = measure(&url, (1..=6).map(planned).collect());
        assert_eq!((remote.room().vocab_size, remote.room().max_len), (10, 99));
        let shapes: Vec<_> = measured.requests.iter().map(|seen| (seen.input, seen.output, seen.pieces.len(), seen.done)).collect();
        assert_eq!(shapes, [(4, 7, 2, true), (4, 7, 2, true)]);
        assert_eq!((measured.refused, measured.refusals.len(), measured.counts), (1, 1, None));
        measured.failures.sort();
        let expected = ["the server answers 500: on fire", "the stream ended without [DONE]", "too late"];
        assert_eq!(measured.failures, expected);
    }

    #[test]
    fn servers_that_take_no_ids_are_sent_text() {
        let url = serve(|body| {
            let has_ids = body.contains("\"prompt\":[");
            if has_ids { whole("400 Bad Request", "{}") } else { stream(&format!("{PIECE}data: [DONE]\n\n")) }
        });
        let (_, measured) = measure(&url, vec![planned(1)]);
        assert_eq!(measured.failures, Vec::<String>::new());
        assert_eq!((measured.requests[0].input, measured.requests[0].output), (3, 1));
    }
}
