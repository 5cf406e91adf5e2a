//! Work in a process of its own: what is measured there has no memory of what was measured before.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Starts this program again with a hidden subcommand and more variables in its environment, gives it `job` and takes its answer.
pub(crate) fn run<J: Serialize, A: DeserializeOwned>(command: &str, environment: &[(&str, &str)], job: &J) -> Result<A> {
    let program = std::env::current_exe().context("cannot find this program to start it again")?;
    let mut process = Command::new(program)
        .arg(command)
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start a process for {command}"))?;
    let mut input = process.stdin.take().context("a process has the input that was asked for")?;
    let wrote = input.write_all(&serde_json::to_vec(job)?);
    drop(input);
    let output = process.wait_with_output()?;
    ensure!(output.status.success(), "the process for {command} ended with {}; what it said stands above", output.status);
    wrote.with_context(|| format!("the process for {command} did not read its job"))?;
    serde_json::from_slice(&output.stdout).with_context(|| format!("the process for {command} gave no answer"))
}

/// The other side: reads the job, does it, and writes the answer.
pub(crate) fn serve<J: DeserializeOwned, A: Serialize>(work: impl FnOnce(&J) -> Result<A>) -> Result<()> {
    let mut job = Vec::new();
    std::io::stdin().read_to_end(&mut job)?;
    let job: J = serde_json::from_slice(&job).context("this subcommand is for the program itself: it reads a job as JSON")?;
    println!("{}", serde_json::to_string(&work(&job)?)?);
    Ok(())
}
