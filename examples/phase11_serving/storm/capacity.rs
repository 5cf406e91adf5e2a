//! What a server answers when it is never idle.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use super::args::StormArgs;
use super::ask::{Ending, Record, ask};
use super::request::{Kind, Patience, Request};
use crate::bench::load::Prompts;
use crate::client::Client;

/// How long requests are sent before those that end are counted, and then how long they are.
const WARM_UP: Duration = Duration::from_secs(5);
const WINDOW: Duration = Duration::from_secs(10);

/// Answers a second while as many requests as may wait are open all the time: where one ends, the next is sent.
pub(super) async fn capacity(args: &StormArgs, client: &Arc<Client>, seed: u64, stop: &AtomicBool) -> Result<f64> {
    let prompts = Arc::new(Mutex::new(Prompts::new(args.lengths, seed, args.vocab_size)));
    let begin = Instant::now();
    let mut open = JoinSet::new();
    for _ in 0..args.max_waiting {
        open.spawn(ask_on(Arc::clone(client), Arc::clone(&prompts), begin + WARM_UP + WINDOW));
    }
    let mut records = Vec::new();
    while let Some(answered) = open.join_next().await {
        records.extend(answered??);
        ensure!(!stop.load(Ordering::Relaxed), "the measurement was stopped");
    }
    let window = begin + WARM_UP..begin + WARM_UP + WINDOW;
    let answers = records.iter().filter(|record| record.ending == Ending::Done && window.contains(&record.ended)).count();
    let why = || records.iter().find(|record| !record.why.is_empty()).map_or("they take too long", |record| record.why.as_str());
    ensure!(answers > 0, "the server answers none of {} requests in {WINDOW:?}: {}", records.len(), why());
    Ok(answers as f64 / WINDOW.as_secs_f64())
}

/// Sends one good request after the other up to `end`.
async fn ask_on(client: Arc<Client>, prompts: Arc<Mutex<Prompts>>, end: Instant) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    while Instant::now() < end {
        let (prompt, output) =
            prompts.lock().ok().and_then(|mut prompts| prompts.next()).expect("prompts never end, and drawing one never fails");
        let body = Arc::new(client.completion(&prompt, output)?);
        let record = ask(&client, Request { kind: Kind::Good, body, patience: Patience::Stays }, Instant::now()).await;
        if record.ending != Ending::Done {
            // Whatever it is that refuses is not asked again at once.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        records.push(record);
    }
    Ok(records)
}
