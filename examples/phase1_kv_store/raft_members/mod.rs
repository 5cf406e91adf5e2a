//! A real cluster: members of `jarre_kv_store::Cluster`, each with a folder of its own, over TCP on the loopback interface. Every message
//! between them goes through [`links`], where it can be held back.
//!
//! Members run in this process, or each in [one of its own](process). In this process a member that is killed vanishes from one moment to
//! the next for all others and for its clients, and what it does with its files afterwards is what an orderly end does; it cannot be
//! paused. A process is killed by signal 9 and paused by `SIGSTOP`.

mod aftermath;
mod clients;
mod links;
mod member;
mod orders;
mod process;
mod serve;
mod shared;
mod transport;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use jarre_kv_store::{Cluster, ClusterOptions, frame::Token};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

pub(crate) use serve::serve;

use links::Links;
use member::Member;
use process::Process;
use shared::{Shared, lock};
use transport::Held;

use crate::{
    client::Client,
    deployment::{Deployment, Fault, Leader, Micros},
    record::{Operation, Record},
};

/// A heartbeat goes out so often, and followers that heard none for one to two times the second stand for election.
const TIMES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(200));
/// How long a member tries before it says that there is no quorum, or that the outcome is unknown.
const PATIENCE: Duration = Duration::from_millis(400);
/// How often to look who believes to lead.
const LOOK: Duration = Duration::from_millis(1);

/// Where members run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    Here,
    Processes,
}

/// Members, links between them, and clients.
pub(crate) struct RaftMembers {
    home: Home,
    runtime: Runtime,
    shared: Arc<Shared>,
    links: Arc<Links>,
    folder: TempDir,
    addresses: Vec<String>,
    processes: Vec<Option<Arc<Process>>>,
    /// By member, its end where it was killed.
    ends: Vec<Option<JoinHandle<()>>>,
}

impl RaftMembers {
    /// A cluster of so many, which has just been started.
    ///
    /// # Errors
    /// Where a member cannot start.
    pub(crate) fn start(nodes: usize, home: Home) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().context("cannot start the runtime")?;
        let addresses = free_addresses(nodes)?;
        let shared = Arc::new(Shared::new(nodes));
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let (processes, ends) = ((0..nodes).map(|_| None).collect(), (0..nodes).map(|_| None).collect());
        let links = Arc::new(Links::new(nodes));
        let mut cluster = Self { home, runtime, shared, links, folder, addresses, processes, ends };
        (0..nodes).try_for_each(|node| cluster.start_member(node))?;
        cluster.runtime.spawn(shared::look(Arc::clone(&cluster.shared)));
        Ok(cluster)
    }

    fn start_member(&mut self, node: usize) -> Result<()> {
        if lock(&self.shared.slots[node]).member.is_some() {
            return Ok(());
        }
        if let Some(end) = self.ends[node].take() {
            self.runtime.block_on(end).context("a member did not end")?;
        }
        self.links.revive(node);
        let folder = self.folder.path().join(format!("member-{node}"));
        let member: Arc<dyn Member> = match self.home {
            Home::Here => Arc::new(self.runtime.block_on(Cluster::start(options(node, &self.addresses, folder, &self.links)?))?),
            Home::Processes => self.start_process(node, &folder)?,
        };
        lock(&self.shared.slots[node]).member = Some(member);
        Ok(())
    }

    fn start_process(&mut self, node: usize, folder: &Path) -> Result<Arc<Process>> {
        let process = Arc::new(Process::start(node, &self.addresses, folder, &self.links.state())?);
        self.processes[node] = Some(Arc::clone(&process));
        Ok(process)
    }

    fn kill(&mut self, node: usize) {
        let mut slot = lock(&self.shared.slots[node]);
        let Some(member) = slot.member.take() else { return };
        slot.life += 1;
        drop(slot);
        let now = self.shared.now();
        lock(&self.shared.record).believes(now, node, None);
        if self.processes[node].take().is_some() {
            return self.runtime.block_on(member.end());
        }
        self.links.sever(node);
        self.ends[node] = Some(self.runtime.spawn(async move { member.end().await }));
    }

    fn signal(&self, node: usize, name: &str) -> Result<()> {
        match &self.processes[node] {
            Some(process) => process.signal(name),
            None if self.home == Home::Here => bail!("members of one process cannot be paused"),
            None => Ok(()),
        }
    }
}

impl Deployment for RaftMembers {
    fn nodes(&self) -> usize {
        self.addresses.len()
    }

    fn now(&self) -> Micros {
        self.shared.now()
    }

    fn start(&mut self, client: Client) {
        self.runtime.spawn(clients::work(client, Arc::clone(&self.shared)));
    }

    fn run_until(&mut self, until: Micros) {
        std::thread::sleep(Duration::from_micros(until).saturating_sub(self.shared.began.elapsed()));
    }

    fn inject(&mut self, fault: &Fault) -> Result<()> {
        match *fault {
            Fault::Cut(ref grudge) => self.links.cut(grudge),
            Fault::Heal => self.links.heal(),
            Fault::Kill(node) => self.kill(node),
            Fault::Start(node) => self.start_member(node)?,
            Fault::SlowNode { node, by } => self.links.slow(node, Duration::from_micros(by)),
            Fault::SlowLinks { by } => self.links.slow_all(Duration::from_micros(by)),
            Fault::Pause(node) => self.signal(node, "STOP")?,
            Fault::Resume(node) => self.signal(node, "CONT")?,
            Fault::PowerLoss => (0..self.nodes()).for_each(|node| self.kill(node)),
            Fault::SlowDisk { .. } => bail!("a real disk is as fast as it is"),
            Fault::Clock { .. } => bail!("a real clock is what it is"),
        }
        let state = self.links.state();
        self.processes.iter().flatten().for_each(|process| process.tell_links(&state));
        Ok(())
    }

    fn leaders(&self) -> Vec<Leader> {
        let claims = (0..self.nodes()).filter_map(|node| Some(Leader { node, term: self.shared.claim(node)?.term }));
        claims.collect()
    }

    fn last_of(&self, client: u64) -> Option<Operation> {
        lock(&self.shared.record).last_of(client).cloned()
    }

    fn finish(self: Box<Self>) -> Result<Record> {
        let (surviving, replicas) = self.runtime.block_on(aftermath::aftermath(&self.shared))?;
        let mut record = std::mem::take(&mut *lock(&self.shared.record));
        (record.surviving, record.replicas) = (surviving, replicas);
        let members: Vec<_> = self.shared.slots.iter().filter_map(|slot| lock(slot).member.take()).collect();
        self.runtime.block_on(async {
            for member in members {
                member.end().await;
            }
        });
        self.runtime.shutdown_timeout(Duration::from_secs(2));
        Ok(record)
    }
}

/// How member `node` of those that listen at `addresses` is started.
fn options(node: usize, addresses: &[String], folder: PathBuf, links: &Arc<Links>) -> Result<ClusterOptions> {
    let token = Token::new(b"known to the members of this demonstration").context("the token is too short")?;
    let members = (1..).zip(addresses).map(|(id, address)| jarre_kv_store::Member::new(id, address));
    let transport = Held { node, addresses: addresses.to_vec(), links: Arc::clone(links) };
    Ok(ClusterOptions::new(1, node as u64 + 1, token, folder)
        .with_listen(&addresses[node])
        .founded_by(members)
        .with_transport(Arc::new(transport))
        .with_times(TIMES.0, TIMES.1)
        .with_request_timeout(PATIENCE))
}

/// Addresses of the loopback interface at which nobody listens; all are held until the last is found, so that they differ.
fn free_addresses(count: usize) -> Result<Vec<String>> {
    let listeners = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>().context("no port is free")?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.to_string())).collect()
}

#[cfg(test)]
mod tests;
