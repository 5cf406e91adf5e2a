//! Where logs of runs are kept, and the folders that they work in.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result, bail};
use clap::Args;
use jarre_agent::log::EventLog;
use jarre_core::{Clock, SystemClock};
use jarre_kv_store::{Embedded, Store};

/// How the name of the folder ends that has the folders of runs.
const WORK: &str = ".work";

#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// The file that keeps the logs of all runs; the folders that runs work in lie beside it.
    #[arg(long, default_value = "runs/phase4/agent.db", value_name = "FILE")]
    pub(crate) db: PathBuf,
}

impl StoreArgs {
    /// The logs of a store that is there.
    pub(crate) fn kept(&self) -> Result<EventLog> {
        if !self.db.is_file() {
            bail!("there is no store {}: name one by --db, or begin one with `run`", self.db.display());
        }
        self.log()
    }

    /// The logs. One process at a time has the file, which is made where there is none.
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
        self.beside(WORK).join(run)
    }

    /// What the store is made of, with all links followed, where it is there: the file, those that it is made with, and the folders of its runs.
    pub(crate) fn own(&self) -> Vec<PathBuf> {
        ["", ".lock", ".new", WORK].iter().filter_map(|ending| self.beside(ending).canonicalize().ok()).collect()
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut path = self.db.clone().into_os_string();
        path.push(ending);
        path.into()
    }
}
