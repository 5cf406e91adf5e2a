//! `jarre-kv`: serves a store, in one file or as a member of a cluster, and speaks to one.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program speaks to its terminal")]
#![expect(unreachable_pub, reason = "nothing stands above a program")]

mod args;
mod bench;
mod keys;
mod lease;
mod member;
mod serve;
mod show;
mod snapshot;
mod target;
mod tls;
mod txn;
mod watch;

use std::{io, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use jarre_kv_store::Error;

use args::{Cli, Command};

/// What scripts tell apart.
const NOT_FOUND: u8 = 3;
const UNKNOWN: u8 = 4;

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(cli.log).init();
    match run(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NOT_FOUND),
        Err(error) => {
            // Whoever reads what is printed may have seen enough.
            if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
                return ExitCode::SUCCESS;
            }
            eprintln!("error: {error:#}");
            let is_unknown = matches!(error.downcast_ref::<Error>(), Some(Error::Unknown { .. }));
            if is_unknown { ExitCode::from(UNKNOWN) } else { ExitCode::FAILURE }
        }
    }
}

/// Whether what was looked for was found, and what was to hold held.
fn run(cli: &Cli) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match &cli.command {
            Command::Serve(args) => serve::run(cli, args).await.map(|()| true),
            Command::Get(args) => keys::get(cli, args).await,
            Command::Put(args) => keys::put(cli, args).await,
            Command::Del(args) => keys::del(cli, args).await,
            Command::Scan(args) => keys::scan(cli, args).await,
            Command::Watch(args) => watch::run(cli, args).await,
            Command::Txn(args) => txn::run(cli, args).await,
            Command::Lease(args) => lease::run(cli, args).await,
            Command::Compact { revision } => keys::compact(cli, *revision).await,
            Command::Member(args) => member::run(cli, args).await,
            Command::Snapshot(args) => snapshot::run(cli, args).await,
            Command::Verify { path } => snapshot::verify(cli, path),
            Command::Status => member::status(cli).await,
            Command::Bench(args) => bench::run(cli, args).await,
        }
    })
}
