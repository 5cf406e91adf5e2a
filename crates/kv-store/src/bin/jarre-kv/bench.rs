use std::{
    io::{IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::Result;
use jarre_kv_store::Store;
use serde_json::json;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    args::{BenchArgs, Cli},
    show, target,
};

/// How long clients ask before anything is counted.
const WARM_UP: Duration = Duration::from_millis(500);

pub async fn run(cli: &Cli, args: &BenchArgs) -> Result<bool> {
    let store = target::store(cli)?;
    if !cli.json {
        println!("clients    requests/s      p50        p90        p99        max      errors");
    }
    for clients in &args.clients {
        let measured = measure(&store, args, *clients).await;
        measured.print(cli, args, *clients)?;
    }
    Ok(true)
}

/// What clients saw.
struct Measured {
    times: Vec<Duration>,
    errors: u64,
    took: Duration,
}

async fn measure(store: &Arc<dyn Store>, args: &BenchArgs, clients: usize) -> Measured {
    let start = Instant::now() + WARM_UP;
    let end = start + args.duration;
    let (errors, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let (store, errors, done) = (Arc::clone(store), Arc::clone(&errors), Arc::clone(&done));
        let (keys, reads, value) = (args.keys.max(1), args.reads, vec![b'v'; args.size]);
        tasks.spawn(async move {
            let mut times = Vec::new();
            // A generator of small quality, so that clients do not walk in step.
            let mut dice = (client as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            loop {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let key = format!("bench/{:08}", (dice >> 33) as usize % keys);
                let began = Instant::now();
                if began >= end {
                    return times;
                }
                let result = if dice >> 40 & 0xff_ffff >= u64::from(reads) * 0x100_0000 / 100 {
                    store.put(key.as_bytes(), &value).await.map(drop)
                } else {
                    store.get(key.as_bytes()).await.map(drop)
                };
                match result {
                    Ok(()) if began >= start => times.push(began.elapsed()),
                    Ok(()) => {}
                    Err(_) => drop(errors.fetch_add(1, Relaxed)),
                }
                done.fetch_add(1, Relaxed);
            }
        });
    }
    let progress = tokio::spawn(tell(end, Arc::clone(&done)));
    let mut times: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    progress.abort();
    times.sort_unstable();
    Measured { times, errors: errors.load(Relaxed), took: args.duration }
}

/// Tells how far it is, where somebody looks.
async fn tell(end: Instant, done: Arc<AtomicU64>) {
    let mut out = std::io::stderr();
    while out.is_terminal() {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let left = end.saturating_duration_since(Instant::now()).as_secs_f32();
        // Whether it is seen does not matter.
        let _ = write!(out, "\r{} requests, {left:.1} s left \r", done.load(Relaxed));
    }
}

impl Measured {
    fn print(&self, cli: &Cli, args: &BenchArgs, clients: usize) -> Result<()> {
        let rate = self.times.len() as f64 / self.took.as_secs_f64();
        let at = |part: usize| self.times.get(self.times.len().saturating_sub(1) * part / 1000).copied().unwrap_or_default();
        let [p50, p90, p99, max] = [500, 900, 990, 1000].map(at);
        if cli.json {
            let micros = |time: Duration| time.as_micros();
            show::line(&json!({
                "clients": clients, "size": args.size, "reads_percent": args.reads, "requests_per_second": rate, "errors": self.errors,
                "p50_us": micros(p50), "p90_us": micros(p90), "p99_us": micros(p99), "max_us": micros(max),
            }))?;
            return Ok(());
        }
        println!("{clients:7} {rate:13.0} {p50:>10.1?} {p90:>10.1?} {p99:>10.1?} {max:>10.1?} {:11}", self.errors);
        Ok(())
    }
}
