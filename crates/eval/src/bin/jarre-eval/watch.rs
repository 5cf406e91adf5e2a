use std::{thread, time::Duration};

use anyhow::Result;
use jarre_eval::track::{RunStatus, Tracker};
use serde_json::json;

use crate::{
    args::{Cli, WatchArgs},
    locate,
};

/// Follows a run until it ends: how many answers it has, and its figures so far.
pub fn run(cli: &Cli, tracker: &Tracker, args: &WatchArgs) -> Result<u8> {
    let id = locate::run(tracker, &args.run)?.id;
    let interval = Duration::try_from_secs_f64(args.interval).unwrap_or(Duration::from_secs(1)).max(Duration::from_millis(50));
    let mut last = String::new();
    loop {
        let run = tracker.run(&id)?;
        let answers = tracker.finished(&id)?.len();
        let metrics = tracker.latest_metrics(&id)?;
        let line = if cli.json {
            let metrics: serde_json::Map<_, _> = metrics.iter().map(|metric| (metric.name.clone(), json!(metric.value))).collect();
            json!({"run": id.as_str(), "status": run.status, "answers": answers, "metrics": metrics}).to_string()
        } else {
            let figures: Vec<String> = metrics.iter().take(6).map(|metric| format!("{} {:.4}", metric.name, metric.value)).collect();
            format!("{} {answers} answers  {}", run.status, figures.join("  "))
        };
        if line != last {
            println!("{line}");
            last = line;
        }
        match run.status {
            RunStatus::Queued | RunStatus::Running => thread::sleep(interval),
            RunStatus::Done => return Ok(0),
            RunStatus::Interrupted | RunStatus::Failed | RunStatus::Cancelled => return Ok(1),
        }
    }
}
