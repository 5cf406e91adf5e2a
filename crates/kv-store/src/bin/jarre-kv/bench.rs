use std::{
    io::{IsTerminal, Write},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use jarre_core::{Clock, SystemClock};
use jarre_kv_store::load::{Load, LoadReport, Work};
use serde_json::json;

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
    let work = Work::Mixed { keys: args.keys, reads: args.reads };
    for clients in &args.clients {
        let load = Load::new(work).with_prefix("bench/").with_value(args.size).with_clients(*clients);
        let load = load.with_warm_up(WARM_UP).with_duration(args.duration);
        let clock = Arc::new(SystemClock::new());
        let progress = tokio::spawn(tell(clock.now() + WARM_UP + args.duration, Arc::clone(&clock)));
        let report = load.run(Arc::clone(&store), clock, |client| drop(tokio::spawn(client))).await;
        progress.abort();
        print(cli, args, &report?)?;
    }
    Ok(true)
}

/// Tells how far it is, where somebody looks.
async fn tell(end: Duration, clock: Arc<SystemClock>) {
    let mut out = std::io::stderr();
    while out.is_terminal() {
        tokio::time::sleep(Duration::from_millis(500)).await;
        // Whether it is seen does not matter.
        let _ = write!(out, "\r{:.1} s left \r", end.saturating_sub(clock.now()).as_secs_f32());
    }
}

fn print(cli: &Cli, args: &BenchArgs, report: &LoadReport) -> Result<()> {
    let LoadReport { load, per_second, p50, p90, p99, max, errors, .. } = report;
    let errors: u64 = errors.values().sum();
    if cli.json {
        let micros = |time: &Duration| time.as_micros();
        show::line(&json!({
            "clients": load.clients, "size": args.size, "reads_percent": args.reads, "requests_per_second": per_second, "errors": errors,
            "p50_us": micros(p50), "p90_us": micros(p90), "p99_us": micros(p99), "max_us": micros(max),
        }))?;
        return Ok(());
    }
    println!("{:7} {per_second:13.0} {p50:>10.1?} {p90:>10.1?} {p99:>10.1?} {max:>10.1?} {errors:11}", load.clients);
    Ok(())
}
