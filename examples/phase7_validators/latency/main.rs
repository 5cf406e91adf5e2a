//! What the proxy adds to an answer's time: a server that writes slowly is asked with the proxy and without it, turn by turn.
//!
//! `cargo run --release -p phase7_validators --features server --example phase7_latency -- --concurrency 50`

#[path = "../serve/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the arguments are read by the program alone")]
mod serve;
#[path = "../tests/proxy/upstream.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "it is a part of tests, which look at more of it")]
mod upstream;

mod load;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use jarre_core::SystemClock;
use jarre_eval::system::Latencies;
use jarre_guardrails::pipeline::Pipeline;
use jarre_providers::{Dialect, EndpointConfig};
use tokio::net::TcpListener;

use load::{Load, Times};
use serve::start::pipeline;
use serve::{App, ProxyConfig, Upstream};
use upstream::{Says, Upstream as Server};

/// Measures what the proxy adds.
#[derive(Debug, Parser)]
struct Args {
    /// Requests at a time.
    #[arg(long, default_value_t = 50)]
    concurrency: usize,
    /// Requests of each kind, with the proxy and without.
    #[arg(long, default_value_t = 2000)]
    requests: usize,
    /// Turns into which they are cut: in each, the server is asked with the proxy and without it.
    #[arg(long, default_value_t = 10)]
    turns: usize,
    /// Pieces of an answer.
    #[arg(long, default_value_t = 40)]
    pieces: usize,
    /// Milliseconds before each piece.
    #[arg(long, default_value_t = 5)]
    pause: u64,
    /// Bytes of the prompt, about.
    #[arg(long, default_value_t = 1000)]
    prompt: usize,
    /// The policies: a TOML file; the built-in one where it is not given.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Which of the file's policies holds.
    #[arg(long, default_value = "default")]
    policy_name: String,
    /// Guards nothing: what the proxy alone adds.
    #[arg(long, conflicts_with = "policy")]
    bare: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(&args))
}

async fn measure(args: &Args) -> Result<()> {
    let words = ["The ferry ", "leaves at ", "nine, and ", "the harbour ", "is a short ", "walk away; ", "nobody has ", "to hurry. "];
    let pieces: Vec<String> = words.iter().cycle().take(args.pieces).map(|&word| word.to_owned()).collect();
    let prompt = words.concat().repeat(args.prompt / words.concat().len() + 1);
    let server = Server::start(Says::Pieces(pieces, Duration::from_millis(args.pause))).await;
    let proxied = proxy(args, &server.url).await?;
    let client = reqwest::Client::builder().pool_max_idle_per_host(args.concurrency).build()?;
    let load = Load { client, prompt, concurrency: args.concurrency, requests: args.requests.div_ceil(args.turns) };
    println!("{} at a time, {} of each kind, answers of {} pieces {} ms apart", args.concurrency, args.requests, args.pieces, args.pause);
    println!("{:<20}{:>14}{:>14}{:>14}{:>14}{:>14}{:>14}", "ms", "direct p50", "proxy p50", "added", "direct p99", "proxy p99", "added");
    for (stream, kind) in [(false, "whole answer"), (true, "stream")] {
        let (mut direct, mut through) = (Times::default(), Times::default());
        // The first turn warms connections up.
        for turn in 0..=args.turns {
            for (url, times) in [(&server.url, &mut direct), (&proxied, &mut through)] {
                let taken = load.run(url, stream).await?;
                if turn > 0 {
                    times.add(taken);
                }
            }
        }
        if stream {
            row("stream: first text", &direct.first.into(), &through.first.into());
        }
        row(&format!("{kind}: all"), &direct.all.into(), &through.all.into());
    }
    Ok(())
}

async fn proxy(args: &Args, url: &str) -> Result<String> {
    let pipeline =
        if args.bare { Pipeline::new(Arc::new(SystemClock::new())) } else { pipeline(args.policy.as_deref(), &args.policy_name)? };
    let upstream = Upstream::new(EndpointConfig::new(url).with_dialect(Dialect::Extended), None)?;
    let app = App::new(ProxyConfig::default(), upstream, pipeline, Arc::new(SystemClock::new()), 0);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve::run(Arc::new(app), listener, std::future::pending()));
    Ok(format!("http://{address}/v1"))
}

fn row(name: &str, direct: &Latencies, proxied: &Latencies) {
    print!("{name:<20}");
    for percent in [50.0, 99.0] {
        let [direct, proxied] = [direct, proxied].map(|times| times.percentile(percent).unwrap_or(f64::NAN));
        print!("{direct:>14.2}{proxied:>14.2}{:>14.2}", proxied - direct);
    }
    println!();
}
