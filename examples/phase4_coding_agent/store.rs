//! Where logs of runs are kept, and the folders that they work in.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use clap::Args;
use jarre_agent::log::EventLog;
use jarre_core::{Clock, SystemClock};
use jarre_kv_store::{Embedded, Store};

#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// The file that keeps the logs of all runs; the folders that runs work in lie beside it.
    #[arg(long, default_value = "runs/phase4/agent.db", value_name = "FILE")]
    pub(crate) db: PathBuf,
}

impl StoreArgs {
    /// The logs. One process at a time has the file.
    pub(crate) fn log(&self) -> Result<EventLog> {
        if let Some(folder) = self.db.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let store = Embedded::open(&self.db).with_context(|| format!("cannot open {}", self.db.display()))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Ok(EventLog::new(Arc::new(store) as Arc<dyn Store>, clock))
    }

    /// The folder that the run of this name works in. The name is one that a log takes, so it leads nowhere else.
    pub(crate) fn folder(&self, run: &str) -> PathBuf {
        let mut work = self.db.clone().into_os_string();
        work.push(".work");
        Path::new(&work).join(run)
    }
}
