//! `storm`: a server under far more than it can answer, amid clients that go away and bodies that are no requests.

pub(crate) mod args;
mod ask;
mod capacity;
mod report;
mod request;
mod tally;
mod watch;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use self::args::StormArgs;
use self::ask::{Record, ask};
use self::capacity::capacity;
use self::request::Requests;
use self::tally::Tally;
use crate::bench::arrivals::Arrivals;
use crate::bench::stop;
use crate::client::Client;

pub(crate) fn run(args: &StormArgs) -> Result<()> {
    args.check()?;
    let stop = stop()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let tally = runtime.block_on(measure(args, &stop))?;
    println!("{}", if args.json { serde_json::to_string_pretty(&tally)? } else { report::text(args, &tally)? });
    let broken = tally.broken();
    ensure!(broken.is_empty(), "the server does not keep to its bounds: {}", broken.join("; "));
    Ok(())
}

async fn measure(args: &StormArgs, stop: &AtomicBool) -> Result<Tally> {
    if let Some(pid) = args.pid {
        watch::memory(pid)?;
    }
    let client = Arc::new(Client::connect(&args.url).await?);
    let seed = args.lengths.seed_of_server();
    let capacity = match args.capacity {
        Some(capacity) => capacity,
        None => capacity(args, &client, seed, stop).await?,
    };
    let begin = Instant::now();
    let mut samples = vec![watch::settle(&client, args.pid, begin).await];
    let begin = Instant::now();
    let looks = Arc::new(Mutex::new(Vec::new()));
    let every = Duration::from_secs_f64((args.seconds as f64 / 20.0).max(1.0));
    let watching = tokio::spawn(watch::watch(Arc::clone(&client), args.pid, begin, every, Arc::clone(&looks)));
    let requests = Requests::new(args, &client, seed.wrapping_add(1));
    let arrivals = Arrivals::new(capacity * args.times, 1.0, seed);
    let records = storm(&client, requests, arrivals.take_while(|at| at.as_secs() < args.seconds), begin, stop).await?;
    watching.abort();
    samples.extend(looks.lock().map(|looks| looks.clone()).unwrap_or_default());
    samples.push(watch::settle(&client, args.pid, begin).await);
    Ok(Tally::of(args, capacity, begin, &records, samples))
}

/// Lets requests come, whether or not others are answered, and reads all of them to their end.
async fn storm(
    client: &Arc<Client>,
    mut requests: Requests,
    arrivals: impl Iterator<Item = Duration>,
    begin: Instant,
    stop: &AtomicBool,
) -> Result<Vec<Record>> {
    let mut open = JoinSet::new();
    let mut records = Vec::new();
    for at in arrivals {
        let (due, request) = (begin + at, requests.draw()?);
        sleep_until(due.into()).await;
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let client = Arc::clone(client);
        open.spawn(async move { ask(&client, request, due).await });
        while let Some(record) = open.try_join_next() {
            records.push(record?);
        }
    }
    while !open.is_empty() && !stop.load(Ordering::Relaxed) {
        if let Ok(Some(record)) = timeout(Duration::from_millis(50), open.join_next()).await {
            records.push(record.context("a request cannot be followed")?);
        }
    }
    Ok(records)
}
