//! The other processes of a server.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result};
use clap::ValueEnum;
use jarre_kernels::packed::set_threads;
use jarre_serving::tensor_parallel::run_reading_worker;
use jarre_transformer::collective::{Communicator, Rendezvous, RingConfig};
use jarre_transformer::quantize::Inputs;

use super::processes::{Processes, secret, tell};
use super::rank::{LOADING, told};
use crate::args::{ModelArgs, Quant};
use crate::model;

#[derive(clap::Args)]
pub(crate) struct WorkerArgs {
    #[arg(long)]
    rank: usize,
    #[arg(long)]
    world: usize,
    #[arg(long)]
    threads: usize,
    #[arg(long)]
    model: Option<PathBuf>,
    #[arg(long)]
    quant: Option<Quant>,
}

/// Processes that share the work of a server; they end with it.
pub(crate) struct Workers {
    _processes: Processes,
}

/// Starts all ranks but 0, which this process is, and meets them.
pub(crate) fn start(world: usize, model: &ModelArgs) -> Result<(Communicator, Workers)> {
    let threads = (thread::available_parallelism()?.get() / world).max(1);
    set_threads(threads);
    let token = secret()?;
    let rendezvous = Rendezvous::bind(&ring(0, world, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &token))?;
    let mut processes = Processes(Vec::new());
    for rank in 1..world {
        let mut child = command(rank, world, threads, model)?.spawn().context("cannot start a process")?;
        let told = tell(&mut child, &token, &rendezvous.address().to_string());
        processes.0.push(child);
        told?;
    }
    Ok((rendezvous.connect()?, Workers { _processes: processes }))
}

/// One of them.
pub(crate) fn run(args: &WorkerArgs) -> Result<()> {
    set_threads(args.threads);
    let (token, address) = told()?;
    let path = model::path(args.model.as_deref())?;
    let communicator = Communicator::connect(&ring(args.rank, args.world, address.parse()?, &token))?;
    // Rank 0 keeps the codes of folders in four bits too.
    Ok(run_reading_worker(|part| model::read_part(part.with_packed_inputs(Inputs::Int8), &path, args.quant), communicator)?)
}

fn ring(rank: usize, world: usize, address: SocketAddr, token: &str) -> RingConfig {
    RingConfig::new(rank, world, address).with_token(token).with_timeout(LOADING)
}

fn command(rank: usize, world: usize, threads: usize, args: &ModelArgs) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("tensor-parallel-worker").args(["--rank", &rank.to_string(), "--world", &world.to_string()]);
    command.args(["--threads", &threads.to_string()]).env("RAYON_NUM_THREADS", threads.to_string());
    if let Some(path) = &args.model {
        // All have the same one, whatever becomes of a name at the hub meanwhile.
        command.arg("--model").arg(model::locate(path)?);
    }
    if let Some(quant) = args.quant.and_then(|quant| quant.to_possible_value()) {
        command.args(["--quant", quant.get_name()]);
    }
    // Ctrl-C in a terminal is for the server, which needs its workers until open answers are there.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    Ok(command)
}
