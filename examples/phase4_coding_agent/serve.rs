//! `serve`: the dashboard, over the runs of a store.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use clap::Args;
use jarre_agent::serve::{Dashboard, DashboardConfig, Secret};
use jarre_core::SystemClock;

use crate::{interrupt, store::StoreArgs};

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8004")]
    pub(crate) address: SocketAddr,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Serves until Ctrl-C or a signal to end.
pub(crate) fn serve(args: &ServeArgs) -> Result<bool> {
    let log = args.store.kept()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("no runtime can be made")?;
    runtime.block_on(async {
        let config = DashboardConfig::default().with_address(args.address);
        let dashboard = Dashboard::new(Arc::new(log), Secret::random()?, Arc::new(SystemClock::new()), config);
        let listener = dashboard.bind().await?;
        eprintln!("{}", dashboard.sign_in_address(listener.local_addr()?));
        let stop = Arc::new(tokio::sync::Notify::new());
        interrupt::on_first({
            let stop = Arc::clone(&stop);
            move || stop.notify_one()
        })?;
        dashboard.serve(listener, async move { stop.notified().await }).await?;
        Ok(true)
    })
}
