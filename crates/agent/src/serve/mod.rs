//! A dashboard over HTTP: the list of runs, each run live, and approvals given by a person. No build step, no script but a few lines of its own,
//! nothing loaded from elsewhere.
//!
//! Whoever looks has to show the secret, once, and then has a cookie for half a day; programs send `Authorization: Bearer`. Answers to
//! approvals need besides a token that only the dashboard's own pages hold. It listens on this machine alone unless told by which names others
//! know it, and answers to no other name, so that no page of the web can reach it by a name of its own (DNS rebinding).
//!
//! A cookie is sent to every server on the same host, whatever its port: where others may listen on this machine's loopback address and be
//! opened in the same browser, use another browser profile.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use jarre_agent::serve::{Dashboard, DashboardConfig, MemoryRuns, Secret};
//! use jarre_core::SystemClock;
//!
//! # async fn run() -> jarre_agent::Result<()> {
//! let runs = Arc::new(MemoryRuns::new());
//! let secret = Secret::random()?;
//! let dashboard = Dashboard::new(runs, secret, Arc::new(SystemClock::new()), DashboardConfig::default());
//! let listener = dashboard.bind().await?;
//! // Shown to whoever started the program, and written nowhere.
//! let address = dashboard.sign_in_address(listener.local_addr().expect("it is bound"));
//! dashboard.serve(listener, std::future::pending()).await?;
//! # let _ = address;
//! # Ok(())
//! # }
//! # let _ = run();
//! ```

mod access;
mod answer;
mod app;
mod config;
mod connections;
mod dashboard;
mod events;
mod failure;
mod list;
mod log;
mod memory;
mod page;
mod run;
mod runs;
mod secret;
mod session;
mod sign_in;

pub use config::DashboardConfig;
pub use dashboard::Dashboard;
pub use memory::MemoryRuns;
pub use runs::{RunList, RunSummary, Runs};
pub use secret::Secret;
