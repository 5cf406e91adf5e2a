//! The processes of one measurement.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::floats;
use super::rank::{Report, Work};

/// How many processes, of how many threads each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) world: usize,
    pub(super) threads: usize,
}

/// Processes that do not outlive this one's interest in them.
pub(super) struct Processes(pub(super) Vec<Child>);

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that has ended cannot be ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What rank 0 reports, and the logits that it had.
pub(super) fn measure(layout: Layout, model: &Path, work: &Work, scratch: &Path) -> Result<(Report, Vec<f32>)> {
    let token = secret()?;
    let logits = scratch.join("logits");
    let mut processes = Processes(vec![start(0, layout, model, work, &logits)?]);
    tell(&mut processes.0[0], &token, "")?;
    let mut said = BufReader::new(taken(&mut processes.0[0])?);
    let mut address = String::new();
    said.read_line(&mut address)?;
    for rank in 1..layout.world {
        let mut child = start(rank, layout, model, work, &logits)?;
        tell(&mut child, &token, address.trim())?;
        processes.0.push(child);
    }
    let mut report = String::new();
    said.read_to_string(&mut report)?;
    for (rank, child) in processes.0.iter_mut().enumerate() {
        ensure!(child.wait()?.success(), "rank {rank} of {} has failed", layout.world);
    }
    let report = serde_json::from_str(&report).context("rank 0 did not report")?;
    Ok((report, floats(&std::fs::read(logits)?)))
}

fn start(rank: usize, layout: Layout, model: &Path, work: &Work, logits: &Path) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("tensor-parallel-rank").args(["--rank", &rank.to_string(), "--world", &layout.world.to_string()]);
    command.arg("--threads").arg(layout.threads.to_string()).arg("--folder").arg(model).arg("--logits").arg(logits);
    command.args(work.words()).env("RAYON_NUM_THREADS", layout.threads.to_string());
    command.stdin(Stdio::piped()).stdout(if rank == 0 { Stdio::piped() } else { Stdio::null() });
    command.spawn().context("cannot start a process")
}

/// What proves who belongs to a ring.
pub(super) fn secret() -> Result<String> {
    let mut token = [0; 16];
    getrandom::fill(&mut token).context("the system gives no random numbers")?;
    Ok(format!("{:032x}", u128::from_ne_bytes(token)))
}

/// Where to meet and what proves who belongs there: by a pipe that nobody else reads.
pub(super) fn tell(child: &mut Child, token: &str, address: &str) -> Result<()> {
    let mut stdin = child.stdin.take().context("its input is a pipe")?;
    writeln!(stdin, "{token}\n{address}")?;
    Ok(())
}

fn taken(child: &mut Child) -> Result<ChildStdout> {
    child.stdout.take().context("its output is a pipe")
}
