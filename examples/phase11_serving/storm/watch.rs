//! How the server stands meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;
use tokio::time::sleep;

use crate::client::Client;

/// How long a server may take to have done with everything once nobody asks any more.
const SETTLE: Duration = Duration::from_secs(30);

/// One look at the server.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Sample {
    /// Seconds from the beginning of the load on.
    pub(super) at: f64,
    /// Bytes of memory that the process holds, where it is watched.
    pub(super) memory: Option<u64>,
    /// None where the server tells nothing.
    #[serde(flatten)]
    pub(super) load: Option<Standing>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Standing {
    pub(super) running: f64,
    pub(super) waiting: f64,
    /// Share of the cache that is held.
    pub(super) kv_usage: f64,
}

impl Standing {
    pub(super) fn is_idle(&self) -> bool {
        *self == Self { running: 0.0, waiting: 0.0, kv_usage: 0.0 }
    }
}

pub(super) async fn look(client: &Client, pid: Option<u32>, begin: Instant) -> Sample {
    let metrics = client.metrics().await.ok();
    let load = metrics.and_then(|metrics| {
        let (running, waiting) = metrics.running_and_waiting()?;
        Some(Standing { running, waiting, kv_usage: metrics.kv_usage()? })
    });
    Sample { at: begin.elapsed().as_secs_f64(), memory: pid.and_then(|pid| memory(pid).ok()), load }
}

/// Looks again and again, until the task is stopped.
pub(super) async fn watch(
    client: Arc<Client>,
    pid: Option<u32>,
    begin: Instant,
    every: Duration,
    samples: Arc<std::sync::Mutex<Vec<Sample>>>,
) {
    loop {
        let sample = look(&client, pid, begin).await;
        if let Ok(mut samples) = samples.lock() {
            samples.push(sample);
        }
        sleep(every).await;
    }
}

/// Waits until the server has nothing to do, or for as long as it may take, and looks at it. Where it tells nothing there is no wait.
pub(super) async fn settle(client: &Client, pid: Option<u32>, begin: Instant) -> Sample {
    let end = Instant::now() + SETTLE;
    loop {
        let sample = look(client, pid, begin).await;
        if Instant::now() >= end || sample.load.is_none_or(|load| load.is_idle()) {
            return sample;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Bytes of memory that a process holds, as Linux tells.
pub(super) fn memory(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("cannot look at process {pid}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).with_context(|| format!("process {pid} has ended"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().context("the memory of a process cannot be read")?;
    Ok(kib << 10)
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn memory_is_that_of_the_process() {
        let pid = std::process::id();
        let before = super::memory(pid).unwrap();
        let held = std::hint::black_box(vec![1_u8; 64 << 20]);
        let grown = super::memory(pid).unwrap() - before;
        assert!((48 << 20..96 << 20).contains(&grown), "{grown} for {}", held.len());
        assert!(super::memory(u32::MAX).is_err());
    }
}
