//! A dashboard of made-up runs, one of which goes on while one looks: it waits for an approval, then fails, reflects and passes.
//!
//! ```text
//! cargo run -p jarre-agent --features server --example dashboard -- 8700 [SECRET]
//! ```
//!
//! With `--export FILE` it writes a run as one HTML file instead, and serves nothing.

#![expect(clippy::print_stdout, reason = "a program reads its arguments and tells where it listens")]
#![expect(clippy::unwrap_used, reason = "the records are made by the samples of the tests")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jarre_agent::serve::{Dashboard, DashboardConfig, MemoryRuns, Runs, Secret};
use jarre_agent::view::{HtmlOptions, Story, html};
use jarre_agent::{Error, Event, Record, Result};
use jarre_core::{Clock, SystemClock};

#[path = "../tests/view/sample.rs"]
mod sample;

/// The run that goes on.
const LIVE: &str = "calendar-4";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next().unwrap_or_else(|| "8700".to_owned());
    let second = arguments.next();
    let now = SystemClock::new().timestamp();
    if first == "--export" {
        let story = Story::of(&sample::run("calendar-3", now));
        let path = second.ok_or_else(|| Error::Invalid("name the file after --export".to_owned()))?;
        return std::fs::write(&path, html(&story, &HtmlOptions::default()))
            .map_err(|source| Error::Io { doing: format!("write {path}"), source });
    }
    let port = first.parse().map_err(|_| Error::Invalid(format!("{first} is no port")))?;
    let secret = second.map_or_else(Secret::random, Secret::new)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|source| Error::Io { doing: "start threads".to_owned(), source })?.block_on(serve(port, secret))
}

async fn serve(port: u16, secret: Secret) -> Result<()> {
    let runs = MemoryRuns::new();
    let clock = SystemClock::new();
    for (name, minutes) in [("calendar-1", 190), ("calendar-2", 44), ("calendar-3", 7)] {
        let start = clock.timestamp().saturating_sub(Duration::from_secs(minutes * 60));
        for record in sample::run(name, start) {
            runs.push(name, record);
        }
    }
    tokio::spawn(live(runs.clone(), clock));
    let config = DashboardConfig::default().with_address(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).with_approver("ada");
    let dashboard = Dashboard::new(Arc::new(runs), secret, Arc::new(clock), config);
    let listener = dashboard.bind().await?;
    let address = listener.local_addr().map_err(|source| Error::Io { doing: "read the address".to_owned(), source })?;
    println!("{}", dashboard.sign_in_address(address));
    dashboard.serve(listener, std::future::pending()).await
}

/// Lets a run come to its question, and go on once that is answered.
async fn live(runs: MemoryRuns, clock: SystemClock) {
    let (mut log, _, _) = sample::until_approval(LIVE, clock.timestamp());
    for record in &log.records {
        runs.push(LIVE, record.clone());
    }
    let asked = log.records.len() as u64;
    let mut answers = runs.follow(LIVE, asked).await.unwrap();
    while let Some(Ok(Record { event, .. })) = jarre_core::future::next(&mut answers).await {
        if matches!(event, Event::ApprovalAnswered { .. }) {
            log.push(Duration::from_secs(3), event);
            break;
        }
    }
    let known = log.records.len();
    sample::finish(&mut log);
    for record in &log.records[known..] {
        tokio::time::sleep(Duration::from_millis(150)).await;
        runs.push(LIVE, record.clone());
    }
}
