//! Data parallel training: this program starts itself once for each further worker.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use jarre_transformer::collective::{Communicator, Rendezvous, RingConfig};

/// Where a worker finds the secret of its ring; an argument would be for everyone to see.
const TOKEN: &str = "JARRE_RING_TOKEN";

/// The other workers of a training; those still there are ended when it is dropped.
pub(crate) struct Crew {
    others: Vec<Child>,
}

impl Crew {
    /// Starts `count - 1` further processes with the arguments of this one, and joins them to a ring of which this one is rank 0.
    pub(crate) fn start(count: usize) -> Result<(Self, Communicator)> {
        let token = secret();
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let rendezvous = Rendezvous::bind(&RingConfig::new(0, count, any_port).with_token(&token))?;
        let program = std::env::current_exe().context("cannot find this program to start it again")?;
        let mut crew = Self { others: Vec::new() };
        for rank in 1..count {
            let mut command = Command::new(&program);
            command.args(std::env::args_os().skip(1)).arg("--rank").arg(rank.to_string());
            command.arg("--rendezvous").arg(rendezvous.address().to_string()).env(TOKEN, &token);
            crew.others.push(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("cannot start a worker")?);
        }
        let ring = rendezvous.connect()?;
        Ok((crew, ring))
    }

    /// Joins the ring as one of the others.
    pub(crate) fn join(rank: usize, count: usize, rendezvous: SocketAddr) -> Result<Communicator> {
        let token = std::env::var(TOKEN).with_context(|| format!("{TOKEN} is not set: workers are started by --workers"))?;
        Ok(Communicator::connect(&RingConfig::new(rank, count, rendezvous).with_token(token))?)
    }

    /// Waits for the others to end by themselves.
    pub(crate) fn wait(mut self) -> Result<()> {
        for child in &mut self.others {
            let status = child.wait().context("cannot wait for a worker")?;
            anyhow::ensure!(status.success(), "a worker ended with {status}");
        }
        self.others.clear();
        Ok(())
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for child in &mut self.others {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A secret that other processes cannot guess: the standard library's hash keys are drawn from the system's randomness.
fn secret() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let parts: Vec<String> = (0..4).map(|_| format!("{:016x}", RandomState::new().build_hasher().finish())).collect();
    parts.concat()
}
