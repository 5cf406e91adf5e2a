//! The other side of [`process`](super::process): what the process of a member does.

use std::{
    io::{BufRead, Write, stdin, stdout},
    path::PathBuf,
    sync::Arc,
};

use anyhow::{Context, Result};
use jarre_kv_store::Cluster;
use tokio::runtime::Builder;

use super::{
    LOOK,
    links::Links,
    member::Member,
    options,
    orders::{Ask, Order, Reply, Report},
};

/// Serves member `node` until its input ends.
pub(crate) fn serve(node: usize, folder: PathBuf, addresses: &[String]) -> Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().context("cannot start the runtime")?;
    let links = Arc::new(Links::new(addresses.len()));
    let options = options(node, addresses, folder, &links)?;
    let member = Arc::new(runtime.block_on(Cluster::start(options))?);
    say(&Report::Ready);
    runtime.spawn(look(Arc::clone(&member)));
    for line in stdin().lock().lines() {
        match serde_json::from_str(&line?).context("this subcommand is for the program itself")? {
            Order::Links(state) => links.set(state),
            Order::Ask { id, ask } => {
                let member = Arc::clone(&member);
                runtime.spawn(async move { say(&Report::Reply { id, reply: reply(&member, ask).await }) });
            }
        }
    }
    runtime.block_on(member.shutdown());
    Ok(())
}

async fn reply(member: &Cluster, ask: Ask) -> Reply {
    let failed = |error: anyhow::Error| Reply::Failed(error.to_string());
    match ask {
        Ask::Answer(request) => Reply::Answer(member.answer(&request).await),
        Ask::Held { linearizable } => member.held(linearizable).await.map_or_else(failed, Reply::Held),
        Ask::History { until } => member.history(until).await.map_or_else(failed, Reply::History),
    }
}

/// Tells whenever it begins or ceases to lead.
async fn look(member: Arc<Cluster>) {
    let mut told = None;
    loop {
        let claim = member.claim();
        if claim != told {
            told = claim;
            say(&Report::Claim(claim.and_then(|claim| claim.term)));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn say(report: &Report) {
    let line = serde_json::to_string(report).expect("reports are plain data");
    // Whoever started this has gone; its input ends as well.
    let _ = writeln!(stdout().lock(), "{line}");
}
